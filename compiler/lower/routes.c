/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routes.c - the routes of a policy: a chain for each, and how a packet comes to the first that it matches.
 *
 * Few routes are rules, in order. Many that can be decided together (layers.h) are a map (map.h). Where there is a map,
 * each family has a chain of its own, in which the layers stand in order. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/lower/layers.h"
#include "compiler/lower/map.h"
#include "compiler/lower/match.h"
#include "compiler/lower/nft.h"

/* Fewer routes are asked for one after the other: a rule costs about an eighth of what a look-up in a map does. */
#define ROUTES_OF_A_MAP 8

/* ---- where a route leads ---- */

/* Shares by weight among the members that carry the family: by the hash of the flow, so that a flow's packets
 * agree even before conntrack knows it. The last one needs no test. */
static void pick_member(struct lower *l, struct chain *chain, const struct cni_path *path, const struct ways *ways,
			enum cni_family family, const char *with_ports, struct cni_span span)
{
	const struct cni_target *targets = l->model->targets;
	uint32_t sum = 0, below = 0;
	size_t last = 0;

	for (size_t i = 0; i < path->n_members; i++)
		if (targets[path->members[i].target].carries[family]) {
			sum += path->members[i].weight;
			last = i;
		}
	for (size_t i = 0; i <= last; i++) {
		struct cni_st_rule_nft *r;

		if (i != last && !targets[path->members[i].target].carries[family])
			continue;
		r = chain_rule(l, chain, span);
		below += path->members[i].weight;
		if_family(l, r, family);
		if (with_ports)
			if_proto_in_set(l, r, with_ports);
		if (i != last)
			if_hash_below(l, r, family, with_ports, sum, below);
		do_verdict(l, r, NFT_GOTO, l->ways[ways->index[i]].save_chain);
	}
}

static void pick(struct lower *l, struct chain *chain, const struct cni_path *path, const struct ways *ways,
		 struct cni_span span)
{
	static const uint8_t with_ports[] = { 6, 17, 33, 132, 136 }; /* tcp, udp, dccp, sctp, udplite */
	struct set set = { 0 };
	const char *name;

	set_key_field(&set, CNI_KEY_PROTO);
	for (size_t i = 0; i < sizeof(with_ports); i++)
		set_add(l, &set, &with_ports[i], 0, NULL);
	name = set_done(l, &set, "with-ports");
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		pick_member(l, chain, path, ways, f, name, span);
		pick_member(l, chain, path, ways, f, NULL, span);
	}
}

static const char *route_chain(struct lower *l, const char *policy, const char *route, const struct cni_path *path,
			       const struct ways *ways, struct cni_span span)
{
	const char *name = cni_printf(l->arena, "route.%s.%s", policy, route);
	struct chain chain = { 0 };

	if (strlen(name) > 240)
		cni_diag(l->diags, CNI502, span, "`%.20s…` and `%.20s…` make a name of %zu bytes", policy, route,
			 strlen(name));
	counter_add(l, name, NULL, span);
	do_counter(l, chain_rule(l, &chain, span), name);
	if (!ways->n_index) {
		do_verdict(l, chain_rule(l, &chain, span), NF_DROP, NULL);
	} else if (ways->n_index == 1) {
		do_verdict(l, chain_rule(l, &chain, span), NFT_GOTO, l->ways[ways->index[0]].save_chain);
	} else {
		pick(l, &chain, path, ways, span);
	}
	return chain_done(l, &chain, name);
}

/* ---- layers ---- */

struct decision {
	struct lower *l;
	const struct cni_policy *policy;
	const char **then; /* of each route: its chain */
	struct layered_route *routes[CNI_N_FAMILIES];
	size_t n_routes[CNI_N_FAMILIES];
	struct cni_region all[CNI_N_FAMILIES];
};

/* By layer, in it by what one map can hold, in that in their order. */
static int by_layer(const void *a, const void *b)
{
	const struct layered_route *x = a, *y = b;

	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->dscp != y->dscp)
		return x->dscp < y->dscp ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* How many from `at` on could be one map. */
static size_t run_from(const struct decision *d, enum cni_family family, size_t at)
{
	const struct layered_route *routes = d->routes[family];
	size_t n = 1;

	while (at + n < d->n_routes[family] && routes[at + n].layer == routes[at].layer &&
	       routes[at + n].kind == routes[at].kind && routes[at + n].dscp == routes[at].dscp)
		n++;
	return n;
}

