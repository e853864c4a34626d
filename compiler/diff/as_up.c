/* SPDX-License-Identifier: GPL-2.0-or-later */
/* as_up.c - the plan of a day when nothing is down; see plan.h. */
#include <stdlib.h>
#include <string.h>

#include "compiler/plan.h"
#include "compiler/state/down.h"

/* ---- tables that the policy has ---- */

struct tables {
	uint32_t *items; /* ascending */
	size_t n_items;
};

static int by_number(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int by_mark(const void *a, const void *b)
{
	const struct cni_st_way *x = a, *y = b;

	return (x->mark > y->mark) - (x->mark < y->mark);
}

/* Not so a path of the policy before, whose table is as it was observed. */
static bool is_of_policy(const struct cni_state *desired, const struct cni_st_rule *rule)
{
	const struct cni_st_way key = { .mark = rule->mark };

	if (!cni_rule_is_by_mark(rule))
		return true;
	return desired->n_ways && bsearch(&key, desired->ways, desired->n_ways, sizeof(key), by_mark);
}

/* Those that rules lead to: of the policy, or any. */
static struct tables tables_of(struct cni_arena *arena, const struct cni_state *state, bool of_policy)
{
	struct tables tables = { 0 };

	for (size_t i = 0; i < state->n_rules; i++)
		if (state->rules[i].owned && (!of_policy || is_of_policy(state, &state->rules[i])))
			*cni_push(arena, tables.items, tables.n_items) = state->rules[i].table;
	if (tables.n_items)
		qsort(tables.items, tables.n_items, sizeof(*tables.items), by_number);
	return tables;
}

static bool has_table(const struct tables *tables, uint32_t table)
{
	return tables->n_items && bsearch(&table, tables->items, tables->n_items, sizeof(table), by_number);
}

/* ---- routes ---- */

static int by_key(const void *a, const void *b)
{
	return cni_route_cmp(a, b);
}

static const struct cni_st_route *find(const struct cni_state *state, const struct cni_st_route *key)
{
	return state->n_routes ? bsearch(key, state->routes, state->n_routes, sizeof(*key), by_key) : NULL;
}

/* Whether the route of that key is in both, and the same, or in neither. */
static bool same_in(const struct cni_state *a, const struct cni_state *b, const struct cni_st_route *key)
{
	const struct cni_st_route *x = find(a, key), *y = find(b, key);

	return x && y ? x->owned == y->owned && cni_route_same(x, y) : !x && !y;
}

/* What differs today, and is in the kernel as it is to be today, would be there as on all days. */
static void put_back(struct cni_arena *arena, struct cni_state *up, const struct cni_state *observed,
		     const struct cni_state *desired)
{
	const struct tables live = tables_of(arena, observed, false);

	for (size_t i = 0; i < desired->n_all_routes; i++) {
		const struct cni_st_route *route = &desired->all_routes[i];
		const struct cni_st_route *now = find(desired, route);

		if (has_table(&live, route->table) && !(now && now->n_hops == route->n_hops) &&
		    same_in(observed, desired, route))
			*cni_push(arena, up->routes, up->n_routes) = *route;
	}
}

/* Those of `from` that say nothing of today, and of which there is not another in `up`, which is sorted. */
static void add(struct cni_arena *arena, struct cni_state *up, const struct cni_st_route *from, size_t n,
		const struct tables *kept)
{
	const struct cni_state before = *up;

	for (size_t i = 0; i < n; i++)
		if (!from[i].owned || !(cni_route_says_down(&from[i]) || find(&before, &from[i]) ||
					(from[i].n_hops && !has_table(kept, from[i].table))))
			*cni_push(arena, up->routes, up->n_routes) = from[i];
	cni_state_sort_routes(up);
}

struct cni_plan *cni_plan_as_up(struct cni_arena *arena, const struct cni_state *observed,
				const struct cni_state *desired, struct cni_diags *diags)
{
	const struct tables kept = tables_of(arena, desired, true);
	struct cni_state *up = cni_new(arena, struct cni_state), *wanted = cni_new(arena, struct cni_state);

	*up = *observed;
	*wanted = *desired;
	up->routes = wanted->routes = NULL;
	up->n_routes = wanted->n_routes = 0;
	put_back(arena, up, observed, desired);
	add(arena, up, observed->routes, observed->n_routes, &kept);
	add(arena, wanted, desired->all_routes, desired->n_all_routes, &kept);
	return cni_plan(arena, up, wanted, diags);
}
