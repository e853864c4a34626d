/* SPDX-License-Identifier: GPL-2.0-or-later */
/* router.c - devices, settings, addresses, rules and routes, with the kernel's own side effects: see router.h. */
#include "runtime/netlink/execute.h"
#include "tests/property/router_list.h"

ROUTER_LIST(link, links, 0)
ROUTER_LIST(setting, settings, 1)
ROUTER_LIST(addr, addrs, 2)
ROUTER_LIST(rule, rules, 3)
ROUTER_LIST(route, routes, 4)

bool router_fault(struct router *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!r->fault)
		r->fault = cni_vprintf(r->arena, format, args);
	va_end(args);
	return false;
}

/* ---- what goes with something else ---- */

static struct cni_st_link *device(const struct router *r, const char *name)
{
	const struct cni_st_link key = { .name = name };

	return find_link(r, &key);
}

static void lose_route(struct router *r, struct cni_st_route *route, const char *why)
{
	if (!route->owned)
		router_fault(r, "someone else's route in table %u goes with %s", route->table, why);
	drop_route(r, route);
}

static void lose_addr(struct router *r, struct cni_st_addr *addr, const char *why)
{
	if (!addr->owned)
		router_fault(r, "someone else's address on %s goes with %s", addr->device, why);
	drop_addr(r, addr);
}

static bool is_over(const struct cni_st_route *route, const char *name)
{
	for (size_t i = 0; i < route->n_hops; i++)
		if (!strcmp(route->hops[i].device, name))
			return true;
	return false;
}

/* IPv4: the whole route (fib_sync_down_dev). IPv6: its next hops over the device (fib6_ifdown). */
static void lose_hops(struct router *r, struct cni_st_route *route, const char *name)
{
	struct cni_st_hop *hops = cni_new_array(r->arena, struct cni_st_hop, route->n_hops);
	size_t n = 0;

	for (size_t i = 0; i < route->n_hops; i++)
		if (strcmp(route->hops[i].device, name))
			hops[n++] = route->hops[i];
	if (!n || route->family == CNI_V4) {
		lose_route(r, route, name);
		return;
	}
	route->hops = hops;
	route->n_hops = n;
}

static void remove_device(struct router *r, const char *name)
{
	for (size_t i = r->state.n_routes; i--;)
		if (is_over(&r->state.routes[i], name))
			lose_hops(r, &r->state.routes[i], name);
	for (size_t i = r->state.n_addrs; i--;)
		if (!strcmp(r->state.addrs[i].device, name))
			lose_addr(r, &r->state.addrs[i], name);
	for (size_t i = r->state.n_settings; i--;)
		if (!strcmp(r->state.settings[i].device, name))
			drop_setting(r, &r->state.settings[i]);
	drop_link(r, device(r, name));
}

/* ---- devices ---- */

static bool is_tunnel(const struct cni_st_link *link)
{
	return link->type == CNI_DEV_GRE || link->type == CNI_DEV_IP6GRE;
}

static bool is_taken(const struct cni_st_link *a, const struct cni_st_link *b)
{
	if (a->type != b->type || !strcmp(a->name, b->name))
		return false;
	if (a->type == CNI_DEV_VLAN)
		return a->vlan == b->vlan && !strcmp(a->parent, b->parent);
	return is_tunnel(a) && cni_addr_equal(a->local, b->local) && cni_addr_equal(a->remote, b->remote) &&
	       a->has_key == b->has_key && (!a->has_key || a->key == b->key);
}

static bool check_taken(struct router *r, const struct cni_st_link *link)
{
	for (size_t i = 0; i < r->state.n_links; i++)
		if (is_taken(&r->state.links[i], link))
			return router_fault(r, "%s has the endpoints of %s", r->state.links[i].name, link->name);
	return true;
}

void router_put_link(struct router *r, const struct cni_st_link *link)
{
	put_link(r, link);
	for (enum cni_setting_key key = 0; key < CNI_N_SETTINGS; key++)
		if (strstr(cni_setting_info[key].path, "%s"))
			router_put_setting(r, &(struct cni_st_setting){
						      .device = link->name, .key = key, .value = r->defaults[key] });
}

static bool make_device(struct router *r, const struct cni_st_link *link)
{
	if (device(r, link->name))
		return router_fault(r, "device %s exists", link->name);
	if (link->type == CNI_DEV_VLAN && !device(r, link->parent))
		return router_fault(r, "no parent %s", link->parent);
	if (!check_taken(r, link))
		return false;
	router_put_link(r, link);
	return true;
}

