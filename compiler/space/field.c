/* SPDX-License-Identifier: GPL-2.0-or-later */
/* field.c - spaces of one field: values, ranges, sets of ranges; and matches, which are made of them. */
#include "compiler/space/space_internal.h"

#define ICMP 1
#define ICMPV6 58

static const uint64_t with_ports[4] = {
	UINT64_C(1) << 6 | UINT64_C(1) << 17 | UINT64_C(1) << 33,
	0,
	UINT64_C(1) << (132 - 128) | UINT64_C(1) << (136 - 128),
	0,
};

/* ---- one field ---- */

struct cni_space cni_space_masked(struct cni_spaces *s, enum cni_family family, enum cni_header_field field,
				  cni_u128 value, cni_u128 mask)
{
	unsigned int width = field_width(family, field);
	size_t mark = cni_spaces_mark(s);
	int node = TRUE_NODE;

	for (unsigned int bit = 0; bit < width && !s->failed; bit++) {
		int var = field_var(s, field, width - 1 - bit);

		if (mask >> bit & 1)
			node = value >> bit & 1 ? make_node(s, var, FALSE_NODE, node)
						: make_node(s, var, node, FALSE_NODE);
	}
	return (struct cni_space){ keep_node(s, mark, node) };
}

struct cni_space cni_space_value(struct cni_spaces *s, enum cni_family family, enum cni_header_field field,
				 cni_u128 value)
{
	return cni_space_masked(s, family, field, value, field_last(family, field));
}

struct cni_space cni_space_prefix(struct cni_spaces *s, enum cni_header_field field, struct cni_prefix prefix)
{
	return cni_space_masked(s, prefix.addr.family, field, prefix.addr.v,
				~cni_host_mask(prefix.addr.family, prefix.len));
}

/* Sorted ranges of a field, those of addresses of IPv4 in 32 bits. */
struct sorted {
	struct cni_spaces *s;
	enum cni_family family;
	enum cni_header_field field;
	const struct cni_range4 *narrow; /* one of the two */
	const struct cni_range6 *wide;
};

static cni_u128 lo_of(const struct sorted *r, size_t i)
{
	return r->narrow ? r->narrow[i].lo : r->wide[i].lo;
}

static cni_u128 hi_of(const struct sorted *r, size_t i)
{
	return r->narrow ? r->narrow[i].hi : r->wide[i].hi;
}

/* The first of ranges[begin..end) that reaches `value` or lies behind it. */
static size_t reaching(const struct sorted *r, size_t begin, size_t end, cni_u128 value)
{
	while (begin < end) {
		size_t mid = begin + (end - begin) / 2;

		if (hi_of(r, mid) < value)
			begin = mid + 1;
		else
			end = mid;
	}
	return begin;
}

/* What ranges[begin..end), all of which meet it, have of the block of values first..last below `depth` bits: from the
 * lowest bits up, so that each node is made once. */
static int of_block(const struct sorted *r, unsigned int depth, cni_u128 first, cni_u128 last, size_t begin, size_t end)
{
	cni_u128 middle = first + (last - first) / 2;
	size_t split;
	int low, high;

	if (begin == end || r->s->failed)
		return FALSE_NODE;
	if (lo_of(r, begin) <= first && hi_of(r, begin) >= last)
		return TRUE_NODE;
	split = reaching(r, begin, end, middle + 1);
	/* a range that reaches over the middle is in both halves */
	low = of_block(r, depth + 1, first, middle, begin,
		       split < end && lo_of(r, split) <= middle ? split + 1 : split);
	high = of_block(r, depth + 1, middle + 1, last, split, end);
	return make_node(r->s, field_var(r->s, r->field, depth), low, high);
}

static struct cni_space of_sorted(const struct sorted *r, size_t n)
{
	const size_t mark = cni_spaces_mark(r->s);

	return (struct cni_space){ keep_node(r->s, mark, of_block(r, 0, 0, field_last(r->family, r->field), 0, n)) };
}

struct cni_space cni_space_range(struct cni_spaces *s, enum cni_family family, enum cni_header_field field, cni_u128 lo,
				 cni_u128 hi)
{
	const struct cni_range6 range = { lo, hi };

	return of_sorted(&(struct sorted){ s, family, field, NULL, &range }, 1);
}

struct cni_space cni_space_ranges(struct cni_spaces *s, enum cni_family family, enum cni_header_field field,
				  const struct cni_ranges *ranges)
{
	struct sorted sorted = { s, family, field, NULL, NULL };

	if (family == CNI_V4)
		sorted.narrow = ranges->v4;
	else
		sorted.wide = ranges->v6;
	return of_sorted(&sorted, cni_ranges_count(ranges, family));
}

struct reading {
	struct cni_arena *arena;
	enum cni_family family;
	int base; /* variable of the field's highest bit */
	struct cni_ranges ranges;
};

