/* SPDX-License-Identifier: GPL-2.0-or-later */
/* space_test.c - packet spaces against brute force over sampled packets, and what they promise besides: canonical
 * form, exact counts, disjoint boxes, witnesses inside, and a limit that is told. */
#include "tests/unit/resolve_run.h"

#include "compiler/space/space.h"
#include "tests/property/packet.h"

uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

unsigned int rng_below(struct rng *rng, unsigned int n)
{
	return (unsigned int)(rng_next(rng) % n);
}

struct trial {
	struct cni_arena *arena;
	struct cni_spaces *s;
	struct rng rng;
	enum cni_family family;
};

static void begin(struct trial *t, uint64_t seed, enum cni_family family, unsigned int max_nodes)
{
	*t = (struct trial){ .arena = cni_arena_new(), .rng = { seed }, .family = family };
	t->s = cni_spaces_new(t->arena, NULL, max_nodes);
}

static void end(struct trial *t)
{
	cni_spaces_free(t->s);
	cni_arena_free(t->arena);
}

/* ---- expressions: a space, and the same by hand ---- */

struct expression {
	enum { RANGE, RANGES, MASKED, BITS, AND, OR, MINUS, NOT } kind;
	enum cni_header_field field;
	cni_u128 lo, hi;
	struct cni_ranges ranges;
	uint64_t bits[4];
	const struct expression *a, *b;
};

/* Few values, so that ranges meet: 0..15 in the highest and the lowest bits. */
static cni_u128 value(struct trial *t, enum cni_header_field field)
{
	static const unsigned int widths[] = { 0, 0, 8, 16, 16, 6, 8 };
	unsigned int width = widths[field] ? widths[field] : cni_width(t->family);

	return ((cni_u128)rng_below(&t->rng, 4) << (width - 2)) | rng_below(&t->rng, 16);
}

static struct cni_ranges random_ranges(struct trial *t, enum cni_header_field field, unsigned int n)
{
	struct cni_ranges ranges = { 0 };

	for (unsigned int i = 0; i < n; i++) {
		cni_u128 x = value(t, field), y = value(t, field);

		cni_ranges_add(t->arena, &ranges, (struct cni_addr){ t->family, x < y ? x : y },
			       (struct cni_addr){ t->family, x < y ? y : x });
	}
	cni_ranges_normalise(&ranges);
	return ranges;
}

static const struct expression *random_expression(struct trial *t, unsigned int depth)
{
	struct expression *e = cni_new(t->arena, struct expression);

	e->kind = depth ? AND + rng_below(&t->rng, 4) : RANGE + rng_below(&t->rng, 4);
	e->field = rng_below(&t->rng, CNI_N_FIELDS);
	if (e->kind == BITS)
		e->field = CNI_FIELD_PROTO;
	if (e->kind == RANGES)
		e->field = rng_below(&t->rng, 2) ? CNI_FIELD_FROM : CNI_FIELD_TO;
	e->lo = value(t, e->field);
	e->hi = value(t, e->field);
	if (e->kind == RANGE && e->hi < e->lo)
		e->hi = e->lo;
	if (e->kind == RANGES)
		e->ranges = random_ranges(t, e->field, rng_below(&t->rng, 5));
	for (size_t i = 0; i < 4; i++)
		e->bits[i] = rng_next(&t->rng);
	if (depth) {
		e->a = random_expression(t, depth - 1);
		e->b = random_expression(t, rng_below(&t->rng, depth));
	}
	return e;
}

static struct cni_space space_of(struct trial *t, const struct expression *e)
{
	struct cni_spaces *s = t->s;