static bool step_link(struct router *r, const struct cni_step *step, bool again)
{
	const struct cni_st_link *before = step->before, *after = step->after;
	struct cni_st_link *has = before ? device(r, before->name) : NULL;

	if (before && !has)
		return (again && !after) || router_fault(r, "no device %s", before->name);
	if (has && !has->owned)
		return router_fault(r, "device %s is someone else's", has->name);
	if (has && !cni_link_same(has, before))
		return router_fault(r, "device %s is not as the plan says", has->name);
	if (has && after && step->op == CNI_CHANGE) {
		if (has->type != after->type)
			return router_fault(r, "device %s cannot become another type", has->name);
		*has = *after;
		return check_taken(r, after);
	}
	if (has)
		remove_device(r, before->name);
	return !r->fault && (!after || make_device(r, after));
}

/* ---- settings ---- */

void router_put_setting(struct router *r, const struct cni_st_setting *setting)
{
	struct cni_st_setting *has = find_setting(r, setting);

	if (has)
		*has = *setting;
	else
		put_setting(r, setting);
}

static bool step_setting(struct router *r, const struct cni_step *step, bool again)
{
	const struct cni_st_setting *before = step->before, *after = step->after;
	struct cni_st_setting *has = after ? find_setting(r, after) : NULL;

	(void)again;
	if (!after)
		return true; /* goes with its device */
	if (!has)
		return router_fault(r, "no setting %s of %s", cni_setting_info[after->key].name, after->device);
	if (before && has->value != before->value)
		return router_fault(r, "%s of %s is not as the plan says", cni_setting_info[after->key].name,
				    after->device);
	has->value = after->value;
	return true;
}

/* ---- addresses ---- */

void router_put_addr(struct router *r, const struct cni_st_addr *addr)
{
	struct cni_st_addr made = *addr;

	made.span = (struct cni_span){ .begin = ++r->clock };
	if (!find_addr(r, addr))
		put_addr(r, &made);
}

static bool is_neighbour(const struct cni_st_addr *a, const struct cni_st_addr *b)
{
	return !strcmp(a->device, b->device) && a->address.addr.family == CNI_V4 && a->address.len == b->address.len &&
	       cni_prefix_has(b->address, a->address.addr);
}

/* IPv4: with the first address of a subnet go the others, which are secondary ones (promote_secondaries is off); routes go with their preferred
 * source (fib_sync_down_addr), and with the last address of their device (fib_disable_ip). */
static void lose_with_addr(struct router *r, const struct cni_st_addr *gone)
{
	bool first = true, any = false;

	for (size_t i = 0; i < r->state.n_addrs; i++)
		first &= !is_neighbour(&r->state.addrs[i], gone) || r->state.addrs[i].span.begin > gone->span.begin;
	for (size_t i = r->state.n_addrs; first && i--;)
		if (is_neighbour(&r->state.addrs[i], gone))
			lose_addr(r, &r->state.addrs[i], "another one");
	for (size_t i = 0; i < r->state.n_addrs; i++)
		any |= r->state.addrs[i].address.addr.family == CNI_V4 &&
		       !strcmp(r->state.addrs[i].device, gone->device);
	for (size_t i = r->state.n_routes; i--;) {
		struct cni_st_route *route = &r->state.routes[i];

		if ((route->has_source && cni_addr_equal(route->source, gone->address.addr)) ||
		    (!any && route->family == CNI_V4 && is_over(route, gone->device)))
			lose_route(r, route, "an address");
	}
}

static bool step_addr(struct router *r, const struct cni_step *step, bool again)
{
	const struct cni_st_addr *before = step->before, *after = step->after;
	struct cni_st_addr *has = find_addr(r, before ? before : after), gone;

	if (after) {
		if (has || !device(r, after->device))
			return router_fault(r, "an address of %s: %s", after->device, has ? "exists" : "no device");
		router_put_addr(r, after);
		return true;
	}
	if (!has)
		return again || router_fault(r, "no such address on %s", before->device);
	if (!has->owned)
		return router_fault(r, "an address of %s is someone else's", before->device);
	gone = *has;
	drop_addr(r, has);
	if (gone.address.addr.family == CNI_V4)
		lose_with_addr(r, &gone);
	return !r->fault;
}

/* ---- rules ---- */

void router_put_rule(struct router *r, const struct cni_st_rule *rule)
{
	struct cni_st_rule made = *rule;

	made.span = (struct cni_span){ .begin = ++r->clock };
	if (!find_rule(r, rule))
		put_rule(r, &made);
}

