/* SPDX-License-Identifier: GPL-2.0-or-later */
/* foreign.c - see foreign.h. */
#include "tests/property/foreign.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "compiler/arena.h"

struct maker {
	struct router router;
	struct rng *rng;
};

static bool percent(struct maker *m, unsigned int p)
{
	return rng_percent(m->rng, p);
}

static bool has_device(const struct maker *m, const char *name)
{
	for (size_t i = 0; i < m->router.state.n_links; i++)
		if (!strcmp(m->router.state.links[i].name, name))
			return true;
	return false;
}

static void add_device(struct maker *m, struct cni_st_link link)
{
	link.owned = false;
	if (has_device(m, link.name))
		return;
	router_put_link(&m->router, &link);
	for (enum cni_setting_key key = 0; key < CNI_N_SETTINGS; key++)
		if (strstr(cni_setting_info[key].path, "%s"))
			router_put_setting(&m->router, &(struct cni_st_setting){ .device = link.name,
										 .key = key,
										 .value = (int)rng_below(m->rng, 3) });
}

static void add_plain(struct maker *m, const char *name)
{
	add_device(m, (struct cni_st_link){ .name = name, .kind = "veth", .up = true, .mtu = 1500 });
}

/* The settings of "all" and of the namespace have no device. */
static void add_settings(struct maker *m)
{
	for (enum cni_setting_key key = 0; key < CNI_N_SETTINGS; key++) {
		const char *device = strstr(cni_setting_info[key].path, "%s") ? "all" : "";
		const struct cni_st_setting setting = { .device = device,
							.key = key,
							.value = (int)rng_below(m->rng, 2) };

		router_put_setting(&m->router, &setting);
		m->router.defaults[key] = (int)rng_below(m->rng, 3);
	}
}

static void add_addr(struct maker *m, const char *device, struct cni_addr addr, uint8_t len)
{
	router_put_addr(&m->router, &(struct cni_st_addr){ .device = device, .address = { addr, len } });
}

static struct cni_addr v4(unsigned int a, unsigned int b, unsigned int c, unsigned int d)
{
	return (struct cni_addr){ CNI_V4, a << 24 | b << 16 | c << 8 | d };
}

static struct cni_addr v6(uint64_t high, uint64_t low)
{
	return (struct cni_addr){ CNI_V6, (cni_u128)high << 64 | low };
}

static void add_route(struct maker *m, uint32_t table, struct cni_prefix to, uint32_t metric, struct cni_addr via)
{
	struct cni_st_hop *hop = cni_new(m->router.arena, struct cni_st_hop);

	*hop = (struct cni_st_hop){ .device = "eth9", .weight = 1, .has_via = true, .via = via };
	router_put_route(
		&m->router,
		&(struct cni_st_route){
			.table = table, .family = via.family, .to = to, .metric = metric, .hops = hop, .n_hops = 1 });
}

/* Anywhere, or among those that a policy wants. */
static uint32_t any_priority(struct maker *m, const struct cni_state *want)
{
	if (!want->n_rules || percent(m, 70))
		return 10 + rng_below(m->rng, 30000);
	return want->rules[rng_below(m->rng, (unsigned int)want->n_rules)].priority + rng_below(m->rng, 3);
}

static void add_routing(struct maker *m, const struct cni_state *want)
{
	static const struct {
		uint32_t priority, table;
	} usual[] = { { 0, RT_TABLE_LOCAL }, { 32766, RT_TABLE_MAIN }, { 32767, RT_TABLE_DEFAULT } };

	add_addr(m, "lo", v4(127, 0, 0, 1), 8);
	add_addr(m, "lo", v6(0, 1), 128);
	add_addr(m, "eth9", v4(172, 20, 0, 2), 24);
	add_addr(m, "eth9", v6((uint64_t)0xfd00 << 48, 2), 64);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		const struct cni_prefix all = { .addr.family = f };
		const struct cni_addr via = f == CNI_V4 ? v4(172, 20, 0, 1) : v6((uint64_t)0xfd00 << 48, 1);

		for (size_t i = 0; i < 3; i++)
			router_put_rule(&m->router, &(struct cni_st_rule){ .family = f,
									   .priority = usual[i].priority,
									   .table = usual[i].table });
		if (percent(m, 80))
			add_route(m, RT_TABLE_MAIN, all, percent(m, 50) ? 0 : 1024, via);
		for (unsigned int n = rng_below(m->rng, 3); n; n--) {
			const uint32_t table = 90 + rng_below(m->rng, 5);

			router_put_rule(&m->router, &(struct cni_st_rule){ .family = f,
									   .priority = any_priority(m, want),
									   .iif = percent(m, 50) ? "eth9" : NULL,
									   .table = table,
									   .other = percent(m, 50) });
			add_route(m, table, all, rng_below(m->rng, 3) * 10, via);
		}
	}
}

/* Then it is no address of the router's. */
static bool is_gateway(const struct cni_state *state, struct cni_addr addr)
{
	for (size_t i = 0; i < state->n_routes; i++)
		for (size_t h = 0; h < state->routes[i].n_hops; h++)
			if (state->routes[i].hops[h].has_via && cni_addr_equal(state->routes[i].hops[h].via, addr))
				return true;
	return false;
}

static bool has_rule(const struct cni_state *state, const struct cni_st_rule *rule)
{
	for (size_t i = 0; i < state->n_rules; i++)
		if (!cni_rule_cmp(&state->rules[i], rule))
			return true;
	return false;
}

/* What a policy wants is there already, as someone else's; but no routes: in cnic's tables they are in its way. */
static void add_wanted(struct maker *m, const struct cni_state *want, const struct cni_state *other)
{
	const unsigned int share = percent(m, 50) ? 20 : 0;

	for (size_t i = 0; i < want->n_links; i++)
		if (!want->links[i].owned)
			add_plain(m, want->links[i].name);
	for (size_t i = 0; i < want->n_links; i++)
		if (want->links[i].type == CNI_DEV_VLAN && percent(m, share))
			add_device(m, want->links[i]);
	for (size_t i = 0; i < want->n_addrs; i++)
		if (has_device(m, want->addrs[i].device) && percent(m, share) &&
		    !is_gateway(other, want->addrs[i].address.addr))
			add_addr(m, want->addrs[i].device, want->addrs[i].address.addr, want->addrs[i].address.len);
	for (size_t i = 0; i < want->n_rules; i++)
		if (want->rules[i].mask && percent(m, share / 2) && has_rule(other, &want->rules[i])) {
			struct cni_st_rule rule = want->rules[i];

			rule.owned = false;
			router_put_rule(&m->router, &rule);
		}
}

struct router foreign_router(struct cni_arena *arena, struct rng *rng, const struct cni_state *a,
			     const struct cni_state *b)
{
	struct maker m = { .router.arena = arena, .rng = rng };

	add_settings(&m);
	add_plain(&m, "lo");
	add_plain(&m, "eth9");
	add_device(&m, (struct cni_st_link){ .name = "gre9",
					     .type = CNI_DEV_GRE,
					     .kind = "gre",
					     .up = true,
					     .mtu = 1400,
					     .local = v4(172, 20, 0, 2),
					     .remote = v4(172, 20, 0, 1) });
	add_wanted(&m, a, b);
	add_wanted(&m, b, a);
	add_routing(&m, a);
	return m.router;
}
