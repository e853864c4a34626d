/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routes.c - the routes of a policy: a chain for each, and how a packet comes to the first that it matches.
 *
 * Few routes are rules, in order. Many that can be decided together (layers.h) are a map (map.h). Where there is a map,
 * each family has a chain of its own, in which the layers stand in order. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/lower/flatten.h"
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
	struct cni_st_rule_nft *r;
	struct chain chain = { 0 };

	if (strlen(name) > 240)
		cni_diag(l->diags, CNI502, span, "`%.20s…` and `%.20s…` make a name of %zu bytes", policy, route,
			 strlen(name));
	counter_add(l, name, NULL, span);
	r = chain_rule(l, &chain, span);
	do_counter(l, r, name);
	if (!ways->n_index)
		do_verdict(l, r, NF_DROP, NULL);
	else if (ways->n_index == 1)
		do_verdict(l, r, NFT_GOTO, l->ways[ways->index[0]].save_chain);
	else
		pick(l, &chain, path, ways, span);
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

static void address_boxes(struct decision *d, struct boxes *boxes, const struct layered_route *routes, size_t n)
{
	const enum cni_view view = routes->kind == ROUTE_FROM ? CNI_VIEW_FROM : CNI_VIEW_TO;
	const enum cni_family family = routes->region.family;
	struct route_range *pieces = NULL;
	size_t n_pieces = 0;

	for (size_t i = 0; i < n; i++) {
		const struct cni_ranges *ranges = &routes[i].region.view[view];

		for (size_t j = 0; j < cni_ranges_count(ranges, family); j++) {
			struct route_range *piece = cni_push(d->l->scratch, pieces, n_pieces);

			piece->at = routes[i].at;
			piece->range = family == CNI_V4 ? (struct cni_range6){ ranges->v4[j].lo, ranges->v4[j].hi }
							: ranges->v6[j];
		}
	}
	flatten(d->l, boxes, routes->kind == ROUTE_FROM ? COL_FROM : COL_TO, pieces, n_pieces, d->then);
}

static size_t add_map(struct decision *d, struct chain *chain, const struct layered_route *routes, size_t n)
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
	return lower_map(d->l, chain, &map, boxes.items, boxes.n_items);
}

/* What is behind the routes so far: so much a packet meets that comes to the next. */
static void count(struct decision *d, size_t n_routes, size_t met)
{
	struct cni_decision_cost *cost = &d->l->cost;

	cost->most += met;
	cost->sum += n_routes * cost->most;
}

static void add_route(struct decision *d, struct chain *chain, size_t at, enum cni_family family)
{
	const size_t before = chain->n_rules;

	lower_match(d->l, chain, &d->policy->routes[at].match, d->policy->routes[at].ast->span, d->then[at], family);
	d->l->cost.n_rules += chain->n_rules - before;
	count(d, 1, chain->n_rules - before);
}

