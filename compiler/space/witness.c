/* SPDX-License-Identifier: GPL-2.0-or-later */
/* witness.c - the packet that a person would have chosen to show a space by. Field after field is set to the first good
 * value that some packet of the rest has. */
#include "compiler/space/space_internal.h"

#include <assert.h>

#define MAX_HINTS 64 /* that are tried of each list */

struct choice {
	struct cni_spaces *s;
	enum cni_family family;
	enum cni_header_field field;
	int values; /* the space, with every other field forgotten */
	cni_u128 value;
};

/* Whether the field may have the value; then it is chosen. */
static bool try(struct choice *c, cni_u128 value)
{
	struct cni_header packet = { .family = c->family };

	packet.field[c->field] = value;
	if (value > field_last(c->family, c->field) || !cni_space_has(c->s, (struct cni_space){ c->values }, &packet))
		return false;
	c->value = value;
	return true;
}

/* Hosts that read well: .1 is often a router. */
static bool try_hosts(struct choice *c, cni_u128 first, unsigned int free_bits)
{
	static const unsigned int hosts[] = { 5, 9, 10, 1, 2, 3 };

	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		if ((free_bits >= 4 || hosts[i] < 1U << free_bits) && try(c, first + hosts[i]))
			return true;
	return try(c, first);
}

static bool try_hints(struct choice *c, const struct cni_hints *hints)
{
	for (size_t i = 0; hints && i < hints->n_items && i < MAX_HINTS; i++) {
		struct cni_prefix p = hints->items[i];

		if (p.addr.family == c->family && try_hosts(c, cni_prefix_first(p).v, cni_width(c->family) - p.len))
			return true;
	}
	return false;
}

/* How many bits are asked on the shortest way to what is in the space. */
static int bits_asked(struct memo *memo, int node)
{
	int low, high, asked;

	if (node == FALSE_NODE)
		return 1000;
	if (node == TRUE_NODE)
		return 0;
	if (memo_find(memo, node, 0, 0, &asked))
		return asked;
	low = bits_asked(memo, bdd_low(node));
	high = bits_asked(memo, bdd_high(node));
	asked = 1 + (low <= high ? low : high);
	memo_add(memo, node, 0, 0, asked);
	return asked;
}

/* What is at the end of the shortest way: mostly the largest block. */
static void largest_block(struct choice *c, cni_u128 *first, unsigned int *free_bits)
{
	unsigned int width = field_width(c->family, c->field), asked = 0;
	int node = c->values, base = c->s->first[c->field];
	struct memo memo;

	memo_begin(&memo);
	*first = 0;
	while (!is_constant(node)) {
		unsigned int depth = (unsigned int)(bdd_var(node) - base);
		bool low = bits_asked(&memo, bdd_low(node)) <= bits_asked(&memo, bdd_high(node));

		*first |= low ? 0 : (cni_u128)1 << (width - depth - 1);
		node = low ? bdd_low(node) : bdd_high(node);
		asked = depth + 1;
	}
	*free_bits = width - asked;
	memo_end(&memo);
}

static cni_u128 lowest(const struct choice *c)
{
	const unsigned int width = field_width(c->family, c->field), base = (unsigned int)c->s->first[c->field];
	cni_u128 value = 0;
	int node = c->values;

	while (!is_constant(node)) {
		bool low = bdd_low(node) != FALSE_NODE;

		value |= low ? 0 : (cni_u128)1 << (width - ((unsigned int)bdd_var(node) - base) - 1);
		node = low ? bdd_low(node) : bdd_high(node);
	}
	return value;
}

static const cni_u128 common_protos[] = { 6, 17 };
static const cni_u128 common_dports[] = { 443, 80, 53, 22, 25, 123, 8080 };
static const cni_u128 common_sports[] = { 40000, 50000, 1024 };
static const cni_u128 common_dscps[] = { 0, 46 };
static const cni_u128 common_types[] = { 8, 128 };

/* In the order in which they are chosen. */
static const struct {
	enum cni_header_field field;
	const cni_u128 *common;
	size_t n_common;
} fields[] = {
#define COMMON(list) list, sizeof(list) / sizeof(*(list))
	{ CNI_FIELD_FROM, NULL, 0 },
	{ CNI_FIELD_TO, NULL, 0 },
	{ CNI_FIELD_PROTO, COMMON(common_protos) },
	{ CNI_FIELD_DPORT, COMMON(common_dports) },
	{ CNI_FIELD_SPORT, COMMON(common_sports) },
	{ CNI_FIELD_DSCP, COMMON(common_dscps) },
	{ CNI_FIELD_TYPE, COMMON(common_types) },
};

static void choose(struct choice *c, const cni_u128 *common, size_t n_common, const struct cni_hints *hints)
{
	unsigned int free_bits;
	cni_u128 first;

	for (size_t i = 0; i < n_common; i++)
		if (try(c, common[i]))
			return;
	if (try_hints(c, hints))
		return;
	if (c->field != CNI_FIELD_FROM && c->field != CNI_FIELD_TO) {
		c->value = lowest(c);
		return;
	}
	largest_block(c, &first, &free_bits);
	try_hosts(c, first, free_bits);
}

struct cni_header cni_space_witness(struct cni_spaces *s, enum cni_family family, struct cni_space a,
				    const struct cni_hints *from, const struct cni_hints *to)
{
	struct cni_header packet = { .family = family };
	size_t mark = cni_spaces_mark(s);
	const struct cni_space proper = cni_space_and(s, a, cni_space_proper(s, family));

	/* packets that differ in nothing that a policy can speak of are still packets */
	if (!cni_space_is_empty(proper))
		a = proper;
	for (size_t i = 0; i < CNI_N_FIELDS && !s->failed; i++) {
		enum cni_header_field f = fields[i].field;
		struct choice c = { .s = s, .family = family, .field = f };

		assert(!cni_space_is_empty(a));
		c.values = cni_space_exists(s, a, ((1U << CNI_N_FIELDS) - 1) & ~(1U << f)).node;
		choose(&c, fields[i].common, fields[i].n_common,
		       f == CNI_FIELD_FROM ? from
		       : f == CNI_FIELD_TO ? to
					   : NULL);
		packet.field[f] = c.value;
		a = cni_space_and(s, a, cni_space_value(s, family, f, c.value));
	}
	cni_spaces_release(s, mark, -1);
	return packet;
}