	switch (e->kind) {
	case RANGE:
		return cni_space_range(s, t->family, e->field, e->lo, e->hi);
	case RANGES:
		return cni_space_ranges(s, t->family, e->field, &e->ranges);
	case MASKED:
		return cni_space_masked(s, t->family, e->field, e->lo, e->hi);
	case BITS:
		return cni_space_bits(s, e->field, e->bits, 256);
	case AND:
		return cni_space_and(s, space_of(t, e->a), space_of(t, e->b));
	case OR:
		return cni_space_or(s, space_of(t, e->a), space_of(t, e->b));
	case MINUS:
		return cni_space_minus(s, space_of(t, e->a), space_of(t, e->b));
	case NOT:
		break;
	}
	return cni_space_not(s, space_of(t, e->a));
}

static bool holds(const struct expression *e, const struct cni_header *p)
{
	cni_u128 v = p->field[e->field];

	switch (e->kind) {
	case RANGE:
		return e->lo <= v && v <= e->hi;
	case RANGES:
		return cni_ranges_has(&e->ranges, (struct cni_addr){ p->family, v });
	case MASKED:
		return !((v ^ e->lo) & e->hi);
	case BITS:
		return e->bits[v / 64] >> (v % 64) & 1;
	case AND:
		return holds(e->a, p) && holds(e->b, p);
	case OR:
		return holds(e->a, p) || holds(e->b, p);
	case MINUS:
		return holds(e->a, p) && !holds(e->b, p);
	case NOT:
		break;
	}
	return !holds(e->a, p);
}

static struct cni_header random_header(struct trial *t)
{
	struct cni_header p = { .family = t->family };

	for (enum cni_header_field f = 0; f < CNI_N_FIELDS; f++)
		p.field[f] = value(t, f);
	return p;
}

static bool is_cut(const struct cni_boxes *boxes)
{
	bool more = boxes->more;

	for (size_t i = 0; i < boxes->n_items; i++)
		for (enum cni_header_field f = 0; f < CNI_N_FIELDS; f++)
			more |= boxes->items[i].field[f].more;
	return more;
}

static bool in_box(const struct cni_box *box, const struct cni_header *p)
{
	for (enum cni_header_field f = 0; f < CNI_N_FIELDS; f++) {
		bool in = !box->field[f].n_items;

		for (size_t i = 0; i < box->field[f].n_items; i++)
			in |= box->field[f].items[i].lo <= p->field[f] && p->field[f] <= box->field[f].items[i].hi;
		if (box->field[f].n_items && in == box->field[f].negated)
			return false;
	}
	return true;
}

static void algebra(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 120; seed++) {
		struct trial t;
		const struct expression *e;
		struct cni_space a;
		struct cni_boxes boxes;
		size_t mark;

		begin(&t, seed, seed % 2 ? CNI_V6 : CNI_V4, 1000000);
		e = random_expression(&t, 1 + (unsigned int)seed % 5);
		mark = cni_spaces_mark(t.s);
		a.node = cni_spaces_release(t.s, mark, space_of(&t, e).node);
		boxes = cni_space_boxes(t.s, t.arena, t.family, a, 4000, 4000);
		for (int i = 0; i < 500; i++) {
			struct cni_header p = random_header(&t);
			size_t n_in = 0;

			assert_int_equal(cni_space_has(t.s, a, &p), holds(e, &p));
			for (size_t k = 0; k < boxes.n_items; k++)
				n_in += in_box(&boxes.items[k], &p);
			assert_true(n_in == holds(e, &p) || (is_cut(&boxes) && !n_in));
		}
		/* the same set by another way is the same node */
		assert_true(cni_space_equal(a, cni_space_not(t.s, cni_space_not(t.s, a))));
		assert_true(cni_space_covers(t.s, cni_space_all(), a));
		assert_true(cni_space_is_empty(cni_space_minus(t.s, a, a)));
		if (!cni_space_is_empty(cni_space_and(t.s, a, cni_space_proper(t.s, t.family)))) {
			struct cni_header witness = cni_space_witness(t.s, t.family, a, NULL, NULL);

			assert_true(holds(e, &witness));
			assert_true(cni_space_has(t.s, cni_space_proper(t.s, t.family), &witness));
		}
		assert_false(cni_spaces_failed(t.s));
		end(&t);
	}
}

