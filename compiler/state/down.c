/* SPDX-License-Identifier: GPL-2.0-or-later */
/* down.c - see down.h. */
#include "compiler/state/down.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/text.h"

#define OFFSET 16383 /* of the table: the highest number that a path's id could be, were it not kept free (lower.h) */

uint32_t cni_down_metric(const char *target)
{
	const uint32_t hash = cni_text_hash(target);

	return hash && hash != CNI_GUARD_METRIC ? hash : 1;
}

uint32_t cni_down_table(uint32_t first_table)
{
	return first_table + OFFSET;
}

static struct cni_st_route route_of(uint32_t table, const char *target)
{
	return (struct cni_st_route){ .table = table,
				      .family = CNI_V4,
				      .to.addr.family = CNI_V4,
				      .metric = cni_down_metric(target),
				      .owned = true,
				      .type = CNI_RT_UNREACHABLE };
}

struct cni_st_route cni_down_route(uint32_t first_table, const char *target)
{
	return route_of(cni_down_table(first_table), target);
}

bool cni_route_says_down(const struct cni_st_route *route)
{
	return route->owned && route->type == CNI_RT_UNREACHABLE && route->family == CNI_V4 && !route->to.len &&
	       route->metric != CNI_GUARD_METRIC;
}

bool cni_is_down(const struct cni_state *state, const char *target)
{
	const uint32_t metric = cni_down_metric(target);

	for (size_t i = 0; i < state->n_routes; i++)
		if (state->routes[i].metric == metric && cni_route_says_down(&state->routes[i]))
			return true;
	return false;
}

static int by_key(const void *a, const void *b)
{
	return cni_route_cmp(a, b);
}

bool cni_is_down_for(const struct cni_state *state, uint32_t first_table, const char *target)
{
	const struct cni_st_route key = cni_down_route(first_table, target), *found = NULL;

	if (state->n_routes)
		found = bsearch(&key, state->routes, state->n_routes, sizeof(key), by_key);
	return found && cni_route_says_down(found);
}

/* From the one at i on; n_routes: there is no other. */
static size_t next_down(const struct cni_state *state, size_t i)
{
	while (i < state->n_routes && !cni_route_says_down(&state->routes[i]))
		i++;
	return i;
}

bool cni_same_down(const struct cni_state *a, const struct cni_state *b)
{
	size_t i = next_down(a, 0), j = next_down(b, 0);

	while (i < a->n_routes && j < b->n_routes && !cni_route_cmp(&a->routes[i], &b->routes[j])) {
		i = next_down(a, i + 1);
		j = next_down(b, j + 1);
	}
	return i == a->n_routes && j == b->n_routes;
}

/* ---- what routes there are to be ---- */

