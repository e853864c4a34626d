/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.c - `cnic plan`: what apply would change, against the live kernel or a saved state. */
#include "runtime/commands/change.h"
#include "runtime/commands/pipeline.h"
#include "runtime/commands/saved_state.h"
#include "runtime/flows/flows.h"
#include "runtime/saved_plan/saved_plan.h"

/* -o of this command names the file of the saved plan; its text goes to standard output all the same. */
static const char *take_output(struct rt_session *session)
{
	struct rt_options *options = cni_new(session->arena, struct rt_options);
	const char *file = session->options->output;

	*options = *session->options;
	options->output = NULL;
	session->options = options;
	return file;
}

enum rt_exit rt_plan(struct rt_session *session)
{
	rt_auto_netlink struct rt_netlink *nl = NULL;
	const char *file = take_output(session);
	const struct rt_trust trust = { .seal = !file };
	const struct rt_options *options = session->options;
	const struct cni_model *model;
	const struct cni_state *observed;
	const struct cni_plan *plan;

	session->has_changed = true;
	for (size_t i = 0; i < options->n_operands; i++)
		if (rt_saved_plan_is(options->operands[i]))
			return rt_fail(session,
				       "%s is a saved plan: cnic apply %s carries it out, cnic apply -n only "
				       "tells whether it still holds",
				       options->operands[i], options->operands[i]);
	model = rt_pipeline_model(session);
	if (!model)
		return RT_ERROR;
	observed = options->state ? rt_saved_state(session, options->state) : rt_observe(session, &nl, &trust);
	plan = observed ? rt_pipeline_plan(session, model, observed, nl) : NULL;
	if (!plan)
		return RT_ERROR;
	rt_show_plan(session, plan);
	rt_show_flows(session, nl, model, plan);
	if (file && !rt_saved_plan_write(session, file, model, plan))
		return RT_ERROR;
	return options->detailed_exitcode && plan->n_steps ? RT_CHANGES : RT_OK;
}