static bool is_map(const struct decision *d, enum cni_family family, size_t at, size_t n)
{
	const size_t least = d->l->prior->map_min ? d->l->prior->map_min : ROUTES_OF_A_MAP;

	return d->routes[family][at].kind != ROUTE_RULES && n >= least;
}

static bool any_map(const struct decision *d)
{
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		for (size_t at = 0, n; at < d->n_routes[f]; at += n) {
			n = run_from(d, f, at);
			if (is_map(d, f, at, n))
				return true;
		}
	return false;
}

/* ---- maps ---- */

static struct cni_span span_of(const struct decision *d, const struct layered_route *route)
{
	return d->policy->routes[route->at].ast->span;
}

/* A range of addresses of a route, on its way to being cut where an earlier route has a part of it. */
struct piece {
	struct cni_range6 range;
	size_t at; /* of the route */
};

static int by_beginning(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->range.lo != y->range.lo)
		return x->range.lo < y->range.lo ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Ranges that are open at a point of the sweep; the first route is on top. */
struct heap {
	struct piece *items;
	size_t n;
};

static bool is_before(const struct heap *heap, size_t a, size_t b)
{
	return heap->items[a].at < heap->items[b].at;
}

static void swap(struct heap *heap, size_t a, size_t b)
{
	const struct piece item = heap->items[a];

	heap->items[a] = heap->items[b];
	heap->items[b] = item;
}

static void heap_push(struct heap *heap, struct piece item)
{
	size_t at = heap->n++;

	heap->items[at] = item;
	for (; at && is_before(heap, at, (at - 1) / 2); at = (at - 1) / 2)
		swap(heap, at, (at - 1) / 2);
}

static void heap_pop(struct heap *heap)
{
	heap->items[0] = heap->items[--heap->n];
	for (size_t at = 0, child; (child = 2 * at + 1) < heap->n; at = child) {
		child += child + 1 < heap->n && is_before(heap, child + 1, child);
		if (!is_before(heap, child, at))
			break;
		swap(heap, at, child);
	}
}

static void add_range(struct decision *d, struct boxes *boxes, enum column column, cni_u128 lo, cni_u128 hi, size_t at)
{
	struct box *last = boxes->n_items ? &boxes->items[boxes->n_items - 1] : NULL;

	if (last && last->then == d->then[at] && last->range[column].hi + 1 == lo) {
		last->range[column].hi = hi;
		return;
	}
	last = cni_push(d->l->arena, boxes->items, boxes->n_items);
	last->limits = LIMITS(column);
	last->then = d->then[at];
	last->range[column] = (struct cni_range6){ lo, hi };
}

/* Every address leads to the first route that has it: a sweep over the ranges' beginnings and ends. */
static void flatten(struct decision *d, struct boxes *boxes, enum column column, const struct piece *pieces, size_t n)
{
	struct heap open = { cni_new_array(d->l->arena, struct piece, n), 0 };
	cni_u128 from = 0;

	for (size_t i = 0; i < n || open.n;) {
		cni_u128 until; /* up to here the top has all, unless another begins before */

		if (!open.n)
			from = pieces[i].range.lo;
		for (; i < n && pieces[i].range.lo == from; i++)
			heap_push(&open, pieces[i]);
		until = open.items[0].range.hi;
		if (i < n && pieces[i].range.lo <= until)
			until = pieces[i].range.lo - 1;
		add_range(d, boxes, column, from, until, open.items[0].at);
		while (open.n && open.items[0].range.hi <= until)
			heap_pop(&open);
		from = until + 1;
	}
}

static void address_boxes(struct decision *d, struct boxes *boxes, const struct layered_route *routes, size_t n)
{
	const enum cni_view view = routes->kind == ROUTE_FROM ? CNI_VIEW_FROM : CNI_VIEW_TO;
	const enum cni_family family = routes->region.family;
	struct piece *pieces = NULL;
	size_t n_pieces = 0;

	for (size_t i = 0; i < n; i++) {
		const struct cni_ranges *ranges = &routes[i].region.view[view];

		for (size_t j = 0; j < cni_ranges_count(ranges, family); j++) {
			struct piece *piece = cni_push(d->l->arena, pieces, n_pieces);

			piece->at = routes[i].at;
			piece->range = family == CNI_V4 ? (struct cni_range6){ ranges->v4[j].lo, ranges->v4[j].hi }
							: ranges->v6[j];
		}
	}
	qsort(pieces, n_pieces, sizeof(*pieces), by_beginning);
	flatten(d, boxes, routes->kind == ROUTE_FROM ? COL_FROM : COL_TO, pieces, n_pieces);
}