struct names {
	const char **items; /* ascending */
	size_t n_items;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_metric(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool is_up(const struct names *down, const struct cni_st_hop *hop)
{
	return !hop->target || !bsearch(&hop->target, down->items, down->n_items, sizeof(*down->items), by_name);
}

static size_t count_up(const struct names *down, const struct cni_st_route *route)
{
	size_t n = 0;

	for (size_t i = 0; i < route->n_hops; i++)
		n += is_up(down, &route->hops[i]);
	return n;
}

/* Of those from `route` on, which lead to the same prefix. */
static size_t alike(const struct cni_st_route *route, const struct cni_st_route *end)
{
	size_t n = 1;

	while (route + n < end && route[n].table == route->table && route[n].family == route->family &&
	       cni_prefix_equal(route[n].to, route->to))
		n++;
	return n;
}

/* follow() made room for all. */
static void add(struct cni_state *state, const struct cni_st_route *route)
{
	state->routes[state->n_routes++] = *route;
}

/* With the next hops that are up, of which there are some. */
static void add_what_is_up(struct cni_arena *arena, struct cni_state *state, const struct cni_st_route *route,
			   const struct names *down)
{
	struct cni_st_route part = *route;

	part.hops = cni_new_array(arena, struct cni_st_hop, route->n_hops);
	part.n_hops = 0;
	for (size_t i = 0; i < route->n_hops; i++)
		if (is_up(down, &route->hops[i]))
			part.hops[part.n_hops++] = route->hops[i];
	if (part.n_hops == 1)
		part.hops->weight = 1; /* as the kernel has it */
	add(state, &part);
}

static void add_alike(struct cni_arena *arena, struct cni_state *state, const struct cni_st_route *routes, size_t n,
		      const struct names *down)
{
	size_t n_all = 0;

	for (size_t i = 0; i < n; i++)
		n_all += count_up(down, &routes[i]);
	for (size_t i = 0; i < n; i++) {
		const struct cni_st_route *route = &routes[i];
		const size_t n_up = count_up(down, route);

		if (n_up == route->n_hops || route->when_down == CNI_DOWN_STAYS ||
		    (route->when_down == CNI_DOWN_UNLESS_ALL && !n_all))
			add(state, route);
		else if (n_up)
			add_what_is_up(arena, state, route, down);
	}
}

static void add_down(struct cni_arena *arena, struct cni_state *state, const struct names *down)
{
	uint32_t *metrics = cni_new_array(arena, uint32_t, down->n_items);
	struct cni_st_route route = route_of(state->down_table, "");

	for (size_t i = 0; i < down->n_items; i++)
		metrics[i] = cni_down_metric(down->items[i]);
	qsort(metrics, down->n_items, sizeof(*metrics), by_metric);
	for (size_t i = 0; i < down->n_items; i++) {
		route.metric = metrics[i];
		add(state, &route);
	}
}

/* Those of tables up to `table`; returns the first of the others. */
static const struct cni_st_route *follow_up_to(struct cni_arena *arena, struct cni_state *state,
					       const struct cni_st_route *route, uint32_t table,
					       const struct names *down)
{
	const struct cni_st_route *end = state->all_routes + state->n_all_routes;

	while (route < end && route->table <= table) {
		const size_t n = alike(route, end);

		add_alike(arena, state, route, n, down);
		route += n;
	}
	return route;
}

static void follow(struct cni_arena *arena, struct cni_state *state, const struct names *down)
{
	const struct cni_st_route *route = state->all_routes;

	state->routes = state->all_routes;
	state->n_routes = state->n_all_routes;
	if (!down->n_items)
		return;
	state->routes = cni_new_array(arena, struct cni_st_route, state->n_all_routes + down->n_items);
	state->n_routes = 0;
	route = follow_up_to(arena, state, route, state->down_table, down);
	add_down(arena, state, down);
	(void)follow_up_to(arena, state, route, UINT32_MAX, down);
}

void cni_state_follow(struct cni_arena *arena, struct cni_state *desired, const struct cni_state *said)
{
	struct names down = { 0 };
	uint32_t *metrics = NULL;
	size_t n = 0;

	for (size_t i = 0; i < said->n_routes; i++)
		if (said->routes[i].table == desired->down_table && cni_route_says_down(&said->routes[i]))
			*cni_push(arena, metrics, n) = said->routes[i].metric;
	if (n)
		qsort(metrics, n, sizeof(*metrics), by_metric);
	for (size_t i = 0; n && i < desired->n_tracked; i++) {
		const uint32_t metric = cni_down_metric(desired->tracked[i]);

		if (bsearch(&metric, metrics, n, sizeof(metric), by_metric))
			*cni_push(arena, down.items, down.n_items) = desired->tracked[i];
	}
	follow(arena, desired, &down);
}

void cni_state_follow_names(struct cni_arena *arena, struct cni_state *desired, const char *const *names, size_t n)
{
	struct names down = { 0 }, said = { cni_new_array(arena, const char *, n), n };

	if (n) {
		memcpy(said.items, names, n * sizeof(*names));
		qsort(said.items, n, sizeof(*said.items), by_name);
	}
	for (size_t i = 0; n && i < desired->n_tracked; i++)
		if (bsearch(&desired->tracked[i], said.items, n, sizeof(*said.items), by_name))
			*cni_push(arena, down.items, down.n_items) = desired->tracked[i];
	follow(arena, desired, &down);
}
