/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layers.c - see layers.h. */
#include "compiler/lower/layers.h"

#include "compiler/lower/boxes.h"
#include "compiler/region/index.h"

#define WORK (UINT64_C(1) << 30) /* ranges that are read; 100,000 routes of five fields take about 2^24 */
#define BOXES_MAX                                                                                                      \
	256 /* of one route of several fields; one with more is rules, which are few where its sets are large */
#define DSCP_MAX 4 /* code points that a route may name, each of which takes a rule before a map */

static uint64_t dscp_of(const struct cni_region *region)
{
	const struct cni_ranges *view = &region->view[CNI_VIEW_DSCP];
	uint64_t bits = 0;

	for (size_t i = 0; i < view->n_v4; i++)
		for (uint32_t d = view->v4[i].lo; d <= view->v4[i].hi; d++)
			bits |= UINT64_C(1) << d;
	return bits;
}

static enum route_kind kind_of(const struct layered_route *route, const struct cni_region *all)
{
	bool limits[CNI_N_VIEWS], others = false;

	for (enum cni_view v = 0; v < CNI_N_VIEWS; v++) {
		limits[v] = !cni_ranges_equal(&route->region.view[v], &all->view[v]);
		others |= limits[v] && v != CNI_VIEW_FROM && v != CNI_VIEW_TO;
	}
	if (!others && limits[CNI_VIEW_FROM] != limits[CNI_VIEW_TO])
		return limits[CNI_VIEW_FROM] ? ROUTE_FROM : ROUTE_TO;
	if ((route->dscp != UINT64_MAX && __builtin_popcountll(route->dscp) > DSCP_MAX) ||
	    boxes_count(&route->region, all, BOXES_MAX) > BOXES_MAX)
		return ROUTE_RULES;
	return ROUTE_FIELDS;
}

static bool share_a_map(const struct layered_route *a, const struct layered_route *b)
{
	return a->kind == b->kind && (a->kind == ROUTE_FROM || a->kind == ROUTE_TO);
}

/* Behind every route above that it meets. */
static size_t layer_of(struct lower *l, const struct cni_region_index *index, const struct layered_route *routes,
		       const struct layered_route *route, struct cni_work *work)
{
	size_t n, layer = 0, *above = cni_region_index_find(index, l->arena, &route->region, work, &n);

	for (size_t i = n; i--;) {
		const struct layered_route *other = &routes[above[i]];
		const size_t behind = other->layer + !share_a_map(other, route);

		if (behind > layer && cni_regions_meet(&other->region, &route->region, work))
			layer = behind;
	}
	return layer;
}

bool layers_of(struct lower *l, const struct cni_policy *policy, enum cni_family family, struct layered_route **routes,
	       size_t *n, struct cni_region *all)
{
	struct cni_work work = { .left = WORK };
	struct cni_region *regions = cni_new_array(l->arena, struct cni_region, policy->n_routes);
	struct cni_region_index *index;

	*all = cni_region_all(l->arena, family);
	*routes = cni_new_array(l->arena, struct layered_route, policy->n_routes);
	*n = 0;
	for (size_t i = 0; i < policy->n_routes; i++) {
		struct layered_route *route = &(*routes)[*n];

		route->region = cni_region_of_match(l->arena, all, &policy->routes[i].match, &work);
		if (cni_region_is_empty(&route->region))
			continue;
		route->at = i;
		route->dscp = dscp_of(&route->region);
		route->kind = kind_of(route, all);
		regions[(*n)++] = route->region;
	}
	index = cni_region_index_new(l->arena, all, regions, *n);
	for (size_t i = 0; i < *n && !work.spent; i++) {
		(*routes)[i].layer = layer_of(l, index, *routes, &(*routes)[i], &work);
		cni_region_index_add(index, i);
	}
	return !work.spent;
}