static void add_map(struct decision *d, struct chain *chain, const struct layered_route *routes, size_t n)
{
	static const char *const words[] = { [ROUTE_FROM] = "from", [ROUTE_TO] = "to", [ROUTE_FIELDS] = "fields" };
	const struct map map = {
		.family = routes->region.family,
		.label = cni_printf(d->l->arena, "%.80s.%s", d->policy->name, words[routes->kind]),
		.span = span_of(d, routes),
		.dscp = routes->kind == ROUTE_FIELDS ? routes->dscp : UINT64_MAX,
	};
	struct boxes boxes = { 0 };

	if (routes->kind != ROUTE_FIELDS)
		address_boxes(d, &boxes, routes, n);
	for (size_t i = 0; routes->kind == ROUTE_FIELDS && i < n; i++)
		boxes_add(d->l, &boxes, &routes[i].region, &d->all[map.family], d->then[routes[i].at]);
	lower_map(d->l, chain, &map, boxes.items, boxes.n_items);
}

static void add_family(struct decision *d, struct chain *chain, enum cni_family family)
{
	struct layered_route *routes = d->routes[family];

	for (size_t at = 0, n; at < d->n_routes[family]; at += n) {
		n = run_from(d, family, at);
		if (is_map(d, family, at, n)) {
			add_map(d, chain, routes + at, n);
			continue;
		}
		for (size_t i = at; i < at + n; i++)
			lower_match(d->l, chain, &d->policy->routes[routes[i].at].match, span_of(d, &routes[i]),
				    d->then[routes[i].at], family);
	}
}

/* ---- all of them ---- */

static bool find_layers(struct decision *d)
{
	if (d->policy->n_routes < (d->l->prior->map_min ? d->l->prior->map_min : ROUTES_OF_A_MAP))
		return false;
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		if (!layers_of(d->l, d->policy, f, &d->routes[f], &d->n_routes[f], &d->all[f]))
			return false;
		if (d->n_routes[f])
			qsort(d->routes[f], d->n_routes[f], sizeof(*d->routes[f]), by_layer);
	}
	return any_map(d);
}

/* What no route matches. */
static void add_otherwise(struct decision *d, struct chain *chain, const char *otherwise)
{
	if (otherwise)
		do_verdict(d->l, chain_rule(d->l, chain, d->policy->decl->otherwise_span), NFT_GOTO, otherwise);
}

void lower_routes(struct lower *l, size_t index, struct chain *chain)
{
	const struct cni_policy *policy = &l->model->policies[index];
	const struct cni_path path = { .verdict = policy->otherwise };
	struct decision d = { .l = l,
			      .policy = policy,
			      .then = cni_new_array(l->arena, const char *, policy->n_routes) };
	const char *otherwise = NULL;

	for (size_t i = 0; i < policy->n_routes; i++)
		d.then[i] = route_chain(l, policy->name, policy->routes[i].name, &policy->routes[i].path,
					&l->routes[index][i], policy->routes[i].ast->span);
	if (policy->otherwise != CNI_VERDICT_NONE)
		otherwise = route_chain(l, policy->name, "else", &path, &l->routes[index][policy->n_routes],
					policy->decl->otherwise_span);
	if (!find_layers(&d)) {
		for (size_t i = 0; i < policy->n_routes; i++)
			lower_match(l, chain, &policy->routes[i].match, policy->routes[i].ast->span, d.then[i],
				    CNI_N_FAMILIES);
		add_otherwise(&d, chain, otherwise);
		return;
	}
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		struct cni_st_rule_nft *r = chain_rule(l, chain, policy->decl->name.span);
		struct chain family = { .span = policy->decl->name.span };

		add_family(&d, &family, f);
		add_otherwise(&d, &family, otherwise);
		if_family(l, r, f);
		do_verdict(l, r, NFT_GOTO,
			   chain_done(l, &family,
				      cni_printf(l->arena, "policy.%.80s.%s", policy->name, f == CNI_V4 ? "4" : "6")));
	}
}
