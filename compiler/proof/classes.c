/* SPDX-License-Identifier: GPL-2.0-or-later */
/* classes.c - see classes.h. */
#include "compiler/proof/classes.h"

#include <string.h>

#include "compiler/arena.h"

#define MOST_LABELS 4 /* of what a class comes to; what has more becomes classes of the first step */
#define MOST_CLASSES 2048 /* that are kept apart where two are put together */

/* ---- labels ---- */

struct labelled {
	int node;
	bool used;
	struct cni_labels labels;
};

static struct labelled *place(const struct classing *c, int node)
{
	size_t at = ((size_t)(unsigned int)node * 2654435761u >> 8) & (c->room_labelled - 1);

	while (c->labelled[at].used && c->labelled[at].node != node)
		at = (at + 1) & (c->room_labelled - 1);
	return &c->labelled[at];
}

struct cni_labels classes_labels(struct classing *c, struct cni_map map)
{
	struct labelled *labelled;

	if (2 * c->n_labelled >= c->room_labelled) {
		const struct labelled *old = c->labelled;
		const size_t n = c->room_labelled;

		c->room_labelled = n ? 2 * n : 256;
		c->labelled = cni_new_array(c->arena, struct labelled, c->room_labelled);
		for (size_t i = 0; i < n; i++)
			if (old[i].used)
				*place(c, old[i].node) = old[i];
	}
	labelled = place(c, map.node);
	if (!labelled->used) {
		*labelled = (struct labelled){ map.node, true, cni_map_labels(c->spaces, c->arena, map) };
		c->n_labelled++;
	}
	return labelled->labels;
}

size_t classes_count(struct classing *c, const struct classes *a)
{
	return a->n ? a->n : classes_labels(c, a->of).n_items;
}

static size_t index_of(const unsigned int *labels, size_t n, unsigned int label)
{
	size_t begin = 0, end = n;

	while (begin < end) {
		const size_t middle = begin + (end - begin) / 2;

		if (labels[middle] < label)
			begin = middle + 1;
		else
			end = middle;
	}
	return begin;
}

/* With a second step, in which each label comes to itself. */
static struct classes in_two_steps(struct classing *c, struct classes a)
{
	const struct cni_labels labels = classes_labels(c, a.of);
	struct cni_map *then;

	if (a.n)
		return a;
	then = cni_new_array(c->arena, struct cni_map, labels.n_items);
	for (size_t i = 0; i < labels.n_items; i++)
		then[i] = cni_map_all(c->spaces, labels.items[i]);
	return (struct classes){ a.of, labels.n_items, labels.items, then };
}

/* ---- one step again ---- */

struct flattened {
	struct classes from;
	struct cni_map map;
};

#define NOBODYS CNI_MAX_LABEL
#define MAX_SPLITS 8 /* within each other */

struct flattening {
	struct classing *c;
	const struct classes *from;
	bool *apart; /* classes that take their place by themselves */
	unsigned int *to; /* by label */
};

/* The labels that then[i] has within the part, ascending; NOBODYS, which comes last, is of packets outside. */
static struct cni_labels labels_within(const struct flattening *f, struct cni_space part, size_t i)
{
	struct cni_spaces *s = f->c->spaces;

	if (cni_space_equal(part, cni_space_all()))
		return classes_labels(f->c, f->from->then[i]);
	return cni_map_labels(s, f->c->arena, cni_map_ite(s, part, f->from->then[i], cni_map_all(s, NOBODYS)));
}

/* What each label becomes in the part; the first class that comes to several, or the number of classes. */
static size_t tabulate(const struct flattening *f, struct cni_space part)
{
	size_t i = 0;

	for (; i < f->from->n; i++) {
		const unsigned int label = f->from->labels[i];
		struct cni_labels some;

		f->to[label] = label;
		if (f->apart[i])
			continue;
		some = labels_within(f, part, i);
		if (!some.n_items || some.n_items > 2 || (some.n_items == 2 && some.items[1] != NOBODYS))
			break;
		f->to[label] = some.items[0];
	}
	return i;
}

/* One walk through the map for each part in which every class comes to one label. What tells packets apart there is mostly
 * the same for all classes, such as the protocol of what can be clamped. */
static struct cni_map of_part(const struct flattening *f, struct cni_space part, struct cni_map all,
			      unsigned int splits)
{
	struct cni_spaces *s = f->c->spaces;
	const size_t several = tabulate(f, part), n = f->from->n;
	struct cni_labels some;

	if (several == n) {
		const struct cni_map here = cni_map_relabel(s, f->from->of, f->to, f->from->labels[n - 1] + 1);

		return cni_map_ite(s, part, here, all);
	}
	if (splits == MAX_SPLITS) {
		f->apart[several] = true;
		return of_part(f, part, all, splits);
	}
	some = labels_within(f, part, several);
	for (size_t i = 0; i < some.n_items && some.items[i] != NOBODYS; i++) {
		const struct cni_space here = cni_map_where(s, f->from->then[several], some.items[i]);

		all = of_part(f, cni_space_and(s, part, here), all, splits + 1);
	}
	return all;
}

