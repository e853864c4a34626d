/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map.c - see map.h. */
#include "compiler/lower/map.h"

#include "compiler/lower/shards.h"

#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

/* Boxes of a piece. Measured with 10,000 routes of five fields, as ratios to one route, for packets that match the first,
 * the last and none: 32 1.31 1.67 1.05, 128 1.28 1.74 1.07, 256 1.21 1.21 1.08. Ranges are
 * cut as sets are (shards.c). */
#define PIECE_FIELDS 256
#define COPIES_MAX 4 /* a box that reaches over a cut is in both pieces: so many times as many in all, at most */

struct list {
	struct box **items;
	size_t n;
};

struct making {
	struct lower *l;
	const struct map *map;
	size_t piece; /* boxes of a piece */
	unsigned int cut; /* columns that pieces were cut by */
	size_t copies_left;
};

static const enum cni_key_type key_types[N_COLUMNS][CNI_N_FAMILIES] = {
	[COL_FROM] = { CNI_KEY_IPV4, CNI_KEY_IPV6 },	    [COL_TO] = { CNI_KEY_IPV4, CNI_KEY_IPV6 },
	[COL_PROTO] = { CNI_KEY_PROTO, CNI_KEY_PROTO },	    [COL_SPORT] = { CNI_KEY_SERVICE, CNI_KEY_SERVICE },
	[COL_DPORT] = { CNI_KEY_SERVICE, CNI_KEY_SERVICE },
};

static cni_u128 column_max(enum cni_family family, enum column column)
{
	static const cni_u128 small[N_COLUMNS] = { [COL_PROTO] = 0xff, [COL_SPORT] = 0xffff, [COL_DPORT] = 0xffff };

	return small[column] ? small[column] : cni_host_mask(family, 0);
}

/* ---- what tells most apart ---- */

static int compare_ranges(const void *a, const void *b)
{
	const struct cni_range6 *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return x->hi < y->hi ? -1 : x->hi > y->hi;
}

static size_t count_distinct(const struct list *list, enum column column)
{
	struct cni_arena *aside = cni_arena_new(); /* asked at every cut: it would add up */
	struct cni_range6 *ranges = cni_new_array(aside, struct cni_range6, list->n);
	size_t n = 0, distinct = 0;

	for (size_t i = 0; i < list->n; i++)
		if (list->items[i]->limits & LIMITS(column))
			ranges[n++] = list->items[i]->range[column];
	if (n)
		qsort(ranges, n, sizeof(*ranges), compare_ranges);
	for (size_t i = 0; i < n; i++)
		distinct += !i || compare_ranges(&ranges[i - 1], &ranges[i]) != 0;
	cni_arena_free(aside);
	return distinct;
}

static unsigned int limits_of(const struct list *list)
{
	unsigned int limits = 0;

	for (size_t i = 0; i < list->n; i++)
		limits |= list->items[i]->limits;
	return limits;
}

/* Those that any box limits, in the order in which the kernel shall ask for them. Returns how many. */
static size_t order_columns(const struct list *list, enum column columns[N_COLUMNS])
{
	const unsigned int limits = limits_of(list);
	size_t distinct[N_COLUMNS], n = 0;

	for (enum column c = 0; c < N_COLUMNS; c++) {
		size_t at = n, d;

		if (!(limits & LIMITS(c)))
			continue;
		d = count_distinct(list, c);
		for (; at && distinct[at - 1] < d; at--) {
			distinct[at] = distinct[at - 1];
			columns[at] = columns[at - 1];
		}
		distinct[at] = d;
		columns[at] = c;
		n++;
	}
	return n;
}

/* ---- one map ---- */

static void put_value(uint8_t *key, enum cni_key_type type, cni_u128 value)
{
	for (size_t i = cni_key_info[type].len; i--; value >>= 8)
		key[i] = (uint8_t)value;
}

static bool all_are_single(const struct list *list, const enum column *columns, size_t n_columns)
{
	for (size_t i = 0; i < list->n; i++)
		for (size_t c = 0; c < n_columns; c++) {
			const struct cni_range6 range = list->items[i]->range[columns[c]];

			if (!(list->items[i]->limits & LIMITS(columns[c])) || range.lo != range.hi)
				return false;
		}
	return true;
}

static const char *count_map(struct making *m, struct set *set, const char *label)
{
	m->l->cost.n_maps++;
	m->l->cost.n_elements += set->set.n_elems;
	return set_done(m->l, set, label);
}

