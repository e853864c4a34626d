/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lower.h - from a checked model to the desired state of the kernel.
 *
 * Steering. Each distinct path that a packet can take ("cf1 first, then cf2, else drop") has an id. The id is
 * the packet mark within the mask, and gives its fwmark rule's priority (options.rule_priority + 2 + id) and its
 * routing table (options.table + id). Rules by source stand before them: answers to probes at rule_priority,
 * outer packets at rule_priority + 1 (their tables start at options.table + 16384). Ids name paths, not generations: which id stands for which path is
 * kept in the kernel, as the comment of the counter "path.ID", and given back as `prior`.
 *
 * Names that others may rely on (status reads them from the kernel):
 *   counter "route.POLICY.ROUTE"  flows and packets classified by a route; ROUTE is "else" for the policy's end
 *   counter "path.ID"             packets of a path; comment = its description, the path's key
 *   base chains                   prerouting, output, postrouting, raw_prerouting, nat_postrouting
 *   set "former"                  settings of devices that are not ours, as they were: device -> comment
 *                                 "rp_filter=1 accept_local=0"; device "-" stands for the namespace */
#ifndef CNI_LOWER_H
#define CNI_LOWER_H

#include "compiler/model.h"
#include "compiler/state.h"

/* What lowering needs to know of a live router; all zero for a compilation without one. */
struct cni_prior {
	const struct cni_state *observed; /* ids, epoch, gateways of dhcp links; NULL: none */
	/* Whether conntrack has a flow with (mark & mask) == mark. A path that the policy no longer has stays until its
	 * flows end where the language keeps them on it: those whose NAT is fixed, and all of `established keep`. NULL: no
	 * flow is known of. */
	bool (*in_use)(void *arg, uint32_t mask, uint32_t mark);
	void *arg;
};

/* The model must be free of errors. More paths than the mask has room for is an error in `diags`. */
struct cni_state *cni_lower(struct cni_arena *arena, const struct cni_model *model, const struct cni_prior *prior,
			    struct cni_diags *diags);

#endif
