/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pins.c - ways that flows stay on when a better target comes back.
 *
 * A flow stays on its target while that is up. When the first of A then B is down, its flows are on B by the second
 * route of their way's table; when A comes back, that table leads to A again. Those that are to stay on B are moved, by
 * their conntrack marks, to the way B then A: which is the same, but for the order. So each ordered path has a way for each
 * member, with that one first, as a weighted path has them already. From there a flow may be moved once more. */
#include <stdlib.h>
#include <string.h>

#include "compiler/lower/lower_internal.h"

static bool has_tracked(const struct lower *l, const struct cni_path *path)
{
	for (size_t i = 0; i < path->n_members; i++)
		if (l->model->targets[path->members[i].target].track.mode == CNI_TRACK_ON)
			return true;
	return false;
}

/* The same way with the member's tier in front. */
static struct way with_first(struct lower *l, const struct way *way, size_t member)
{
	struct way pinned = *way;
	size_t n = 0;

	pinned.tiers = cni_new_array(l->arena, struct tier, way->n_tiers);
	pinned.tiers[n++] = way->tiers[member];
	for (size_t i = 0; i < way->n_tiers; i++)
		if (i != member)
			pinned.tiers[n++] = way->tiers[i];
	pinned.is_pinned = true;
	return pinned;
}

static void add_family(struct lower *l, const struct cni_path *path, const struct ways *ways)
{
	struct way *written = &l->ways[*ways->index];
	struct family *family;

	if (!path->weighted && written->has_family)
		return;
	written->has_family = !path->weighted;
	family = cni_push(l->arena, l->families, l->n_families);
	family->path = path;
	if (path->weighted) {
		family->ways = *ways;
		return;
	}
	for (size_t i = 0; i < path->n_members; i++) {
		const size_t at = i ? lower_add_way(l, with_first(l, &l->ways[*ways->index], i)) : *ways->index;

		*cni_push(l->arena, family->ways.index, family->ways.n_index) = at;
	}
}

void lower_pinned_ways(struct lower *l)
{
	const struct cni_model *m = l->model;

	for (size_t p = 0; p < m->n_policies && m->options.failback != CNI_FAILBACK_FLUSH; p++)
		for (size_t r = 0; r < m->policies[p].n_routes; r++) {
			const struct cni_path *path = &m->policies[p].routes[r].path;

			if (path->n_members > 1 && has_tracked(l, path))
				add_family(l, path, &l->routes[p][r]);
		}
}

/* ---- what ways there are ---- */

static struct cni_st_way told(const struct lower *l, const struct way *way)
{
	struct cni_st_way to = {
		.mark = mark_of(l, way->id), .is_return = way->is_return, .is_pinned = way->is_pinned, .nats = way->nats
	};
	struct cni_st_hop hop;

	for (size_t i = 0; i < way->n_tiers; i++)
		for (size_t j = 0; j < way->tiers[i].n_members; j++) {
			const struct cni_target *target = &l->model->targets[way->tiers[i].members[j].target];
			struct cni_st_through *through = cni_push(l->arena, to.targets, to.n_targets);

			through->target = target->name;
			through->tier = (unsigned int)i;
			for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
				through->carries[f] = lower_hop(l, target, f, &hop);
		}
	return to;
}

static int by_mark(const void *a, const void *b)
{
	const struct cni_st_way *x = a, *y = b;

	return (x->mark > y->mark) - (x->mark < y->mark);
}

/* One way may be of several paths, which then differ in how they go on: of those one that has it as it is written, or else
 * the first. */
struct order {
	struct cni_st_pin pin;
	size_t place;
};

static int by_place(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	int order;

	if (x->pin.mark != y->pin.mark)
		return x->pin.mark < y->pin.mark ? -1 : 1;
	order = strcmp(x->pin.target, y->pin.target);
	return order ? order : (x->place > y->place) - (x->place < y->place);
}

static void tell_pins(struct lower *l, struct cni_state *state)
{
	struct order *all = NULL;
	size_t n = 0;

	for (size_t f = 0; f < l->n_families; f++) {
		const struct cni_path *path = l->families[f].path;
		const size_t *index = l->families[f].ways.index;

		for (size_t i = 0; i < path->n_members; i++)
			for (size_t j = 0; j < path->n_members; j++) {
				const struct cni_st_pin pin = { mark_of(l, l->ways[index[i]].id),
								mark_of(l, l->ways[index[j]].id),
								l->model->targets[path->members[j].target].name };
				const bool is_written = !i || path->weighted;

				if (index[i] != index[j])
					*cni_push(l->scratch, all, n) =
						(struct order){ pin, is_written ? f : l->n_families + f };
			}
	}
	if (n)
		qsort(all, n, sizeof(*all), by_place);
	for (size_t i = 0; i < n; i++)
		if (!i || all[i].pin.mark != all[i - 1].pin.mark ||
		    strcmp(all[i].pin.target, all[i - 1].pin.target) != 0)
			*cni_push(l->arena, state->pins, state->n_pins) = all[i].pin;
}

void lower_tell_ways(struct lower *l, struct cni_state *state)
{
	state->id_mask = l->id_mask;
	for (size_t w = 0; w < l->n_ways; w++)
		if (l->ways[w].n_tiers)
			*cni_push(l->arena, state->ways, state->n_ways) = told(l, &l->ways[w]);
	if (state->n_ways)
		qsort(state->ways, state->n_ways, sizeof(*state->ways), by_mark);
	tell_pins(l, state);
}
