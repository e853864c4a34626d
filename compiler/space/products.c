/* SPDX-License-Identifier: GPL-2.0-or-later */
/* products.c - a map from a list of products of which the first counts that a packet is in: made at once, from bit to bit
 * of the addresses, so that each node is made once. One product after the other would make most of them many times. */
#include "compiler/space/space_internal.h"

#include <assert.h>
#include <string.h>

/* A product within a block of the values of one address. */
struct entry {
	const struct cni_product *product;
	size_t begin, end; /* its ranges that meet the block */
	size_t upper; /* the first of them that meets the upper half */
	int then; /* what it leads to within all blocks so far */
};

/* What was made of entries of which one address is decided, or both: keys[begin..end) say which. */
struct made {
	size_t begin, end; /* end 0: the place is free */
	int node;
};

struct making {
	struct cni_spaces *s;
	enum cni_family family;
	struct cni_arena *arena; /* of its own */
	const struct cni_product *products;
	struct entry *entries; /* a stack: of each block on the way to where it is at */
	size_t n_entries, room;
	int *keys;
	size_t n_keys, room_keys;
	struct made *made; /* an open hash table */
	size_t n_made, room_made;
};

static void *larger(struct making *m, void *old, size_t *room, size_t size)
{
	const size_t before = *room;

	*room = before ? 2 * before : 1024;
	return cni_regrow(m->arena, old, before * size, *room * size);
}

static void push_entry(struct making *m, struct entry entry)
{
	if (m->n_entries == m->room)
		m->entries = larger(m, m->entries, &m->room, sizeof(*m->entries));
	m->entries[m->n_entries++] = entry;
}

static void push_key(struct making *m, int part)
{
	if (m->n_keys == m->room_keys)
		m->keys = larger(m, m->keys, &m->room_keys, sizeof(*m->keys));
	m->keys[m->n_keys++] = part;
}

/* ---- what was made already ---- */

static struct made *place(const struct making *m, size_t begin, size_t end)
{
	const size_t size = (end - begin) * sizeof(*m->keys);
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a, of words */
	size_t at;

	for (size_t i = begin; i < end; i++)
		hash = (hash ^ (uint32_t)m->keys[i]) * UINT64_C(1099511628211);
	for (at = (hash ^ hash >> 29) & (m->room_made - 1); m->made[at].end; at = (at + 1) & (m->room_made - 1))
		if (m->made[at].end - m->made[at].begin == end - begin &&
		    !memcmp(m->keys + m->made[at].begin, m->keys + begin, size))
			break;
	return &m->made[at];
}

/* Of the key in keys[begin..), which is taken away when the node is known, and else stays for remember(). */
static bool recall(struct making *m, size_t begin, int *node)
{
	const struct made *made = m->room_made ? place(m, begin, m->n_keys) : NULL;

	if (!made || !made->end)
		return false;
	m->n_keys = begin;
	*node = made->node;
	return true;
}

static int remember(struct making *m, size_t begin, size_t end, int node)
{
	if (2 * m->n_made >= m->room_made) {
		const struct made *old = m->made;
		const size_t n = m->room_made;

		m->room_made = n ? 2 * n : 1024;
		m->made = cni_new_array(m->arena, struct made, m->room_made);
		for (size_t i = 0; i < n; i++)
			if (old[i].end)
				*place(m, old[i].begin, old[i].end) = old[i];
	}
	*place(m, begin, end) = (struct made){ begin, end, node };
	m->n_made++;
	return node;
}

/* ---- blocks ---- */

static const struct cni_ranges *ranges_of(const struct cni_product *product, enum cni_header_field field)
{
	return field == CNI_FIELD_FROM ? product->from : product->to;
}

static bool is_negated(const struct cni_product *product, enum cni_header_field field)
{
	return field == CNI_FIELD_FROM ? product->not_from : product->not_to;
}

static bool is_any(const struct cni_product *product, enum cni_header_field field)
{
	return !ranges_of(product, field);
}

static struct entry entry_of(const struct making *m, const struct cni_product *product, enum cni_header_field field,
			     int then)
{
	const size_t n = is_any(product, field) ? 0 : cni_ranges_count(ranges_of(product, field), m->family);

	return (struct entry){ product, 0, n, 0, then };
}

