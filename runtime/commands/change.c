/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change.c - see change.h. The lock is held from before the observation to the end, the question included. */
#include "runtime/commands/change.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compiler/emit/emit.h"
#include "runtime/commands/output.h"
#include "runtime/commands/pipeline.h"
#include "runtime/json/plan_json.h"
#include "runtime/lock.h"
#include "runtime/netlink/snapshot.h"
#include "runtime/transaction.h"

#define ATTEMPTS 3 /* when the kernel's state changes between plan and flip */

const struct cni_state *rt_observe(struct rt_session *session, struct rt_netlink **nl)
{
	struct cni_state *state;

	if (rt_netlink_open(nl, session->diags) || rt_snapshot(*nl, session->arena, &state, session->diags))
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

/* ---- the question ---- */

static bool may_ask(const struct rt_options *options)
{
	return !options->yes && !options->no_input && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static bool is_yes(const char *line)
{
	return !strcmp(line, "y\n") || !strcmp(line, "Y\n") || !strcmp(line, "yes\n");
}

/* Shows the plan first, where the one who is asked sees it. */
static bool agreed(struct rt_session *session, const struct cni_plan *plan)
{
	static const char question[] = "Apply these changes? [y/N] ";
	const struct rt_options *options = session->options;
	struct cni_text text = { .arena = session->arena };
	char line[16];

	if (options->json || options->quiet || options->output || !isatty(STDOUT_FILENO)) {
		cni_emit_plan(&text, plan, session->sources, session->colour_err);
		(void)rt_write_all(STDERR_FILENO, text.data, text.len);
	} else if (!rt_session_flush(session)) {
		return false;
	}
	(void)rt_write_all(STDERR_FILENO, question, sizeof(question) - 1);
	return fgets(line, sizeof(line), stdin) && is_yes(line);
}

/* ---- applying ---- */

static const enum rt_exit exit_of[] = {
	[RT_DONE] = RT_OK,
	[RT_UNTOUCHED] = RT_ERROR,
	[RT_RESTORED] = RT_ROLLED_BACK,
	[RT_INCOMPLETE] = RT_BROKEN,
};

static void tell(struct rt_session *session, const struct cni_plan *plan, const struct rt_result *result)
{
	rt_session_json(session, "messages", json_integer((json_int_t)result->n_changes));
	rt_session_json(session, "verified", json_boolean(result->verified));
	rt_session_json(session, "phase", plan->n_steps ? json_string(rt_phase_name(result->phase)) : json_null());
	rt_session_json(session, "undone", json_integer((json_int_t)result->n_undone));
	if (result->outcome == RT_DONE && plan->n_steps)
		rt_say(session, "done: %zu change%s in %zu message%s, and the kernel holds what was meant",
		       plan->n_steps, plan->n_steps == 1 ? "" : "s", result->n_changes,
		       result->n_changes == 1 ? "" : "s");
}

/* What would end the program waits from the first message to the last look, which takes seconds at most: a
 * policy is applied or not begun, and what became of it is told. *late: something did wait. */
static int apply(struct rt_session *session, struct rt_netlink *nl, const struct cni_plan *plan,
		 struct rt_result *result, bool *late)
{
	static const int endings[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	const struct timespec at_once = { 0 };
	sigset_t held, former;
	int rc;

	sigemptyset(&held);
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
		sigaddset(&held, endings[i]);
	sigprocmask(SIG_BLOCK, &held, &former);
	rc = rt_apply(nl, session->arena, plan, session->diags, result);
	for (*late = false; sigtimedwait(&held, NULL, &at_once) > 0;)
		*late = true;
	sigprocmask(SIG_SETMASK, &former, NULL);
	return rc;
}

/* One attempt, with the lock held. *stale: what was observed is no longer so, and another attempt may succeed. */
static enum rt_exit attempt(struct rt_session *session, const struct cni_model *model, struct rt_netlink *nl,
			    bool *stale)
{
	const struct rt_options *options = session->options;
	const struct cni_plan *plan;
	struct cni_state *observed;
	struct rt_result result;
	bool late;
	int rc;

	*stale = false;
	session->out.len = 0;
	if (rt_snapshot(nl, session->arena, &observed, session->diags))
		return RT_ERROR;
	plan = rt_pipeline_plan(session, model, observed, nl);
	if (!plan)
		return RT_ERROR;
	rt_show_plan(session, plan);
	if (options->dry_run)
		return RT_OK;
	if (options->quiet)
		session->out.len = 0;
	if (plan->n_steps && may_ask(options)) {
		if (!agreed(session, plan))
			return rt_fail(session, "not agreed to; nothing was changed");
	}
	/* a plan that cannot be shown is not carried out; a JSON document can only be written when all is over */
	if (plan->n_steps && !options->json && !rt_session_flush(session))
		return RT_ERROR;
	rc = apply(session, nl, plan, &result, &late);
	tell(session, plan, &result);
	if (late)
		rt_say(session, "interrupted too late: the change was not broken off");
	session->changed = plan->n_steps && (result.outcome == RT_DONE || result.outcome == RT_INCOMPLETE);
	session->applied = plan->n_steps && result.outcome == RT_DONE;
	*stale = !late && rc == -ESTALE && (result.outcome == RT_UNTOUCHED || result.outcome == RT_RESTORED);
	return exit_of[result.outcome];
}

enum rt_exit rt_change(struct rt_session *session, const struct cni_model *model)
{
	rt_auto_netlink struct rt_netlink *nl = NULL;
	rt_auto_lock int lock = -1;
	const struct cni_diags before = *session->diags;
	enum rt_exit status;
	bool stale;
	int rc;

	if (!session->options->dry_run) {
		rc = rt_lock(session->options->lock_timeout, &lock, session->diags);
		if (rc)
			return rc == -EWOULDBLOCK ? RT_LOCKED : RT_ERROR;
	}
	if (rt_netlink_open(&nl, session->diags))
		return RT_ERROR;
	status = attempt(session, model, nl, &stale);
	for (int i = 1; stale && i < ATTEMPTS; i++) {
		/* what was said of the former attempt is no longer so */
		*session->diags = before;
		*session->diags->last = NULL;
		rt_detail(session, "the kernel's state changed meanwhile: planning again");
		status = attempt(session, model, nl, &stale);
	}
	return stale && status == RT_ERROR ? RT_LOCKED : status;
}