static void matches(void **state)
{
	static const char policy[] = LINKS "policy p on eth2 {"
					   "route a not tcp dport { 80, 443 } not from 10.0.0.0/8 via main;"
					   "route b icmp 8 not dscp ef via main;"
					   "route c not icmpv6 128 to 2001:db8::/32 via main;"
					   "route d tcp sport 1024-65535 dport 443 via main;"
					   "route e not proto udp via main; else drop; }";
	static const struct {
		const char *route;
		struct cni_header packet;
		bool in;
	} rows[] = {
#define V4(from, to, ...) { CNI_V4, { from, to, __VA_ARGS__ } }
#define V6(from, to, ...)                                                                                              \
	{                                                                                                              \
		CNI_V6,                                                                                                \
		{                                                                                                      \
			from, to, __VA_ARGS__                                                                          \
		}                                                                                                      \
	}
		{ "a", V4(0x0b000001, 1, 6, 9, 22, 0, 0), true },
		{ "a", V4(0x0b000001, 1, 6, 9, 80, 0, 0), false },
		{ "a", V4(0x0b000001, 1, 17, 9, 80, 0, 0), true },
		{ "a", V4(0x0a000001, 1, 17, 9, 80, 0, 0), false },
		{ "a", V6(0x0a000001, 1, 17, 9, 80, 0, 0), true },
		{ "b", V4(1, 1, 1, 0, 0, 0, 8), true },
		{ "b", V4(1, 1, 1, 0, 0, 46, 8), false },
		{ "b", V4(1, 1, 1, 0, 0, 0, 0), false },
		{ "b", V6(1, 1, 1, 0, 0, 0, 8), false },
		{ "c", V6(1, (cni_u128)0x20010db8 << 96, 58, 0, 0, 0, 128), false },
		{ "c", V6(1, (cni_u128)0x20010db8 << 96, 58, 0, 0, 0, 129), true },
		{ "c", V6(1, (cni_u128)0x20010db8 << 96, 6, 0, 0, 0, 128), true },
		{ "c", V4(1, 1, 6, 0, 0, 0, 0), false },
		{ "d", V4(1, 1, 6, 1024, 443, 0, 0), true },
		{ "d", V4(1, 1, 6, 1023, 443, 0, 0), false },
		{ "d", V4(1, 1, 17, 1024, 443, 0, 0), false },
		{ "e", V4(1, 1, 6, 1024, 443, 0, 0), true },
		{ "e", V4(1, 1, 17, 1024, 443, 0, 0), false },
	};
	struct run run = good(policy);
	struct cni_spaces *s = cni_spaces_new(run.arena, NULL, 100000);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct cni_match *match = &run.model->policies[0].routes[rows[i].route[0] - 'a'].match;

		if (cni_space_has(s, cni_space_match(s, rows[i].packet.family, match), &rows[i].packet) != rows[i].in)
			fail_msg("row %zu", i);
	}
	cni_spaces_free(s);
	cni_arena_free(run.arena);
}

