/* SPDX-License-Identifier: GPL-2.0-or-later */
/* carry_out.h - from what was observed to what a policy says, and then letting go of paths that no flow is on. */
#ifndef RT_CARRY_OUT_H
#define RT_CARRY_OUT_H

#include "compiler/model.h"
#include "compiler/plan.h"
#include "runtime/commands/session.h"
#include "runtime/netlink/netlink.h"
#include "runtime/transaction.h"

/* A flow can begin on a former path until the flip: every one of them is kept over it, and only afterwards conntrack
 * is asked which still have flows (lower.h). NULL with diagnostics. */
const struct cni_plan *rt_keeping_plan(struct rt_session *session, const struct cni_model *model,
				       const struct cni_state *observed, struct rt_netlink *nl);

/* Applies a plan of rt_keeping_plan() as rt_apply() does, and then lets go. A path that cannot be let go of is a
 * leftover for the next apply. *result counts both. */
int rt_carry_out(struct rt_session *session, const struct cni_model *model, struct rt_netlink *nl,
		 const struct cni_plan *plan, struct rt_result *result);

#endif
