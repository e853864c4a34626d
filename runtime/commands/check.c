/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check.c - `cnic check`: every mistake that can be seen without a kernel. */
#include "runtime/commands/pipeline.h"
#include "runtime/proof/prove.h"

enum rt_exit rt_check(struct rt_session *session)
{
	const struct cni_state *state;
	const struct cni_model *model;

	session->is_checker = true;
	model = rt_pipeline_model(session);
	if (model && session->options->shadowed)
		cni_check_shadowed(session->arena, model, session->diags);
	/* what shows only when the policy is lowered */
	state = model ? rt_pipeline_state(session, model) : NULL;
	if (!state)
		return RT_ERROR;
	if (session->options->prove && !rt_prove_asked(session, model, state))
		return RT_ERROR;
	rt_detail(session, "no errors, warnings: %zu", session->diags->n_warnings);
	return RT_OK;
}
