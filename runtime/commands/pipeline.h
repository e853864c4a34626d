/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pipeline.h - the passes from files to a plan, for the commands. Each stops at errors, which are then in the
 * session's diagnostics, and returns NULL. */
#ifndef RT_PIPELINE_H
#define RT_PIPELINE_H

#include "compiler/lower.h"
#include "compiler/model.h"
#include "compiler/plan.h"
#include "compiler/state.h"
#include "runtime/commands/session.h"
#include "runtime/load.h"
#include "runtime/netlink/netlink.h"

/* Loads the operands, resolves and checks them. The session keeps the policy. */
const struct cni_model *rt_pipeline_model(struct rt_session *session);
/* The same of a policy that is loaded, be it with errors. */
const struct cni_model *rt_pipeline_resolve(struct rt_session *session, struct rt_policy *policy);

/* The same, but its `expect`s are not tried: to ask why one does not hold. */
const struct cni_model *rt_pipeline_untested(struct rt_session *session, struct rt_policy *policy);

/* Lowers for any router. */
const struct cni_state *rt_pipeline_state(struct rt_session *session, const struct cni_model *model);

/* A router that holds `observed`. `nl` is asked which paths still have flows; NULL (a saved state): none is known of. */
struct cni_prior rt_pipeline_prior(const struct cni_state *observed, struct rt_netlink *nl);
/* What that router shall hold; model NULL: what one without a policy holds. */
const struct cni_state *rt_pipeline_desired(struct rt_session *session, const struct cni_model *model,
					    const struct cni_prior *prior);

/* From the one to the other. */
const struct cni_plan *rt_pipeline_plan(struct rt_session *session, const struct cni_model *model,
					const struct cni_state *observed, struct rt_netlink *nl);

#endif
