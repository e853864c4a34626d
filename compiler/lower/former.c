/* SPDX-License-Identifier: GPL-2.0-or-later */
/* former.c - ways that the policy no longer has, while flows that may not leave them are still on them.
 *
 * A flow's NAT is fixed at its first packet, and `established keep` leaves flows where they are: such flows keep their
 * way until they end, as long as its target exists. What the way is stands in the kernel: it is carried over as it was
 * observed. A flow may begin on it up to the flip, so the flip keeps every way that could have such flows; which have
 * none is asked after it, when no flow can begin on them any more. Of a target that is down the routes are not there to be
 * observed: such flows stay on what they have when it comes back. */
#include <string.h>

#include "compiler/lower/lower_internal.h"
#include "compiler/state/down.h"

/* Ours, or the same one of someone else's, which is used. */
static bool is_rule_of(const struct lower *l, const struct cni_st_rule *rule, unsigned int id)
{
	return !rule->other && cni_rule_is_by_mark(rule) && rule->mask == l->mask && rule->mark == mark_of(l, id);
}

static const struct cni_target *target_on(const struct lower *l, const char *device)
{
	for (size_t i = 0; i < l->model->n_targets; i++)
		if (!strcmp(l->model->targets[i].ifname, device))
			return &l->model->targets[i];
	return NULL;
}

static bool is_neighbour(const struct cni_prefix *address, const struct cni_addr *gateway)
{
	return cni_prefix_has(*address, *gateway) && !cni_addr_equal(address->addr, *gateway);
}

/* Of a device that the policy has: whether it still reaches the gateway, also if its address moved. */
static bool target_reaches(const struct cni_target *t, const struct cni_st_hop *hop)
{
	const struct cni_iface *iface = &t->iface[hop->via.family];

	return !hop->has_via || t->kind == CNI_TARGET_TUNNEL || t->link.dhcp ||
	       (iface->has_address && is_neighbour(&iface->address, &hop->via));
}

/* Of a device that it no longer has: the kernel drops the routes over it with its last address, and ours go. */
static bool device_reaches(const struct lower *l, const struct cni_st_hop *hop, enum cni_family family)
{
	for (size_t i = 0; i < l->observed->n_addrs; i++) {
		const struct cni_st_addr *a = &l->observed->addrs[i];

		if (!a->owned && a->address.addr.family == family && !strcmp(a->device, hop->device) &&
		    (!hop->has_via || is_neighbour(&a->address, &hop->via)))
			return true;
	}
	return false;
}

/* Whether the device will be there, ours only if the policy still has it, and lead where it led. */
static bool stays(const struct lower *l, const struct cni_st_hop *hop, enum cni_family family)
{
	const struct cni_target *target = target_on(l, hop->device);

	if (target)
		return target_reaches(target, hop);
	for (size_t i = 0; i < l->observed->n_links; i++)
		if (!strcmp(l->observed->links[i].name, hop->device))
			return !l->observed->links[i].owned && device_reaches(l, hop, family);
	return false;
}

static bool is_route_of(const struct lower *l, const struct cni_st_route *route, const struct cni_st_rule *rule)
{
	if (!route->owned || route->type == CNI_RT_OTHER || route->table != rule->table ||
	    route->family != rule->family)
		return false;
	for (size_t i = 0; i < route->n_hops; i++)
		if (!stays(l, &route->hops[i], route->family))
			return false;
	return true;
}

static bool names(const char *key, const char *target)
{
	const size_t len = strlen(target);

	for (const char *at = key; (at = strstr(at, target)); at += len)
		if ((at == key || at[-1] == ' ') && strchr(" ,", at[len]))
			return true;
	return false;
}

/* Whether it would lead on by a target that is down today, and has no route for that. */
static bool leads_on_again(const struct lower *l, const struct cni_st_counter *counter)
{
	const struct cni_model *m = l->model;

	for (size_t t = 0; t < m->n_targets; t++)
		if (m->targets[t].track.mode == CNI_TRACK_ON &&
		    cni_is_down_for(l->observed, m->options.table, m->targets[t].name) &&
		    names(counter->comment, lower_target_key(l, &m->targets[t])))
			return true;
	return false;
}

/* Whether the way still leads somewhere: by a route of its table, or, where it has no rule, by main. */
static bool leads_on(const struct lower *l, const struct cni_st_counter *counter, unsigned int id)
{
	if (!strncmp(counter->comment, "main", 4))
		return true;
	for (size_t i = 0; i < l->observed->n_rules; i++)
		for (size_t j = 0; is_rule_of(l, &l->observed->rules[i], id) && j < l->observed->n_routes; j++)
			if (l->observed->routes[j].n_hops &&
			    is_route_of(l, &l->observed->routes[j], &l->observed->rules[i]))
				return true;
	return leads_on_again(l, counter);
}

void lower_former_ways(struct lower *l)
{
	const bool asks = l->prior->keep_former || l->prior->in_use;

	for (size_t i = 0; l->observed && asks && i < l->observed->n_counters; i++) {
		const struct cni_st_counter *c = &l->observed->counters[i];
		unsigned int id = lower_counter_id(c->name);

		if (!id || id >> l->id_bits || !c->comment || !strncmp(c->comment, "return ", 7) ||
		    lower_find_way(l, c->comment) != CNI_NONE || !leads_on(l, c, id))
			continue;
		lower_put_way(l, (struct way){
					 .key = c->comment,
					 .id = id,
					 .is_former = true,
					 .nats = strstr(c->comment, " masquerade") || strstr(c->comment, " source ") ||
						 strstr(c->comment, " translated"), /* see way_key() */
				 });
	}
}

bool lower_let_go(struct lower *l)
{
	const size_t n_before = l->n_ways;
	size_t n = 0;

	/* the model's ways come first, and their places are known by number */
	for (size_t w = 0; w < n_before; w++)
		if (!l->ways[w].is_former || l->prior->keep_former ||
		    l->prior->in_use(l->prior->arg, l->id_mask, mark_of(l, l->ways[w].id)))
			l->ways[n++] = l->ways[w];
	l->n_ways = n;
	return n < n_before;
}

/* As it was observed, through the targets that the policy has now. */
static void add_route(struct lower *l, const struct cni_st_route *observed)
{
	struct cni_st_route *route = cni_push(l->arena, l->state->routes, l->state->n_routes);

	*route = *observed;
	route->hops = cni_new_array(l->arena, struct cni_st_hop, route->n_hops);
	for (size_t i = 0; i < route->n_hops; i++) {
		const struct cni_target *target = target_on(l, observed->hops[i].device);

		route->hops[i] = observed->hops[i];
		route->hops[i].target = target ? target->name : NULL;
	}
}

void lower_former_tables(struct lower *l)
{
	for (size_t w = 0; w < l->n_ways; w++)
		for (size_t i = 0; l->ways[w].is_former && i < l->observed->n_rules; i++) {
			const struct cni_st_rule *rule = &l->observed->rules[i];

			if (!is_rule_of(l, rule, l->ways[w].id))
				continue;
			*cni_push(l->arena, l->state->rules, l->state->n_rules) = *rule;
			for (size_t j = 0; j < l->observed->n_routes; j++)
				if (is_route_of(l, &l->observed->routes[j], rule))
					add_route(l, &l->observed->routes[j]);
		}
}
