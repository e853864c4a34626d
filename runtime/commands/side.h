/* SPDX-License-Identifier: GPL-2.0-or-later */
/* side.h - one of the policies that `cnic diff` compares, by how the command line names it. */
#ifndef RT_SIDE_H
#define RT_SIDE_H

#include "compiler/model.h"
#include "runtime/commands/session.h"
#include "runtime/load.h"

struct rt_side {
	const char *operand; /* as it was given */
	const struct rt_side_kind *kind;
	const char *prefix; /* before the names of its texts, as "12:"; "" for files */
	struct rt_origin origin;
	const struct cni_model *model; /* NULL: a router without a policy */
	const struct cni_sources *sources; /* by names that tell the two sides apart */
};

/* What the operand is: a revision's number, `live`, git's REV:PATH, or a file or folder. Nothing is read. */
struct rt_side rt_side_of(const char *operand);
/* Whether --set is for it: what was applied has its own. */
bool rt_side_takes_sets(const struct rt_side *side);
/* Reads, resolves and checks. False with a diagnostic. The session keeps the policy. */
bool rt_side_load(struct rt_session *session, struct rt_side *side);

/* The same texts under names that say which policy they are of. */
const struct cni_sources *rt_side_named(struct cni_arena *arena, const struct cni_sources *sources, const char *prefix);

#endif
