/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_moves.c - see flow_moves.h. */
#include "runtime/track/flow_moves.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- ways ---- */

static int by_name(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

static struct rt_place place_of(const struct cni_model *model, const struct cni_state *desired, const char *name)
{
	const char **found = desired->n_tracked ? bsearch(name, desired->tracked, desired->n_tracked,
							  sizeof(*desired->tracked), by_name)
						: NULL;
	struct rt_place place = { found ? (size_t)(found - desired->tracked) : SIZE_MAX, 0 };

	while (place.target < model->n_targets && strcmp(model->targets[place.target].name, name) != 0)
		place.target++;
	return place;
}

struct rt_ways rt_ways_of(struct cni_arena *arena, const struct cni_model *model, const struct cni_state *desired)
{
	struct rt_ways ways = { model, desired, cni_new_array(arena, struct rt_place *, desired->n_ways) };

	for (size_t w = 0; w < desired->n_ways; w++) {
		const struct cni_st_way *way = &desired->ways[w];

		ways.places[w] = cni_new_array(arena, struct rt_place, way->n_targets);
		for (size_t i = 0; i < way->n_targets; i++)
			ways.places[w][i] = place_of(model, desired, way->targets[i].target);
	}
	return ways;
}

unsigned int rt_way_tier(const struct rt_ways *ways, size_t at, enum cni_family family, const bool *down, size_t *only)
{
	const struct cni_st_way *way = &ways->desired->ways[at];
	unsigned int tier = UINT_MAX;

	*only = SIZE_MAX;
	for (size_t i = 0; i < way->n_targets && way->targets[i].tier <= tier; i++) {
		const size_t tracked = ways->places[at][i].tracked;

		if (!way->targets[i].carries[family] || (tracked != SIZE_MAX && down[tracked]))
			continue;
		*only = tier == UINT_MAX ? i : SIZE_MAX;
		tier = way->targets[i].tier;
	}
	return tier;
}

/* ---- moves ---- */

static size_t find_way(const struct cni_state *desired, uint32_t mark)
{
	size_t low = 0, high = desired->n_ways;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (desired->ways[middle].mark < mark)
			low = middle + 1;
		else
			high = middle;
	}
	return low < desired->n_ways && desired->ways[low].mark == mark ? low : SIZE_MAX;
}

