/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables.c - routing tables and the rules that lead to them: for ways by mark, for outer packets and answers to
 * probes by source. */
#include <linux/rtnetlink.h>
#include <string.h>

#include "compiler/lower/lower_internal.h"

#define METRIC_STEP 10 /* of one tier after the other */
#define IPPROTO_OF_ICMP 1
#define IPPROTO_OF_GRE 47
#define IPPROTO_OF_ICMPV6 58

/* Something else configures the link: follow main's default for that device, be it by a gateway or none (PPP).
 * Without one the link is not configured yet, and carries nothing; without a router to look at, it is. */
static bool follow_main(const struct lower *l, const struct cni_target *t, enum cni_family family,
			struct cni_st_hop *hop)
{
	for (size_t i = 0; l->observed && i < l->observed->n_routes; i++) {
		const struct cni_st_route *r = &l->observed->routes[i];

		if (r->table != RT_TABLE_MAIN || r->family != family || r->to.len || r->owned)
			continue;
		for (size_t j = 0; j < r->n_hops; j++)
			if (!strcmp(r->hops[j].device, t->ifname)) {
				hop->has_via = r->hops[j].has_via;
				hop->via = r->hops[j].via;
				return true;
			}
	}
	return !l->observed;
}

bool lower_hop(const struct lower *l, const struct cni_target *t, enum cni_family family, struct cni_st_hop *hop)
{
	*hop = (struct cni_st_hop){ .device = t->ifname, .weight = 1, .target = t->name };
	if (!t->carries[family])
		return false;
	if (t->kind == CNI_TARGET_TUNNEL)
		return true;
	hop->has_via = t->iface[family].has_peer;
	hop->via = t->iface[family].peer;
	return hop->has_via || !t->link.dhcp || follow_main(l, t, family, hop);
}

static void add_rule(struct lower *l, struct cni_st_rule rule)
{
	rule.owned = true;
	*cni_push(l->arena, l->state->rules, l->state->n_rules) = rule;
}

static void add_route(struct lower *l, struct cni_st_route route)
{
	route.owned = true;
	*cni_push(l->arena, l->state->routes, l->state->n_routes) = route;
}

static struct cni_st_route default_route(uint32_t table, enum cni_family family, uint32_t metric, struct cni_span span)
{
	return (struct cni_st_route){
		.table = table, .family = family, .to.addr.family = family, .metric = metric, .span = span
	};
}

static void add_guard(struct lower *l, uint32_t table, enum cni_family family, enum cni_verdict otherwise,
		      struct cni_span span)
{
	struct cni_st_route route = default_route(table, family, CNI_GUARD_METRIC, span);

	if (otherwise == CNI_VERDICT_MAIN)
		return; /* an open table: the lookup goes on to main */
	route.type = otherwise == CNI_VERDICT_REJECT ? CNI_RT_UNREACHABLE : CNI_RT_BLACKHOLE;
	add_route(l, route);
}

/* ---- ways ---- */

/* IPv6 takes no next hop without a gateway into a multipath route ("Device only routes can not be added for IPv6
 * using the multipath API"). A tunnel has no neighbours to ask, so any gateway on it will do. */
static void name_gateways(struct cni_st_route *route)
{
	for (size_t i = 0; i < route->n_hops; i++)
		if (!route->hops[i].has_via) {
			route->hops[i].has_via = true;
			route->hops[i].via = (struct cni_addr){ CNI_V6, (cni_u128)0xfe80 << 112 | 1 };
		}
}

