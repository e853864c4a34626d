/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pipeline.h - the passes from files to a plan, for the commands. Each stops at errors, which are then in the
 * session's diagnostics, and returns NULL. */
#ifndef RT_PIPELINE_H
#define RT_PIPELINE_H

#include "compiler/model.h"
#include "compiler/plan.h"
#include "compiler/state.h"
#include "runtime/commands/session.h"
#include "runtime/netlink/netlink.h"

/* Loads the operands, resolves and checks them. */
const struct cni_model *rt_pipeline_model(struct rt_session *session);

/* Lowers for any router. */
const struct cni_state *rt_pipeline_state(struct rt_session *session, const struct cni_model *model);

/* From what the router holds to what the model wants of it; NULL: to a router without a policy. `nl` is asked which
 * paths still have flows; NULL (a saved state): none is known of. */
const struct cni_plan *rt_pipeline_plan(struct rt_session *session, const struct cni_model *model,
					const struct cni_state *observed, struct rt_netlink *nl);

#endif
