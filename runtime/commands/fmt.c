/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fmt.c - `cnic fmt`: policies in the canonical layout. */
#include <string.h>

#include "grammar/parse.h"
#include "runtime/commands/line_diff.h"
#include "runtime/commands/output.h"
#include "runtime/commands/session.h"
#include "runtime/json/envelope.h"
#include "runtime/load.h"

static bool makes_sense(struct rt_session *session)
{
	const struct rt_options *options = session->options;

	if (options->write && (options->check || options->diff))
		rt_fail(session, "fmt: -w writes, --check and --diff do not");
	for (size_t i = 0; options->write && i < options->n_operands; i++)
		if (!strcmp(options->operands[i], "-"))
			rt_fail(session, "fmt: -w needs a file, not standard input");
	return !session->failure;
}

static void write_back(struct rt_session *session, const char *name, const struct cni_text *text)
{
	int error = rt_write_file(name, text->data, text->len);

	if (error)
		rt_fail(session, "cannot write %s: %s", name, strerror(-error));
	else
		rt_detail(session, "%s formatted", name);
}

/* One text; returns whether it was not in the canonical layout. */
static bool format(struct rt_session *session, const struct cni_source *source, json_t *list)
{
	const struct rt_options *options = session->options;
	struct cni_text text = { .arena = session->arena }, diff = text;
	bool changed;
	json_t *file;

	cni_text_puts(&text, "");
	cni_text_puts(&diff, "");
	if (!cni_format(session->arena, source, session->diags, &text))
		return false;
	changed = text.len != source->len || memcmp(text.data, source->text, text.len) != 0;
	file = json_pack("{s:o, s:b}", "file", rt_json_text(source->name), "changed", (int)changed);
	if (options->diff) {
		rt_line_diff(&diff, source->name, source->text, source->len,
			     cni_printf(session->arena, "%s (formatted)", source->name), text.data, text.len);
		cni_text_add(&session->out, diff.data, diff.len);
		json_object_set_new(file, "diff", rt_json_textn(diff.data, diff.len));
	} else if (options->check && changed) {
		cni_text_printf(&session->out, "%s\n", source->name);
	} else if (options->write && changed) {
		write_back(session, source->name, &text);
	} else if (!options->write && !options->check) {
		cni_text_add(&session->out, text.data, text.len);
		json_object_set_new(file, "text", rt_json_textn(text.data, text.len));
	}
	json_array_append_new(list, file);
	return changed;
}

enum rt_exit rt_fmt(struct rt_session *session)
{
	const struct rt_options *options = session->options;
	struct rt_policy *policy;
	json_t *list = json_array();
	size_t n_changed = 0;

	rt_session_json(session, "files", list);
	if (!makes_sense(session))
		return RT_USAGE;
	policy = rt_load_texts(session->arena, options->operands, options->n_operands);
	session->sources = &policy->sources;
	session->diags = &policy->diags;
	if (policy->sources.n_items > 1 && !options->write && !options->check && !options->diff) {
		rt_fail(session, "fmt: name one file, or say -w, --check or --diff");
		return RT_USAGE;
	}
	for (size_t i = 0; i < policy->sources.n_items; i++)
		n_changed += format(session, &policy->sources.items[i], list);
	if (session->diags->n_errors || session->failure)
		return RT_ERROR;
	return options->check && n_changed ? RT_ERROR : RT_OK;
}