static void add_family(struct decision *d, struct chain *chain, enum cni_family family)
{
	struct layered_route *routes = d->routes[family];

	for (size_t at = 0, n; at < d->n_routes[family]; at += n) {
		n = run_from(d, family, at);
		if (is_map(d, family, at, n))
			count(d, n, add_map(d, chain, routes + at, n));
		for (size_t i = at; !is_map(d, family, at, n) && i < at + n; i++)
			add_route(d, chain, routes[i].at, family);
		d->l->cost.n_layers = routes[at].layer + 1;
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

static void make_routes(struct lower *l, size_t index, struct chain *chain)
{
	const struct cni_policy *policy = &l->model->policies[index];
	const struct cni_path path = { .verdict = policy->otherwise };
	struct decision d = { .l = l,
			      .policy = policy,
			      .then = cni_new_array(l->scratch, const char *, policy->n_routes) };
	const char *otherwise = NULL;

	for (size_t i = 0; i < policy->n_routes; i++)
		d.then[i] = route_chain(l, policy->name, policy->routes[i].name, &policy->routes[i].path,
					&l->routes[index][i], policy->routes[i].ast->span);
	if (policy->otherwise != CNI_VERDICT_NONE)
		otherwise = route_chain(l, policy->name, "else", &path, &l->routes[index][policy->n_routes],
					policy->decl->otherwise_span);
	if (!find_layers(&d)) {
		l->cost = (struct cni_decision_cost){ policy->name, CNI_N_FAMILIES, .n_routes = policy->n_routes };
		for (size_t i = 0; i < policy->n_routes; i++)
			add_route(&d, chain, i, CNI_N_FAMILIES);
		add_otherwise(&d, chain, otherwise);
		*cni_push(l->arena, l->state->costs, l->state->n_costs) = l->cost;
		return;
	}
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		struct cni_st_rule_nft *r = chain_rule(l, chain, policy->decl->name.span);
		struct chain family = { .span = policy->decl->name.span };

		l->cost = (struct cni_decision_cost){ policy->name, f, .n_routes = d.n_routes[f] };
		add_family(&d, &family, f);
		*cni_push(l->arena, l->state->costs, l->state->n_costs) = l->cost;
		add_otherwise(&d, &family, otherwise);
		if_family(l, r, f);
		do_verdict(l, r, NFT_GOTO,
			   chain_done(l, &family,
				      cni_printf(l->arena, "policy.%.80s.%s", policy->name, f == CNI_V4 ? "4" : "6")));
	}
}

/* ---- once more ---- */

/* All that the routes of a policy became: nothing of it hangs on the epoch, and with many routes it is most of the work. */
struct made {
	bool is_made;
	struct chain rules;
	struct cni_state parts;
};

/* Those that came after the first `before`. A list that goes on growing moves, or is sorted. */
#define KEEP(l, kept, list, n_list, before)                                                                            \
	((kept)->n_list = (l)->state->n_list - (before)->n_list,                                                       \
	 (kept)->list = cni_regrow((l)->scratch, (l)->state->list + (before)->n_list,                                  \
				   (kept)->n_list * sizeof(*(kept)->list), (kept)->n_list * sizeof(*(kept)->list)))

static void keep(struct lower *l, struct made *made, const struct chain *chain, size_t n_rules,
		 const struct cni_state *before)
{
	made->is_made = true;
	made->rules.n_rules = chain->n_rules - n_rules;
	made->rules.rules = cni_regrow(l->scratch, chain->rules + n_rules, made->rules.n_rules * sizeof(*chain->rules),
				       made->rules.n_rules * sizeof(*chain->rules));
	KEEP(l, &made->parts, chains, n_chains, before);
	KEEP(l, &made->parts, sets, n_sets, before);
	KEEP(l, &made->parts, counters, n_counters, before);
	KEEP(l, &made->parts, costs, n_costs, before);
}

static void put(struct lower *l, const struct made *made, struct chain *chain)
{
	const struct cni_state *parts = &made->parts;

	for (size_t i = 0; i < made->rules.n_rules; i++)
		*chain_rule(l, chain, made->rules.rules[i].span) = made->rules.rules[i];
	for (size_t i = 0; i < parts->n_chains; i++)
		chain_add(l, &parts->chains[i]);
	for (size_t i = 0; i < parts->n_sets; i++)
		set_install(l, &parts->sets[i], NULL);
	for (size_t i = 0; i < parts->n_counters; i++)
		counter_add(l, parts->counters[i].name, parts->counters[i].comment, parts->counters[i].span);
	for (size_t i = 0; i < parts->n_costs; i++)
		*cni_push(l->arena, l->state->costs, l->state->n_costs) = parts->costs[i];
}

void lower_routes(struct lower *l, size_t index, struct chain *chain)
{
	const struct cni_state before = *l->state;
	const size_t n_rules = chain->n_rules;
	struct made *made;

	if (!l->made)
		l->made = cni_new_array(l->scratch, struct made, l->model->n_policies);
	made = &l->made[index];
	if (made->is_made) {
		put(l, made, chain);
	} else {
		make_routes(l, index, chain);
		if (l->observed && l->observed->n_chains) /* else nothing lives that would ask for another epoch */
			keep(l, made, chain, n_rules, &before);
	}
}
