/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rollback.c - `cnic rollback`: to an earlier revision, which becomes a new one; or what awaits its confirmation is taken
 * back. */
#include "runtime/commands/change.h"
#include "runtime/commands/revision.h"
#include "runtime/confirm/confirm.h"

static const struct cni_span nowhere;

/* ---- what awaits its confirmation ---- */

static enum rt_exit tell(struct rt_session *session, enum rt_answer answer, unsigned int number)
{
	const char *what = number ? cni_printf(session->arena, "revision %u", number) : "the change";

	rt_session_json(session, "taken_back", json_boolean(answer == RT_ANSWER_REVERTED));
	switch (answer) {
	case RT_ANSWER_REVERTED:
		session->changed = true;
		rt_say(session, "%s is taken back, and the former policy was seen to be there again", what);
		return RT_OK;
	case RT_ANSWER_REFUSED:
		return rt_fail(session, "%s awaits the confirmation of another user, and is theirs to take back", what);
	case RT_ANSWER_BROKEN:
		session->changed = true;
		rt_fail(session, "%s could not be taken back: what there is now is neither policy", what);
		return RT_BROKEN;
	default:
		return rt_fail(session, "%s was confirmed meanwhile", what);
	}
}

/* True: that was it, with *status. */
static bool take_back(struct rt_session *session, enum rt_exit *status)
{
	enum rt_answer answer;
	unsigned int number = 0;
	int pid;

	*status = RT_ERROR;
	if (session->options->dry_run) {
		if (!rt_confirm_waits(&pid, &number))
			return false;
		rt_say(session, "process %d awaits a confirmation; its change would be taken back", pid);
		*status = RT_OK;
		return true;
	}
	if (rt_confirm_ask(session, false, 0, &answer, &number))
		return true;
	if (answer == RT_ANSWER_NONE)
		return false;
	*status = tell(session, answer, number);
	return true;
}

/* ---- which revision ---- */

/* The one before the last confirmed one. Where a killed process has left one that never was confirmed, the router may
 * hold that, and the last confirmed one is the way back. 0 after a diagnostic. */
static unsigned int former(struct rt_session *session, struct rt_store *store)
{
	const size_t n_errors = session->diags->n_errors;
	const struct rt_revision *left = rt_revision_pending(store);
	struct cni_diag *diag;
	unsigned int *numbers;
	size_t n, back = left ? 1 : 2;

	if (session->diags->n_errors > n_errors || rt_revision_numbers(store, &numbers, &n))
		return 0;
	if (n >= back) {
		if (left)
			rt_say(session, "revision %u was never confirmed: back to revision %u", left->number,
			       numbers[n - 1]);
		return numbers[n - back];
	}
	diag = cni_diag(session->diags, CNI714, nowhere, "%s: there is no revision before the present one",
			rt_store_path(store));
	cni_diag_help(session->diags, diag, "`cnic remove` makes it a router without a policy");
	return 0;
}

static const struct rt_revision *find(struct rt_session *session, unsigned int number)
{
	struct rt_store *store;

	if (rt_store_open(session, &store))
		return NULL;
	if (!store) {
		cni_diag(session->diags, CNI714, nowhere, RT_NO_STORE);
		return NULL;
	}
	if (!number)
		number = former(session, store);
	return number ? rt_revision_read(store, number) : NULL;
}

enum rt_exit rt_rollback(struct rt_session *session)
{
	const struct rt_options *options = session->options;
	const struct rt_revision *revision;
	const struct cni_model *model;
	unsigned int number = 0;
	enum rt_exit status;

	session->has_changed = true;
	if (options->n_operands && !rt_revision_parse(options->operands[0], &number)) {
		rt_fail(session, "rollback: '%s' is no revision; `cnic history` lists them", options->operands[0]);
		return RT_USAGE;
	}
	if (!number && take_back(session, &status))
		return status;
	revision = find(session, number);
	if (!revision || !rt_revision_model(session, revision, &model))
		return RT_ERROR;
	rt_session_json(session, "to", json_integer(revision->number));
	session->message = cni_printf(session->arena, "rollback to %u", revision->number);
	return rt_change(session, model);
}
