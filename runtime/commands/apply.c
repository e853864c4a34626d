/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply.c - `cnic apply`: makes the router what a policy says, or carries out a plan that was saved. */
#include "runtime/commands/change.h"
#include "runtime/commands/pipeline.h"
#include "runtime/saved_plan/saved_plan.h"

static bool names_saved_plan(const struct rt_options *options)
{
	for (size_t i = 0; i < options->n_operands; i++)
		if (rt_saved_plan_is(options->operands[i]))
			return true;
	return false;
}

/* It was looked at already: nothing is asked. */
static enum rt_exit apply_saved(struct rt_session *session)
{
	struct rt_options *options = cni_new(session->arena, struct rt_options);
	const struct cni_model *model;
	struct rt_policy *policy;

	*options = *session->options;
	options->yes = true;
	if (options->n_operands > 1 || options->sets.n_items) {
		rt_fail(session, "apply: a saved plan names its policy and its variables; it stands alone");
		return RT_USAGE;
	}
	session->options = options;
	session->saved = rt_saved_plan_read(session, options->operands[0]);
	if (!session->saved)
		return RT_ERROR;
	policy = rt_saved_plan_load(session, session->saved);
	if (!policy)
		return RT_LOCKED;
	model = rt_pipeline_resolve(session, policy);
	return model ? rt_change(session, model) : RT_ERROR;
}

enum rt_exit rt_apply_command(struct rt_session *session)
{
	const struct cni_model *model;

	session->has_changed = true;
	if (names_saved_plan(session->options))
		return apply_saved(session);
	model = rt_pipeline_model(session);
	return model ? rt_change(session, model) : RT_ERROR;
}
