/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare.c - see compare.h. */
#include "tests/fault/compare.h"

#include <string.h>

#include "compiler/emit/emit.h"
#include "compiler/plan.h"

#define GRE 47

/* ---- sorted merges, one a kind of record ---- */

struct comparison {
	struct cni_arena *arena;
	const struct cni_state *before, *after;
	bool foreign_only;
	const char *found;
};

static void note(struct comparison *c, enum cni_object object, const void *before, const void *after)
{
	struct cni_text text = { .arena = c->arena };

	if (c->found)
		return;
	cni_text_puts(&text, !before ? "too many: " : !after ? "missing: " : "changed: ");
	cni_emit_record(&text, object, after ? after : before, NULL);
	if (before && after) {
		cni_text_puts(&text, "; it was: ");
		cni_emit_record(&text, object, before, NULL);
	}
	c->found = text.data;
}

static bool same_setting(const struct cni_st_setting *a, const struct cni_st_setting *b)
{
	return a->value == b->value && a->has_former == b->has_former && (!a->has_former || a->former == b->former);
}

static bool same_link(const struct cni_st_link *a, const struct cni_st_link *b)
{
	return a->owned == b->owned && cni_link_same(a, b);
}

static bool same_addr(const struct cni_st_addr *a, const struct cni_st_addr *b)
{
	return a->owned == b->owned;
}

static bool same_rule(const struct cni_st_rule *a, const struct cni_st_rule *b)
{
	return a->owned == b->owned && a->other == b->other;
}

static bool same_route(const struct cni_st_route *a, const struct cni_st_route *b)
{
	return a->owned == b->owned && cni_route_same(a, b);
}

static bool is_ours(const struct cni_state *state, const char *device)
{
	for (size_t i = 0; i < state->n_links; i++)
		if (!strcmp(state->links[i].name, device))
			return state->links[i].owned;
	return false;
}

/* The routes that the kernel makes with an address or a device of ours are no one else's. */
static bool comes_with_ours(const struct cni_state *state, const struct cni_st_route *route)
{
	if (route->n_hops && is_ours(state, route->hops->device))
		return true;
	for (size_t i = 0; i < state->n_addrs; i++)
		if (state->addrs[i].owned && state->addrs[i].address.len == route->to.len &&
		    cni_prefix_has(route->to, state->addrs[i].address.addr) && route->n_hops && !route->hops->has_via &&
		    !strcmp(route->hops->device, state->addrs[i].device))
			return true;
	return false;
}

/* ... and that of IPv6's link-local network, with any device. */
static bool is_kernels(const struct cni_state *state, const struct cni_st_route *route)
{
	return !route->owned && route->family == CNI_V6 && route->n_hops && is_ours(state, route->hops->device);
}

static bool is_strange(const struct comparison *c, const struct cni_st_route *x, const struct cni_st_route *y)
{
	if (!c->foreign_only) /* each time that a device is made it has another link-local address */
		return !(x && is_kernels(c->before, x)) && !(y && is_kernels(c->after, y));
	return (x && !x->owned && !comes_with_ours(c->before, x)) || (y && !y->owned && !comes_with_ours(c->after, y));
}

/* Nor is the link-local address that comes with a device of ours. */
static bool is_elsewhere(const struct comparison *c, const struct cni_state *state, const struct cni_st_addr *addr)
{
	return addr->owned ? !c->foreign_only : !is_ours(state, addr->device);
}

#define MERGE(kind, list, object, same, is_told)                                                                       \
	static void merge_##list(struct comparison *c)                                                                 \
	{                                                                                                              \
		const struct cni_st_##kind *a = c->before->list, *b = c->after->list;                                  \
		size_t i = 0, j = 0, n = c->before->n_##list, m = c->after->n_##list;                                  \
                                                                                                                       \
		while (i < n || j < m) {                                                                               \
			int o = i == n ? 1 : j == m ? -1 : cni_##kind##_cmp(&a[i], &b[j]);                             \
			const struct cni_st_##kind *x = o <= 0 ? &a[i] : NULL, *y = o >= 0 ? &b[j] : NULL;             \
			const struct cni_st_##kind *any = x ? x : y;                                                   \
                                                                                                                       \
			(void)any;                                                                                     \
			if ((is_told) && !(x && y && same(x, y)))                                                      \
				note(c, object, x, y);                                                                 \
			i += o <= 0;                                                                                   \
			j += o >= 0;                                                                                   \
		}                                                                                                      \
	}

