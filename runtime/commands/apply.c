/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply.c - `cnic apply`: makes the router what a policy says. */
#include "runtime/commands/change.h"
#include "runtime/commands/pipeline.h"

enum rt_exit rt_apply_command(struct rt_session *session)
{
	const struct cni_model *model;

	session->has_changed = true;
	model = rt_pipeline_model(session);
	return model ? rt_change(session, model) : RT_ERROR;
}
