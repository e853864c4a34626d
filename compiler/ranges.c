/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ranges.c - sets of addresses as sorted ranges; see ip.h. */
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/ip.h"

/* Both families in one shape, so that each algorithm stands once. */
static struct cni_range6 at(const struct cni_ranges *r, enum cni_family family, size_t i)
{
	return family == CNI_V4 ? (struct cni_range6){ r->v4[i].lo, r->v4[i].hi } : r->v6[i];
}

static void put(struct cni_ranges *r, enum cni_family family, size_t i, struct cni_range6 range)
{
	if (family == CNI_V4)
		r->v4[i] = (struct cni_range4){ (uint32_t)range.lo, (uint32_t)range.hi };
	else
		r->v6[i] = range;
}

static void add(struct cni_arena *arena, struct cni_ranges *r, enum cni_family family, cni_u128 lo, cni_u128 hi)
{
	if (family == CNI_V4)
		*cni_push(arena, r->v4, r->n_v4) = (struct cni_range4){ (uint32_t)lo, (uint32_t)hi };
	else
		*cni_push(arena, r->v6, r->n_v6) = (struct cni_range6){ lo, hi };
}

void cni_ranges_add(struct cni_arena *arena, struct cni_ranges *ranges, struct cni_addr lo, struct cni_addr hi)
{
	add(arena, ranges, lo.family, lo.v, hi.v);
}

void cni_ranges_add_prefix(struct cni_arena *arena, struct cni_ranges *ranges, struct cni_prefix prefix)
{
	cni_ranges_add(arena, ranges, cni_prefix_first(prefix), cni_prefix_last(prefix));
}

/* Appends in one piece; the room is what cni_push() believes in. */
static void *append(struct cni_arena *arena, void *to, size_t n, const void *from, size_t more, size_t size)
{
	if (!more)
		return to;
	if (cni_room(n) < n + more)
		to = cni_regrow(arena, to, n * size, cni_room(n + more) * size);
	memcpy((unsigned char *)to + n * size, from, more * size);
	return to;
}

void cni_ranges_add_all(struct cni_arena *arena, struct cni_ranges *ranges, const struct cni_ranges *more)
{
	ranges->v4 = append(arena, ranges->v4, ranges->n_v4, more->v4, more->n_v4, sizeof(*more->v4));
	ranges->n_v4 += more->n_v4;
	ranges->v6 = append(arena, ranges->v6, ranges->n_v6, more->v6, more->n_v6, sizeof(*more->v6));
	ranges->n_v6 += more->n_v6;
}

