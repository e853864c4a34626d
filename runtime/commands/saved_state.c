/* SPDX-License-Identifier: GPL-2.0-or-later */
/* saved_state.c - see saved_state.h. */
#include "runtime/commands/saved_state.h"

#include "runtime/json/state_json.h"
#include "runtime/load.h"

const struct cni_state *rt_saved_state(struct rt_session *session, const char *path)
{
	static const struct cni_span nowhere;
	const struct rt_policy *file = rt_load_texts(session->arena, &path, 1);
	const struct cni_source *text = file->sources.items;

	for (const struct cni_diag *d = file->diags.first; d; d = d->next)
		cni_diag(session->diags, d->code, nowhere, "%s", d->message);
	if (file->diags.n_errors)
		return NULL;
	if (file->sources.n_items != 1) {
		cni_diag(session->diags, CNI711, nowhere, "%s: is a folder", path);
		return NULL;
	}
	return rt_state_from_json(session->arena, text->name, text->text, text->len, session->diags);
}
