/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map.c - maps from packets to labels: below the fields each way through a diagram leads to the bits of one label. */
#include "compiler/space/space_internal.h"

#include <assert.h>

static int label_node(struct cni_spaces *s, unsigned int label)
{
	size_t mark = cni_spaces_mark(s);
	int node = TRUE_NODE;

	assert(label <= CNI_MAX_LABEL);
	for (unsigned int bit = 0; bit < LABEL_BITS && !s->failed; bit++) {
		int var = s->labels + LABEL_BITS - 1 - (int)bit;

		node = label >> bit & 1 ? make_node(s, var, FALSE_NODE, node) : make_node(s, var, node, FALSE_NODE);
	}
	return keep_node(s, mark, node);
}

unsigned int label_of(const struct cni_spaces *s, int node)
{
	unsigned int label = 0;

	(void)s;
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

static void find_labels(const struct cni_spaces *s, struct memo *seen, int node, bool *has)
{
	int known;

	if (var_of(node) >= s->labels) {
		has[label_of(s, node)] = true;
		return;
	}
	if (memo_find(seen, node, 0, &known))
		return;
	memo_add(seen, node, 0, 0);
	find_labels(s, seen, bdd_low(node), has);
	find_labels(s, seen, bdd_high(node), has);
}

void cni_map_labels(const struct cni_spaces *s, struct cni_map map, bool *has)
{
	struct memo seen;

	memo_begin(&seen);
	find_labels(s, &seen, map.node, has);
	memo_end(&seen);
}

/* ---- two maps in one walk ---- */

struct join {
	struct cni_spaces *s;
	struct memo memo;
	unsigned int (*join)(unsigned int x, unsigned int y, void *arg);
	void *arg;
};

static int branch(int node, int var, bool high)
{
	return var_of(node) != var ? node : high ? bdd_high(node) : bdd_low(node);
}

/* Results stay held until the walk is over: the memo speaks of them. */
static int join_nodes(struct join *j, int a, int b)
{
	int var = var_of(a) < var_of(b) ? var_of(a) : var_of(b), node, low, high;

	if (j->s->failed)
		return FALSE_NODE;
	if (memo_find(&j->memo, a, b, &node))
		return node;
	if (var >= j->s->labels) {
		node = label_node(j->s, j->join(label_of(j->s, a), label_of(j->s, b), j->arg));
	} else {
		low = join_nodes(j, branch(a, var, false), branch(b, var, false));
		high = join_nodes(j, branch(a, var, true), branch(b, var, true));
		node = make_node(j->s, var, low, high);
	}
	memo_add(&j->memo, a, b, node);
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

/* ---- other labels ---- */

struct relabel {
	const unsigned int *table;
	size_t n;
};

static unsigned int look_up(unsigned int x, unsigned int y, void *arg)
{
	const struct relabel *r = arg;

	(void)y;
	assert(x < r->n);
	return r->table[x];
}

struct cni_map cni_map_relabel(struct cni_spaces *s, struct cni_map map, const unsigned int *table, size_t n)
{
	struct relabel r = { table, n };

	return cni_map_join(s, map, map, look_up, &r);
}
