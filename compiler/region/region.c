/* SPDX-License-Identifier: GPL-2.0-or-later */
/* region.c - see region.h. Every set operation is first cut down to where the two sets can meet. */
#include "compiler/region/region.h"

#include "compiler/arena.h"

#define N_PROTOS 256
#define ICMP 1
#define ICMPV6 58

/* How far the protocol stands up in the keys of a view; 0: no protocol in it. */
static const unsigned int proto_shift[CNI_N_VIEWS] = {
	[CNI_VIEW_SPORT] = 16,
	[CNI_VIEW_DPORT] = 16,
	[CNI_VIEW_TYPE] = 8,
};

static enum cni_family family_of(const struct cni_region *region, enum cni_view view)
{
	return view == CNI_VIEW_FROM || view == CNI_VIEW_TO ? region->family : CNI_V4;
}

bool cni_work_charge(struct cni_work *work, uint64_t steps)
{
	work->spent |= work->left < steps;
	work->left = work->spent ? 0 : work->left - steps;
	return !work->spent;
}

static cni_u128 lo_of(const struct cni_ranges *r, enum cni_family family, size_t i)
{
	return family == CNI_V4 ? r->v4[i].lo : r->v6[i].lo;
}

static cni_u128 hi_of(const struct cni_ranges *r, enum cni_family family, size_t i)
{
	return family == CNI_V4 ? r->v4[i].hi : r->v6[i].hi;
}

struct cni_range6 cni_region_hull(const struct cni_region *region, enum cni_view view)
{
	const struct cni_ranges *r = &region->view[view];
	enum cni_family family = family_of(region, view);

	return (struct cni_range6){ lo_of(r, family, 0), hi_of(r, family, cni_ranges_count(r, family) - 1) };
}

/* One family's ranges i to n of a set, without copying. */
static struct cni_ranges part(const struct cni_ranges *r, enum cni_family family, size_t i, size_t n)
{
	if (family == CNI_V4)
		return (struct cni_ranges){ .v4 = n ? r->v4 + i : NULL, .n_v4 = n };
	return (struct cni_ranges){ .v6 = n ? r->v6 + i : NULL, .n_v6 = n };
}

/* The ranges of `r` that reach into lo..hi: by two binary searches. */
static struct cni_ranges reach(const struct cni_ranges *r, enum cni_family family, cni_u128 lo, cni_u128 hi)
{
	size_t n = cni_ranges_count(r, family), begin = 0, end = n;

	for (size_t high = n; begin < high;) {
		size_t mid = begin + (high - begin) / 2;

		if (hi_of(r, family, mid) < lo)
			begin = mid + 1;
		else
			high = mid;
	}
	for (size_t low = begin; low < end;) {
		size_t mid = low + (end - low) / 2;

		if (lo_of(r, family, mid) <= hi)
			low = mid + 1;
		else
			end = mid;
	}
	return part(r, family, begin, end - begin);
}

/* The ranges of `a` between the first and the last of `b`. */
static struct cni_ranges near(const struct cni_ranges *a, const struct cni_ranges *b, enum cni_family family)
{
	size_t n = cni_ranges_count(b, family);

	if (!n)
		return (struct cni_ranges){ 0 };
	return reach(a, family, lo_of(b, family, 0), hi_of(b, family, n - 1));
}

static struct cni_ranges intersect(struct cni_arena *arena, const struct cni_ranges *a, const struct cni_ranges *b,
				   enum cni_family family, struct cni_work *work)
{
	struct cni_ranges x = near(a, b, family), y = near(b, &x, family);

	if (!cni_work_charge(work, cni_ranges_count(&x, family) + cni_ranges_count(&y, family) + 1))
		return (struct cni_ranges){ 0 };
	return cni_ranges_and(arena, &x, &y);
}

static struct cni_ranges subtract(struct cni_arena *arena, const struct cni_ranges *a, const struct cni_ranges *b,
				  enum cni_family family, struct cni_work *work)
{
	struct cni_ranges y = near(b, a, family);

	if (!cni_work_charge(work, cni_ranges_count(a, family) + cni_ranges_count(&y, family) + 1))
		return (struct cni_ranges){ 0 };
	return cni_ranges_minus(arena, a, &y);
}