static const struct cni_st_pin *find_pin(const struct cni_state *desired, uint32_t mark, const char *target)
{
	size_t low = 0, high = desired->n_pins;

	while (low < high) {
		const size_t middle = (low + high) / 2;
		const struct cni_st_pin *pin = &desired->pins[middle];

		if (pin->mark < mark || (pin->mark == mark && strcmp(pin->target, target) < 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low < desired->n_pins && desired->pins[low].mark == mark && !strcmp(desired->pins[low].target, target)
		       ? &desired->pins[low]
		       : NULL;
}

/* What a translated flow is bound to while one target carries it alone, as far as the policy tells. */
static void keep_address_of(const struct rt_ways *ways, size_t at, size_t only, struct rt_flow_move *move)
{
	const struct cni_target *targets = ways->model->targets;

	if (only == SIZE_MAX || ways->places[at][only].target >= ways->model->n_targets)
		return;
	move->has_keep = targets[ways->places[at][only].target].iface[move->family].has_address;
	move->keep = targets[ways->places[at][only].target].iface[move->family].address.addr;
}

/* Of two tiers on two days: a better one is back. */
static bool comes_back(unsigned int before, unsigned int after)
{
	return after < before && before != UINT_MAX;
}

struct rt_flow_moves rt_flows_that_stay(struct cni_arena *arena, const struct rt_ways *ways, const bool *from,
					const bool *to)
{
	const struct cni_state *desired = ways->desired;
	struct rt_flow_moves moves = { 0 };

	for (size_t w = 0; w < desired->n_ways && ways->model->options.failback != CNI_FAILBACK_FLUSH; w++)
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
			size_t before_only, after_only;
			const unsigned int before = rt_way_tier(ways, w, f, from, &before_only),
					   after = rt_way_tier(ways, w, f, to, &after_only);
			const struct cni_st_pin *pin;

			if (desired->ways[w].is_return || !comes_back(before, after) || before_only == SIZE_MAX)
				continue;
			pin = find_pin(desired, desired->ways[w].mark, desired->ways[w].targets[before_only].target);
			if (pin)
				*cni_push(arena, moves.items, moves.n_items) = (struct rt_flow_move){
					.mark = pin->mark, .family = f, .marks = true, .to = pin->pinned
				};
		}
	return moves;
}

/* Whether the targets that share a tier are others than before. */
static bool shares_change(const struct rt_ways *ways, size_t at, unsigned int tier, const bool *from, const bool *to)
{
	const struct cni_st_way *way = &ways->desired->ways[at];

	for (size_t i = 0; i < way->n_targets; i++) {
		const size_t tracked = ways->places[at][i].tracked;

		if (way->targets[i].tier == tier && tracked != SIZE_MAX && from[tracked] != to[tracked])
			return true;
	}
	return false;
}

struct rt_flow_moves rt_flows_that_moved(struct cni_arena *arena, const struct rt_ways *ways, const bool *from,
					 const bool *to)
{
	const struct cni_state *desired = ways->desired;
	struct rt_flow_moves moves = { 0 };

	for (size_t w = 0; w < desired->n_ways; w++)
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
			size_t before_only, after_only;
			const unsigned int before = rt_way_tier(ways, w, f, from, &before_only),
					   after = rt_way_tier(ways, w, f, to, &after_only);
			struct rt_flow_move move = { .mark = desired->ways[w].mark, .family = f, .forget = true };

			/* those that have no way now keep what they are bound to: it may come back */
			if (desired->ways[w].is_return || !desired->ways[w].nats || after == UINT_MAX ||
			    (before == after && !shares_change(ways, w, after, from, to)))
				continue;
			keep_address_of(ways, w, after_only, &move);
			/* from no way at all: bound to whatever it was before that */
			if (before != UINT_MAX || move.has_keep)
				*cni_push(arena, moves.items, moves.n_items) = move;
		}
	return moves;
}

static int by_mark(const void *a, const void *b)
{
	const struct rt_flow_move *x = a, *y = b;

	return x->mark != y->mark ? (x->mark > y->mark) - (x->mark < y->mark) : (int)x->family - (int)y->family;
}

struct rt_flow_moves rt_flows_that_return(struct cni_arena *arena, const struct rt_ways *ways, const bool *down)
{
	const struct cni_state *desired = ways->desired;
	struct rt_flow_moves moves = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < desired->n_pins; i++) {
		const struct cni_st_pin *pin = &desired->pins[i];
		const size_t own = find_way(desired, pin->mark), pinned = find_way(desired, pin->pinned);

		if (own == SIZE_MAX || pinned == SIZE_MAX || desired->ways[own].is_pinned ||
		    !desired->ways[pinned].is_pinned)
			continue;
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
			struct rt_flow_move *move = cni_push(arena, moves.items, moves.n_items);
			size_t only;

			*move = (struct rt_flow_move){
				.mark = pin->pinned, .family = f, .marks = true, .to = pin->mark
			};
			move->forget = desired->ways[own].nats && rt_way_tier(ways, own, f, down, &only) != UINT_MAX;
			if (move->forget)
				keep_address_of(ways, own, only, move);
		}
	}
	if (moves.n_items)
		qsort(moves.items, moves.n_items, sizeof(*moves.items), by_mark);
	/* a way may be that of several others, which differ only in what comes behind */
	for (size_t i = 0; i < moves.n_items; i++)
		if (!n || by_mark(&moves.items[n - 1], &moves.items[i]))
			moves.items[n++] = moves.items[i];
	moves.n_items = n;
	return moves;
}