/* Foreign on either side: what became ours or ceased to be is a difference too. */
#define TOLD(x, y) (!c->foreign_only || !((x) ? (x)->owned : true) || !((y) ? (y)->owned : true))
MERGE(link, links, CNI_LINK, same_link, TOLD(x, y))
MERGE(addr, addrs, CNI_ADDR, same_addr, (x && is_elsewhere(c, c->before, x)) || (y && is_elsewhere(c, c->after, y)))
MERGE(rule, rules, CNI_RULE, same_rule, TOLD(x, y))
MERGE(route, routes, CNI_ROUTE, same_route, is_strange(c, x, y))
MERGE(setting, settings, CNI_SETTING, same_setting, !c->foreign_only)
MERGE(counter, counters, CNI_COUNTER, cni_counter_same, !c->foreign_only)
MERGE(set, sets, CNI_SET, cni_set_same, !c->foreign_only)
MERGE(chain, chains, CNI_CHAIN, cni_chain_same, !c->foreign_only)

static const char *compare(struct comparison c)
{
	static void (*const merges[])(struct comparison * c) = { merge_links,  merge_addrs,    merge_rules,
								 merge_routes, merge_settings, merge_counters,
								 merge_sets,   merge_chains };

	for (size_t i = 0; i < sizeof(merges) / sizeof(*merges); i++)
		merges[i](&c);
	if (!c.found && !c.foreign_only && c.before->has_table != c.after->has_table)
		return "the nft table";
	return c.found;
}

const char *differs(struct cni_arena *arena, const struct cni_state *before, const struct cni_state *after)
{
	return compare((struct comparison){ .arena = arena, .before = before, .after = after });
}

const char *differs_foreign(struct cni_arena *arena, const struct cni_state *before, const struct cni_state *after)
{
	return compare((struct comparison){ .arena = arena, .before = before, .after = after, .foreign_only = true });
}

/* ---- steering ---- */

