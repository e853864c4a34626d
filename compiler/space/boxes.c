/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boxes.c - a space as products of ranges. Field by field: the values that lead to the same rest are one set of ranges,
 * each with the boxes of that rest; so boxes are disjoint, and few where people wrote the matches. */
#include "compiler/space/space_internal.h"

#define MAX_RANGES 4096 /* that are kept of a field, to see whether what is left out is shorter */
#define MAX_WAYS 65536 /* that are followed through one field before "and more" is said */

struct boxing {
	const struct cni_spaces *s;
	struct cni_arena *arena;
	enum cni_family family;
	size_t max_boxes, max_ranges;
	struct cni_boxes boxes;
	struct cni_box now; /* the fields that are decided */
};

/* Values of one field that lead to the same node behind it. */
struct group {
	int rest;
	struct cni_box_field field;
};

struct groups {
	struct boxing *b;
	enum cni_header_field field;
	struct group *items;
	size_t n_items;
	size_t ways;
	bool more;
};

static void put(struct groups *groups, int rest, cni_u128 lo, cni_u128 hi)
{
	struct boxing *b = groups->b;
	struct group *group = NULL;
	struct cni_box_field *f;

	for (size_t i = 0; i < groups->n_items && !group; i++)
		if (groups->items[i].rest == rest)
			group = &groups->items[i];
	if (!group) {
		if (groups->n_items == b->max_boxes) {
			groups->more = true;
			return;
		}
		group = cni_push(b->arena, groups->items, groups->n_items);
		group->rest = rest;
	}
	f = &group->field;
	if (f->n_items && f->items[f->n_items - 1].hi + 1 == lo)
		f->items[f->n_items - 1].hi = hi;
	else if (f->n_items == MAX_RANGES)
		f->more = true;
	else
		*cni_push(b->arena, f->items, f->n_items) = (struct cni_range6){ lo, hi };
}

static cni_u128 low_bits(unsigned int n)
{
	return n == 128 ? ~(cni_u128)0 : ((cni_u128)1 << n) - 1;
}

/* From a node whose block of values begins at `lo`, in ascending order. */
static void follow(struct groups *groups, int node, unsigned int depth, cni_u128 lo)
{
	enum cni_family family = groups->b->family;
	unsigned int width = field_width(family, groups->field);
	int base = groups->b->s->first[groups->field];
	cni_u128 size;

	if (node == FALSE_NODE)
		return;
	if (var_of(node) >= base + (int)width) {
		if (groups->ways++ < MAX_WAYS)
			put(groups, node, lo, lo + low_bits(width - depth));
		else
			groups->more = true;
		return;
	}
	if (groups->ways >= MAX_WAYS) {
		groups->more = true;
		return;
	}
	/* where the node does not ask for this bit, both halves lead to it */
	size = (cni_u128)1 << (width - depth - 1);
	if (var_of(node) > base + (int)depth) {
		follow(groups, node, depth + 1, lo);
		follow(groups, node, depth + 1, lo | size);
	} else {
		follow(groups, bdd_low(node), depth + 1, lo);
		follow(groups, bdd_high(node), depth + 1, lo | size);
	}
}

static void put_range(struct boxing *b, struct cni_box_field *f, cni_u128 lo, cni_u128 hi)
{
	if (lo <= hi)
		*cni_push(b->arena, f->items, f->n_items) = (struct cni_range6){ lo, hi };
}

/* Not limited at all, by what it is, or by what it is not: whichever says it in fewer ranges; cut to what readers want. */
static struct cni_box_field shortest(struct boxing *b, enum cni_header_field field, const struct cni_box_field *f)
{
	const cni_u128 last = field_last(b->family, field);
	struct cni_box_field inverse = { .negated = true }, best = *f;

	for (size_t i = 0; i < f->n_items; i++) {
		if (f->items[i].lo)
			put_range(b, &inverse, i ? f->items[i - 1].hi + 1 : 0, f->items[i].lo - 1);
		if (i + 1 == f->n_items && f->items[i].hi != last)
			put_range(b, &inverse, f->items[i].hi + 1, last);
	}
	if (!f->more && inverse.n_items < f->n_items)
		best = inverse;
	if (best.n_items > b->max_ranges) {
		best.n_items = b->max_ranges;
		best.more = true;
	}
	return best;
}

static void box_fields(struct boxing *b, int node, unsigned int at)
{
	struct groups groups = { .b = b };

	if (node == FALSE_NODE)
		return;
	if (b->boxes.n_items == b->max_boxes) {
		b->boxes.more = true;
		return;
	}
	if (at == CNI_N_FIELDS) {
		*cni_push(b->arena, b->boxes.items, b->boxes.n_items) = b->now;
		return;
	}
	groups.field = b->s->order[at];
	follow(&groups, node, 0, 0);
	b->boxes.more |= groups.more;
	for (size_t i = 0; i < groups.n_items; i++) {
		struct group *group = &groups.items[i];

		/* of what was not followed nobody knows where it leads */
		group->field.more |= groups.ways >= MAX_WAYS;
		b->now.field[groups.field] = shortest(b, groups.field, &group->field);
		box_fields(b, group->rest, at + 1);
	}
	b->now.field[groups.field] = (struct cni_box_field){ 0 };
}

struct cni_boxes cni_space_boxes(struct cni_spaces *s, struct cni_arena *arena, enum cni_family family,
				 struct cni_space a, size_t max_boxes, size_t max_ranges)
{
	struct boxing b = {
		.s = s, .arena = arena, .family = family, .max_boxes = max_boxes, .max_ranges = max_ranges
	};

	b.boxes.family = family;
	box_fields(&b, a.node, 0);
	return b.boxes;
}
