/* SPDX-License-Identifier: GPL-2.0-or-later */
/* changes.c - see changes.h. */
#include "compiler/emit/changes.h"

#include <string.h>

#include "compiler/arena.h"

#define MAX_LINES 4 /* of one side that are shown */
#define BOLD "\033[1m"
#define RED "\033[31m"
#define PLAIN "\033[0m"

struct cni_label_place cni_label_place(struct cni_arena *arena, const struct cni_model *model,
				       const struct cni_policy *policy, unsigned int label, struct cni_addr to)
{
	struct cni_label_place place = { .name = cni_meaning_name(arena, policy, label) };

	if (!policy)
		return place;
	if (label != CNI_LABEL_NEVER) {
		place.span = cni_meaning_span(policy, label);
	} else {
		const char *reason = cni_never_reason(arena, model, to, &place.span);

		if (*reason)
			place.name = cni_printf(arena, "never steered: %s", reason);
	}
	return place;
}

void cni_fate_traits(const struct cni_fate *before, const struct cni_fate *after,
		     void (*each)(const char *member, enum cni_trait trait, const char *before, const char *after,
				  void *arg),
		     void *arg)
{
	static const char none[] = "none";

	for (size_t i = 0; i < before->n_members; i++)
		for (size_t k = 0; k < after->n_members; k++) {
			const struct cni_fate_member *a = &before->members[i], *b = &after->members[k];

			for (enum cni_trait t = 0; t < CNI_N_TRAITS && !strcmp(a->name, b->name); t++) {
				const char *x = a->traits[t] ? a->traits[t] : none;
				const char *y = b->traits[t] ? b->traits[t] : none;

				if (strcmp(x, y) != 0)
					each(a->name, t, x, y, arg);
			}
		}
}

/* ---- one class ---- */

struct printing {
	struct cni_text *out;
	const struct cni_comparison *c;
	const struct cni_change *change;
	const struct cni_sources *sources[2]; /* before, after */
	bool colour;
};

static void row(struct cni_text *out, const char *head)
{
	cni_text_printf(out, "  %-9s", head);
}

static void print_head(const struct printing *p)
{
	const struct cni_change *change = p->change;
	const struct cni_device_group *group = change->group;
	struct cni_text *out = p->out;

	cni_text_puts(out, p->colour ? "\n" BOLD : "\n");
	for (size_t i = 0; i < group->n_devices; i++)
		cni_text_printf(out, "%s%s", i ? ", " : "", group->devices[i]);
	cni_text_printf(out, ", IPv%d: %s -> %s%s\n", change->family == CNI_V4 ? 4 : 6,
			p->c->fates.items[change->before].text, p->c->fates.items[change->after].text,
			p->colour ? PLAIN : "");
	if (change->loses)
		cni_text_printf(out, "  %sits last path is gone%s\n", p->colour ? RED : "", p->colour ? PLAIN : "");
}

static void print_trait(const char *member, enum cni_trait trait, const char *before, const char *after, void *arg)
{
	const struct printing *p = arg;

	row(p->out, member);
	cni_text_printf(p->out, "%s %s -> %s\n", cni_trait_words[trait], before, after);
}

static void print_boxes(const struct printing *p)
{
	const struct cni_boxes *boxes = &p->change->boxes;

	for (size_t i = 0; i < boxes->n_items; i++) {
		row(p->out, i ? "" : "which");
		cni_box_print(p->out, boxes->family, &boxes->items[i]);
		cni_text_puts(p->out, "\n");
	}
	if (boxes->more) {
		row(p->out, "");
		cni_text_puts(p->out, "and more\n");
	}
}

static void print_count(struct cni_text *out, const struct cni_count *count, const char *what, const char *end)
{
	cni_count_print(out, count);
	cni_text_printf(out, " %s%s%s", what, cni_count_is(count, 1) ? "" : "s", end);
}

static bool is_said(const struct cni_change *change, size_t line, bool after)
{
	for (size_t i = 0; i < line; i++)
		if (after ? change->lines[i].after == change->lines[line].after
			  : change->lines[i].before == change->lines[line].before)
			return true;
	return false;
}

/* The lines that decide on one side; first that of the witness. */
static void print_lines(const struct printing *p, bool after)
{
	const struct cni_change *change = p->change;
	const struct cni_model *model = after ? p->c->after : p->c->before;
	const struct cni_policy *policy = after ? change->group->after : change->group->before;
	const unsigned int first = after ? change->witness_line.after : change->witness_line.before;
	const struct cni_addr to = { change->family, change->witness.field[CNI_FIELD_TO] };
	size_t n = 0;

	for (size_t i = 0; i <= change->n_lines; i++) {
		unsigned int label = first;
		struct cni_label_place place;
		struct cni_place at;

		if (i) {
			label = after ? change->lines[i - 1].after : change->lines[i - 1].before;
			if (label == first || is_said(change, i - 1, after))
				continue;
		}
		if (n++ >= MAX_LINES)
			continue;
		place = cni_label_place(p->c->arena, model, policy, label, to);
		row(p->out, i ? "" : after ? "after" : "before");
		cni_text_puts(p->out, place.name);
		if (cni_span_is_set(place.span)) {
			at = cni_place_of(p->sources[after], place.span.begin);
			cni_text_printf(p->out, ", %s:%u", at.source->name, at.line);
		}
		cni_text_puts(p->out, "\n");
	}
	if (n > MAX_LINES) {
		row(p->out, "");
		cni_text_printf(p->out, "and %zu more\n", n - MAX_LINES);
	}
}

static void print_change(struct printing *p)
{
	const struct cni_change *change = p->change;

	print_head(p);
	cni_fate_traits(&p->c->fates.items[change->before], &p->c->fates.items[change->after], print_trait, p);
	print_boxes(p);
	row(p->out, "size");
	print_count(p->out, &change->sources, "source", ", ");
	print_count(p->out, &change->destinations, "destination", ", ");
	print_count(p->out, &change->packets, "packet", "\n");
	row(p->out, "such as");
	cni_header_print(p->out, &change->witness);
	cni_text_puts(p->out, "\n");
	print_lines(p, false);
	print_lines(p, true);
}

void cni_emit_changes(struct cni_text *out, const struct cni_comparison *c, const struct cni_changes *changes,
		      const struct cni_sources *before, const struct cni_sources *after, bool colour)
{
	if (changes->n_items)
		cni_text_puts(out, "Destinations that both policies never steer are not mentioned.\n");
	for (size_t i = 0; i < changes->n_items; i++)
		print_change(&(struct printing){ out, c, &changes->items[i], { before, after }, colour });
}
