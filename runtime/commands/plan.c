/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.c - `cnic plan`: what apply would change, against the live kernel or a saved state. */
#include <string.h>

#include "runtime/commands/against.h"
#include "runtime/commands/change.h"
#include "runtime/commands/meaning.h"
#include "runtime/commands/pipeline.h"
#include "runtime/commands/saved_state.h"
#include "runtime/commands/side.h"
#include "runtime/flows/flows.h"
#include "runtime/saved_plan/saved_plan.h"

#define PLAN_NODES 2000000 /* less than for `cnic diff`: a router's memory has other uses */

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

/* Which packets would be treated otherwise, where it is known what the live policy says. False: the options make no sense. */
static bool show_meaning(struct rt_session *session, struct rt_netlink *nl, const struct cni_model *model,
			 const struct cni_state *observed, const struct cni_plan *plan)
{
	struct rt_meant live, desired = { model, session->sources };
	const struct cni_sources *sources;
	struct rt_against against = { 0 };
	enum rt_same same;
	bool same_text;

	if (!nl || !plan->n_steps || !rt_against_held(session, nl, observed, &against, &sources)) {
		if (session->options->down.n_items)
			rt_say(session, "--down: %s",
			       plan->n_steps ? "the policy in the kernel is no revision's" : "nothing would change");
		return true;
	}
	live = (struct rt_meant){ against.model, rt_side_named(session->arena, sources, "live:") };
	same_text = !strcmp(against.revision->digest, rt_origin_digest(session->arena, &session->policy->origin));
	return rt_show_meaning(session, &live, &desired, same_text, PLAN_NODES, &same);
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
	if (!show_meaning(session, nl, model, observed, plan))
		return RT_USAGE;
	if (file && !rt_saved_plan_write(session, file, model, plan))
		return RT_ERROR;
	return options->detailed_exitcode && plan->n_steps ? RT_CHANGES : RT_OK;
}