static bool way_table(struct lower *l, const struct way *way, enum cni_family family)
{
	const uint32_t table = l->model->options.table + way->id;
	bool any = false;

	for (size_t i = 0; i < way->n_tiers; i++) {
		const struct tier *tier = &way->tiers[i];
		struct cni_st_route route = default_route(table, family, (uint32_t)(i + 1) * METRIC_STEP, way->span);

		route.when_down = way->is_return ? CNI_DOWN_STAYS : CNI_DOWN_LEAVES;
		for (size_t j = 0; j < tier->n_members; j++) {
			struct cni_st_hop hop;

			if (!lower_hop(l, &l->model->targets[tier->members[j].target], family, &hop))
				continue;
			hop.weight = tier->n_members > 1 ? (uint16_t)tier->members[j].weight : 1;
			*cni_push(l->arena, route.hops, route.n_hops) = hop;
		}
		if (route.n_hops) {
			if (route.n_hops == 1)
				route.hops[0].weight = 1;
			else if (family == CNI_V6)
				name_gateways(&route);
			add_route(l, route);
			any = true;
		}
	}
	add_guard(l, table, family, way->verdict == CNI_VERDICT_REJECT ? CNI_VERDICT_REJECT : way->otherwise,
		  way->span);
	return any || way->verdict == CNI_VERDICT_REJECT || way->otherwise != CNI_VERDICT_MAIN;
}

static void way_rules(struct lower *l, const struct way *way)
{
	if (way->verdict == CNI_VERDICT_MAIN || way->is_former)
		return;
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (way_table(l, way, f))
			add_rule(l, (struct cni_st_rule){
					    .family = f,
					    .priority = lower_priority(l->model->options.rule_priority, way->id),
					    .mark = mark_of(l, way->id),
					    .mask = l->mask,
					    .table = l->model->options.table + way->id,
					    .span = way->span });
}

/* ---- by source: outer packets and answers ---- */

struct by_source {
	struct lower *l;
	uint32_t first, next; /* table; the offset of the next one that may be free */
	bool taken[FIRST_UNDERLAY]; /* by offset: by a rule, or by routes that an apply which was killed left behind */
};

static void take_table(struct by_source *s, uint32_t table)
{
	if (table - s->first < FIRST_UNDERLAY)
		s->taken[table - s->first] = true;
}

static struct by_source *by_source_new(struct lower *l)
{
	struct by_source *s = cni_new(l->arena, struct by_source);

	s->l = l;
	s->first = l->model->options.table + FIRST_UNDERLAY;
	for (size_t i = 0; l->observed && i < l->observed->n_rules; i++)
		take_table(s, l->observed->rules[i].table);
	for (size_t i = 0; l->observed && i < l->observed->n_routes; i++)
		if (l->observed->routes[i].owned)
			take_table(s, l->observed->routes[i].table);
	return s;
}

static uint32_t source_table(struct by_source *s, const struct cni_st_rule *wanted)
{
	struct lower *l = s->l;

	for (size_t i = 0; i < l->state->n_rules; i++) {
		struct cni_st_rule other = l->state->rules[i];

		other.table = wanted->table;
		if (!cni_rule_cmp(&other, wanted))
			return l->state->rules[i].table;
	}
	/* a table that the router has for it already stays: daemons fill it by number */
	for (size_t i = 0; l->observed && i < l->observed->n_rules; i++) {
		struct cni_st_rule other = l->observed->rules[i];

		other.table = wanted->table;
		if (other.owned && l->observed->rules[i].table >= s->first && !cni_rule_cmp(&other, wanted))
			return l->observed->rules[i].table;
	}
	while (s->next < FIRST_UNDERLAY && s->taken[s->next])
		s->next++;
	return s->first + s->next++;
}

static struct cni_st_rule source_rule(struct cni_addr from, uint8_t ipproto, uint32_t priority, uint32_t table,
				      struct cni_span span)
{
	return (struct cni_st_rule){ .family = from.family,
				     .priority = priority,
				     .has_from = true,
				     .from = { from, (uint8_t)cni_width(from.family) },
				     .ipproto = ipproto,
				     .table = table,
				     .span = span };
}

/* The links of `over`, in order, as routes to one prefix. */
static void over_links(struct lower *l, const struct cni_target *t, uint32_t table, struct cni_prefix to,
		       struct cni_span span)
{
	for (size_t i = 0; i < t->tunnel.n_over; i++) {
		struct cni_st_route route = default_route(table, to.addr.family, (uint32_t)(i + 1) * METRIC_STEP, span);
		struct cni_st_hop hop;

		if (!lower_hop(l, &l->model->targets[t->tunnel.over[i]], to.addr.family, &hop))
			continue;
		route.to = to;
		route.when_down = CNI_DOWN_UNLESS_ALL;
		*cni_push(l->arena, route.hops, route.n_hops) = hop;
		add_route(l, route);
	}
}

