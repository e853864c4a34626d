/* SPDX-License-Identifier: GPL-2.0-or-later */
/* labels.c - the labels that a map has. */
#include "compiler/space/space_internal.h"

#include <stdlib.h>

struct walk {
	struct cni_spaces *s;
	struct cni_arena *arena;
	struct cni_labels labels;
};

static void visit(struct walk *w, int node)
{
	int unused;

	if (notes_find(w->s, node, &unused))
		return;
	notes_add(w->s, node, 0);
	if (var_of(node) >= w->s->labels) {
		*cni_push(w->arena, w->labels.items, w->labels.n_items) = label_of(node);
		return;
	}
	visit(w, bdd_low(node));
	visit(w, bdd_high(node));
}

static int ascending(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct cni_labels cni_map_labels(struct cni_spaces *s, struct cni_arena *arena, struct cni_map map)
{
	struct walk w = { .s = s, .arena = arena };

	if (cni_spaces_failed(s))
		return w.labels;
	notes_begin(s);
	visit(&w, map.node);
	if (w.labels.n_items)
		qsort(w.labels.items, w.labels.n_items, sizeof(*w.labels.items), ascending);
	return w.labels;
}