/* From a node that speaks of this field alone, in ascending order; `depth` bits of `first` are known. */
static void read_block(struct reading *r, int node, unsigned int depth, cni_u128 first)
{
	const unsigned int width = cni_width(r->family);
	bool asked = !is_constant(node) && bdd_var(node) == r->base + (int)depth;

	if (node == FALSE_NODE)
		return;
	if (node == TRUE_NODE) {
		cni_ranges_add(r->arena, &r->ranges, (struct cni_addr){ r->family, first },
			       (struct cni_addr){ r->family, first | cni_host_mask(r->family, depth) });
		return;
	}
	read_block(r, asked ? bdd_low(node) : node, depth + 1, first);
	read_block(r, asked ? bdd_high(node) : node, depth + 1, first | (cni_u128)1 << (width - 1 - depth));
}

struct cni_ranges cni_space_values(struct cni_spaces *s, struct cni_arena *arena, enum cni_family family,
				   enum cni_header_field field, struct cni_space a)
{
	struct reading r = { .arena = arena, .family = family, .base = s->first[field] };
	size_t mark = cni_spaces_mark(s);

	read_block(&r, cni_space_exists(s, a, ((1U << CNI_N_FIELDS) - 1) & ~(1U << field)).node, 0, 0);
	cni_spaces_release(s, mark, -1);
	cni_ranges_normalise(&r.ranges);
	return r.ranges;
}

static bool has_bit(const uint64_t *bits, unsigned int i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

struct cni_space cni_space_bits(struct cni_spaces *s, enum cni_header_field field, const uint64_t *bits, unsigned int n)
{
	struct cni_range6 ranges[128]; /* at most every other value begins one */
	size_t n_ranges = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (!has_bit(bits, i))
			continue;
		if (i && has_bit(bits, i - 1))
			ranges[n_ranges - 1].hi = i;
		else
			ranges[n_ranges++] = (struct cni_range6){ i, i };
	}
	return of_sorted(&(struct sorted){ s, CNI_V4, field, NULL, ranges }, n_ranges);
}

/* ---- matches ---- */

static struct cni_space also(struct cni_spaces *s, struct cni_space all, struct cni_space field, bool negated)
{
	return negated ? cni_space_minus(s, all, field) : cni_space_and(s, all, field);
}

static struct cni_space ports_of(struct cni_spaces *s, const struct cni_port_match *m)
{
	enum cni_header_field field = m->source ? CNI_FIELD_SPORT : CNI_FIELD_DPORT;
	struct cni_space any = cni_space_none();

	for (size_t i = 0; i < m->ports.n_items; i++) {
		const struct cni_port_range *range = &m->ports.items[i];
		struct cni_space proto = cni_space_value(s, CNI_V4, CNI_FIELD_PROTO, range->proto);
		struct cni_space port = cni_space_range(s, CNI_V4, field, range->lo, range->hi);

		any = cni_space_or(s, any, cni_space_and(s, proto, port));
	}
	return any;
}

static struct cni_space icmp_of(struct cni_spaces *s, enum cni_family family, const struct cni_icmp_match *m)
{
	if (m->family != family)
		return cni_space_none();
	return cni_space_and(s, cni_space_value(s, family, CNI_FIELD_PROTO, family == CNI_V4 ? ICMP : ICMPV6),
			     cni_space_bits(s, CNI_FIELD_TYPE, m->types, 256));
}

struct cni_space cni_space_match(struct cni_spaces *s, enum cni_family family, const struct cni_match *match)
{
	struct cni_space all = cni_space_all();
	size_t mark = cni_spaces_mark(s);

	if (match->has_from)
		all = also(s, all, cni_space_ranges(s, family, CNI_FIELD_FROM, &match->from), match->not_from);
	if (match->has_to)
		all = also(s, all, cni_space_ranges(s, family, CNI_FIELD_TO, &match->to), match->not_to);
	if (match->has_proto)
		all = also(s, all, cni_space_bits(s, CNI_FIELD_PROTO, match->proto, 256), match->not_proto);
	for (size_t i = 0; i < match->n_ports; i++)
		all = also(s, all, ports_of(s, &match->ports[i]), match->ports[i].negated);
	if (match->has_dscp)
		all = also(s, all, cni_space_bits(s, CNI_FIELD_DSCP, &match->dscp, 64), match->not_dscp);
	for (size_t i = 0; i < match->n_icmp; i++)
		all = also(s, all, icmp_of(s, family, &match->icmp[i]), match->icmp[i].negated);
	return (struct cni_space){ keep_node(s, mark, all.node) };
}

/* ---- packets as they are ---- */

static struct cni_space zero_unless(struct cni_spaces *s, enum cni_header_field field, const uint64_t protos[4])
{
	return cni_space_or(s, cni_space_bits(s, CNI_FIELD_PROTO, protos, 256), cni_space_value(s, CNI_V4, field, 0));
}

struct cni_space proper_packets(struct cni_spaces *s, enum cni_family family)
{
	const uint64_t icmp[4] = { UINT64_C(1) << (family == CNI_V4 ? ICMP : ICMPV6) };
	size_t mark = cni_spaces_mark(s);
	struct cni_space ports = cni_space_and(s, zero_unless(s, CNI_FIELD_SPORT, with_ports),
					       zero_unless(s, CNI_FIELD_DPORT, with_ports));

	return (struct cni_space){ keep_node(s, mark,
					     cni_space_and(s, ports, zero_unless(s, CNI_FIELD_TYPE, icmp)).node) };
}

struct cni_space cni_space_proper(const struct cni_spaces *s, enum cni_family family)
{
	return s->proper[family];
}
