/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lower.h - from a checked model to the desired state of the kernel.
 *
 * Steering. Each distinct path that a packet can take ("cf1 first, then cf2, else drop") has an id. The id is
 * the packet mark within the mask, and gives its fwmark rule's priority (lower/skips.c) and its routing table
 * (options.table + id). Rules by source stand before them: answers to probes at rule_priority, outer packets at
 * rule_priority + 1 (their tables start at options.table + 16384). In the table before those the kernel keeps what is down
 * (state/down.h). Ids name paths, not generations: which id stands for
 * which path is kept in the kernel, as the comment of the counter "path.ID", and given back as `prior`.
 *
 * The priorities from rule_priority to cni_last_priority() are cnic's. Where a family has many paths, other rules there
 * let packets pass over those that are not theirs. Over a rule of someone else's nothing may pass: with one among
 * them, a family's packets meet all rules, one by one.
 *
 * Names that others may rely on (status reads them from the kernel):
 *   counter "route.POLICY.ROUTE"  flows and packets classified by a route; ROUTE is "else" for the policy's end
 *   counter "path.ID"             packets of a path; comment = its description, the path's key
 *   base chains                   prerouting, output, postrouting, raw_prerouting, nat_postrouting
 *   counter "sealed"              comment = nft's generation id as of the moment in which all of the table was read and was
 *                                 what the policy wants; while it has not moved, large sets need not be read again
 *   set "former"                  settings of devices that are not ours, as they were: device -> comment
 *                                 "rp_filter=1 accept_local=0"; device "-" stands for the namespace */
#ifndef CNI_LOWER_H
#define CNI_LOWER_H

#include "compiler/model.h"
#include "compiler/state.h"

/* What lowering needs to know of a live router; all zero for a compilation without one.
 *
 * A path that the policy no longer has stays until its flows end, since the language keeps some of them on it: those
 * whose NAT is fixed, and all of `established keep`. A flow can begin on it until the flip, so a look at conntrack
 * before that is too early, and an apply lowers twice:
 *   1. with keep_former, and carries out that plan: every former path is still there after the flip, but nothing leads
 *      a new flow to one any more;
 *   2. if its desired state has n_former > 0 (also where the plan was empty: an apply may have been killed in between):
 *      observes, lowers with in_use, and carries out that plan, which lets go of the paths that have no flows. It moves
 *      no flow, and has no new epoch. When a flow holds each of them it is empty. */
struct cni_prior {
	const struct cni_state *observed; /* ids, epoch, gateways of dhcp links, what is down; NULL: none */
	bool keep_former; /* keep every path of the policy before that still leads somewhere; in_use is not asked */
	/* Whether conntrack has a flow with (mark & mask) == mark; what a plan for a reader is made with. NULL, without
	 * keep_former: no flow is known of, and no former path stays. */
	bool (*in_use)(void *arg, uint32_t mask, uint32_t mark);
	void *arg;
	size_t map_min; /* routes that can be decided together before they are a map; 0: as many as is best */
	size_t skip_min; /* paths' rules of a family before packets pass over them by others; 0: CNI_SKIP_MIN */
	size_t shard_max; /* members of a set of addresses before it is cut into several; 0: as many as is best */
};

/* The bits of a packet's mark, or a flow's, that hold the path's id; those above, within the mask, are the epoch. */
uint32_t cni_id_mask(uint32_t mark_mask);

/* Paths of a family from which on packets pass over the rules of others. */
#define CNI_SKIP_MIN 16

/* The last priority that is cnic's, where the highest id of a path is this one. */
uint32_t cni_last_priority(uint32_t rule_priority, unsigned int max_id);

/* The model must be free of errors. More paths than the mask has room for is an error in `diags`. */
struct cni_state *cni_lower(struct cni_arena *arena, const struct cni_model *model, const struct cni_prior *prior,
			    struct cni_diags *diags);

#endif
