/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map.c - maps from packets to labels: below the fields each way through a diagram leads to the bits of one label. */
#include "compiler/space/space_internal.h"

#include <assert.h>

static int make_label(struct cni_spaces *s, unsigned int label)
{
	size_t mark = cni_spaces_mark(s);
	int node = TRUE_NODE;

	for (unsigned int bit = 0; bit < LABEL_BITS && !s->failed; bit++) {
		int var = s->labels + LABEL_BITS - 1 - (int)bit;

		node = label >> bit & 1 ? make_node(s, var, FALSE_NODE, node) : make_node(s, var, node, FALSE_NODE);
	}
	return keep_node(s, mark, node);
}

/* Each is made once: they are asked for more often than anything else. */
static int label_node(struct cni_spaces *s, unsigned int label)
{
	const size_t room = s->room_label_nodes;

	assert(label <= CNI_MAX_LABEL);
	if (s->failed)
		return FALSE_NODE;
	if (label >= room) {
		s->room_label_nodes = 2 * (room + 32) > label ? 2 * (room + 32) : label + 1;
		s->label_nodes = cni_regrow(s->arena, s->label_nodes, room * sizeof(*s->label_nodes),
					    s->room_label_nodes * sizeof(*s->label_nodes));
	}
	if (!s->label_nodes[label])
		s->label_nodes[label] = bdd_addref(make_label(s, label)); /* for ever */
	return s->label_nodes[label];
}

unsigned int label_of(int node)
{
	unsigned int label = 0;

	while (node > TRUE_NODE) {
		bool one = bdd_low(node) == FALSE_NODE;

		label = label << 1 | one;
		node = one ? bdd_high(node) : bdd_low(node);
	}
	return label;
}

struct cni_map cni_map_all(struct cni_spaces *s, unsigned int label)
{
	return (struct cni_map){ label_node(s, label) };
}

struct cni_map cni_map_ite(struct cni_spaces *s, struct cni_space where, struct cni_map then, struct cni_map otherwise)
{
	return (struct cni_map){ s->failed ? FALSE_NODE : hold(s, bdd_ite(where.node, then.node, otherwise.node)) };
}

struct cni_space cni_map_differ(struct cni_spaces *s, struct cni_map a, struct cni_map b)
{
	/* where both have the same label, the labels' bits agree in all ways that there are */
	return (struct cni_space){ s->failed ? FALSE_NODE
					     : hold(s, bdd_appex(a.node, b.node, bddop_xor, s->label_bits)) };
}

struct cni_space cni_map_where(struct cni_spaces *s, struct cni_map map, unsigned int label)
{
	size_t mark = cni_spaces_mark(s);
	int cube = label_node(s, label);

	return (struct cni_space){ keep_node(s, mark, s->failed ? FALSE_NODE : bdd_restrict(map.node, cube)) };
}

/* ---- two maps in one walk ---- */

struct join {
	struct cni_spaces *s;
	struct memo memo;
	unsigned int (*join)(unsigned int x, unsigned int y, void *arg);
	void *arg;
};

/* Results stay held until the walk is over: the memo speaks of them. */
static int join_nodes(struct join *j, int a, int b)
{
	int var = var_of(a) < var_of(b) ? var_of(a) : var_of(b), node, low, high;

	if (j->s->failed)
		return FALSE_NODE;
	if (memo_find(&j->memo, a, b, 0, &node))
		return node;
	if (var >= j->s->labels) {
		node = label_node(j->s, j->join(label_of(a), label_of(b), j->arg));
	} else {
		low = join_nodes(j, branch(a, var, false), branch(b, var, false));
		high = join_nodes(j, branch(a, var, true), branch(b, var, true));
		node = make_node(j->s, var, low, high);
	}
	memo_add(&j->memo, a, b, 0, node);
	return node;
}

struct cni_map cni_map_join(struct cni_spaces *s, struct cni_map a, struct cni_map b,
			    unsigned int (*join)(unsigned int x, unsigned int y, void *arg), void *arg)
{
	struct join j = { .s = s, .join = join, .arg = arg };
	size_t mark = cni_spaces_mark(s);
	int node;

	memo_begin(&j.memo);
	node = join_nodes(&j, a.node, b.node);
	memo_end(&j.memo);
	return (struct cni_map){ keep_node(s, mark, node) };
}

/* ---- which labels meet ---- */

struct meeting {
	struct cni_spaces *s;
	struct cni_arena *arena;
	struct memo memo;
	struct cni_pairs pairs;
};

static int first_var(const struct cni_spaces *s, int a, int b, int where)
{
	const int x = var_of(a) < var_of(b) ? var_of(a) : var_of(b), y = var_of(where);

	return x < s->labels && y < x ? y : x;
}

static void meet(struct meeting *m, int a, int b, int where)
{
	int var, unused;

	if (where == FALSE_NODE || has_failed(m->s))
		return;
	var = first_var(m->s, a, b, where);
	if (var >= m->s->labels)
		where = TRUE_NODE; /* some packet has both */
	if (memo_find(&m->memo, a, b, where, &unused))
		return;
	memo_add(&m->memo, a, b, where, 0);
	if (var >= m->s->labels) {
		*cni_push(m->arena, m->pairs.items, m->pairs.n_items) = (struct cni_pair){ label_of(a), label_of(b) };
		return;
	}
	meet(m, branch(a, var, false), branch(b, var, false), branch(where, var, false));
	meet(m, branch(a, var, true), branch(b, var, true), branch(where, var, true));
}

struct cni_pairs cni_map_pairs(struct cni_spaces *s, struct cni_arena *arena, struct cni_map a, struct cni_map b,
			       struct cni_space where)
{
	struct meeting m = { .s = s, .arena = arena };

	if (s->failed)
		return m.pairs;
	memo_begin(&m.memo);
	meet(&m, a.node, b.node, where.node);
	memo_end(&m.memo);
	return m.pairs;
}

/* ---- other labels ---- */

struct relabelling {
	struct cni_spaces *s;
	const unsigned int *table;
	size_t n;
};

/* Results stay held until the walk is over: the notes speak of them. */
static int relabel(const struct relabelling *r, int node)
{
	int result, low, high;

	if (r->s->failed)
		return FALSE_NODE;
	if (notes_find(r->s, node, &result))
		return result;
	if (var_of(node) >= r->s->labels) {
		const unsigned int label = label_of(node);

		assert(label < r->n);
		result = label_node(r->s, r->table[label]);
	} else {
		low = relabel(r, bdd_low(node));
		high = relabel(r, bdd_high(node));
		result = make_node(r->s, bdd_var(node), low, high);
	}
	notes_add(r->s, node, result);
	return result;
}

struct cni_map cni_map_relabel(struct cni_spaces *s, struct cni_map map, const unsigned int *table, size_t n)
{
	const struct relabelling r = { s, table, n };
	const size_t mark = cni_spaces_mark(s);

	if (s->failed)
		return (struct cni_map){ FALSE_NODE };
	notes_begin(s);
	return (struct cni_map){ keep_node(s, mark, relabel(&r, map.node)) };
}