/* Whether the kernel would take it for one that is there: `not` and where it goes on make no difference to it. */
static bool has_twin(const struct router *r, const struct cni_st_rule *rule)
{
	for (size_t i = 0; rule->jump && i < r->state.n_rules; i++) {
		struct cni_st_rule other = r->state.rules[i];

		other.jump = other.jump ? rule->jump : 0;
		other.invert = rule->invert;
		if (!cni_rule_cmp(&other, rule))
			return true;
	}
	return false;
}

static bool step_rule(struct router *r, const struct cni_step *step, bool again)
{
	const struct cni_st_rule *any = step->before ? step->before : step->after;
	struct cni_st_rule *has = find_rule(r, any);

	if (step->before && step->after)
		return router_fault(r, "a rule cannot be changed");
	if (step->after) {
		if (has || has_twin(r, any))
			return router_fault(r, "rule %u to table %u exists", any->priority, any->table);
		router_put_rule(r, any);
		return true;
	}
	if (!has)
		return again || router_fault(r, "no rule %u to table %u", any->priority, any->table);
	if (!has->owned)
		return router_fault(r, "rule %u to table %u is someone else's", any->priority, any->table);
	drop_rule(r, has);
	return true;
}

/* ---- routes ---- */

void router_put_route(struct router *r, const struct cni_st_route *route)
{
	if (!find_route(r, route))
		put_route(r, route);
}

/* A gateway is a neighbour: within a subnet of the device, and not the router itself (fib_check_nh). */
static bool is_on_link(const struct router *r, const struct cni_st_hop *hop)
{
	bool within = false;

	if (!hop->has_via || hop->onlink || (hop->via.family == CNI_V6 && hop->via.v >> 118 == 0x3fa /* fe80::/10 */))
		return true;
	for (size_t i = 0; i < r->state.n_addrs; i++) {
		const struct cni_st_addr *addr = &r->state.addrs[i];

		if (cni_addr_equal(addr->address.addr, hop->via))
			return false;
		within |= !strcmp(addr->device, hop->device) && cni_prefix_has(addr->address, hop->via);
	}
	return within;
}

static bool check_hops(struct router *r, const struct cni_st_route *route)
{
	for (size_t i = 0; i < route->n_hops; i++) {
		const struct cni_st_hop *hop = &route->hops[i];
		const struct cni_st_link *link = device(r, hop->device);

		if (!link || !link->up)
			return router_fault(r, "a route over %s, which is %s", hop->device,
					    link ? "down" : "not there");
		if (!is_on_link(r, hop))
			return router_fault(r, "a gateway over %s that no address of it reaches", hop->device);
		if (route->n_hops > 1 && route->family == CNI_V6 && !hop->has_via)
			return router_fault(r, "IPv6 takes no next hop without a gateway into a multipath route");
	}
	return route->n_hops || route->type != CNI_RT_UNICAST || router_fault(r, "a route without next hops");
}

static bool step_route(struct router *r, const struct cni_step *step, bool again)
{
	const struct cni_st_route *before = step->before, *after = step->after, *any = before ? before : after;
	struct cni_st_route *has = find_route(r, any);

	if (before && !has)
		return (again && !after) ||
		       router_fault(r, "no route of metric %u in table %u", any->metric, any->table);
	if (!before && has)
		return router_fault(r, "a route of metric %u in table %u exists", any->metric, any->table);
	if (has && !has->owned)
		return router_fault(r, "a route in table %u is someone else's", any->table);
	if (has && !cni_route_same(has, before))
		return router_fault(r, "a route in table %u is not as the plan says", any->table);
	if (has)
		drop_route(r, has);
	if (!after)
		return true;
	put_route(r, after);
	return check_hops(r, after);
}

/* ---- all ---- */

size_t router_message(struct router *r, const struct cni_step *steps, size_t n, bool again)
{
	static bool (*const routing[])(struct router *, const struct cni_step *, bool) = {
		[CNI_LINK] = step_link, [CNI_SETTING] = step_setting, [CNI_ADDR] = step_addr,
		[CNI_RULE] = step_rule, [CNI_ROUTE] = step_route,
	};
	size_t end = 1;

	if (!rt_is_nft(steps))
		return routing[steps->object](r, steps, again) ? 1 : 0;
	while (end < n && rt_is_nft(&steps[end]) && steps[end].phase == steps->phase)
		end++;
	return router_batch(r, steps, end) ? end : 0;
}