static int cmp4(const void *a, const void *b)
{
	const struct cni_range4 *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static int cmp6(const void *a, const void *b)
{
	const struct cni_range6 *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static bool is_sorted(const struct cni_ranges *r, enum cni_family family)
{
	for (size_t i = 1; i < cni_ranges_count(r, family); i++)
		if (at(r, family, i).lo < at(r, family, i - 1).lo)
			return false;
	return true;
}

/* Sorted ranges: merges those that overlap or touch; returns how many are left. */
static size_t merge(struct cni_ranges *r, enum cni_family family)
{
	size_t n = 0;

	for (size_t i = 0; i < cni_ranges_count(r, family); i++) {
		struct cni_range6 next = at(r, family, i), last;

		if (n) {
			last = at(r, family, n - 1);
			/* not `last.hi + 1`, which wraps at the family's end */
			if (next.lo <= last.hi || next.lo - last.hi == 1) {
				last.hi = next.hi > last.hi ? next.hi : last.hi;
				put(r, family, n - 1, last);
				continue;
			}
		}
		put(r, family, n++, next);
	}
	return n;
}

static void sort(struct cni_ranges *ranges)
{
	if (!is_sorted(ranges, CNI_V4))
		qsort(ranges->v4, ranges->n_v4, sizeof(*ranges->v4), cmp4);
	if (!is_sorted(ranges, CNI_V6))
		qsort(ranges->v6, ranges->n_v6, sizeof(*ranges->v6), cmp6);
}

/* Of those before a range it is the one that reaches furthest that holds it, if any does. */
size_t cni_ranges_inner(struct cni_ranges *ranges, enum cni_family family, struct cni_range6 *found, size_t max)
{
	struct cni_range6 widest = { 0 }, inner;
	size_t n = 0;

	sort(ranges);
	for (size_t i = 0; i < cni_ranges_count(ranges, family); i++) {
		struct cni_range6 range = at(ranges, family, i);

		if (i && range.hi <= widest.hi) {
			inner = range;
		} else {
			inner = widest;
			widest = range;
			if (!i || inner.lo != range.lo) /* they are not sorted by their ends */
				continue;
		}
		if (n++ < max)
			found[n - 1] = inner;
	}
	return n;
}

void cni_ranges_normalise(struct cni_ranges *ranges)
{
	sort(ranges);
	ranges->n_v4 = merge(ranges, CNI_V4);
	ranges->n_v6 = merge(ranges, CNI_V6);
}

bool cni_ranges_has(const struct cni_ranges *ranges, struct cni_addr addr)
{
	size_t lo = 0, hi = cni_ranges_count(ranges, addr.family);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct cni_range6 range = at(ranges, addr.family, mid);

		if (addr.v < range.lo)
			hi = mid;
		else if (addr.v > range.hi)
			lo = mid + 1;
		else
			return true;
	}
	return false;
}

static bool covers(const struct cni_ranges *outer, const struct cni_ranges *inner, enum cni_family family)
{
	size_t o = 0, n_outer = cni_ranges_count(outer, family);

	for (size_t i = 0; i < cni_ranges_count(inner, family); i++) {
		struct cni_range6 range = at(inner, family, i);

		while (o < n_outer && at(outer, family, o).hi < range.lo)
			o++;
		if (o == n_outer || at(outer, family, o).lo > range.lo || at(outer, family, o).hi < range.hi)
			return false;
	}
	return true;
}

bool cni_ranges_covers(const struct cni_ranges *outer, const struct cni_ranges *inner)
{
	return covers(outer, inner, CNI_V4) && covers(outer, inner, CNI_V6);
}

static bool overlap(const struct cni_ranges *a, const struct cni_ranges *b, enum cni_family family)
{
	for (size_t i = 0, j = 0; i < cni_ranges_count(a, family) && j < cni_ranges_count(b, family);) {
		struct cni_range6 x = at(a, family, i), y = at(b, family, j);

		if (x.lo <= y.hi && y.lo <= x.hi)
			return true;
		if (x.hi < y.hi)
			i++;
		else
			j++;
	}
	return false;
}

bool cni_ranges_overlap(const struct cni_ranges *a, const struct cni_ranges *b)
{
	return overlap(a, b, CNI_V4) || overlap(a, b, CNI_V6);
}

static bool equal(const struct cni_ranges *a, const struct cni_ranges *b, enum cni_family family)
{
	if (cni_ranges_count(a, family) != cni_ranges_count(b, family))
		return false;
	for (size_t i = 0; i < cni_ranges_count(a, family); i++)
		if (at(a, family, i).lo != at(b, family, i).lo || at(a, family, i).hi != at(b, family, i).hi)
			return false;
	return true;
}

bool cni_ranges_equal(const struct cni_ranges *a, const struct cni_ranges *b)
{
	return equal(a, b, CNI_V4) && equal(a, b, CNI_V6);
}

static void minus(struct cni_arena *arena, struct cni_ranges *out, const struct cni_ranges *a,
		  const struct cni_ranges *b, enum cni_family family)
{
	size_t j = 0, n_b = cni_ranges_count(b, family);

	for (size_t i = 0; i < cni_ranges_count(a, family); i++) {
		struct cni_range6 left = at(a, family, i);
		bool rest = true;

		while (j < n_b && at(b, family, j).hi < left.lo)
			j++;
		for (size_t k = j; k < n_b && at(b, family, k).lo <= left.hi; k++) {
			struct cni_range6 hole = at(b, family, k);

			if (hole.lo > left.lo)
				add(arena, out, family, left.lo, hole.lo - 1);
			rest = hole.hi < left.hi;
			if (!rest)
				break;
			left.lo = hole.hi + 1;
			j = k;
		}
		if (rest)
			add(arena, out, family, left.lo, left.hi);
	}
}

struct cni_ranges cni_ranges_minus(struct cni_arena *arena, const struct cni_ranges *a, const struct cni_ranges *b)
{
	struct cni_ranges out = { 0 };

	minus(arena, &out, a, b, CNI_V4);
	minus(arena, &out, a, b, CNI_V6);
	return out;
}

static void common(struct cni_arena *arena, struct cni_ranges *out, const struct cni_ranges *a,
		   const struct cni_ranges *b, enum cni_family family)
{
	for (size_t i = 0, j = 0; i < cni_ranges_count(a, family) && j < cni_ranges_count(b, family);) {
		struct cni_range6 x = at(a, family, i), y = at(b, family, j);
		cni_u128 lo = x.lo > y.lo ? x.lo : y.lo, hi = x.hi < y.hi ? x.hi : y.hi;

		if (lo <= hi)
			add(arena, out, family, lo, hi);
		if (x.hi < y.hi)
			i++;
		else
			j++;
	}
}

struct cni_ranges cni_ranges_and(struct cni_arena *arena, const struct cni_ranges *a, const struct cni_ranges *b)
{
	struct cni_ranges out = { 0 };

	common(arena, &out, a, b, CNI_V4);
	common(arena, &out, a, b, CNI_V6);
	return out;
}

void cni_range_to_prefixes(struct cni_addr lo, struct cni_addr hi, void (*each)(struct cni_prefix prefix, void *arg),
			   void *arg)
{
	unsigned int width = cni_width(lo.family);

	for (;;) {
		unsigned int bits = 0;
		cni_u128 last;

		/* the largest block that begins at lo and ends at or before hi */
		while (bits < width) {
			cni_u128 mask = cni_host_mask(lo.family, width - bits - 1);

			if ((lo.v & mask) || (lo.v | mask) > hi.v)
				break;
			bits++;
		}
		each((struct cni_prefix){ lo, (uint8_t)(width - bits) }, arg);
		last = lo.v | cni_host_mask(lo.family, width - bits);
		if (last >= hi.v)
			return;
		lo.v = last + 1;
	}
}
