/* SPDX-License-Identifier: GPL-2.0-or-later */
/* transaction.h - a plan into the kernel, with one commit point.
 *
 * expand    adds what no packet can meet; undone in reverse when a later step fails
 * in place  what the kernel can only change where it is; undone likewise
 * flip      one nft batch of nothing but rules of base chains, tied to nft's generation id: from one packet to the
 *           next, steering is by the new policy
 * contract  once no packet can be inside the old one (membarrier), removes it; what cannot be removed is reported
 *           as left over (708), and collected by the next apply
 *
 * Then the kernel is read back. What is not as it was meant is rolled back, by a plan from what is there to what was
 * there before, and read again: "rolled back" is said only of what was seen. There is no journal: killed anywhere,
 * steering is by the old policy or by the new one, and the next apply finds in the kernel what is left to do. */
#ifndef RT_TRANSACTION_H
#define RT_TRANSACTION_H

#include "compiler/plan.h"
#include "runtime/netlink/netlink.h"

enum rt_outcome {
	RT_DONE, /* as it was meant, and seen to be so; an empty plan is that at once */
	RT_UNTOUCHED, /* failed; nothing was changed (exit 1) */
	RT_RESTORED, /* failed; what was before is back, and was seen (exit 3) */
	RT_INCOMPLETE, /* failed, and what was before is not all back (exit 4) */
};

struct rt_result {
	enum rt_outcome outcome;
	enum cni_phase phase; /* the last one that was begun */
	size_t n_changes; /* messages that alter state, and writes to /proc/sys, rollback included */
	size_t n_leftovers; /* steps of contract that the kernel refused */
	size_t n_undone; /* steps taken back */
	bool verified; /* the outcome was read back from the kernel */
};

/* The caller holds the lock (lock.h) since before it observed. 0 for RT_DONE, else -errno with diagnostics, each at
 * the place that the refused step came from. -ESTALE with RT_UNTOUCHED or RT_RESTORED: what was observed is no longer
 * so; a new plan may succeed. */
int rt_apply(struct rt_netlink *nl, struct cni_arena *arena, const struct cni_plan *plan, struct cni_diags *diags,
	     struct rt_result *result);

/* Takes back what rt_apply() did of `plan`, all or a part of it: what was ours when it was observed is brought back as
 * it was, and the kernel is read again. 0 for RT_RESTORED; -EIO, with diagnostics, for RT_INCOMPLETE. */
int rt_revert(struct rt_netlink *nl, struct cni_arena *arena, const struct cni_plan *plan, struct cni_diags *diags,
	      struct rt_result *result);

#endif