static struct cni_map flatten(struct classing *c, const struct classes *a)
{
	struct flattening f = { c, a, cni_new_array(c->arena, bool, a->n), NULL };
	const size_t mark = cni_spaces_mark(c->spaces);
	struct cni_map all = a->of;

	if (cni_spaces_failed(c->spaces))
		return all;
	f.to = cni_new_array(c->arena, unsigned int, a->labels[a->n - 1] + 1);
	for (size_t i = 0; i < a->n; i++)
		f.apart[i] = classes_labels(c, a->then[i]).n_items > MOST_LABELS;
	all = of_part(&f, cni_space_all(), all, 0);
	for (size_t i = 0; i < a->n; i++)
		if (f.apart[i])
			all = cni_map_ite(c->spaces, cni_map_where(c->spaces, a->of, a->labels[i]), a->then[i], all);
	cni_spaces_release(c->spaces, mark, all.node);
	return all;
}

struct cni_map classes_flat(struct classing *c, const struct classes *a)
{
	struct flattened *flattened;

	if (!a->n)
		return a->of;
	for (size_t i = c->n_flattened; i-- > 0;)
		if (c->flattened[i].from.of.node == a->of.node && c->flattened[i].from.n == a->n &&
		    !memcmp(c->flattened[i].from.then, a->then, a->n * sizeof(*a->then)))
			return c->flattened[i].map;
	flattened = cni_push(c->arena, c->flattened, c->n_flattened);
	*flattened = (struct flattened){ *a, flatten(c, a) };
	return flattened->map;
}

/* ---- putting together ---- */

/* A first step of two, with labels of its own: those of `otherwise`, and behind them those of `then`. */
struct merged {
	int where, then, otherwise;
	struct cni_map of;
	struct cni_labels labels;
	const size_t *from; /* of labels[i]: which class of `otherwise`, or of `then` from n on */
};

static const struct merged *merge(struct classing *c, struct cni_space where, const struct classes *then,
				  const struct classes *otherwise)
{
	const unsigned int behind = otherwise->labels[otherwise->n - 1] + 1;
	const size_t n_table = then->labels[then->n - 1] + 1;
	struct merged *merged;
	unsigned int *table;
	size_t *from;

	for (size_t i = c->n_merged; i-- > 0;)
		if (c->merged[i].where == where.node && c->merged[i].then == then->of.node &&
		    c->merged[i].otherwise == otherwise->of.node)
			return &c->merged[i];
	table = cni_new_array(c->arena, unsigned int, n_table);
	for (size_t i = 0; i < then->n; i++)
		table[then->labels[i]] = behind + (unsigned int)i;
	merged = cni_push(c->arena, c->merged, c->n_merged);
	*merged = (struct merged){ where.node, then->of.node, otherwise->of.node, { 0 }, { 0 }, NULL };
	merged->of = cni_map_ite(c->spaces, where, cni_map_relabel(c->spaces, then->of, table, n_table), otherwise->of);
	merged->labels = classes_labels(c, merged->of);
	merged->from = from = cni_new_array(c->arena, size_t, merged->labels.n_items);
	for (size_t i = 0; i < merged->labels.n_items; i++) {
		const unsigned int label = merged->labels.items[i];

		from[i] = label < behind ? index_of(otherwise->labels, otherwise->n, label)
					 : otherwise->n + (label - behind);
	}
	return merged;
}

/* All classes that come to the same need no telling apart. */
static struct classes simplest(struct cni_map of, struct cni_labels labels, const struct cni_map *then)
{
	for (size_t i = 1; i < labels.n_items; i++)
		if (then[i].node != then->node)
			return (struct classes){ of, labels.n_items, labels.items, then };
	return classes_plain(labels.n_items ? *then : of);
}

struct classes classes_ite(struct classing *c, struct cni_space where, struct classes then, struct classes otherwise)
{
	const struct merged *merged;
	struct cni_map *to;

	if (cni_space_is_empty(where) || cni_spaces_failed(c->spaces))
		return otherwise;
	if (cni_space_equal(where, cni_space_all()))
		return then;
	if ((!then.n && !otherwise.n) || classes_count(c, &then) + classes_count(c, &otherwise) > MOST_CLASSES)
		return classes_plain(
			cni_map_ite(c->spaces, where, classes_flat(c, &then), classes_flat(c, &otherwise)));
	then = in_two_steps(c, then);
	otherwise = in_two_steps(c, otherwise);
	if (!then.n || !otherwise.n)
		return otherwise; /* the limit was reached */
	merged = merge(c, where, &then, &otherwise);
	to = cni_new_array(c->arena, struct cni_map, merged->labels.n_items);
	for (size_t i = 0; i < merged->labels.n_items; i++) {
		const size_t from = merged->from[i];

		to[i] = from < otherwise.n ? otherwise.then[from] : then.then[from - otherwise.n];
	}
	return simplest(merged->of, merged->labels, to);
}

