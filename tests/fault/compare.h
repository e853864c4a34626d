/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare.h - two states of one router, compared without the planner, which is itself under test. */
#ifndef FAULT_COMPARE_H
#define FAULT_COMPARE_H

#include "compiler/arena.h"
#include "compiler/state.h"

/* All of these: NULL where it is so, else what is not, in words. Counts and carrier are no difference. */

/* Everything that a snapshot shows is the same. */
const char *differs(struct cni_arena *arena, const struct cni_state *before, const struct cni_state *after);

/* What is not cnic's is the same; of settings, those that no policy sets. */
const char *differs_foreign(struct cni_arena *arena, const struct cni_state *before, const struct cni_state *after);

/* `now` steers every packet as `policy` does: base chains are its, and all that they lead to, its rules and the routes
 * of their tables are there, and what is too many, no packet of that policy can meet. With `in_place`, devices,
 * addresses, routes and what is too many of the rules by source are left out: the transition changes them where they are. */
const char *differs_steering(struct cni_arena *arena, const struct cni_state *policy, const struct cni_state *now,
			     bool in_place);

/* Every setting that is not as it was in `before` has that noted as its former value. */
const char *differs_noted(struct cni_arena *arena, const struct cni_state *before, const struct cni_state *now);

#endif
