/* SPDX-License-Identifier: GPL-2.0-or-later */
/* back.c - see back.h. */
#include "runtime/confirm/back.h"

#include <errno.h>

#include "runtime/commands/carry_out.h"
#include "runtime/commands/pipeline.h"
#include "runtime/commands/revision.h"
#include "runtime/netlink/snapshot.h"

#define ATTEMPTS 3 /* when the kernel's state changes between plan and flip */

struct rt_session *rt_session_aside(const struct rt_session *session)
{
	struct rt_options *options = cni_new(session->arena, struct rt_options);
	struct rt_session *aside;

	options->command = session->options->command;
	options->state_dir = session->options->state_dir;
	options->netns = session->options->netns;
	options->quiet = true;
	options->colour = RT_COLOUR_NEVER;
	aside = rt_session_new(session->arena, options);
	return aside;
}

/* ---- which way ---- */

/* Whether the router, as it was observed, holds what this model says of it. */
static bool holds(struct rt_session *aside, const struct rt_attempt *attempt, const struct cni_model *model)
{
	const struct cni_plan *plan = rt_pipeline_plan(aside, model, attempt->plan->observed, attempt->nl);

	return plan && !plan->n_steps;
}

/* NULL: there is none, or it cannot be had. */
static const struct cni_model *last_model(struct rt_session *aside)
{
	const struct cni_model *model;
	const struct rt_revision *last;
	struct rt_store *store;

	if (rt_store_open(aside, &store) || !store)
		return NULL;
	last = rt_revision_last(store);
	last = last ? rt_revision_read(store, last->number) : NULL;
	return last && rt_revision_model(aside, last, &model) ? model : NULL;
}

void rt_way_back_find(struct rt_way_back *way, const struct rt_attempt *attempt)
{
	*way = (struct rt_way_back){ .aside = rt_session_aside(attempt->session) };
	way->by_policy = holds(way->aside, attempt, NULL);
	if (way->by_policy || !attempt->store)
		return;
	way->model = last_model(way->aside);
	way->by_policy = way->model && holds(way->aside, attempt, way->model);
}

void rt_way_back_end(struct rt_way_back *way)
{
	(void)rt_session_end(way->aside, RT_OK);
	way->aside = NULL;
}

/* ---- going it ---- */

/* One plan to the former policy. 0, or -errno; -ESTALE: try again. */
static int once_by_policy(const struct rt_way_back *way, const struct rt_attempt *attempt)
{
	struct rt_session *aside = way->aside;
	struct cni_state *observed;
	const struct cni_plan *plan;
	struct rt_result result;
	int rc = rt_snapshot(attempt->nl, aside->arena, &observed, aside->diags);

	if (rc)
		return rc;
	plan = rt_keeping_plan(aside, way->model, observed, attempt->nl);
	if (!plan)
		return -EINVAL;
	rc = rt_carry_out(aside, way->model, attempt->nl, plan, &result);
	return result.outcome == RT_DONE ? 0 : rc ? rc : -EIO;
}

static bool by_policy(const struct rt_way_back *way, const struct rt_attempt *attempt)
{
	const struct cni_diags before = *way->aside->diags;
	int rc = -ESTALE;

	for (int i = 0; rc == -ESTALE && i < ATTEMPTS; i++) {
		*way->aside->diags = before;
		*way->aside->diags->last = NULL;
		rc = once_by_policy(way, attempt);
	}
	return !rc;
}

static bool as_observed(struct rt_attempt *attempt)
{
	struct rt_session *session = attempt->session;
	const struct cni_diags before = *session->diags;
	struct rt_result result;

	if (rt_revert(attempt->nl, session->arena, attempt->plan, session->diags, &result))
		return false;
	/* that it worked is said in other words */
	*session->diags = before;
	*session->diags->last = NULL;
	return true;
}

enum rt_exit rt_way_back_go(const struct rt_way_back *way, struct rt_attempt *attempt, const char *why)
{
	struct rt_session *session = attempt->session;
	bool back = (way->by_policy && by_policy(way, attempt)) || as_observed(attempt);

	session->applied = false;
	session->changed = !back;
	rt_session_json(session, "kept", json_false());
	if (!back) {
		cni_diag(session->diags, CNI707, (struct cni_span){ 0 }, "%s, and taking the change back failed", why);
		return RT_BROKEN;
	}
	cni_diag(session->diags, CNI716, (struct cni_span){ 0 },
		 "%s: the former policy is back, as a new look at the kernel shows", why);
	rt_attempt_discard(attempt);
	return RT_REVERTED;
}
