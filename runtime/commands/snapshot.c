/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot.c - `cnic snapshot`: what the kernel holds, for `cnic plan --state`. */
#include "runtime/commands/change.h"
#include "runtime/json/envelope.h"
#include "runtime/json/state_json.h"

enum rt_exit rt_snapshot_command(struct rt_session *session)
{
	rt_auto_netlink struct rt_netlink *nl = NULL;
	const struct cni_state *state = rt_observe(session, &nl, NULL);
	json_t *json = state ? rt_state_to_json(state) : NULL;

	if (!state)
		return RT_ERROR;
	if (!json)
		return rt_fail(session, "not enough memory");
	json_object_update(session->json, json);
	json_decref(json);
	if (!session->options->json)
		rt_envelope(&session->out, session, session->diags, RT_OK, session->json);
	return RT_OK;
}
