/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_code.c - `cnic explain-code`: why a diagnostic is one, an example that fails, and its mend. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/commands/session.h"
#include "runtime/json/envelope.h"

#define WIDTH 79

/* "CNI417", "cni417", "417" */
static const struct cni_code_info *find(const char *word)
{
	const char *digits = strncasecmp(word, "CNI", 3) ? word : word + 3;
	size_t len = strlen(digits);

	if (!len || len > 6 || strspn(digits, "0123456789") != len)
		return NULL;
	return cni_code_info((unsigned int)strtoul(digits, NULL, 10));
}

static json_t *code_json(const struct cni_code_info *info)
{
	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:s}", "code", json_sprintf("CNI%03u", (unsigned int)info->code),
			 "severity", rt_severity_name(info->severity), "title", info->title, "reason", info->reason,
			 "example", info->example, "mend", info->mend);
}

/* In lines of WIDTH columns at most, where the words allow. */
static void wrapped(struct cni_text *out, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t word = strcspn(text, " \n");

		if (column && column + 1 + word > WIDTH) {
			cni_text_puts(out, "\n");
			column = 0;
		}
		cni_text_puts(out, column ? " " : "");
		cni_text_add(out, text, word);
		column += word + (column ? 1 : 0);
		text += word;
		text += strspn(text, " \n");
	}
	cni_text_puts(out, "\n");
}

static void indented(struct cni_text *out, const char *heading, const char *text)
{
	if (!*text)
		return;
	cni_text_printf(out, "\n%s\n\n", heading);
	while (*text) {
		size_t line = strcspn(text, "\n");

		cni_text_puts(out, line ? "    " : "");
		cni_text_add(out, text, line);
		cni_text_puts(out, "\n");
		text += line + (text[line] == '\n');
	}
}

static void explain(struct cni_text *out, const struct cni_code_info *info)
{
	cni_text_printf(out, "CNI%03u (%s): %s\n\n", (unsigned int)info->code, rt_severity_name(info->severity),
			info->title);
	wrapped(out, info->reason);
	indented(out, "A policy that brings it about:", info->example);
	indented(out, "The same, put right:", info->mend);
}

enum rt_exit rt_explain_code(struct rt_session *session)
{
	const struct rt_options *options = session->options;
	json_t *list = json_array();
	size_t n = 1;
	const struct cni_code_info *infos = options->n_operands ? find(options->operands[0]) : cni_code_table(&n);

	for (size_t i = 0; infos && i < n; i++) {
		json_array_append_new(list, code_json(&infos[i]));
		if (options->n_operands)
			explain(&session->out, &infos[i]);
		else
			cni_text_printf(&session->out, "CNI%03u  %-7s  %s\n", (unsigned int)infos[i].code,
					rt_severity_name(infos[i].severity), infos[i].title);
	}
	rt_session_json(session, "codes", list);
	if (!infos) {
		rt_fail(session, "there is no code '%s'; `cnic explain-code` lists them all", options->operands[0]);
		return RT_USAGE;
	}
	return RT_OK;
}