/* Whether two sets meet, by searching for each range of the smaller in the larger. */
static bool meet(const struct cni_ranges *a, const struct cni_ranges *b, enum cni_family family, struct cni_work *work)
{
	struct cni_ranges x = near(a, b, family), y = near(b, &x, family);
	const struct cni_ranges *few = &x, *many = &y;

	if (cni_ranges_count(&x, family) > cni_ranges_count(&y, family)) {
		few = &y;
		many = &x;
	}
	for (size_t i = 0; i < cni_ranges_count(few, family) && cni_work_charge(work, 1); i++) {
		struct cni_ranges met = reach(many, family, lo_of(few, family, i), hi_of(few, family, i));

		if (cni_ranges_count(&met, family))
			return true;
	}
	return work->spent;
}

/* ---- tidiness ---- */

static bool has_bit(const uint64_t *bits, unsigned int i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static void protos_of(const struct cni_ranges *keys, unsigned int shift, uint64_t bits[N_PROTOS / 64])
{
	for (size_t i = 0; i < keys->n_v4; i++) {
		const unsigned int first = keys->v4[i].lo >> shift, last = keys->v4[i].hi >> shift;

		for (unsigned int p = first; p <= last; p = (p | 63) + 1) { /* a word at a time */
			const unsigned int end = (p | 63) < last ? p | 63 : last;

			bits[p / 64] |= ~UINT64_C(0) >> (63 - (end - p)) << p % 64;
		}
	}
}

/* Keys of whole protocols; for other bits, of single values, shift is 0. */
static struct cni_ranges keys_of(struct cni_arena *arena, const uint64_t *bits, unsigned int n, unsigned int shift)
{
	struct cni_ranges keys = { 0 };

	for (unsigned int i = 0; i < n; i++)
		if (!(bits[i / 64] >> (i % 64)))
			i |= 63; /* no more of this word */
		else if (has_bit(bits, i))
			cni_ranges_add(arena, &keys, (struct cni_addr){ CNI_V4, (cni_u128)i << shift },
				       (struct cni_addr){ CNI_V4, ((cni_u128)(i + 1) << shift) - 1 });
	cni_ranges_normalise(&keys);
	return keys;
}

static void tidy(struct cni_arena *arena, struct cni_region *region, struct cni_work *work)
{
	uint64_t protos[CNI_N_VIEWS][N_PROTOS / 64] = { 0 }, common[N_PROTOS / 64];

	for (unsigned int w = 0; w < N_PROTOS / 64; w++)
		common[w] = ~UINT64_C(0);
	for (enum cni_view v = 0; v < CNI_N_VIEWS; v++) {
		if (!proto_shift[v] || !cni_work_charge(work, region->view[v].n_v4 + 1))
			continue;
		protos_of(&region->view[v], proto_shift[v], protos[v]);
		for (unsigned int w = 0; w < N_PROTOS / 64; w++)
			common[w] &= protos[v][w];
	}
	for (enum cni_view v = 0; v < CNI_N_VIEWS; v++) {
		struct cni_ranges keys;
		uint64_t more = 0;

		for (unsigned int w = 0; w < N_PROTOS / 64; w++)
			more |= protos[v][w] & ~common[w];
		if (!proto_shift[v] || !more)
			continue;
		keys = keys_of(arena, common, N_PROTOS, proto_shift[v]);
		region->view[v] = intersect(arena, &region->view[v], &keys, CNI_V4, work);
	}
}

bool cni_region_is_empty(const struct cni_region *region)
{
	for (enum cni_view v = 0; v < CNI_N_VIEWS; v++)
		if (!cni_ranges_count(&region->view[v], family_of(region, v)))
			return true;
	return false;
}

/* ---- making ---- */

static struct cni_ranges all_up_to(struct cni_arena *arena, enum cni_family family, cni_u128 last)
{
	struct cni_ranges all = { 0 };

	cni_ranges_add(arena, &all, (struct cni_addr){ family, 0 }, (struct cni_addr){ family, last });
	return all;
}

struct cni_region cni_region_all(struct cni_arena *arena, enum cni_family family)
{
	cni_u128 last = cni_host_mask(family, 0);

	return (struct cni_region){
		family,
		{ [CNI_VIEW_FROM] = all_up_to(arena, family, last),
		  [CNI_VIEW_TO] = all_up_to(arena, family, last),
		  [CNI_VIEW_SPORT] = all_up_to(arena, CNI_V4, 0xffffff),
		  [CNI_VIEW_DPORT] = all_up_to(arena, CNI_V4, 0xffffff),
		  [CNI_VIEW_TYPE] = all_up_to(arena, CNI_V4, 0xffff),
		  [CNI_VIEW_DSCP] = all_up_to(arena, CNI_V4, 63) },
	};
}

/* Cuts a view down to a set, or to what is outside of it. */
static void cut(struct cni_arena *arena, struct cni_region *region, enum cni_view view, const struct cni_ranges *set,
		bool negated, struct cni_work *work)
{
	enum cni_family family = family_of(region, view);
	struct cni_ranges of_family = part(set, family, 0, cni_ranges_count(set, family));

	if (negated)
		region->view[view] = subtract(arena, &region->view[view], &of_family, family, work);
	else if (view == CNI_VIEW_FROM || view == CNI_VIEW_TO)
		region->view[view] = of_family; /* cut once only, and may be large: shared, not copied */
	else
		region->view[view] = intersect(arena, &region->view[view], &of_family, family, work);
}

static void cut_bits(struct cni_arena *arena, struct cni_region *region, enum cni_view view, const uint64_t *bits,
		     unsigned int n, bool negated, struct cni_work *work)
{
	struct cni_ranges keys = keys_of(arena, bits, n, proto_shift[view]);

	cut(arena, region, view, &keys, negated, work);
}

static void cut_ports(struct cni_arena *arena, struct cni_region *region, const struct cni_port_match *m,
		      struct cni_work *work)
{
	struct cni_ranges keys = { 0 };

	if (!cni_work_charge(work, m->ports.n_items))
		return;
	for (size_t i = 0; i < m->ports.n_items; i++) {
		const struct cni_port_range *r = &m->ports.items[i];

		cni_ranges_add(arena, &keys, (struct cni_addr){ CNI_V4, (uint32_t)r->proto << 16 | r->lo },
			       (struct cni_addr){ CNI_V4, (uint32_t)r->proto << 16 | r->hi });
	}
	cni_ranges_normalise(&keys);
	cut(arena, region, m->source ? CNI_VIEW_SPORT : CNI_VIEW_DPORT, &keys, m->negated, work);
}

static void cut_icmp(struct cni_arena *arena, struct cni_region *region, const struct cni_icmp_match *m,
		     struct cni_work *work)
{
	uint32_t proto = m->family == CNI_V4 ? ICMP : ICMPV6;
	struct cni_ranges keys = { 0 };

	for (uint32_t type = 0; type < 256 && m->family == region->family; type++) {
		struct cni_addr key = { CNI_V4, proto << 8 | type };

		if (has_bit(m->types, type))
			cni_ranges_add(arena, &keys, key, key);
	}
	cni_ranges_normalise(&keys);
	cut(arena, region, CNI_VIEW_TYPE, &keys, m->negated, work);
}

struct cni_region cni_region_of_match(struct cni_arena *arena, const struct cni_region *all,
				      const struct cni_match *match, struct cni_work *work)
{
	struct cni_region region = *all;

	if (match->has_from)
		cut(arena, &region, CNI_VIEW_FROM, &match->from, match->not_from, work);
	if (match->has_to)
		cut(arena, &region, CNI_VIEW_TO, &match->to, match->not_to, work);
	if (match->has_proto)
		cut_bits(arena, &region, CNI_VIEW_SPORT, match->proto, N_PROTOS, match->not_proto, work);
	for (size_t i = 0; i < match->n_ports; i++)
		cut_ports(arena, &region, &match->ports[i], work);
	for (size_t i = 0; i < match->n_icmp; i++)
		cut_icmp(arena, &region, &match->icmp[i], work);
	if (match->has_dscp)
		cut_bits(arena, &region, CNI_VIEW_DSCP, &match->dscp, 64, match->not_dscp, work);
	tidy(arena, &region, work);
	return region;
}

struct cni_region cni_region_to(const struct cni_region *all, const struct cni_ranges *to)
{
	struct cni_region region = *all;

	region.view[CNI_VIEW_TO] = part(to, all->family, 0, cni_ranges_count(to, all->family));
	return region;
}

struct cni_region cni_region_cut(struct cni_arena *arena, const struct cni_region *region, enum cni_view view,
				 const struct cni_ranges *set, struct cni_work *work)
{
	struct cni_region left = *region;

	left.view[view] = intersect(arena, &region->view[view], set, family_of(region, view), work);
	tidy(arena, &left, work);
	return left;
}

struct cni_region cni_region_narrow(struct cni_arena *arena, const struct cni_region *region, bool last)
{
	struct cni_region narrow = *region;

	for (enum cni_view v = CNI_VIEW_FROM; v <= CNI_VIEW_TO; v++) {
		const struct cni_ranges *r = &region->view[v];
		size_t n = cni_ranges_count(r, region->family);
		struct cni_addr one = { region->family, 0 };

		if (!n)
			continue;
		one.v = last ? hi_of(r, region->family, n - 1) : lo_of(r, region->family, 0);
		narrow.view[v] = (struct cni_ranges){ 0 };
		cni_ranges_add(arena, &narrow.view[v], one, one);
	}
	return narrow;
}

/* ---- comparing and taking away ---- */

bool cni_region_covers(const struct cni_region *outer, const struct cni_region *inner, struct cni_work *work)
{
	for (enum cni_view v = 0; v < CNI_N_VIEWS; v++) {
		enum cni_family family = family_of(inner, v);
		struct cni_ranges close = near(&outer->view[v], &inner->view[v], family);

		if (!cni_work_charge(work,
				     cni_ranges_count(&close, family) + cni_ranges_count(&inner->view[v], family)) ||
		    !cni_ranges_covers(&close, &inner->view[v]))
			return false;
	}
	return true;
}

bool cni_regions_meet(const struct cni_region *a, const struct cni_region *b, struct cni_work *work)
{
	for (enum cni_view v = 0; v < CNI_N_VIEWS; v++)
		if (!meet(&a->view[v], &b->view[v], family_of(a, v), work))
			return false;
	return true;
}

/* What of `a` is outside of `b`: view by view, what differs there and agrees in the views before. Returns how many
 * pieces, or CNI_NONE when the two do not meet. */
static size_t split(struct cni_arena *arena, const struct cni_region *a, const struct cni_region *b,
		    struct cni_region pieces[CNI_N_VIEWS], struct cni_work *work)
{
	struct cni_region both = *a;
	size_t n = 0;

	if (!cni_regions_meet(a, b, work))
		return CNI_NONE;
	for (enum cni_view v = 0; v < CNI_N_VIEWS; v++) {
		enum cni_family family = family_of(a, v);
		struct cni_region piece = both;

		piece.view[v] = subtract(arena, &both.view[v], &b->view[v], family, work);
		if (cni_ranges_count(&piece.view[v], family)) {
			tidy(arena, &piece, work);
			if (!cni_region_is_empty(&piece))
				pieces[n++] = piece;
			both.view[v] = intersect(arena, &both.view[v], &b->view[v], family, work);
		}
	}
	tidy(arena, &both, work);
	return cni_region_is_empty(&both) ? CNI_NONE : n;
}

bool cni_regions_minus(struct cni_arena *arena, struct cni_regions *regions, const struct cni_region *less,
		       struct cni_work *work)
{
	struct cni_regions left = { 0 };
	bool took = false;

	for (size_t i = 0; i < regions->n_items && cni_work_charge(work, 1); i++) {
		struct cni_region pieces[CNI_N_VIEWS];
		size_t n = split(arena, &regions->items[i], less, pieces, work);

		if (n == CNI_NONE) {
			if (took)
				*cni_push(arena, left.items, left.n_items) = regions->items[i];
			continue;
		}
		if (!took) /* from here on the list is a new one */
			for (size_t k = 0; k < i; k++)
				*cni_push(arena, left.items, left.n_items) = regions->items[k];
		took = true;
		for (size_t k = 0; k < n; k++)
			*cni_push(arena, left.items, left.n_items) = pieces[k];
	}
	if (took)
		*regions = left;
	return took;
}
