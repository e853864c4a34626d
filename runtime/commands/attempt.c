/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attempt.c - see attempt.h. */
#include "runtime/commands/attempt.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "runtime/commands/carry_out.h"
#include "runtime/json/plan_json.h"

static const enum rt_exit exit_of[] = {
	[RT_DONE] = RT_OK,
	[RT_UNTOUCHED] = RT_ERROR,
	[RT_RESTORED] = RT_ROLLED_BACK,
	[RT_INCOMPLETE] = RT_BROKEN,
};

bool rt_attempt_begin(struct rt_attempt *attempt)
{
	const struct rt_session *session = attempt->session;
	const char *message = session->options->message ? session->options->message : session->message;
	const struct rt_revision *revision;

	attempt->number = 0;
	if (!attempt->store)
		return true;
	revision = rt_revision_begin(attempt->store, attempt->model ? &session->policy->origin : NULL, message,
				     &attempt->proved);
	attempt->number = revision ? revision->number : 0;
	return revision;
}

void rt_attempt_discard(struct rt_attempt *attempt)
{
	if (attempt->number)
		(void)rt_revision_discard(attempt->store);
	attempt->number = 0;
}

void rt_attempt_keep(struct rt_attempt *attempt)
{
	struct rt_session *session = attempt->session;
	const struct cni_diags before = *session->diags;
	int rc;

	if (!attempt->number)
		return;
	rc = rt_revision_confirm(attempt->store);
	if (rc) {
		/* the change is made, and that is no error */
		const char *why = before.last && *before.last ? (*before.last)->message : "";

		*session->diags = before;
		*session->diags->last = NULL;
		cni_diag(session->diags, CNI719, (struct cni_span){ 0 }, "revision %u: %s", attempt->number, why);
	} else {
		rt_say(session, "kept as revision %u", attempt->number);
	}
	rt_session_json(session, "revision", json_integer(attempt->number));
	rt_session_json(session, "kept", json_boolean(!rc));
}

static void tell(struct rt_session *session, size_t n_steps, const struct rt_result *result)
{
	rt_session_json(session, "messages", json_integer((json_int_t)result->n_changes));
	rt_session_json(session, "verified", json_boolean(result->verified));
	rt_session_json(session, "phase", n_steps ? json_string(rt_phase_name(result->phase)) : json_null());
	rt_session_json(session, "undone", json_integer((json_int_t)result->n_undone));
	if (result->outcome == RT_DONE && n_steps)
		rt_say(session, "done: %zu change%s in %zu message%s, and the kernel holds what was meant", n_steps,
		       n_steps == 1 ? "" : "s", result->n_changes, result->n_changes == 1 ? "" : "s");
}

/* What would end the program waits from the first message to the last look, which takes seconds at most: a
 * policy is applied or not begun, and what became of it is told. */
static int apply(struct rt_attempt *attempt, struct rt_result *result)
{
	static const int endings[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct rt_session *session = attempt->session;
	const struct timespec at_once = { 0 };
	sigset_t held, former;
	int rc;

	sigemptyset(&held);
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
		sigaddset(&held, endings[i]);
	sigprocmask(SIG_BLOCK, &held, &former);
	rc = rt_carry_out(session, attempt->model, attempt->nl, attempt->plan, result);
	for (attempt->interrupted = false; sigtimedwait(&held, NULL, &at_once) > 0;)
		attempt->interrupted = true;
	sigprocmask(SIG_SETMASK, &former, NULL);
	return rc;
}

enum rt_exit rt_attempt_carry_out(struct rt_attempt *attempt)
{
	struct rt_session *session = attempt->session;
	struct rt_result result;
	int rc = apply(attempt, &result);
	bool changes = attempt->n_steps;

	tell(session, attempt->n_steps, &result);
	if (result.outcome == RT_UNTOUCHED || result.outcome == RT_RESTORED)
		rt_attempt_discard(attempt);
	session->changed = changes && (result.outcome == RT_DONE || result.outcome == RT_INCOMPLETE);
	session->applied = changes && result.outcome == RT_DONE;
	attempt->stale = !attempt->interrupted && rc == -ESTALE &&
			 (result.outcome == RT_UNTOUCHED || result.outcome == RT_RESTORED);
	return exit_of[result.outcome];
}
