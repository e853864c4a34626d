/* SPDX-License-Identifier: GPL-2.0-or-later */
/* leaves.c - see leaves.h. */
#include "compiler/check/leaves.h"

#include "compiler/arena.h"

struct walk {
	struct cni_arena *arena;
	const struct cni_model *model;
	bool *seen; /* by set; NULL: none was met yet */
	struct cni_leaf leaf; /* what is known of it */
	void (*each)(const struct cni_leaf *leaf, void *arg);
	void *arg;
};

bool cni_value_range(const struct cni_ast_value *value, enum cni_family *family, struct cni_range6 *range)
{
	*family = value->prefix.addr.family;
	switch (value->kind) {
	case CNI_VALUE_ADDR:
		*range = (struct cni_range6){ value->prefix.addr.v, value->prefix.addr.v };
		return true;
	case CNI_VALUE_PREFIX:
		*range = (struct cni_range6){ cni_prefix_first(value->prefix).v, cni_prefix_last(value->prefix).v };
		return true;
	case CNI_VALUE_RANGE:
		*range = (struct cni_range6){ value->prefix.addr.v, value->last.v };
		return true;
	default:
		return false;
	}
}

static void give(struct walk *w, enum cni_family family, cni_u128 lo, cni_u128 hi, struct cni_span written)
{
	w->leaf.family = family;
	w->leaf.range = (struct cni_range6){ lo, hi };
	w->leaf.written = written;
	w->each(&w->leaf, w->arg);
}

static void give_all(struct walk *w, const struct cni_ranges *ranges)
{
	const struct cni_span nowhere = { 0 };

	for (size_t i = 0; i < ranges->n_v4; i++)
		give(w, CNI_V4, ranges->v4[i].lo, ranges->v4[i].hi, nowhere);
	for (size_t i = 0; i < ranges->n_v6; i++)
		give(w, CNI_V6, ranges->v6[i].lo, ranges->v6[i].hi, nowhere);
}

static bool is_new(struct walk *w, const struct cni_set *set)
{
	size_t at = (size_t)(set - w->model->sets);
	bool seen;

	if (!w->seen)
		w->seen = cni_new_array(w->arena, bool, w->model->n_sets);
	seen = w->seen[at];
	w->seen[at] = true;
	return !seen;
}

/* Sets nest at most CNI_NEST_MAX deep. */
static void follow(struct walk *w, const struct cni_items *items, bool inner)
{
	for (size_t i = 0; i < items->n_items; i++) {
		const struct cni_item *item = &items->items[i];
		struct cni_range6 range;
		enum cni_family family;

		if (!inner)
			w->leaf.use = item->use->span;
		if (item->set && is_new(w, item->set))
			follow(w, &item->set->written, true);
		else if (item->lan)
			give_all(w, &item->lan->ranges);
		else if (item->value->kind == CNI_VALUE_FILE && item->value->file)
			give_all(w, item->value->file);
		else if (cni_value_range(item->value, &family, &range))
			give(w, family, range.lo, range.hi, inner ? item->use->span : (struct cni_span){ 0 });
	}
}

void cni_leaves(struct cni_arena *arena, const struct cni_model *model, const struct cni_items *items,
		void (*each)(const struct cni_leaf *leaf, void *arg), void *arg)
{
	struct walk w = { .arena = arena, .model = model, .each = each, .arg = arg };

	follow(&w, items, false);
}
