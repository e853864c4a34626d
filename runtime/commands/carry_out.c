/* SPDX-License-Identifier: GPL-2.0-or-later */
/* carry_out.c - see carry_out.h. */
#include "runtime/commands/carry_out.h"

#include "runtime/commands/pipeline.h"
#include "runtime/netlink/snapshot.h"

const struct cni_plan *rt_keeping_plan(struct rt_session *session, const struct cni_model *model,
				       const struct cni_state *observed, struct rt_netlink *nl)
{
	const struct cni_prior prior = { .observed = observed, .keep_former = true };
	const struct cni_state *desired = rt_pipeline_desired(session, model, &prior);
	const struct cni_plan *plan = NULL;

	if (desired)
		observed = rt_snapshot_for(nl, session->arena, observed, desired, session->diags);
	if (desired && observed)
		plan = cni_plan(session->arena, observed, desired, session->diags);
	return session->diags->n_errors ? NULL : plan;
}

static void let_go(struct rt_session *session, const struct cni_model *model, struct rt_netlink *nl,
		   struct rt_result *result)
{
	const struct cni_diags before = *session->diags;
	const struct cni_plan *plan = NULL;
	const struct rt_trust trust = { .seal = true };
	struct cni_state *observed;
	struct rt_result second = { 0 };

	if (!rt_snapshot_trusting(nl, session->arena, &trust, &observed, session->diags))
		plan = rt_pipeline_plan(session, model, observed, nl);
	if (plan)
		rt_apply(nl, session->arena, plan, session->diags, &second);
	if (second.outcome == RT_INCOMPLETE) {
		result->outcome = RT_INCOMPLETE;
	} else {
		*session->diags = before; /* the policy's warnings have been given once */
		*session->diags->last = NULL;
	}
	result->n_changes += second.n_changes;
	result->n_leftovers += !plan || second.outcome != RT_DONE;
}

int rt_carry_out(struct rt_session *session, const struct cni_model *model, struct rt_netlink *nl,
		 const struct cni_plan *plan, struct rt_result *result)
{
	int rc = rt_apply(nl, session->arena, plan, session->diags, result);

	if (!rc && plan->desired->n_former)
		let_go(session, model, nl, result);
	return rc;
}
