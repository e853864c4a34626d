/* SPDX-License-Identifier: GPL-2.0-or-later */
/* confirm.c - `cnic confirm`: keeps a change that awaits it, or one whose processes are gone, while its time lasts. */
#include <errno.h>
#include <time.h>

#include "runtime/commands/carry_out.h"
#include "runtime/commands/change.h"
#include "runtime/commands/pipeline.h"
#include "runtime/commands/revision.h"
#include "runtime/confirm/confirm.h"
#include "runtime/lock.h"
#include "runtime/store/store.h"

static enum rt_exit nothing_waits(struct rt_session *session, unsigned int number)
{
	struct cni_diag *diag;

	if (number)
		diag = cni_diag(session->diags, CNI715, (struct cni_span){ 0 }, "revision %u does not wait", number);
	else
		diag = cni_diag(session->diags, CNI715, (struct cni_span){ 0 }, "nothing awaits a confirmation");
	cni_diag_help(session->diags, diag, "`cnic history` tells what became of it");
	return RT_ERROR;
}

static enum rt_exit kept(struct rt_session *session, unsigned int number)
{
	if (number)
		rt_say(session, "kept as revision %u", number);
	else
		rt_say(session, "kept");
	rt_session_json(session, "revision", number ? json_integer(number) : json_null());
	return RT_OK;
}

/* Whether the kernel holds just what it says. A former path that waits for its flows, or for the next apply, is no
 * difference. */
static bool is_held(struct rt_session *session, const struct rt_revision *revision)
{
	rt_auto_netlink struct rt_netlink *nl = NULL;
	struct cni_diags *before = session->diags;
	const struct cni_state *observed;
	const struct cni_model *model;
	const struct cni_plan *plan;

	if (!rt_revision_model(session, revision, &model))
		return false;
	observed = rt_observe(session, &nl, NULL);
	if (!observed)
		return false;
	plan = rt_pipeline_plan(session, model, observed, nl);
	if (plan && plan->n_steps)
		plan = rt_keeping_plan(session, model, observed, nl);
	if (!plan || plan->n_steps)
		return false;
	session->diags = before; /* what the policy is warned about was said when it was applied */
	return true;
}

static enum rt_exit not_held(struct rt_session *session, unsigned int number)
{
	struct cni_diag *diag = cni_diag(session->diags, CNI715, (struct cni_span){ 0 },
					 "the router does not hold revision %u: nothing was kept", number);

	cni_diag_help(
		session->diags, diag,
		"`cnic rollback --confirm 120s %u` applies it anew; `cnic rollback` goes to the last confirmed one",
		number);
	return RT_ERROR;
}

/* Those that were to take it back were killed, and meanwhile it may be gone from the kernel: after a boot it is. */
static enum rt_exit keep_orphan(struct rt_session *session, unsigned int number)
{
	const size_t n_errors = session->diags->n_errors;
	const struct rt_revision *pending;
	struct rt_store *store;
	rt_auto_lock int lock = -1;
	int rc;

	if (rt_store_open(session, &store))
		return RT_ERROR;
	if (!store)
		return nothing_waits(session, number);
	rc = rt_lock(session->options->lock_timeout, &lock, session->diags);
	if (rc)
		return rc == -EWOULDBLOCK ? RT_LOCKED : RT_ERROR;
	pending = rt_revision_pending(store);
	if (session->diags->n_errors > n_errors)
		return RT_ERROR;
	if (!pending || pending->deadline < time(NULL) || (number && number != pending->number))
		return nothing_waits(session, number);
	pending = rt_revision_read(store, pending->number);
	if (!pending)
		return RT_ERROR;
	if (!is_held(session, pending))
		return session->diags->n_errors ? RT_ERROR : not_held(session, pending->number);
	rc = rt_revision_confirm(store);
	return rc ? RT_ERROR : kept(session, pending->number);
}

enum rt_exit rt_confirm_command(struct rt_session *session)
{
	const struct rt_options *options = session->options;
	unsigned int wanted = 0, number;
	enum rt_answer answer;

	if (options->n_operands && !rt_revision_parse(options->operands[0], &wanted)) {
		rt_fail(session, "confirm: '%s' is no revision; `cnic history` lists them", options->operands[0]);
		return RT_USAGE;
	}
	if (rt_confirm_ask(session, true, wanted, &answer, &number))
		return RT_ERROR;
	switch (answer) {
	case RT_ANSWER_CONFIRMED:
		return kept(session, number);
	case RT_ANSWER_NONE:
		return keep_orphan(session, wanted);
	case RT_ANSWER_REFUSED:
		return rt_fail(session, "confirm: only root, and the user whose change it is, may confirm it");
	case RT_ANSWER_OTHER:
		cni_diag(session->diags, CNI715, (struct cni_span){ 0 }, "it is revision %u that waits, not %u", number,
			 wanted);
		return RT_ERROR;
	default:
		cni_diag(session->diags, CNI715, (struct cni_span){ 0 },
			 "too late: the change is being taken back, or was already");
		return RT_ERROR;
	}
}
