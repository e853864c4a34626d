/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meaning.c - see meaning.h. */
#include "runtime/commands/meaning.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/emit/changes.h"
#include "runtime/json/changes_json.h"
#include "runtime/json/envelope.h"

#define MIN_NODES 10000u
#define MAX_NODES 1000000000u

struct asking {
	struct rt_session *session;
	const struct rt_meant *before, *after;
	bool same_text;
	const char **targets; /* of both policies, each once, up to a NULL */
	size_t n_targets;
	struct rt_words down; /* of --down */
	unsigned int max_nodes;
	struct cni_comparison *comparison;
	json_t *days;
	enum rt_same same;
};

/* ---- what is asked ---- */

static void gather(struct asking *a, const struct cni_model *model)
{
	for (size_t i = 0; model && i < model->n_targets; i++) {
		const char *name = model->targets[i].name;
		size_t k = 0;

		while (k < a->n_targets && strcmp(a->targets[k], name) != 0)
			k++;
		if (k == a->n_targets)
			*cni_push(a->session->arena, a->targets, a->n_targets) = name;
	}
}

static bool is_word(const struct rt_words *words, const char *word)
{
	for (size_t i = 0; i < words->n_items; i++)
		if (!strcmp(words->items[i], word))
			return true;
	return false;
}

