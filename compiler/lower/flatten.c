/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flatten.c - see flatten.h. A sweep over the ranges' beginnings and ends; of those that are open at a point, the first
 * route is on top of a heap. */
#include "compiler/lower/flatten.h"

#include <stdlib.h>

static int by_beginning(const void *a, const void *b)
{
	const struct route_range *x = a, *y = b;

	if (x->range.lo != y->range.lo)
		return x->range.lo < y->range.lo ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Ranges that are open at a point of the sweep; the first route is on top. */
struct heap {
	struct route_range *items;
	size_t n;
};

static bool is_before(const struct heap *heap, size_t a, size_t b)
{
	return heap->items[a].at < heap->items[b].at;
}

static void swap(struct heap *heap, size_t a, size_t b)
{
	const struct route_range item = heap->items[a];

	heap->items[a] = heap->items[b];
	heap->items[b] = item;
}

static void heap_push(struct heap *heap, struct route_range item)
{
	size_t at = heap->n++;

	heap->items[at] = item;
	for (; at && is_before(heap, at, (at - 1) / 2); at = (at - 1) / 2)
		swap(heap, at, (at - 1) / 2);
}

static void heap_pop(struct heap *heap)
{
	heap->items[0] = heap->items[--heap->n];
	for (size_t at = 0, child; (child = 2 * at + 1) < heap->n; at = child) {
		child += child + 1 < heap->n && is_before(heap, child + 1, child);
		if (!is_before(heap, child, at))
			break;
		swap(heap, at, child);
	}
}

static void add_range(struct lower *l, struct boxes *boxes, enum column column, cni_u128 lo, cni_u128 hi,
		      const char *then)
{
	struct box *last = boxes->n_items ? &boxes->items[boxes->n_items - 1] : NULL;

	if (last && last->then == then && last->range[column].hi + 1 == lo) {
		last->range[column].hi = hi;
		return;
	}
	last = cni_push(l->scratch, boxes->items, boxes->n_items);
	last->limits = LIMITS(column);
	last->then = then;
	last->range[column] = (struct cni_range6){ lo, hi };
}

void flatten(struct lower *l, struct boxes *boxes, enum column column, struct route_range *ranges, size_t n,
	     const char *const *then)
{
	struct heap open = { cni_new_array(l->scratch, struct route_range, n), 0 };
	cni_u128 from = 0;

	qsort(ranges, n, sizeof(*ranges), by_beginning);
	for (size_t i = 0; i < n || open.n;) {
		cni_u128 until; /* up to here the top has all, unless another begins before */

		if (!open.n)
			from = ranges[i].range.lo;
		for (; i < n && ranges[i].range.lo == from; i++)
			heap_push(&open, ranges[i]);
		until = open.items[0].range.hi;
		if (i < n && ranges[i].range.lo <= until)
			until = ranges[i].range.lo - 1;
		add_range(l, boxes, column, from, until, then[open.items[0].at]);
		while (open.n && open.items[0].range.hi <= until)
			heap_pop(&open);
		from = until + 1;
	}
}