static void range_sets(void **state)
{
	struct trial t;
	struct cni_ranges all = { 0 };
	struct cni_space a, b = cni_space_none();

	(void)state;
	begin(&t, 7, CNI_V4, 1000000);
	all = random_ranges(&t, CNI_FIELD_TO, 40);
	a = cni_space_ranges(t.s, CNI_V4, CNI_FIELD_TO, &all);
	for (size_t i = 0; i < all.n_v4; i++)
		b = cni_space_or(t.s, b, cni_space_range(t.s, CNI_V4, CNI_FIELD_TO, all.v4[i].lo, all.v4[i].hi));
	assert_true(cni_space_equal(a, b));
	/* all of a family, by its two halves and by a prefix of no length */
	cni_ranges_add_prefix(t.arena, &all, (struct cni_prefix){ { CNI_V4, 0 }, 0 });
	cni_ranges_normalise(&all);
	assert_true(cni_space_equal(cni_space_ranges(t.s, CNI_V4, CNI_FIELD_TO, &all), cni_space_all()));
	assert_true(cni_space_is_empty(cni_space_ranges(t.s, CNI_V6, CNI_FIELD_TO, &all)));
	assert_true(cni_space_equal(
		cni_space_prefix(t.s, CNI_FIELD_FROM, (struct cni_prefix){ { CNI_V6, (cni_u128)1 << 127 }, 1 }),
		cni_space_range(t.s, CNI_V6, CNI_FIELD_FROM, (cni_u128)1 << 127, ~(cni_u128)0)));
	end(&t);
}

static const char *counted(struct trial *t, struct cni_space a, bool decimal)
{
	struct cni_count count = cni_space_count(t->s, t->family, a);
	struct cni_text text = { .arena = t->arena };

	(decimal ? cni_count_decimal : cni_count_print)(&text, &count);
	return text.data;
}

static void counts(void **state)
{
	struct trial t;
	struct cni_space host, tcp;

	(void)state;
	begin(&t, 1, CNI_V4, 100000);
	host = cni_space_and(t.s, cni_space_value(t.s, CNI_V4, CNI_FIELD_FROM, 9),
			     cni_space_prefix(t.s, CNI_FIELD_TO, (struct cni_prefix){ { CNI_V4, 0x0a000000 }, 30 }));
	tcp = cni_space_and(t.s, host, cni_space_value(t.s, CNI_V4, CNI_FIELD_PROTO, 6));
	assert_string_equal(counted(&t, cni_space_none(), true), "0");
	/* 4 destinations, 64 code points: 4 other protocols with ports, 1 with types, 250 with neither */
	assert_string_equal(counted(&t, tcp, false), "2^40");
	assert_string_equal(counted(&t, cni_space_minus(t.s, host, tcp), true), "4398046640640");
	assert_string_equal(
		counted(&t, cni_space_and(t.s, host, cni_space_value(t.s, CNI_V4, CNI_FIELD_PROTO, 47)), false), "256");
	assert_string_equal(
		counted(&t, cni_space_and(t.s, host, cni_space_value(t.s, CNI_V4, CNI_FIELD_PROTO, 1)), false),
		"65536");
	/* all of IPv4: 2^70 times 5 * 2^32 + 2^8 + 250 of protocol, ports and type */
	assert_string_equal(counted(&t, cni_space_all(), true), "25353012601943948112944183640064");
	end(&t);
	begin(&t, 1, CNI_V6, 100000);
	assert_string_equal(counted(&t, cni_space_all(), false), "more than 2^296");
	assert_string_equal(counted(&t, cni_space_value(t.s, CNI_V6, CNI_FIELD_PROTO, 17), false), "2^294");
	end(&t);
}

static unsigned int pair(unsigned int x, unsigned int y, void *arg)
{
	(void)arg;
	return x * 10 + y % 8;
}