/* ---- going on ---- */

/* What all packets of a small map come to. */
static struct classes follow(struct classing *c, struct cni_map map, classes_after *after, void *arg)
{
	const struct cni_labels labels = classes_labels(c, map);
	struct classes all = classes_plain(map);

	for (size_t i = 0; i < labels.n_items; i++) {
		const struct classes then = after(labels.items[i], arg);

		all = i ? classes_ite(c, cni_map_where(c->spaces, map, labels.items[i]), then, all) : then;
	}
	return all;
}

/* Classes that come to the same map go on together. */
struct going {
	int from;
	struct classes to;
};

static const struct classes *go_on(struct classing *c, struct going *going, size_t *n, struct cni_map map,
				   classes_after *after, void *arg)
{
	for (size_t i = *n; i-- > 0;)
		if (going[i].from == map.node)
			return &going[i].to;
	going[*n] = (struct going){ map.node, follow(c, map, after, arg) };
	return &going[(*n)++].to;
}

static bool is_small(struct classing *c, const struct classes *a)
{
	return !a->n && classes_labels(c, a->of).n_items <= MOST_LABELS;
}

struct classes classes_bind(struct classing *c, struct classes a, classes_after *after, void *arg)
{
	const struct classes from = in_two_steps(c, a);
	struct going *going = cni_new_array(c->arena, struct going, from.n);
	struct cni_map *then = cni_new_array(c->arena, struct cni_map, from.n);
	const struct cni_labels labels = { (unsigned int *)from.labels, from.n };
	bool changes = false;
	struct classes all;
	size_t n = 0;

	for (size_t i = 0; i < from.n; i++) {
		const struct classes *to = go_on(c, going, &n, from.then[i], after, arg);

		/* what is large takes its place below */
		then[i] = is_small(c, to) ? to->of : from.then[i];
		changes |= then[i].node != from.then[i].node;
	}
	all = changes ? simplest(from.of, labels, then) : a;
	for (size_t i = 0; i < n && !cni_spaces_failed(c->spaces); i++) {
		struct cni_space where = cni_space_none();

		if (is_small(c, &going[i].to))
			continue;
		for (size_t j = 0; j < from.n; j++)
			if (from.then[j].node == going[i].from)
				where = cni_space_or(c->spaces, where,
						     cni_map_where(c->spaces, from.of, from.labels[j]));
		all = classes_ite(c, where, going[i].to, all);
	}
	return all;
}

/* ---- comparing ---- */

struct met {
	int a, b, where;
	struct cni_pairs pairs;
};

/* Where one of the two tells nothing apart, or both are one and the same, there is nothing to walk through. */
static bool are_known(struct classing *c, struct cni_map a, struct cni_map b, struct cni_space where,
		      struct cni_pairs *pairs)
{
	const struct cni_labels x = classes_labels(c, a), y = classes_labels(c, b);

	if (!cni_space_equal(where, cni_space_all()) || (y.n_items != 1 && a.node != b.node))
		return false;
	for (size_t i = 0; i < x.n_items; i++)
		*cni_push(c->arena, pairs->items, pairs->n_items) =
			(struct cni_pair){ x.items[i], a.node == b.node ? x.items[i] : *y.items };
	return true;
}

static const struct cni_pairs *pairs_of(struct classing *c, struct cni_map a, struct cni_map b, struct cni_space where)
{
	struct cni_pairs pairs = { 0 };
	struct met *met;

	for (size_t i = c->n_met; i-- > 0;)
		if (c->met[i].a == a.node && c->met[i].b == b.node && c->met[i].where == where.node)
			return &c->met[i].pairs;
	if (!are_known(c, a, b, where, &pairs))
		pairs = cni_map_pairs(c->spaces, c->arena, a, b, where);
	met = cni_push(c->arena, c->met, c->n_met);
	*met = (struct met){ a.node, b.node, where.node, pairs };
	return &met->pairs;
}

static struct cni_map then_of(struct classing *c, const struct classes *a, unsigned int label)
{
	return a->n ? a->then[index_of(a->labels, a->n, label)] : cni_map_all(c->spaces, label);
}

struct class_pair *classes_meet(struct classing *c, const struct classes *a, const struct classes *b,
				struct cni_space where, size_t *n)
{
	const struct cni_pairs *pairs = pairs_of(c, a->of, b->of, where);
	struct class_pair *items = cni_new_array(c->arena, struct class_pair, pairs->n_items);

	for (size_t i = 0; i < pairs->n_items; i++) {
		const struct cni_pair *pair = &pairs->items[i];

		items[i] = (struct class_pair){ pair->a, pair->b, then_of(c, a, pair->a), then_of(c, b, pair->b) };
	}
	*n = pairs->n_items;
	return items;
}
