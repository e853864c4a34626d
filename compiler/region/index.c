/* SPDX-License-Identifier: GPL-2.0-or-later */
/* index.c - see index.h. A tree lies in an array that is sorted by the intervals' beginnings: the middle
 * is the root, each half a subtree, and each node knows how far what can be found in its subtree reaches. */
#include "compiler/region/index.h"

#include <stdlib.h>

#include "compiler/arena.h"

struct node {
	struct cni_range6 hull;
	size_t at;
	bool present, any; /* itself, and something in its subtree, can be found */
	cni_u128 reach; /* the last value of what can be found in the subtree */
};

struct tree {
	enum cni_view view;
	struct node *nodes;
	cni_u128 *ends; /* ascending */
};

struct group {
	unsigned int shape; /* a bit per view that its regions limit */
	size_t *members;
	size_t n_members;
	size_t *present; /* what can be found */
	size_t n_present;
	struct tree trees[CNI_N_VIEWS];
	size_t n_trees;
};

struct cni_region_index {
	struct cni_arena *arena;
	const struct cni_region *all, *regions;
	struct group *groups;
	size_t n_groups;
};

struct search {
	const struct cni_region_index *index;
	struct cni_arena *arena;
	struct cni_range6 box[CNI_N_VIEWS];
	struct cni_work *work;
	size_t *found, n_found;
};

static bool equal(struct cni_range6 a, struct cni_range6 b)
{
	return a.lo == b.lo && a.hi == b.hi;
}

static bool meet(struct cni_range6 a, struct cni_range6 b)
{
	return a.lo <= b.hi && b.lo <= a.hi;
}

static unsigned int shape_of(const struct cni_region_index *index, const struct cni_region *region)
{
	unsigned int shape = 0;

	for (enum cni_view v = 0; v < CNI_N_VIEWS; v++)
		if (!equal(cni_region_hull(region, v), cni_region_hull(index->all, v)))
			shape |= 1u << v;
	return shape;
}

static struct group *find_group(const struct cni_region_index *index, unsigned int shape)
{
	for (size_t i = 0; i < index->n_groups; i++)
		if (index->groups[i].shape == shape)
			return &index->groups[i];
	return NULL;
}

/* ---- making ---- */