static cni_u128 lo_of(const struct making *m, const struct cni_ranges *ranges, size_t i)
{
	return m->family == CNI_V4 ? ranges->v4[i].lo : ranges->v6[i].lo;
}

static cni_u128 hi_of(const struct making *m, const struct cni_ranges *ranges, size_t i)
{
	return m->family == CNI_V4 ? ranges->v4[i].hi : ranges->v6[i].hi;
}

/* The first of ranges[begin..end) that reaches `value` or lies behind it. */
static size_t reaching(const struct making *m, const struct cni_ranges *ranges, size_t begin, size_t end,
		       cni_u128 value)
{
	while (begin < end) {
		const size_t middle = begin + (end - begin) / 2;

		if (hi_of(m, ranges, middle) < value)
			begin = middle + 1;
		else
			end = middle;
	}
	return begin;
}

/* A block of the values of one address: first..last, below `depth` bits. */
struct block {
	unsigned int level; /* of the address in the order */
	unsigned int depth;
	cni_u128 first, last;
	int var; /* that was asked last, -1: none; and the answer */
	bool high;
};

/* How a product has a block. */
enum part { NOTHING_OF_IT, PART_OF_IT, ALL_OF_IT };

static enum part part_of(const struct making *m, const struct entry *entry, enum cni_header_field field,
			 const struct block *b)
{
	const struct cni_ranges *ranges = ranges_of(entry->product, field);
	const bool none = entry->begin == entry->end;
	const bool all = !ranges || (!none && lo_of(m, ranges, entry->begin) <= b->first &&
				     hi_of(m, ranges, entry->begin) >= b->last);

	if (!ranges || (is_negated(entry->product, field) ? none : all))
		return ALL_OF_IT;
	return (is_negated(entry->product, field) ? all : none) ? NOTHING_OF_IT : PART_OF_IT;
}

static void find_upper(const struct making *m, struct entry *entry, enum cni_header_field field, cni_u128 middle)
{
	if (!is_any(entry->product, field))
		entry->upper = reaching(m, ranges_of(entry->product, field), entry->begin, entry->end, middle + 1);
}

/* An entry of the block around this one, within it. A range that reaches over the middle is in both halves. */
static struct entry within(const struct making *m, struct entry entry, enum cni_header_field field,
			   const struct block *b)
{
	const struct cni_ranges *ranges = ranges_of(entry.product, field);

	entry.then = branch(entry.then, b->var, b->high);
	if (b->var < 0 || !ranges)
		return entry;
	if (b->high)
		entry.begin = entry.upper;
	else
		entry.end = entry.upper < entry.end && lo_of(m, ranges, entry.upper) <= b->last ? entry.upper + 1
												: entry.upper;
	return entry;
}

/* ---- from field to field ---- */

static int of_address(struct making *m, unsigned int level, size_t begin, int otherwise);

/* What is left to ask of entries[begin..) when both addresses are known. */
static int of_rest(struct making *m, size_t begin, int otherwise)
{
	int node = otherwise;

	for (size_t i = m->n_entries; i-- > begin && !m->s->failed;)
		node = hold(m->s, bdd_ite(m->entries[i].product->rest.node, m->entries[i].then, node));
	return node;
}

static int of_second(struct making *m, size_t begin, int otherwise)
{
	const size_t n = m->n_entries;
	int node;

	for (size_t i = begin; i < n; i++)
		push_entry(m, entry_of(m, m->entries[i].product, m->s->order[1], m->entries[i].then));
	node = of_address(m, 1, n, otherwise);
	m->n_entries = n;
	return node;
}

static int of_whole(struct making *m, unsigned int level, size_t begin, int otherwise);

/* The same with one bit of the address known, for which what they lead to asks. */
static int of_half(struct making *m, unsigned int level, size_t begin, int otherwise, int var, bool high)
{
	const size_t n = m->n_entries;
	int node;

	for (size_t i = begin; i < n; i++) {
		struct entry entry = m->entries[i];

		entry.then = branch(entry.then, var, high);
		push_entry(m, entry);
	}
	node = of_whole(m, level, n, branch(otherwise, var, high));
	m->n_entries = n;
	return node;
}

/* The first variable that something asks for which entries[begin..) lead to. */
static int first_asked(const struct making *m, size_t begin, int otherwise)
{
	int var = var_of(otherwise);

	for (size_t i = begin; i < m->n_entries; i++)
		if (var_of(m->entries[i].then) < var)
			var = var_of(m->entries[i].then);
	return var;
}