static void maps(void **state)
{
	static const unsigned int table[] = { 0, 5, 5, CNI_MAX_LABEL };

	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		const struct expression *e[3];
		struct cni_map map, joined, coarse;
		struct trial t;

		begin(&t, seed, seed % 2 ? CNI_V6 : CNI_V4, 1000000);
		map = cni_map_all(t.s, 0);
		for (unsigned int i = 0; i < 3; i++) {
			e[i] = random_expression(&t, 2);
			map = cni_map_ite(t.s, space_of(&t, e[i]), cni_map_all(t.s, i + 1), map);
		}
		coarse = cni_map_relabel(t.s, map, table, 4);
		joined = cni_map_join(t.s, map, coarse, pair, NULL);
		for (int i = 0; i < 300; i++) {
			struct cni_header p = random_header(&t);
			unsigned int label = holds(e[2], &p) ? 3 : holds(e[1], &p) ? 2 : holds(e[0], &p) ? 1 : 0;

			assert_int_equal(cni_map_label(t.s, map, &p), label);
			assert_int_equal(cni_map_label(t.s, coarse, &p), table[label]);
			assert_int_equal(cni_map_label(t.s, joined, &p), label * 10 + table[label] % 8);
			assert_true(cni_space_has(t.s, cni_map_where(t.s, map, label), &p));
			assert_false(cni_space_has(t.s, cni_map_where(t.s, map, label ^ 1), &p));
			assert_int_equal(cni_space_has(t.s, cni_map_where(t.s, coarse, 5), &p),
					 label == 1 || label == 2);
		}
		end(&t);
	}
}

/* Labels from `first` on, by random expressions. */
static struct cni_map random_map(struct trial *t, unsigned int first)
{
	struct cni_map map = cni_map_all(t->s, first);

	for (unsigned int i = 1; i < 4; i++)
		map = cni_map_ite(t->s, space_of(t, random_expression(t, 1)), cni_map_all(t->s, first + i), map);
	return map;
}

static struct cni_product random_product(struct trial *t, unsigned int label, struct cni_ranges *from,
					 struct cni_ranges *to)
{
	const uint64_t protos[4] = { rng_next(&t->rng), 0, 0, 0 };
	struct cni_product product = { .rest = cni_space_all() };

	*from = random_ranges(t, CNI_FIELD_FROM, rng_below(&t->rng, 4));
	*to = random_ranges(t, CNI_FIELD_TO, rng_below(&t->rng, 4));
	product.from = rng_below(&t->rng, 3) ? from : NULL;
	product.to = rng_below(&t->rng, 3) ? to : NULL;
	product.not_from = product.from && !rng_below(&t->rng, 3);
	product.not_to = product.to && !rng_below(&t->rng, 3);
	if (rng_below(&t->rng, 2))
		product.rest = cni_space_bits(t->s, CNI_FIELD_PROTO, protos, 256);
	product.then = rng_below(&t->rng, 3) ? cni_map_all(t->s, label) : random_map(t, 100 * label);
	return product;
}

static struct cni_space address_space(struct trial *t, enum cni_header_field field, const struct cni_ranges *ranges,
				      bool negated)
{
	const struct cni_space all = cni_space_ranges(t->s, t->family, field, ranges);

	return negated ? cni_space_not(t->s, all) : all;
}

/* The same as one after the other, from the last one up: the same node. */
static void products(void **state)
{
	static const enum cni_header_field by_source[CNI_N_FIELDS] = { CNI_FIELD_FROM,	CNI_FIELD_TO,
								       CNI_FIELD_PROTO, CNI_FIELD_DPORT,
								       CNI_FIELD_SPORT, CNI_FIELD_DSCP,
								       CNI_FIELD_TYPE };

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct trial t = { .arena = cni_arena_new(), .rng = { seed }, .family = seed % 2 ? CNI_V6 : CNI_V4 };
		struct cni_product p[8];
		struct cni_ranges from[8], to[8];
		const size_t n = rng_below(&t.rng, 9);
		struct cni_map all, otherwise;

		t.s = cni_spaces_new(t.arena, seed % 3 ? NULL : by_source, 1000000);
		otherwise = all = rng_below(&t.rng, 2) ? cni_map_all(t.s, 1) : random_map(&t, 0);
		for (size_t i = 0; i < n; i++)
			p[i] = random_product(&t, (unsigned int)i + 5, &from[i], &to[i]);
		for (size_t i = n; i--;) {
			struct cni_space here = p[i].rest;

			if (p[i].from)
				here = cni_space_and(t.s, here,
						     address_space(&t, CNI_FIELD_FROM, p[i].from, p[i].not_from));
			if (p[i].to)
				here = cni_space_and(t.s, here, address_space(&t, CNI_FIELD_TO, p[i].to, p[i].not_to));
			all = cni_map_ite(t.s, here, p[i].then, all);
		}
		assert_int_equal(cni_map_products(t.s, t.family, p, n, otherwise).node, all.node);
		end(&t);
	}
}