#define FIND(kind, list)                                                                                               \
	static const struct cni_st_##kind *find_##kind(const struct cni_state *state, const struct cni_st_##kind *key) \
	{                                                                                                              \
		for (size_t i = 0; i < state->n_##list; i++)                                                           \
			if (!cni_##kind##_cmp(&state->list[i], key))                                                   \
				return &state->list[i];                                                                \
		return NULL;                                                                                           \
	}

FIND(link, links)
FIND(addr, addrs)
FIND(rule, rules)
FIND(route, routes)
FIND(setting, settings)
FIND(set, sets)
FIND(chain, chains)

static void steer_chains(struct comparison *c)
{
	for (size_t i = 0; i < c->before->n_chains; i++) {
		const struct cni_st_chain *want = &c->before->chains[i], *has = find_chain(c->after, want);

		if (!has && want->n_rules)
			note(c, CNI_CHAIN, want, NULL);
		else if (has && !cni_chain_same(want, has))
			note(c, CNI_CHAIN, want, has);
	}
	for (size_t i = 0; i < c->after->n_chains; i++) {
		const struct cni_st_chain *has = &c->after->chains[i], *want = find_chain(c->before, has);

		/* translation goes by marks, which no chain of that policy gives */
		if (has->type != CNI_HOOK_NONE && has->type != CNI_HOOK_NAT && !want && has->n_rules)
			note(c, CNI_CHAIN, NULL, has);
	}
	for (size_t i = 0; i < c->before->n_sets; i++) {
		const struct cni_st_set *want = &c->before->sets[i], *has = find_set(c->after, want);

		if (strcmp(want->name, "former") && !(has && cni_set_same(want, has)))
			note(c, CNI_SET, want, has);
	}
}

static bool has_tunnel(const struct cni_state *state, struct cni_addr local)
{
	for (size_t i = 0; i < state->n_links; i++)
		if (state->links[i].owned && cni_addr_equal(state->links[i].local, local))
			return true;
	return false;
}

static bool has_address(const struct cni_state *state, struct cni_addr address)
{
	for (size_t i = 0; i < state->n_addrs; i++)
		if (cni_addr_equal(state->addrs[i].address.addr, address))
			return true;
	return false;
}

/* A rule too many: whether a packet of that policy can come to it. By a mark, if the policy has a way of that mark; by
 * source, if it has the tunnel, or the address. */
static bool can_meet(const struct cni_state *policy, const struct cni_st_rule *rule)
{
	for (size_t i = 0; rule->mask && i < policy->n_rules; i++)
		if (policy->rules[i].mask == rule->mask && policy->rules[i].mark == rule->mark &&
		    policy->rules[i].owned)
			return true;
	if (rule->mask)
		return false;
	return rule->ipproto == GRE ? has_tunnel(policy, rule->from.addr) : has_address(policy, rule->from.addr);
}

static void steer_rules(struct comparison *c, bool in_place)
{
	for (size_t i = 0; i < c->before->n_rules; i++)
		if (c->before->rules[i].owned && !find_rule(c->after, &c->before->rules[i]))
			note(c, CNI_RULE, &c->before->rules[i], NULL);
	for (size_t i = 0; i < c->after->n_rules; i++) {
		const struct cni_st_rule *rule = &c->after->rules[i];

		if (rule->owned && !(in_place && rule->has_from) && !find_rule(c->before, rule) &&
		    can_meet(c->before, rule))
			note(c, CNI_RULE, NULL, rule);
	}
}

static bool is_looked_up(const struct cni_state *policy, const struct cni_st_route *route)
{
	for (size_t i = 0; i < policy->n_rules; i++)
		if (policy->rules[i].owned && policy->rules[i].family == route->family &&
		    policy->rules[i].table == route->table)
			return true;
	return false;
}

static void steer_routes(struct comparison *c)
{
	for (size_t i = 0; i < c->before->n_routes; i++) {
		const struct cni_st_route *want = &c->before->routes[i], *has = find_route(c->after, want);

		if (want->owned && !(has && cni_route_same(want, has)))
			note(c, CNI_ROUTE, want, has);
	}
	for (size_t i = 0; i < c->after->n_routes; i++) {
		const struct cni_st_route *has = &c->after->routes[i];

		if (has->owned && !find_route(c->before, has) && is_looked_up(c->before, has))
			note(c, CNI_ROUTE, NULL, has);
	}
}

static void steer_devices(struct comparison *c)
{
	for (size_t i = 0; i < c->before->n_links; i++) {
		const struct cni_st_link *want = &c->before->links[i], *has = find_link(c->after, want);

		if (want->owned && !(has && cni_link_same(want, has)))
			note(c, CNI_LINK, want, has);
	}
	for (size_t i = 0; i < c->before->n_addrs; i++)
		if (c->before->addrs[i].owned && !find_addr(c->after, &c->before->addrs[i]))
			note(c, CNI_ADDR, &c->before->addrs[i], NULL);
}

const char *differs_steering(struct cni_arena *arena, const struct cni_state *policy, const struct cni_state *now,
			     bool in_place)
{
	struct comparison c = { .arena = arena, .before = policy, .after = now };

	steer_chains(&c);
	steer_rules(&c, in_place);
	if (!in_place) {
		steer_routes(&c);
		steer_devices(&c);
	}
	return c.found;
}

const char *differs_noted(struct cni_arena *arena, const struct cni_state *before, const struct cni_state *now)
{
	struct comparison c = { .arena = arena, .before = before, .after = now };

	for (size_t i = 0; i < before->n_settings; i++) {
		const struct cni_st_setting *was = &before->settings[i], *is = find_setting(now, was);

		if (is && is->value != was->value && !(is->has_former && is->former == was->value))
			note(&c, CNI_SETTING, was, is);
	}
	return c.found;
}
