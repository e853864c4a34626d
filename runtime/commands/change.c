/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change.c - see change.h. The lock is held from before the observation to the end, the question included, and where a
 * confirmation is awaited, to the end of that. */
#include "runtime/commands/change.h"

#include <errno.h>
#include <string.h>

#include "compiler/emit/emit.h"
#include "runtime/commands/agree.h"
#include "runtime/commands/attempt.h"
#include "runtime/commands/carry_out.h"
#include "runtime/commands/pipeline.h"
#include "runtime/commands/revision.h"
#include "runtime/confirm/supervise.h"
#include "runtime/flows/flows.h"
#include "runtime/json/plan_json.h"
#include "runtime/lock.h"
#include "runtime/netlink/snapshot.h"
#include "runtime/proof/prove.h"
#include "runtime/saved_plan/saved_plan.h"

#define ATTEMPTS 3 /* when the kernel's state changes between plan and flip */
#define GATE_LIMIT 60000 /* ms: of --gate without --confirm */

const struct cni_state *rt_observe(struct rt_session *session, struct rt_netlink **nl, const struct rt_trust *trust)
{
	struct cni_state *state;

	if (rt_netlink_open(nl, session->diags) ||
	    rt_snapshot_trusting(*nl, session->arena, trust, &state, session->diags))
		return NULL;
	return state;
}

void rt_show_plan(struct rt_session *session, const struct cni_plan *plan)
{
	session->changed = plan->n_steps;
	if (session->options->json)
		rt_session_json(session, "plan", rt_json_plan(session->arena, plan, session->sources));
	else
		cni_emit_plan(&session->out, plan, session->sources, session->colour_out);
}

/* ---- the revisions around a change ---- */

/* False with a failure. attempt->store is NULL where none is to be kept, or can be. */
static bool open_store(struct rt_attempt *attempt)
{
	struct rt_session *session = attempt->session;
	const struct rt_revision *left;
	size_t n_errors = session->diags->n_errors;

	if (session->no_revision || session->options->dry_run)
		return true;
	if (rt_store_open(session, &attempt->store))
		return false;
	if (!attempt->store) {
		rt_detail(session, RT_NO_STORE);
		return true;
	}
	left = rt_revision_pending(attempt->store);
	if (left && left->deadline)
		cni_diag(session->diags, CNI725, (struct cni_span){ 0 },
			 "revision %u was never confirmed, and the process that was to take it back is gone",
			 left->number);
	return session->diags->n_errors == n_errors;
}

/* With nothing to be changed in the kernel, the text may still be another than that of the last confirmed revision. */
static enum rt_exit keep_text(struct rt_attempt *attempt)
{
	struct rt_session *session = attempt->session;
	size_t n_errors = session->diags->n_errors;
	const struct rt_origin *origin = attempt->model ? &session->policy->origin : NULL;
	const struct rt_revision *last;

	if (!attempt->store)
		return RT_OK;
	last = rt_revision_last(attempt->store);
	if (session->diags->n_errors > n_errors)
		return RT_ERROR;
	if (!last && !origin)
		return RT_OK;
	if (last && !strcmp(last->digest, rt_origin_digest(session->arena, origin))) {
		/* what was left pending is not what the router holds */
		(void)rt_revision_discard_all(attempt->store);
		return RT_OK;
	}
	if (!rt_attempt_begin(attempt))
		return RT_ERROR;
	rt_attempt_keep(attempt);
	return RT_OK;
}

/* What is pending was not restored, and is not what the router holds. */
static void forget_pending(struct rt_session *session)
{
	struct rt_store *store;

	if (!rt_store_open(session, &store) && store)
		(void)rt_revision_discard_all(store);
}

/* ---- applying ---- */

static unsigned int limit_of(const struct rt_options *options)
{
	return options->confirm ? options->confirm : options->gate ? GATE_LIMIT : 0;
}

static enum rt_exit carry_out(struct rt_attempt *attempt)
{
	const struct rt_session *session = attempt->session;
	enum rt_exit status;