/* The rule that leads a tunnel's outer packets to their table. */
static struct cni_st_rule outer_rule(const struct lower *l, const struct cni_target *t)
{
	return source_rule(t->tunnel.local, t->tunnel.local_is_link ? IPPROTO_OF_GRE : 0,
			   l->model->options.rule_priority + 1, 0, cni_ast_field_span(t->decl, "over"));
}

static void outer(struct by_source *s, const struct cni_target *t)
{
	const struct cni_tunnel *tunnel = &t->tunnel;
	struct cni_st_rule rule = outer_rule(s->l, t);

	rule.table = source_table(s, &rule);
	add_rule(s->l, rule);
	/* where links have bgp, a daemon fills the table */
	if (!tunnel->underlay_bgp)
		over_links(s->l, t, rule.table,
			   (struct cni_prefix){ tunnel->remote, (uint8_t)cni_width(tunnel->remote.family) }, rule.span);
	add_guard(s->l, rule.table, tunnel->local.family, CNI_VERDICT_REJECT, rule.span);
}

/* Outside the tunnel, by the links that carry it: those that are written, or those that a daemon learns of. */
static void answers_by_links(struct by_source *s, const struct cni_target *t, struct cni_addr from, uint8_t ipproto,
			     struct cni_span span)
{
	struct lower *l = s->l;
	const struct cni_st_rule outer = outer_rule(l, t);
	struct cni_st_rule rule = source_rule(from, ipproto, l->model->options.rule_priority, 0, span);

	rule.table = source_table(s, t->tunnel.underlay_bgp ? &outer : &rule);
	add_rule(l, rule);
	if (!t->tunnel.underlay_bgp)
		over_links(l, t, rule.table, (struct cni_prefix){ .addr.family = from.family }, span);
	if (!t->tunnel.underlay_bgp || from.family != t->tunnel.local.family)
		add_guard(l, rule.table, from.family, CNI_VERDICT_REJECT, span);
}

/* Answers to the far side's probes leave by the way that the probe's kind asks for. Those from a link's own address, and
 * from a tunnel's inner one, need no rule: see steer.c. Nor do those from a tunnel's end beside BGP: all from there has one. */
static void answers(struct by_source *s, size_t index)
{
	struct lower *l = s->l;
	const struct cni_target *t = &l->model->targets[index];
	const struct cni_health *health = &t->health;
	const bool outside = health->mode == CNI_HEALTH_UNI && t->kind == CNI_TARGET_TUNNEL;
	const struct cni_span span = cni_ast_field_span(t->decl, "health");

	if (health->has_target && outside)
		answers_by_links(s, t, health->target, 0, span);
	else if (health->has_target) /* by the target that the probe came in by: its return way */
		add_rule(l, source_rule(health->target, 0, l->model->options.rule_priority,
					l->model->options.table + l->ways[l->returns[index]].id, span));
	else if (outside && !t->tunnel.local_is_link && !t->tunnel.underlay_bgp)
		answers_by_links(s, t, t->tunnel.local,
				 t->tunnel.local.family == CNI_V4 ? IPPROTO_OF_ICMP : IPPROTO_OF_ICMPV6, span);
}

void lower_tables(struct lower *l)
{
	struct by_source *s = by_source_new(l);

	for (size_t i = 0; i < l->model->n_targets; i++)
		if (l->model->targets[i].kind == CNI_TARGET_TUNNEL)
			outer(s, &l->model->targets[i]);
	for (size_t i = 0; i < l->model->n_targets; i++)
		answers(s, i);
	for (size_t i = 0; i < l->n_ways; i++)
		way_rules(l, &l->ways[i]);
	lower_former_tables(l);
	lower_skips(l);
}