/* Of entries[begin..), each of which has all of the block: they may come together in many blocks. */
static int of_whole(struct making *m, unsigned int level, size_t begin, int otherwise)
{
	const int var = first_asked(m, begin, otherwise);
	const size_t at = m->n_keys;
	size_t end;
	int node;

	push_key(m, -1 - (int)level);
	push_key(m, otherwise);
	for (size_t i = begin; i < m->n_entries; i++) {
		/* behind both addresses it does not matter which one it is */
		push_key(m, level ? m->entries[i].product->rest.node : (int)(m->entries[i].product - m->products));
		push_key(m, m->entries[i].then);
	}
	if (recall(m, at, &node))
		return node;
	end = m->n_keys;
	if (m->s->failed)
		node = FALSE_NODE;
	else if (var < m->s->first[m->s->order[level + 1]])
		node = make_node(m->s, var, of_half(m, level, begin, otherwise, var, false),
				 of_half(m, level, begin, otherwise, var, true));
	else
		node = level ? of_rest(m, begin, otherwise) : of_second(m, begin, otherwise);
	return remember(m, at, end, node);
}

/* Whether the product has all packets of a block that it has all addresses of. */
static bool takes_all(const struct making *m, const struct cni_product *product, unsigned int level)
{
	return product->rest.node == TRUE_NODE && (level || is_any(product, m->s->order[1]));
}

/* Of entries[begin..end), which met the block around this one. Leaves the stack as it was. */
static int of_block(struct making *m, const struct block *b, size_t begin, size_t end, int otherwise)
{
	const enum cni_header_field field = m->s->order[b->level];
	bool is_whole = true, is_over = false;
	int node, low;

	otherwise = branch(otherwise, b->var, b->high);
	for (size_t i = begin; i < end && !is_over; i++) {
		const struct entry entry = within(m, m->entries[i], field, b);
		const enum part part = part_of(m, &entry, field, b);

		if (part == NOTHING_OF_IT)
			continue;
		is_whole &= part == ALL_OF_IT;
		/* nothing is left then for those that follow */
		is_over = part == ALL_OF_IT && takes_all(m, entry.product, b->level);
		push_entry(m, entry);
	}
	if (m->s->failed) {
		node = FALSE_NODE;
	} else if (m->n_entries == end) {
		node = otherwise;
	} else if (is_over && m->n_entries == end + 1) {
		node = m->entries[end].then;
	} else if (is_whole) {
		node = of_whole(m, b->level, end, otherwise);
	} else {
		const int var = field_var(m->s, field, b->depth);
		const cni_u128 middle = b->first + (b->last - b->first) / 2;
		const size_t n = m->n_entries;

		for (size_t i = end; i < n; i++)
			find_upper(m, &m->entries[i], field, middle);
		low = of_block(m, &(struct block){ b->level, b->depth + 1, b->first, middle, var, false }, end, n,
			       otherwise);
		node = of_block(m, &(struct block){ b->level, b->depth + 1, middle + 1, b->last, var, true }, end, n,
				otherwise);
		node = make_node(m->s, var, low, node);
	}
	m->n_entries = end;
	return node;
}

static int of_address(struct making *m, unsigned int level, size_t begin, int otherwise)
{
	const enum cni_header_field field = m->s->order[level];
	const struct block all = { level, 0, 0, field_last(m->family, field), -1, false };

	return of_block(m, &all, begin, m->n_entries, otherwise);
}

struct cni_map cni_map_products(struct cni_spaces *s, enum cni_family family, const struct cni_product *products,
				size_t n, struct cni_map otherwise)
{
	struct making m = { .s = s, .family = family, .arena = cni_arena_new(), .products = products };
	const size_t mark = cni_spaces_mark(s);
	int node;

	assert(s->order[0] + s->order[1] == CNI_FIELD_FROM + CNI_FIELD_TO);
	for (size_t i = 0; i < n; i++)
		if (products[i].rest.node != FALSE_NODE)
			push_entry(&m, entry_of(&m, &products[i], s->order[0], products[i].then.node));
	node = s->failed ? FALSE_NODE : of_address(&m, 0, 0, otherwise.node);
	cni_arena_free(m.arena);
	return (struct cni_map){ keep_node(s, mark, node) };
}
