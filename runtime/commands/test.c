/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test.c - `cnic test`: every `expect` of a policy, one by one. What else is wrong with the policy is one more result, so
 * that every form of report has it. */
#include "runtime/commands/test.h"

#include "compiler/check/expect.h"
#include "runtime/commands/pipeline.h"

static struct rt_result *add(struct cni_arena *arena, struct rt_results *results, struct rt_result result)
{
	struct rt_result *added = cni_push(arena, results->items, results->n_items);

	results->n_failed += !result.holds;
	*added = result;
	return added;
}

static const char *name_of(struct rt_session *session, const struct cni_expect *expect)
{
	return cni_span_text(session->arena, session->sources, expect->decl->span, SIZE_MAX);
}

/* Behind those that are there. */
static void keep(struct cni_diags *all, const struct cni_diags *more)
{
	all->n_errors += more->n_errors;
	all->n_warnings += more->n_warnings;
	if (!more->first || all->n_errors + all->n_warnings > all->limit)
		return;
	*all->last = more->first;
	all->last = more->last;
}

static void try_all(struct rt_session *session, const struct cni_model *model, struct rt_results *results)
{
	struct cni_expects *expects = cni_expects_new(session->arena, model);

	for (size_t i = 0; i < model->n_expects; i++) {
		const struct cni_expect *expect = &model->expects[i];
		struct cni_diags *diags = cni_new(session->arena, struct cni_diags);
		struct rt_result result = { .name = name_of(session, expect), .span = expect->decl->span };

		cni_diags_init(diags, session->arena);
		result.holds = cni_expect_holds(expects, expect, diags);
		result.why = diags->first;
		add(session->arena, results, result);
		keep(session->diags, diags);
	}
	cni_expects_redundant(expects, session->diags);
	cni_expects_free(expects);
}

/* The first error, behind warnings. */
static const struct cni_diag *first_error(const struct cni_diags *diags)
{
	const struct cni_diag *d = diags->first;

	while (d && d->severity != CNI_ERROR)
		d = d->next;
	return d;
}

enum rt_exit rt_test(struct rt_session *session)
{
	static void (*const write[])(struct cni_text * out, const struct rt_results *results) = {
		[RT_REPORT_TEXT] = rt_results_text,
		[RT_REPORT_TAP] = rt_results_tap,
		[RT_REPORT_JUNIT] = rt_results_junit,
	};
	const struct rt_options *options = session->options;
	struct rt_policy *policy = rt_load(session->arena, options->operands, options->n_operands, options->sets.items,
					   options->sets.n_items);
	const struct cni_model *model = rt_pipeline_untested(session, policy);
	struct rt_results results = { .sources = session->sources };

	/* what shows only when the policy is lowered is an error like any other */
	if (model && rt_pipeline_state(session, model))
		try_all(session, model, &results);
	else
		add(session->arena, &results,
		    (struct rt_result){ .name = "the policy has no other error",
					.span = first_error(session->diags) ? first_error(session->diags)->span
									    : (struct cni_span){ 0 },
					.why = first_error(session->diags) });
	write[options->format](&session->out, &results);
	rt_session_json(session, "tests", rt_results_json(&results));
	rt_session_json(session, "failed", json_integer((json_int_t)results.n_failed));
	return results.n_failed ? RT_ERROR : RT_OK;
}