static bool add_down(struct asking *a, const char *name)
{
	const struct rt_words targets = { a->targets, a->n_targets };
	const char *near;

	if (is_word(&targets, name)) {
		if (!is_word(&a->down, name))
			*cni_push(a->session->arena, a->down.items, a->down.n_items) = name;
		return true;
	}
	*cni_push(a->session->arena, a->targets, a->n_targets) = NULL;
	near = cni_did_you_mean(name, a->targets);
	rt_fail(a->session, "--down: no link or tunnel is called '%s'%s%s%s", name, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
	return false;
}

/* --down A,B --down C */
static bool read_down(struct asking *a)
{
	const struct rt_words *words = &a->session->options->down;

	for (size_t i = 0; i < words->n_items; i++)
		for (const char *name = words->items[i]; name;) {
			size_t len = strcspn(name, ",");

			if (!add_down(a, cni_strndup(a->session->arena, name, len)))
				return false;
			name = name[len] ? name + len + 1 : NULL;
		}
	return true;
}

static bool read_limit(struct asking *a)
{
	const char *text = a->session->options->max_nodes;
	size_t digits = text ? strspn(text, "0123456789") : 0;
	unsigned long n;

	if (!text)
		return true;
	n = digits && digits < 11 && !text[digits] ? strtoul(text, NULL, 10) : 0;
	a->max_nodes = (unsigned int)n;
	if (n >= MIN_NODES && n <= MAX_NODES)
		return true;
	rt_fail(a->session, "--max-nodes: '%s' is no number from %u to %u", text, MIN_NODES, MAX_NODES);
	return false;
}

/* ---- one day ---- */

/* "cf1", "cf1 and cf2", "a, b and c" */
static const char *listed(struct cni_arena *arena, const struct rt_words *words)
{
	struct cni_text text = { .arena = arena };

	for (size_t i = 0; i < words->n_items; i++)
		cni_text_printf(&text, "%s%s", !i ? "" : i + 1 < words->n_items ? ", " : " and ", words->items[i]);
	return text.data;
}

static void print_head(struct asking *a, const struct rt_words *down, const struct cni_changes *changes)
{
	struct cni_text *out = &a->session->out;
	size_t n_lost = 0;

	cni_text_printf(out, "%sPackets", out->len ? "\n" : "");
	if (down->n_items)
		cni_text_printf(out, ", while %s %s down", listed(a->session->arena, down),
				down->n_items == 1 ? "is" : "are");
	for (size_t i = 0; i < changes->n_items; i++)
		n_lost += changes->items[i].loses;
	if (changes->n_items)
		cni_text_printf(out, ": %zu class%s of packets meet%s another fate", changes->n_items,
				changes->n_items == 1 ? "" : "es", changes->n_items == 1 ? "s" : "");
	else
		cni_text_puts(out, a->same_text ? ": the same"
						: ": the text changed; no packet's fate does (proven for all packets)");
	if (n_lost)
		cni_text_printf(out, "; of %zu the last path is gone", n_lost);
	cni_text_puts(out, "\n");
}

static void ask_day(struct asking *a, const struct rt_words *down)
{
	const struct cni_changes changes = cni_comparison_on(a->comparison, down->items, down->n_items);
	struct rt_session *session = a->session;
	json_t *names = json_array();

	if (changes.failed) {
		a->same = RT_UNKNOWN;
		json_decref(names);
		return;
	}
	if (changes.n_items)
		a->same = RT_DIFFERENT;
	print_head(a, down, &changes);
	cni_emit_changes(&session->out, a->comparison, &changes, a->before->sources, a->after->sources,
			 session->colour_out);
	for (size_t i = 0; i < down->n_items; i++)
		json_array_append_new(names, rt_json_text(down->items[i]));
	json_array_append_new(
		a->days, json_pack("{s:o, s:o}", "down", names, "classes",
				   rt_json_changes(a->comparison, &changes, a->before->sources, a->after->sources)));
}

/* Each target of --each-failure in turn. */
static void ask_failures(struct asking *a)
{
	for (size_t i = 0; i < a->n_targets && a->same != RT_UNKNOWN; i++) {
		struct rt_words down = { 0 };

		if (is_word(&a->down, a->targets[i]))
			continue;
		for (size_t k = 0; k < a->down.n_items; k++)
			*cni_push(a->session->arena, down.items, down.n_items) = a->down.items[k];
		*cni_push(a->session->arena, down.items, down.n_items) = a->targets[i];
		ask_day(a, &down);
	}
}

/* ---- all of it ---- */

static void tell_limit(struct asking *a)
{
	struct cni_diag *diag =
		cni_diag(a->session->diags, CNI729, (struct cni_span){ 0 },
			 "what the two policies mean takes more than %u nodes to compare", a->max_nodes);

	cni_diag_help(a->session->diags, diag, "--max-nodes N allows more, at about 40 bytes each");
	cni_text_printf(&a->session->out, "Packets: not known, beyond %u nodes\n", a->max_nodes);
}

bool rt_show_meaning(struct rt_session *session, const struct rt_meant *before, const struct rt_meant *after,
		     bool same_text, unsigned int max_nodes, enum rt_same *same)
{
	struct asking a = {
		.session = session, .before = before, .after = after, .same_text = same_text, .max_nodes = max_nodes
	};
	struct cni_spaces_use use;
	const size_t begin = session->out.len;

	gather(&a, before->model);
	gather(&a, after->model);
	if (!read_down(&a) || !read_limit(&a))
		return false;
	a.days = json_array();
	a.comparison = cni_comparison_new(session->arena, before->model, after->model, a.max_nodes);
	ask_day(&a, &a.down);
	if (session->options->each_failure)
		ask_failures(&a);
	if (a.same == RT_UNKNOWN) {
		session->out.len = begin;
		tell_limit(&a);
		json_array_clear(a.days);
	}
	use = cni_spaces_use(a.comparison->spaces);
	rt_detail(session, "diagrams: room for %zu nodes, %zu MiB", use.nodes, use.bytes >> 20);
	rt_session_json(session, "meaning",
			json_pack("{s:b, s:b, s:I, s:I, s:o}", "known", a.same != RT_UNKNOWN, "same", a.same == RT_SAME,
				  "max_nodes", (json_int_t)a.max_nodes, "nodes", (json_int_t)use.nodes, "days",
				  a.days));
	cni_comparison_free(a.comparison);
	*same = a.same;
	return true;
}
