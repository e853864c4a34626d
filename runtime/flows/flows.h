/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flows.h - what a plan does to the flows that are there: which keep their path, since their NAT is fixed. */
#ifndef RT_FLOWS_H
#define RT_FLOWS_H

#include "compiler/model.h"
#include "compiler/plan.h"
#include "runtime/commands/session.h"
#include "runtime/netlink/netlink.h"

enum rt_fate {
	RT_FLOW_FOLLOWS, /* the new policy steers its next packet */
	RT_FLOW_KEEPS, /* its path, as long as that exists: options { established keep; } */
	RT_FLOW_STAYS, /* on its path until it ends: translated or not, its new path would have it otherwise */
	RT_FLOW_MAY_STAY, /* the same, or it follows: conntrack does not know what decides (a DSCP, the device) */
	RT_FLOW_ENDS, /* it would have to stay, and its path is gone */
	RT_N_FATES
};

struct rt_flows {
	bool asked; /* false: the plan steers nothing anew, or conntrack cannot be asked; nothing is known */
	size_t n_known; /* flows on paths of the policy that is there */
	size_t n_fates[RT_N_FATES];
	struct rt_path_flows { /* by path, in the order of ids */
		unsigned int id;
		const char *path; /* its description */
		bool translated;
		enum rt_fate fate;
		size_t n;
	} * paths;
	size_t n_paths;
};

/* `nl` NULL: a saved state, which knows of no flows; `model` NULL: the plan leaves no policy. */
struct rt_flows rt_flows_of(struct cni_arena *arena, struct rt_netlink *nl, const struct cni_model *model,
			    const struct cni_plan *plan);

/* Behind a plan that was shown: a line or two, or the key "flows":
 *
 *	{ "known": N, "kept": N, "may_be_kept": N, "by_path": [ { "path", "translated": bool, "flows": N,
 *	  "fate": "follows|keeps|keeps until it ends|follows or keeps until it ends|ends" } ] }
 *
 * which is null where nothing is known. */
void rt_show_flows(struct rt_session *session, struct rt_netlink *nl, const struct cni_model *model,
		   const struct cni_plan *plan);

#endif