/* Pairs of labels are those that some packet has, each once. */
static void pairs(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct cni_map a, b;
		struct cni_pairs met;
		struct cni_space where;
		struct trial t;
		size_t n = 0;

		begin(&t, seed, seed % 2 ? CNI_V6 : CNI_V4, 1000000);
		a = random_map(&t, 0);
		b = random_map(&t, 10);
		where = seed % 4 ? space_of(&t, random_expression(&t, 1)) : cni_space_all();
		met = cni_map_pairs(t.s, t.arena, a, b, where);
		for (unsigned int x = 0; x < 4; x++)
			for (unsigned int y = 10; y < 14; y++) {
				struct cni_space both =
					cni_space_and(t.s, cni_map_where(t.s, a, x), cni_map_where(t.s, b, y));
				bool is_there = false;

				for (size_t i = 0; i < met.n_items; i++)
					is_there |= met.items[i].a == x && met.items[i].b == y;
				assert_int_equal(is_there, !cni_space_is_empty(cni_space_and(t.s, both, where)));
				n += is_there;
			}
		assert_int_equal(met.n_items, n);
		end(&t);
	}
}

static void readable(void **state)
{
	static const struct cni_prefix lan = { { CNI_V4, 0x0a0a0000 }, 16 };
	static const struct cni_hints from = { (struct cni_prefix *)&lan, 1 };
	struct run run =
		good(LINKS "policy p on eth2 { route a to { 10.20.0.0/16, 192.0.2.1-192.0.2.6 } "
			   "udp dport 5060-5061 via main; route b from 198.51.100.0/24 icmp echo-request via main;"
			   "route c proto gre dscp ef via main; else drop; }");
	static const char *const texts[][2] = {
		{ "to 10.20.0.0/16, 192.0.2.1-192.0.2.6 proto udp dport 5060-5061",
		  "from 10.10.0.5 to 10.20.0.5 udp sport 40000 dport 5060 dscp 0" },
		{ "from 198.51.100.0/24 proto icmp type 8", "from 198.51.100.5 to 0.0.0.5 icmp 8 dscp 0" },
		{ "proto gre dscp 46", "from 10.10.0.5 to 0.0.0.5 proto gre dscp 46" },
	};
	struct cni_spaces *s = cni_spaces_new(run.arena, NULL, 100000);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct cni_space a = cni_space_match(s, CNI_V4, &run.model->policies[0].routes[i].match);
		struct cni_boxes boxes = cni_space_boxes(s, run.arena, CNI_V4, a, 8, 8);
		struct cni_header packet = cni_space_witness(s, CNI_V4, a, &from, NULL);
		struct cni_text text = { .arena = run.arena };

		assert_int_equal(boxes.n_items, 1);
		assert_false(boxes.more);
		cni_box_print(&text, CNI_V4, &boxes.items[0]);
		assert_string_equal(text.data, texts[i][0]);
		text.len = 0;
		cni_header_print(&text, &packet);
		assert_string_equal(text.data, texts[i][1]);
	}
	cni_spaces_free(s);
	cni_arena_free(run.arena);
}

