/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain.h - where one packet goes, and why: what the policy says of it, and what the rules and routes of a state, desired
 * or observed, do with the first packet of its flow. */
#ifndef CNI_EXPLAIN_H
#define CNI_EXPLAIN_H

#include "compiler/explain/chains.h"
#include "compiler/explain/fib.h"
#include "compiler/explain/near.h"

/* ---- what the policy says ---- */

struct cni_question {
	const struct cni_model *model;
	const struct cni_expect *asked; /* model->packet */
	const char *iif; /* the device; NULL: the router itself */
	struct cni_packet packet;
	bool *down; /* [target] */
	struct cni_decision decision;
	struct cni_near *near; /* the routes above the one that decides */
	size_t n_near;
};

/* NULL, with diagnostics: model->packet is more than one packet, or none, or leaves out what decides. `down` (of every
 * target), or NULL: as the packet's `when` says. */
struct cni_question *cni_question_new(struct cni_arena *arena, const struct cni_model *model, const bool *down,
				      struct cni_diags *diags);

/* ---- what a state does ---- */

struct cni_leaving { /* by one device */
	const struct cni_st_hop *hop;
	size_t target; /* that it is a next hop of; CNI_NONE: of none */
	unsigned int mss; /* what a SYN's MSS is lowered to; 0: it is not, or this is no TCP */
	bool masquerades, has_source;
	struct cni_addr source;
	const char *fault; /* of the chains on the way out */
};

struct cni_way {
	unsigned int weight; /* of `sum`: its share of the flows; 0: it is the only one */
	size_t member; /* the member of a weighted path that comes first; else CNI_NONE */
	struct cni_passage passage; /* up to the look-up of routes */
	const struct cni_st_counter *path; /* "path.ID"; NULL: none is met */
	struct cni_fib_answer fib; /* unless passage.fate is a drop */
	struct cni_leaving *leaving; /* of each fib.hops; several share by their weights, as the kernel hashes */
	size_t n_leaving;
};

struct cni_answer {
	const struct cni_state *state;
	struct cni_way *ways; /* one, or those of a weighted path */
	size_t n_ways;
	unsigned int sum; /* of all weights */
	size_t chosen; /* which of them this flow takes; CNI_NONE: fields are not given that its hash is of */
};

/* `is_up` as of struct cni_fib_query. */
struct cni_answer cni_answer_of(struct cni_arena *arena, const struct cni_question *question,
				const struct cni_state *state,
				bool (*is_up)(const struct cni_st_hop *hop, const void *arg), const void *arg);

/* is_up for a state without a router: all hops are, but for those of targets that are down. `arg` is the question. */
bool cni_question_is_up(const struct cni_st_hop *hop, const void *question);

/* Whether the state does what the policy says: the same fate, or the same targets. True where foreign rules decide, which
 * only the kernel knows. */
bool cni_answer_agrees(const struct cni_question *question, const struct cni_answer *answer);

/* The target that a next hop is of, or CNI_NONE. */
size_t cni_target_of(const struct cni_model *model, const struct cni_st_hop *hop, enum cni_family family);

#endif
