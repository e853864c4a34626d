/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain.h - what `cnic explain` has found out, and its two forms. */
#ifndef RT_EXPLAIN_H
#define RT_EXPLAIN_H

#include <jansson.h>

#include "compiler/explain/explain.h"
#include "compiler/text.h"
#include "runtime/commands/session.h"
#include "runtime/probe/kernel_route.h"

struct rt_explain {
	struct cni_arena *arena;
	const struct cni_sources *sources;
	const struct cni_question *question;
	struct cni_answer answer;
	const struct cni_state *desired; /* the policy's: what is installed has its lines from here */
	struct rt_asked { /* of each of answer.ways, with --live */
		bool asked; /* its packets are looked up at all */
		struct rt_kernel_route route;
		const char *device; /* NULL: none */
		bool agrees;
	} * kernel; /* NULL: without a router */
	bool agrees; /* what the answer's state does is what the policy says */
};

/* Where the policy is responsible for what was met; no place: it is not. */
struct cni_span rt_span_of_rule(const struct rt_explain *e, const struct cni_st_rule *rule);
struct cni_span rt_span_of_route(const struct rt_explain *e, const struct cni_st_route *route);
struct cni_span rt_span_of_path(const struct rt_explain *e, const struct cni_st_counter *path);
struct cni_span rt_span_of_met(const struct rt_explain *e, const struct cni_met *met);
/* Of the target that a packet leaves by: what gave the MSS. */
struct cni_span rt_span_of_mss(const struct rt_explain *e, const struct cni_leaving *leaving);
/* Of the decision: the route's name, `else`, or the policy's name where it does not come to that. */
struct cni_span rt_span_of_decision(const struct rt_explain *e);

/* "via cf1", "via cf1, cf2", "drop" */
const char *rt_outcome_text(const struct rt_explain *e);
/* "via 192.0.2.10 dev eth1 table 20001", "refuses it: …" */
const char *rt_asked_text(struct cni_arena *arena, const struct rt_asked *asked);

/* Asks what is installed, and the kernel. False, reported, where that cannot be. */
bool rt_explain_live(struct rt_session *session, const struct cni_model *model, struct rt_explain *e);

/* `verbose`: nft's rules too. */
void rt_explain_text(struct cni_text *out, const struct rt_explain *e, bool verbose);
/* The keys packet, down, decision, near, ways, chosen and agrees. */
void rt_json_explain(json_t *json, const struct rt_explain *e);

#endif
