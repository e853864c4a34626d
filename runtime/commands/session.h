/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.h - one run of one command: what it was asked, what it found, and what it has to say.
 *
 * A command adds to `out` (or, for --json, to `json`) and to the diagnostics; rt_session_end() prints all of it:
 * data on standard output or in the file of -o, messages on standard error. */
#ifndef RT_SESSION_H
#define RT_SESSION_H

#include <jansson.h>
#include <stdbool.h>

#include "compiler/arena.h"
#include "compiler/diag.h"
#include "compiler/text.h"
#include "runtime/commands/options.h"

struct rt_policy;
struct rt_saved_plan;

struct rt_session {
	const struct rt_options *options;
	struct cni_arena *arena;
	const struct rt_policy *policy; /* once it is loaded; NULL: none is */
	const char *message; /* of a change, for the history, where --message gives none; NULL: none */
	bool no_revision; /* the change is none that the history is to know of */
	const struct rt_saved_plan *saved; /* that is applied; NULL: none, a plan is made anew */
	struct cni_sources *sources; /* of the policy, then */
	struct cni_diags *diags; /* the same */
	struct cni_text out; /* data that was not printed yet */
	json_t *json; /* the command's own keys of the envelope; owned */
	bool has_changed, changed; /* of plan, apply and remove: whether there is something to change */
	bool applied; /* and it was made so */
	const char *failure; /* what went wrong that is no diagnostic; NULL: nothing */
	bool is_checker; /* diagnostics are the command's data: in a format for machines they go where data goes */
	bool flushed; /* something was printed by rt_session_flush() */
	bool colour_out, colour_err;
};

/* `options` may be those of a command line that was not understood. */
struct rt_session *rt_session_new(struct cni_arena *arena, const struct rt_options *options);

/* Takes `value` over, as Jansson's _new functions do; NULL is allowed and counts as no memory. */
void rt_session_json(struct rt_session *session, const char *key, json_t *value);

/* A fault that has no place in a policy ("cannot write x: …"): printed at the end, and in the envelope. Returns
 * RT_ERROR. The first one stands. */
enum rt_exit rt_fail(struct rt_session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line on standard error: not with -q; rt_detail() only with -v. */
void rt_say(const struct rt_session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));
void rt_detail(const struct rt_session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints what `out` holds now, for a question that follows. False, with a failure, if that is impossible. */
bool rt_session_flush(struct rt_session *session);

/* Prints the diagnostics that there are, for a command that goes on for long; they are not told again. */
void rt_session_tell(struct rt_session *session);

/* Prints everything and frees what is no arena's. Returns the exit status: `status`, or RT_ERROR where it was
 * RT_OK or RT_CHANGES and something could not be printed. */
enum rt_exit rt_session_end(struct rt_session *session, enum rt_exit status);

#endif
