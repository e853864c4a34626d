/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.h - desired state minus observed state, as steps in the order in which they are safe.
 *
 * Phases (see runtime/transaction.h): EXPAND adds what no live packet can meet; IN_PLACE holds what the kernel
 * can only change where it is; FLIP is one nft batch that holds nothing but rules of base chains; CONTRACT
 * removes what no packet can meet any more. A step carries both sides, so that undo swaps them. */
#ifndef CNI_PLAN_H
#define CNI_PLAN_H

#include "compiler/diag.h"
#include "compiler/state.h"

enum cni_phase { CNI_EXPAND, CNI_IN_PLACE, CNI_FLIP, CNI_CONTRACT, CNI_N_PHASES };
enum cni_op { CNI_ADD, CNI_CHANGE /* in place, ~ */, CNI_REPLACE /* removed and made again, -/+ */, CNI_DELETE };
enum cni_object {
	CNI_LINK,
	CNI_SETTING,
	CNI_ADDR,
	CNI_RULE,
	CNI_ROUTE,
	CNI_TABLE_NFT,
	CNI_COUNTER,
	CNI_SET,
	CNI_CHAIN,
	CNI_BASE_RULES /* the rules of one base chain, or another with a fixed name, all together */,
	CNI_N_OBJECTS
};

struct cni_step {
	enum cni_phase phase;
	enum cni_op op;
	enum cni_object object;
	/* One of struct cni_st_link, _setting, _addr, _rule, _route, _counter, _set, _chain; BASE_RULES: _chain;
	 * TABLE_NFT: the struct cni_state. NULL: absent on that side. They point into the two states, or are made
	 * by the plan. A step for a base CHAIN is about the chain without its rules. A SETTING without `after`
	 * asks for nothing: its device goes, and undo sets it again. */
	const void *before, *after;
	const char *disturbs; /* what traffic it may disturb, one line; NULL: none */
	struct cni_span span; /* where the policy says so; of a removal: no place */
};

struct cni_plan {
	struct cni_step *steps; /* by phase, and within a phase in the order to execute */
	size_t n_steps;
	const struct cni_state *observed, *desired;
};

/* Foreign objects that stand in the way (a different one under a name or key that is wanted) are errors in
 * `diags`; an identical foreign object is used and left alone. An empty plan: nothing is to be changed. */
struct cni_plan *cni_plan(struct cni_arena *arena, const struct cni_state *observed, const struct cni_state *desired,
			  struct cni_diags *diags);

/* What the plan would be on a day when nothing is down, and from what: the same one whatever is down now. `desired` was
 * lowered with `observed` as prior. Next hops that are not there because of what is down are put back; of tables that the
 * policy does not have they cannot be known, so all that lead on from those are left out. */
struct cni_plan *cni_plan_as_up(struct cni_arena *arena, const struct cni_state *observed,
				const struct cni_state *desired, struct cni_diags *diags);

/* The desired state of a router without a policy: nothing of ours, settings as they were. */
struct cni_state *cni_state_without(struct cni_arena *arena, const struct cni_state *observed);

#endif
