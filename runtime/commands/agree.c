/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agree.c - see agree.h. */
#include "runtime/commands/agree.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compiler/emit/emit.h"
#include "runtime/commands/output.h"

bool rt_may_ask(const struct rt_options *options)
{
	return !options->yes && !options->no_input && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool rt_is_yes(const char *line)
{
	return !strcmp(line, "y\n") || !strcmp(line, "Y\n") || !strcmp(line, "yes\n");
}

bool rt_agreed(struct rt_session *session, const struct cni_plan *plan)
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
	return fgets(line, sizeof(line), stdin) && rt_is_yes(line);
}