/* Every other address: too much to list, and what is listed is in it. */
static void cut(void **state)
{
	struct trial t;
	struct cni_boxes boxes;
	struct cni_space odd;

	(void)state;
	begin(&t, 9, CNI_V4, 100000);
	odd = cni_space_masked(t.s, CNI_V4, CNI_FIELD_TO, 1, 1);
	boxes = cni_space_boxes(t.s, t.arena, CNI_V4, odd, 8, 4);
	assert_int_equal(boxes.n_items, 1);
	assert_true(boxes.more && boxes.items[0].field[CNI_FIELD_TO].more);
	assert_false(boxes.items[0].field[CNI_FIELD_TO].negated);
	assert_int_equal(boxes.items[0].field[CNI_FIELD_TO].n_items, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_true(boxes.items[0].field[CNI_FIELD_TO].items[i].lo == 2 * i + 1);
		assert_true(boxes.items[0].field[CNI_FIELD_TO].items[i].hi == 2 * i + 1);
	}
	assert_true(cni_space_equal(odd, cni_space_not(t.s, cni_space_masked(t.s, CNI_V4, CNI_FIELD_TO, 0, 1))));
	/* all but one: said by what it is not */
	odd = cni_space_not(t.s, cni_space_value(t.s, CNI_V4, CNI_FIELD_DPORT, 53));
	boxes = cni_space_boxes(t.s, t.arena, CNI_V4, odd, 8, 4);
	assert_true(boxes.n_items == 1 && !boxes.more && boxes.items[0].field[CNI_FIELD_DPORT].negated);
	assert_true(boxes.items[0].field[CNI_FIELD_DPORT].n_items == 1);
	assert_true(boxes.items[0].field[CNI_FIELD_DPORT].items[0].lo == 53);
	end(&t);
}

static void limit(void **state)
{
	struct trial t;
	struct cni_ranges many = { 0 };
	struct cni_space a;

	(void)state;
	begin(&t, 3, CNI_V4, 10000);
	for (uint32_t i = 0; i < 20000; i++) {
		struct cni_addr one = { CNI_V4, (uint32_t)rng_next(&t.rng) };

		cni_ranges_add(t.arena, &many, one, one);
	}
	cni_ranges_normalise(&many);
	assert_false(cni_spaces_failed(t.s));
	a = cni_space_ranges(t.s, CNI_V4, CNI_FIELD_TO, &many);
	assert_true(cni_spaces_failed(t.s));
	assert_true(cni_space_is_empty(a));
	assert_true(cni_space_is_empty(cni_space_not(t.s, cni_space_none()))); /* and so is all that follows */
	assert_true(cni_map_all(t.s, 3).node == 0);
	assert_true(cni_spaces_use(t.s).nodes <= 10000);
	end(&t);
	/* the next has all of its room again */
	begin(&t, 3, CNI_V4, 10000);
	assert_false(cni_spaces_failed(t.s));
	assert_true(cni_space_equal(cni_space_not(t.s, cni_space_none()), cni_space_all()));
	end(&t);
}

/* What is released does not fill the room: many times as much as fits at once. */
static void released(void **state)
{
	struct trial t;

	(void)state;
	begin(&t, 5, CNI_V4, 10000);
	for (int i = 0; i < 3000; i++) {
		size_t mark = cni_spaces_mark(t.s);
		struct cni_ranges ranges = { 0 };

		for (int k = 0; k < 20; k++) {
			struct cni_addr one = { CNI_V4, (uint32_t)rng_next(&t.rng) };

			cni_ranges_add(t.arena, &ranges, one, one);
		}
		cni_ranges_normalise(&ranges);
		cni_space_ranges(t.s, CNI_V4, CNI_FIELD_TO, &ranges);
		cni_spaces_release(t.s, mark, -1);
	}
	assert_false(cni_spaces_failed(t.s));
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(algebra), cmocka_unit_test(matches),  cmocka_unit_test(range_sets),
		cmocka_unit_test(counts),  cmocka_unit_test(maps),     cmocka_unit_test(products),
		cmocka_unit_test(pairs),   cmocka_unit_test(readable), cmocka_unit_test(cut),
		cmocka_unit_test(limit),   cmocka_unit_test(released),
	};

	return cmocka_run_group_tests_name("packet spaces", tests, NULL, NULL);
}
