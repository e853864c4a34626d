/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.c - gathering what a command says, and printing it in the form that was asked for; see session.h. */
#include "runtime/commands/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/emit/emit.h"
#include "runtime/commands/output.h"
#include "runtime/json/envelope.h"
#include "runtime/json/report.h"

static bool coloured(enum rt_colour wish, int fd)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	if (wish != RT_COLOUR_AUTO)
		return wish == RT_COLOUR_ALWAYS;
	return !(none && *none) && term && strcmp(term, "dumb") && isatty(fd);
}

struct rt_session *rt_session_new(struct cni_arena *arena, const struct rt_options *options)
{
	struct rt_session *s = cni_new(arena, struct rt_session);

	s->options = options;
	s->arena = arena;
	s->sources = cni_new(arena, struct cni_sources);
	s->diags = cni_new(arena, struct cni_diags);
	cni_diags_init(s->diags, arena);
	s->out.arena = arena;
	s->json = json_object();
	s->colour_out = !options->output && coloured(options->colour, STDOUT_FILENO);
	s->colour_err = coloured(options->colour, STDERR_FILENO);
	return s;
}

void rt_session_json(struct rt_session *session, const char *key, json_t *value)
{
	if (json_object_set_new(session->json, key, value))
		rt_fail(session, "not enough memory");
}

enum rt_exit rt_fail(struct rt_session *session, const char *format, ...)
{
	va_list args;

	if (session->failure)
		return RT_ERROR;
	va_start(args, format);
	session->failure = cni_vprintf(session->arena, format, args);
	va_end(args);
	return RT_ERROR;
}

/* Nothing can be done about a standard error that takes nothing. */
static void say(struct cni_arena *arena, const char *format, va_list args)
{
	const char *line = cni_printf(arena, "cnic: %s\n", cni_vprintf(arena, format, args));

	(void)rt_write_all(STDERR_FILENO, line, strlen(line));
}

void rt_say(const struct rt_session *session, const char *format, ...)
{
	va_list args;

	if (session->options->quiet)
		return;
	va_start(args, format);
	say(session->arena, format, args);
	va_end(args);
}

void rt_detail(const struct rt_session *session, const char *format, ...)
{
	va_list args;

	if (!session->options->verbose || session->options->quiet)
		return;
	va_start(args, format);
	say(session->arena, format, args);
	va_end(args);
}

static void complain(struct cni_arena *arena, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(arena, format, args);
	va_end(args);
}

bool rt_session_flush(struct rt_session *session)
{
	const char *file = session->options->output;
	int error = 0;

	if (file)
		error = rt_write_file(file, session->out.len ? session->out.data : "", session->out.len);
	else if (session->out.len)
		error = rt_write_all(STDOUT_FILENO, session->out.data, session->out.len);
	session->out.len = 0;
	session->flushed = true;
	if (error)
		complain(session->arena, "cannot write %s: %s", file ? file : "standard output", strerror(-error));
	return !error;
}

/* Those that -q leaves. */
static struct cni_diags chosen_diags(const struct rt_session *s)
{
	struct cni_diags chosen = *s->diags;

	chosen.first = NULL;
	chosen.last = &chosen.first;
	for (const struct cni_diag *d = s->diags->first; d; d = d->next) {
		struct cni_diag *copy;

		if (s->options->quiet && d->severity != CNI_ERROR)
			continue;
		copy = cni_new(s->arena, struct cni_diag);
		*copy = *d;
		copy->next = NULL;
		*chosen.last = copy;
		chosen.last = &copy->next;
	}
	if (s->options->quiet)
		chosen.n_warnings = 0;
	return chosen;
}

static void report(struct rt_session *s, const struct cni_diags *diags, enum rt_exit status)
{
	struct cni_text text = { .arena = s->arena };
	struct cni_text *to = s->is_checker && s->options->diagnostics != RT_FORMAT_TEXT ? &s->out : &text;

	switch (s->options->diagnostics) {
	case RT_FORMAT_TEXT:
		if (diags->first)
			cni_emit_diags(to, diags, s->sources, s->colour_err);
		break;
	case RT_FORMAT_JSON:
		rt_envelope(to, s, diags, status, NULL);
		break;
	case RT_FORMAT_SARIF:
		rt_report_sarif(to, diags, s->sources);
		break;
	case RT_FORMAT_GITHUB:
		rt_report_github(to, diags, s->sources);
		break;
	}
	if (text.len)
		(void)rt_write_all(STDERR_FILENO, text.data, text.len);
}

void rt_session_tell(struct rt_session *session)
{
	struct cni_diags diags = chosen_diags(session);

	if (diags.first)
		report(session, &diags, RT_OK);
	cni_diags_init(session->diags, session->arena);
}

enum rt_exit rt_session_end(struct rt_session *session, enum rt_exit status)
{
	struct cni_diags diags;

	cni_diags_sort(session->diags);
	diags = chosen_diags(session);
	if (session->options->json) {
		session->out.len = 0;
		rt_envelope(&session->out, session, &diags, status, session->json);
	} else {
		report(session, &diags, status);
	}
	/* a file of -o is the result of success: a failed command leaves the former one alone */
	if (session->out.len || (session->options->output && !session->flushed && status == RT_OK))
		if (!rt_session_flush(session) && (status == RT_OK || status == RT_CHANGES)) {
			status = RT_ERROR;
			if (session->applied)
				complain(session->arena, "the change was made all the same");
		}
	if (session->failure)
		complain(session->arena, "%s", session->failure);
	json_decref(session->json);
	return status;
}
