/* SPDX-License-Identifier: GPL-2.0-or-later */
/* restore.c - `cnic restore`: the last confirmed revision comes back, as at boot. It is no new one. */
#include "runtime/commands/change.h"
#include "runtime/commands/revision.h"

/* The last confirmed one, with its texts. NULL: there is none, or *failed, with a diagnostic. */
static const struct rt_revision *find(struct rt_session *session, bool *failed)
{
	const size_t n_errors = session->diags->n_errors;
	const struct rt_revision *last = NULL;
	struct rt_store *store;

	if (!rt_store_open(session, &store) && store)
		last = rt_revision_last(store);
	if (last)
		last = rt_revision_read(store, last->number);
	*failed = session->diags->n_errors > n_errors;
	if (!last && !*failed && store)
		rt_say(session, "%s has no confirmed revision: nothing is restored", rt_store_path(store));
	else if (!last && !*failed)
		rt_say(session, RT_NO_STORE ": nothing is restored");
	return *failed ? NULL : last;
}

/* One that was being applied when the machine went down was agreed to by nobody. */
static void tell_of_pending(struct rt_session *session)
{
	struct rt_revision *revisions;
	struct rt_store *store;
	size_t n;

	if (!rt_store_open(session, &store) && store && !rt_revision_list(store, &revisions, &n) && n &&
	    revisions[n - 1].pending)
		rt_say(session, "revision %u was never confirmed, and is passed over", revisions[n - 1].number);
}

static void ask_nothing(struct rt_session *session)
{
	struct rt_options *options = cni_new(session->arena, struct rt_options);

	*options = *session->options;
	options->no_input = true;
	session->options = options;
}

enum rt_exit rt_restore(struct rt_session *session)
{
	const struct rt_revision *revision;
	const struct cni_model *model;
	enum rt_exit status;
	bool failed;

	session->has_changed = true;
	session->no_revision = true;
	ask_nothing(session);
	revision = find(session, &failed);
	rt_session_json(session, "revision", revision ? json_integer(revision->number) : json_null());
	if (!revision)
		return failed ? RT_ERROR : RT_OK;
	tell_of_pending(session);
	if (!rt_revision_model(session, revision, &model))
		return RT_ERROR;
	status = rt_change(session, model);
	if (status == RT_OK)
		rt_say(session, session->changed ? "revision %u is restored%s" : "revision %u is there already%s",
		       revision->number, model ? "" : ", which is a router without a policy");
	return status;
}