	if (!rt_attempt_begin(attempt))
		return RT_ERROR;
	if (limit_of(session->options))
		return rt_supervise(attempt, limit_of(session->options));
	status = rt_attempt_carry_out(attempt);
	if (status == RT_OK)
		rt_attempt_keep(attempt);
	if (attempt->interrupted)
		rt_say(session, "interrupted too late: the change was not broken off");
	return status;
}

/* One attempt, with the lock held. attempt->stale: what was observed is no longer so, and another may succeed. */
static enum rt_exit try(struct rt_attempt *attempt)
{
	struct rt_session *session = attempt->session;
	const struct rt_options *options = session->options;
	/* a saved plan is held against all that there is */
	const struct rt_trust trust = { .seal = !session->saved };
	struct cni_state *observed;

	attempt->stale = false;
	session->out.len = 0;
	if (rt_snapshot_trusting(attempt->nl, session->arena, &trust, &observed, session->diags))
		return RT_ERROR;
	attempt->plan = rt_pipeline_plan(session, attempt->model, observed, attempt->nl);
	if (!attempt->plan)
		return RT_ERROR;
	attempt->n_steps = attempt->plan->n_steps;
	rt_show_plan(session, attempt->plan);
	rt_show_flows(session, attempt->nl, attempt->model, attempt->plan);
	if (session->saved && !rt_saved_plan_holds(session, session->saved, attempt->model, attempt->plan))
		return RT_LOCKED;
	if (options->dry_run)
		return RT_OK;
	if (options->quiet)
		session->out.len = 0;
	if (!attempt->plan->n_steps) {
		enum rt_exit status = rt_attempt_carry_out(attempt); /* which tells so */

		return status == RT_OK ? keep_text(attempt) : status;
	}
	if (rt_may_ask(options) && !rt_agreed(session, attempt->plan))
		return rt_fail(session, "not agreed to; nothing was changed");
	/* a plan that cannot be shown is not carried out; a JSON document can only be written when all is over */
	if (!options->json && !rt_session_flush(session))
		return RT_ERROR;
	if (attempt->plan->desired->n_left)
		attempt->plan = rt_keeping_plan(session, attempt->model, observed, attempt->nl);
	if (!attempt->plan || !rt_prove(session, attempt->model, observed, attempt->plan->desired, &attempt->proved))
		return RT_ERROR;
	return carry_out(attempt);
}

static enum rt_exit try_all(struct rt_attempt *attempt)
{
	struct rt_session *session = attempt->session;
	const struct cni_diags before = *session->diags;
	enum rt_exit status = try(attempt);

	for (int i = 1; attempt->stale && i < ATTEMPTS; i++) {
		/* what was said of the former attempt is no longer so */
		*session->diags = before;
		*session->diags->last = NULL;
		rt_detail(session, "the kernel's state changed meanwhile: planning again");
		status = try(attempt);
	}
	return attempt->stale && status == RT_ERROR ? RT_LOCKED : status;
}

enum rt_exit rt_change(struct rt_session *session, const struct cni_model *model)
{
	struct rt_attempt attempt = { .session = session, .model = model };
	rt_auto_netlink struct rt_netlink *nl = NULL;
	rt_auto_lock int lock = -1;
	enum rt_exit status;
	int rc;

	if (session->options->no_wait && !limit_of(session->options)) {
		rt_fail(session, "--no-wait: there is nothing to wait for without --confirm or --gate");
		return RT_USAGE;
	}
	if (!session->options->dry_run) {
		rc = rt_lock(session->options->lock_timeout, &lock, session->diags);
		if (rc)
			return rc == -EWOULDBLOCK ? RT_LOCKED : RT_ERROR;
	}
	if (rt_netlink_open(&nl, session->diags) || !open_store(&attempt))
		return RT_ERROR;
	attempt.lock = lock;
	attempt.nl = nl;
	status = try_all(&attempt);
	if (status == RT_OK && session->no_revision)
		forget_pending(session);
	return status;
}
