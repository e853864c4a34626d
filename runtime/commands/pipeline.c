/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pipeline.c - see pipeline.h. */
#include "runtime/commands/pipeline.h"

#include "runtime/netlink/conntrack.h"
#include "runtime/netlink/snapshot.h"

const struct cni_model *rt_pipeline_model(struct rt_session *session)
{
	const struct rt_options *options = session->options;
	struct rt_policy *policy = rt_load(session->arena, options->operands, options->n_operands, options->sets.items,
					   options->sets.n_items);

	return rt_pipeline_resolve(session, policy);
}

static const struct cni_model *resolve(struct rt_session *session, struct rt_policy *policy, bool tests)
{
	struct cni_model *model;
	size_t n_expects;

	session->policy = policy;
	session->sources = &policy->sources;
	session->diags = &policy->diags;
	rt_detail(session, "texts read: %zu", policy->sources.n_items);
	/* a declaration with a syntax error is missing, and would be missed wherever it is named */
	if (session->diags->n_errors)
		return NULL;
	model = cni_resolve(session->arena, &policy->ast, policy->settings, policy->n_settings, session->diags);
	n_expects = model->n_expects;
	if (!tests)
		model->n_expects = 0;
	cni_check(session->arena, model, session->diags);
	model->n_expects = n_expects;
	return session->diags->n_errors ? NULL : model;
}

const struct cni_model *rt_pipeline_resolve(struct rt_session *session, struct rt_policy *policy)
{
	return resolve(session, policy, true);
}

const struct cni_model *rt_pipeline_untested(struct rt_session *session, struct rt_policy *policy)
{
	return resolve(session, policy, false);
}

static const struct cni_state *lower(struct rt_session *session, const struct cni_model *model,
				     const struct cni_prior *prior)
{
	const struct cni_state *state = cni_lower(session->arena, model, prior, session->diags);

	return session->diags->n_errors ? NULL : state;
}

const struct cni_state *rt_pipeline_state(struct rt_session *session, const struct cni_model *model)
{
	return lower(session, model, &(struct cni_prior){ 0 });
}

static bool in_use(void *arg, uint32_t mask, uint32_t mark)
{
	return rt_conntrack_has(arg, mask, mark);
}

const struct cni_state *rt_pipeline_desired(struct rt_session *session, const struct cni_model *model,
					    const struct cni_prior *prior)
{
	return model ? lower(session, model, prior) : cni_state_without(session->arena, prior->observed);
}

struct cni_prior rt_pipeline_prior(const struct cni_state *observed, struct rt_netlink *nl)
{
	return (struct cni_prior){ .observed = observed, .in_use = nl ? in_use : NULL, .arg = nl };
}

const struct cni_plan *rt_pipeline_plan(struct rt_session *session, const struct cni_model *model,
					const struct cni_state *observed, struct rt_netlink *nl)
{
	const struct cni_prior prior = rt_pipeline_prior(observed, nl);
	const struct cni_state *desired = rt_pipeline_desired(session, model, &prior);
	const struct cni_plan *plan;

	if (desired && nl)
		observed = rt_snapshot_for(nl, session->arena, observed, desired, session->diags);
	if (!desired || !observed)
		return NULL;
	plan = cni_plan(session->arena, observed, desired, session->diags);
	return session->diags->n_errors ? NULL : plan;
}