static const char *set_of_boxes(struct making *m, const struct list *list, const enum column *columns, size_t n_columns)
{
	const enum cni_family family = m->map->family;
	struct set set = { .set = { .map = true, .interval = !all_are_single(list, columns, n_columns) } };
	uint8_t key[2 * 16 * CNI_KEY_FIELDS];

	for (size_t c = 0; c < n_columns; c++)
		set_key_field(&set, key_types[columns[c]][family]);
	for (size_t i = 0; i < list->n; i++) {
		const struct box *box = list->items[i];

		memset(key, 0, sizeof(key));
		for (size_t c = 0, at = 0; c < n_columns; c++) {
			const enum cni_key_type type = key_types[columns[c]][family];
			const bool limited = box->limits & LIMITS(columns[c]);
			const struct cni_range6 *range = &box->range[columns[c]];

			put_value(key + at, type, limited ? range->lo : 0);
			if (set.set.interval)
				put_value(key + set.set.key_len + at, type,
					  limited ? range->hi : column_max(family, columns[c]));
			at += (cni_key_info[type].len + 3u) & ~3u;
		}
		set_add(m->l, &set, key, NFT_GOTO, box->then);
	}
	return count_map(m, &set, m->map->label);
}

static void load_column(struct lower *l, struct cni_st_rule_nft *r, enum cni_family family, enum column column,
			uint8_t reg)
{
	switch (column) {
	case COL_FROM:
	case COL_TO:
		load_addr(l, r, column == COL_FROM, family, reg);
		break;
	case COL_PROTO:
		load_proto(l, r, reg);
		break;
	default:
		load_port(l, r, column == COL_SPORT, reg);
	}
}

/* A rule that looks up what `columns` of the packet lead to. */
static void by_columns(struct making *m, struct cni_st_rule_nft *r, const enum column *columns, size_t n_columns,
		       const char *set)
{
	uint8_t reg = 0;

	for (size_t c = 0; c < n_columns; c++) {
		const uint16_t len = cni_key_info[key_types[columns[c]][m->map->family]].len;

		load_column(m->l, r, m->map->family, columns[c], reg);
		reg = (uint8_t)(reg + (len + 3) / 4);
	}
	by_words(m->l, r, set);
}

/* ---- rules ---- */

typedef void finish_rule(struct making *m, struct cni_st_rule_nft *r, void *arg);

/* One rule, or one for each code point that the packet may have. */
static void rules(struct making *m, struct chain *chain, bool ask_dscp, finish_rule *finish, void *arg)
{
	const bool any = !ask_dscp || m->map->dscp == UINT64_MAX;

	for (uint8_t d = 0; d < (any ? 1 : 64); d++) {
		struct cni_st_rule_nft *r;

		if (!any && !(m->map->dscp >> d & 1))
			continue;
		r = chain_rule(m->l, chain, m->map->span);
		if_family(m->l, r, m->map->family); /* nft tells by it what the bytes are */
		if (!any)
			if_dscp(m->l, r, m->map->family, true, d);
		finish(m, r, arg);
	}
}

struct leaf {
	enum column columns[N_COLUMNS];
	size_t n_columns;
	const char *set;
};

static void finish_leaf(struct making *m, struct cni_st_rule_nft *r, void *arg)
{
	const struct leaf *leaf = arg;

	if (leaf->n_columns)
		by_columns(m, r, leaf->columns, leaf->n_columns, leaf->set);
	else
		do_verdict(m->l, r, NFT_GOTO, leaf->set); /* anything: there is one box at most */
}

static void leaf_rules(struct making *m, struct chain *chain, bool ask_dscp, const struct list *list)
{
	struct leaf leaf;

	leaf.n_columns = order_columns(list, leaf.columns);
	leaf.set = leaf.n_columns ? set_of_boxes(m, list, leaf.columns, leaf.n_columns) : list->items[0]->then;
	rules(m, chain, ask_dscp, finish_leaf, &leaf);
}

/* ---- cutting ---- */

static size_t decide(struct making *m, struct chain *chain, bool ask_dscp, struct list list);

/* The address that most boxes of the list differ in, if they differ enough for pieces to be small. */
static bool find_cut(struct making *m, const struct list *list, enum column *column)
{
	const size_t from = m->cut & LIMITS(COL_FROM) ? 0 : count_distinct(list, COL_FROM);
	const size_t to = m->cut & LIMITS(COL_TO) ? 0 : count_distinct(list, COL_TO);

	*column = from > to ? COL_FROM : COL_TO;
	return (from > to ? from : to) > 1;
}

static size_t piece(struct making *m, struct set *index, struct list list, cni_u128 lo, cni_u128 hi)
{
	const enum cni_family family = m->map->family;
	struct chain chain = { 0 };
	uint8_t key[32];
	size_t most = decide(m, &chain, false, list);

	cni_addr_to_bytes((struct cni_addr){ family, hi },
			  key + cni_addr_to_bytes((struct cni_addr){ family, lo }, key));
	set_add(m->l, index, key, NFT_JUMP,
		chain_done(m->l, &chain, cni_printf(m->l->arena, "%s.piece", m->map->label)));
	return most;
}