static int compare_nodes(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	if (x->hull.lo != y->hull.lo)
		return x->hull.lo < y->hull.lo ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static int compare_ends(const void *a, const void *b)
{
	const cni_u128 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static struct tree grow(struct cni_arena *arena, const struct cni_region_index *index, const struct group *group,
			enum cni_view view)
{
	struct tree tree = { view, cni_new_array(arena, struct node, group->n_members),
			     cni_new_array(arena, cni_u128, group->n_members) };

	for (size_t i = 0; i < group->n_members; i++) {
		tree.nodes[i].at = group->members[i];
		tree.nodes[i].hull = cni_region_hull(&index->regions[group->members[i]], view);
		tree.ends[i] = tree.nodes[i].hull.hi;
	}
	qsort(tree.nodes, group->n_members, sizeof(*tree.nodes), compare_nodes);
	qsort(tree.ends, group->n_members, sizeof(*tree.ends), compare_ends);
	return tree;
}

struct cni_region_index *cni_region_index_new(struct cni_arena *arena, const struct cni_region *all,
					      const struct cni_region *regions, size_t n)
{
	struct cni_region_index *index = cni_new(arena, struct cni_region_index);

	index->arena = arena;
	index->all = all;
	index->regions = regions;
	for (size_t i = 0; i < n; i++) {
		struct group *group;
		unsigned int shape;

		if (cni_region_is_empty(&regions[i]))
			continue;
		shape = shape_of(index, &regions[i]);
		group = find_group(index, shape);
		if (!group) {
			group = cni_push(arena, index->groups, index->n_groups);
			group->shape = shape;
		}
		*cni_push(arena, group->members, group->n_members) = i;
	}
	for (size_t i = 0; i < index->n_groups; i++)
		for (enum cni_view v = 0; v < CNI_N_VIEWS; v++)
			if (index->groups[i].shape >> v & 1)
				index->groups[i].trees[index->groups[i].n_trees++] =
					grow(arena, index, &index->groups[i], v);
	return index;
}

/* Down to the node, telling the nodes on the way how far it reaches. */
static void plant(const struct tree *tree, size_t n, const struct node *key)
{
	for (size_t begin = 0, end = n; begin < end;) {
		size_t mid = begin + (end - begin) / 2;
		struct node *node = &tree->nodes[mid];
		int order = compare_nodes(key, node);

		if (!node->any || node->reach < key->hull.hi)
			node->reach = key->hull.hi;
		node->any = true;
		if (!order) {
			node->present = true;
			return;
		}
		if (order < 0)
			end = mid;
		else
			begin = mid + 1;
	}
}

void cni_region_index_add(struct cni_region_index *index, size_t at)
{
	const struct cni_region *region = &index->regions[at];
	struct group *group;

	if (cni_region_is_empty(region))
		return;
	group = find_group(index, shape_of(index, region));
	for (size_t i = 0; i < group->n_trees; i++)
		plant(&group->trees[i], group->n_members,
		      &(struct node){ .hull = cni_region_hull(region, group->trees[i].view), .at = at });
	*cni_push(index->arena, group->present, group->n_present) = at;
}

/* ---- finding ---- */

static void look_at(struct search *s, size_t at)
{
	for (enum cni_view v = 0; v < CNI_N_VIEWS; v++)
		if (!meet(s->box[v], cni_region_hull(&s->index->regions[at], v)))
			return;
	*cni_push(s->arena, s->found, s->n_found) = at;
}

static void walk(struct search *s, const struct tree *tree, size_t begin, size_t end)
{
	const struct cni_range6 sought = s->box[tree->view];

	while (begin < end && cni_work_charge(s->work, 1)) {
		size_t mid = begin + (end - begin) / 2;
		const struct node *node = &tree->nodes[mid];

		if (!node->any || node->reach < sought.lo)
			return;
		walk(s, tree, begin, mid);
		if (node->hull.lo > sought.hi)
			return;
		if (node->present && node->hull.hi >= sought.lo)
			look_at(s, node->at);
		begin = mid + 1;
	}
}

/* How many members of the group an interval meets: those that begin before its end, but for those that end before its
 * beginning. */
static size_t count(const struct tree *tree, size_t n, struct cni_range6 sought)
{
	size_t begun = 0, ended = 0;

	for (size_t high = n; begun < high;) {
		size_t mid = begun + (high - begun) / 2;

		if (tree->nodes[mid].hull.lo <= sought.hi)
			begun = mid + 1;
		else
			high = mid;
	}
	for (size_t high = n; ended < high;) {
		size_t mid = ended + (high - ended) / 2;

		if (tree->ends[mid] < sought.lo)
			ended = mid + 1;
		else
			high = mid;
	}
	return begun - ended;
}

/* By the view that leaves the fewest. */
static void search_group(struct search *s, const struct group *group)
{
	const struct tree *best = NULL;
	size_t least = 0;

	for (size_t i = 0; i < group->n_trees && group->n_present; i++) {
		const struct tree *tree = &group->trees[i];
		size_t n = count(tree, group->n_members, s->box[tree->view]);

		if (!best || n < least) {
			best = tree;
			least = n;
		}
	}
	if (best)
		walk(s, best, 0, group->n_members);
	for (size_t i = 0; !best && i < group->n_present && cni_work_charge(s->work, 1); i++)
		look_at(s, group->present[i]);
}

static int ascending(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

size_t *cni_region_index_find(const struct cni_region_index *index, struct cni_arena *arena,
			      const struct cni_region *region, struct cni_work *work, size_t *n)
{
	struct search s = { .index = index, .arena = arena, .work = work };

	for (enum cni_view v = 0; v < CNI_N_VIEWS; v++)
		s.box[v] = cni_region_hull(region, v);
	for (size_t i = 0; i < index->n_groups; i++)
		search_group(&s, &index->groups[i]);
	if (s.n_found)
		qsort(s.found, s.n_found, sizeof(*s.found), ascending);
	*n = s.n_found;
	return s.found;
}
