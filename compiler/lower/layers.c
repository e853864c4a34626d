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
	    boxes_count(&route->region, BOXES_MAX) > BOXES_MAX)
		return ROUTE_RULES;
	return ROUTE_FIELDS;
}

static bool share_a_map(const struct layered_route *a, const struct layered_route *b)
{
	return a->kind == b->kind && (a->kind == ROUTE_FROM || a->kind == ROUTE_TO);
}

/* ---- shapes ---- */

/* The routes that limit the same fields of a packet. Those that limit no field in common always meet: of them only the last
 * layer counts. Protocol, ports and types are one field, since a port belongs to a protocol. */
enum { SHAPE_FROM = 1, SHAPE_TO = 2, SHAPE_SERVICE = 4, SHAPE_DSCP = 8, N_SHAPES = 16 };

struct shape {
	struct cni_region *regions;
	size_t *routes; /* whose they are */
	size_t n, n_placed; /* so many of them have their layer */
	struct cni_region_index *index;
	size_t last; /* layer */
};

struct placing {
	struct cni_arena *aside; /* of the shapes, until all have their layers */
	struct cni_arena *scratch; /* of one route, which may meet all others */
	struct layered_route *routes;
	unsigned int *shape_of; /* each route */
	struct shape shapes[N_SHAPES];
	struct cni_work work;
};

static unsigned int shape_of(const struct cni_region *region, const struct cni_region *all)
{
	static const unsigned int bits[CNI_N_VIEWS] = {
		[CNI_VIEW_FROM] = SHAPE_FROM,	  [CNI_VIEW_TO] = SHAPE_TO,	   [CNI_VIEW_SPORT] = SHAPE_SERVICE,
		[CNI_VIEW_DPORT] = SHAPE_SERVICE, [CNI_VIEW_TYPE] = SHAPE_SERVICE, [CNI_VIEW_DSCP] = SHAPE_DSCP,
	};
	unsigned int shape = 0;

	for (enum cni_view v = 0; v < CNI_N_VIEWS; v++)
		shape |= cni_ranges_equal(&region->view[v], &all->view[v]) ? 0 : bits[v];
	return shape;
}

static void find_shapes(struct placing *p, size_t n, const struct cni_region *all)
{
	p->shape_of = cni_new_array(p->aside, unsigned int, n);
	for (size_t i = 0; i < n; i++) {
		struct shape *shape = &p->shapes[p->shape_of[i] = shape_of(&p->routes[i].region, all)];
		size_t n_routes = shape->n;

		*cni_push(p->aside, shape->routes, n_routes) = i;
		*cni_push(p->aside, shape->regions, shape->n) = p->routes[i].region;
	}
	for (unsigned int s = 0; s < N_SHAPES; s++)
		p->shapes[s].index = cni_region_index_new(p->aside, all, p->shapes[s].regions, p->shapes[s].n);
}

/* ---- layers ---- */

/* Behind every route of the shape that it meets, of those that have their layer. */
static size_t behind(struct placing *p, const struct shape *shape, const struct layered_route *route)
{
	size_t n, layer = 0, *above = cni_region_index_find(shape->index, p->scratch, &route->region, &p->work, &n);

	for (size_t i = n; i-- && cni_work_charge(&p->work, 1);) {
		const struct layered_route *other = &p->routes[shape->routes[above[i]]];
		const size_t next = other->layer + !share_a_map(other, route);

		if (next > layer && cni_regions_meet(&other->region, &route->region, &p->work))
			layer = next;
	}
	return layer;
}

static void place(struct placing *p, size_t at)
{
	struct layered_route *route = &p->routes[at];
	struct shape *own = &p->shapes[p->shape_of[at]];

	for (unsigned int s = 0; s < N_SHAPES; s++) {
		const struct shape *shape = &p->shapes[s];
		size_t layer = 0;

		if (shape->n_placed)
			layer = s & p->shape_of[at] ? behind(p, shape, route) : shape->last + 1;
		route->layer = layer > route->layer ? layer : route->layer;
	}
	own->last = route->layer > own->last ? route->layer : own->last;
	cni_region_index_add(own->index, own->n_placed++);
	cni_arena_clear(p->scratch);
}

bool layers_of(struct lower *l, const struct cni_policy *policy, enum cni_family family, struct layered_route **routes,
	       size_t *n, struct cni_region *all)
{
	struct placing p = { .aside = cni_arena_new(),
			     .scratch = cni_arena_new(),
			     .routes = cni_new_array(l->scratch, struct layered_route, policy->n_routes),
			     .work = { .left = WORK } };

	*all = cni_region_all(l->scratch, family);
	*routes = p.routes;
	*n = 0;
	for (size_t i = 0; i < policy->n_routes; i++) {
		struct layered_route *route = &p.routes[*n];

		route->region = cni_region_of_match(l->scratch, all, &policy->routes[i].match, &p.work);
		if (cni_region_is_empty(&route->region))
			continue;
		route->at = i;
		route->dscp = dscp_of(&route->region);
		route->kind = kind_of(route, all);
		++*n;
	}
	find_shapes(&p, *n, all);
	for (size_t i = 0; i < *n && !p.work.spent; i++)
		place(&p, i);
	cni_arena_free(p.scratch);
	cni_arena_free(p.aside);
	return !p.work.spent;
}