static size_t count_in(const struct list *list, enum column column, cni_u128 lo, cni_u128 hi)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += list->items[i]->range[column].lo <= hi && list->items[i]->range[column].hi >= lo;
	return n;
}

static struct list part(struct making *m, const struct list *list, enum column column, cni_u128 lo, cni_u128 hi)
{
	struct list in = { cni_new_array(m->l->scratch, struct box *, count_in(list, column, lo, hi)), 0 };

	for (size_t i = 0; i < list->n; i++)
		if (list->items[i]->range[column].lo <= hi && list->items[i]->range[column].hi >= lo)
			in.items[in.n++] = list->items[i];
	return in;
}

/* Halves until a piece is small, or halving would only copy. */
static size_t cut(struct making *m, struct set *index, struct list list, enum column column, cni_u128 lo, cni_u128 hi)
{
	if (!list.n)
		return 0;
	while (list.n > m->piece && lo < hi) {
		const cni_u128 half = lo + (hi - lo) / 2;
		const size_t n_low = count_in(&list, column, lo, half), n_high = count_in(&list, column, half + 1, hi);
		size_t most, other;

		if (!n_low || !n_high) { /* most of the addresses are nobody's */
			lo = n_low ? lo : half + 1;
			hi = n_high ? hi : half;
			continue;
		}
		if (n_low + n_high - list.n > m->copies_left || n_low + n_high == 2 * list.n)
			break;
		m->copies_left -= n_low + n_high - list.n;
		most = cut(m, index, part(m, &list, column, lo, half), column, lo, half);
		other = cut(m, index, part(m, &list, column, half + 1, hi), column, half + 1, hi);
		return most > other ? most : other;
	}
	return piece(m, index, list, lo, hi);
}

static void finish_index(struct making *m, struct cni_st_rule_nft *r, void *arg)
{
	const struct leaf *index = arg;

	by_columns(m, r, index->columns, 1, index->set);
}

static size_t index_rules(struct making *m, struct chain *chain, bool ask_dscp, struct list list, enum column column)
{
	const unsigned int cut_before = m->cut;
	struct set set = { .set = { .map = true, .interval = true } };
	struct leaf index = { .columns = { column }, .n_columns = 1 };
	size_t most;

	set_key_field(&set, key_types[column][m->map->family]);
	m->cut |= LIMITS(column);
	most = 1 + cut(m, &set, list, column, 0, cni_host_mask(m->map->family, 0));
	m->cut = cut_before;
	index.set = count_map(m, &set, cni_printf(m->l->arena, "%s.index", m->map->label));
	rules(m, chain, ask_dscp, finish_index, &index);
	return most;
}

static size_t decide(struct making *m, struct chain *chain, bool ask_dscp, struct list list)
{
	struct list inside = { cni_new_array(m->l->scratch, struct box *, list.n), 0 }, outside = inside;
	enum column column;
	size_t most;

	if (list.n <= m->piece || !find_cut(m, &list, &column)) {
		leaf_rules(m, chain, ask_dscp, &list);
		return 1;
	}
	outside.items = cni_new_array(m->l->scratch, struct box *, list.n);
	for (size_t i = 0; i < list.n; i++)
		if (list.items[i]->limits & LIMITS(column))
			inside.items[inside.n++] = list.items[i];
		else
			outside.items[outside.n++] = list.items[i];
	most = index_rules(m, chain, ask_dscp, inside, column);
	return outside.n ? most + decide(m, chain, ask_dscp, outside) : most;
}

size_t lower_map(struct lower *l, struct chain *chain, const struct map *map, struct box *boxes, size_t n)
{
	size_t most = 0;

	/* a packet without ports must not be asked for them: boxes that limit them are a map of their own */
	for (int ports = 0; ports < 2; ports++) {
		struct list list = { cni_new_array(l->scratch, struct box *, n), 0 };
		struct making m = { .l = l, .map = map, .copies_left = COPIES_MAX * n };

		for (size_t i = 0; i < n; i++)
			if (!(boxes[i].limits & LIMITS_PORTS) == !ports)
				list.items[list.n++] = &boxes[i];
		if (!list.n)
			continue;
		m.piece = lower_shard_max(l, list.n);
		if (__builtin_popcount(limits_of(&list)) > 1 && m.piece > PIECE_FIELDS)
			m.piece = PIECE_FIELDS;
		most += decide(&m, chain, true, list);
	}
	return most;
}
