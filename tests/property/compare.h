/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare.h - one policy: compiled, and what was made of it held against the naive reading, packet by packet. */
#ifndef CNI_TEST_COMPARE_H
#define CNI_TEST_COMPARE_H

#include "compiler/diag.h"
#include "compiler/lower.h"
#include "compiler/model.h"
#include "compiler/state.h"

struct cni_arena;

struct compiled {
	struct cni_sources sources;
	struct cni_diags diags;
	struct cni_model *model; /* fit for use when diags.n_errors is 0; else NULL */
	struct cni_state *state;
};

/* Parses, resolves and checks. */
struct compiled check_text(struct cni_arena *arena, const char *text);
/* How it is lowered; `observed` as in struct cni_prior. */
struct cni_prior prior_of_text(const char *text, const struct cni_state *observed);
/* Both. */
struct compiled compile_text(struct cni_arena *arena, const char *text, const struct cni_state *observed);
const char *compiled_diags(struct cni_arena *arena, const struct compiled *compiled);

/* What is proved, one TAP line each. */
enum property {
	PROP_FATE, /* which way, with which neighbour, translated or not, clamped to what */
	PROP_CHECKS, /* what checks and `expect` make of a policy */
	PROP_STICKY, /* a flow's later packets */
	PROP_REPLY, /* what comes back by a target is not steered again */
	PROP_RETURN, /* what comes in by a target is answered by it */
	PROP_OUTER, /* the outer packets of tunnels */
	PROP_MARKS, /* bits outside the mask */
	PROP_CHANGE, /* flows that began under another policy, by a path that the new one has, too */
	PROP_GONE, /* the same, by a path that it has not; the targets are there */
	PROP_SAME, /* the same policy, the same state, also on top of itself */
	N_PROPERTIES
};

struct mismatch {
	enum property property;
	const char *text; /* the packet, both answers, the chains walked; NULL: none */
};

struct comparison {
	size_t n_packets; /* compared */
	size_t n_steered; /* of them, those that went to a target */
	size_t n_pinned; /* flows that were moved to stay on another target of their path */
	struct mismatch mismatch; /* the first */
};

/* `seed` decides the packets. */
struct comparison compare_policy(struct cni_arena *arena, const struct compiled *compiled, const char *text,
				 uint64_t seed);

/* Flows that begin under `before` and go on under `after`, which was compiled on top of it. */
struct comparison compare_change(struct cni_arena *arena, const struct compiled *before, const struct compiled *after,
				 uint64_t seed);

#endif
