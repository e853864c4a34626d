/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_test.c - the laws of plans, on random states and a model of the kernel that is as unforgiving as it:
 * plan(A, B) applied to A gives B, undone gives A again, and plan(B, B) is empty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/emit/emit.h"
#include "compiler/plan.h"

static int setup(void **state)
{
	*state = cni_arena_new();
	return 0;
}

static int teardown(void **state)
{
	cni_arena_free(*state);
	return 0;
}

/* ---- a model of the kernel: the state that it is in, changed by one step after the other ---- */

struct kernel {
	struct cni_arena *arena;
	struct cni_state state; /* unsorted */
};

#define LIST(kind, list)                                                                                               \
	static struct cni_st_##kind *find_##kind(struct cni_state *s, const struct cni_st_##kind *key)                 \
	{                                                                                                              \
		for (size_t i = 0; i < s->n_##list; i++)                                                               \
			if (!cni_##kind##_cmp(&s->list[i], key))                                                       \
				return &s->list[i];                                                                    \
		return NULL;                                                                                           \
	}                                                                                                              \
	static void drop_##kind(struct cni_state *s, struct cni_st_##kind *at)                                         \
	{                                                                                                              \
		size_t i = (size_t)(at - s->list);                                                                     \
                                                                                                                       \
		memmove(at, at + 1, (s->n_##list - i - 1) * sizeof(*at));                                              \
		s->n_##list--;                                                                                         \
	}                                                                                                              \
	static void put_##kind(struct kernel *k, const struct cni_st_##kind *record)                                   \
	{                                                                                                              \
		struct cni_st_##kind *list = cni_new_array(k->arena, struct cni_st_##kind, k->state.n_##list + 1);     \
                                                                                                                       \
		if (k->state.n_##list)                                                                                 \
			memcpy(list, k->state.list, k->state.n_##list * sizeof(*list));                                \
		list[k->state.n_##list++] = *record;                                                                   \
		k->state.list = list;                                                                                  \
	}

LIST(link, links)
LIST(setting, settings)
LIST(addr, addrs)
LIST(rule, rules)
LIST(route, routes)
LIST(counter, counters)
LIST(set, sets)
LIST(chain, chains)

static struct cni_st_link *device(struct kernel *k, const char *name)
{
	const struct cni_st_link key = { .name = name };

	return find_link(&k->state, &key);
}

static bool is_over(const struct cni_st_route *route, const char *name)
{
	for (size_t i = 0; i < route->n_hops; i++)
		if (!strcmp(route->hops[i].device, name))
			return true;
	return false;
}

static void flush_routes(struct kernel *k, const char *name, bool v6_too)
{
	for (size_t i = k->state.n_routes; i--;)
		if (is_over(&k->state.routes[i], name) && (v6_too || k->state.routes[i].family == CNI_V4))
			drop_route(&k->state, &k->state.routes[i]);
}

static void remove_device(struct kernel *k, const char *name)
{
	flush_routes(k, name, true);
	for (size_t i = k->state.n_addrs; i--;)
		if (!strcmp(k->state.addrs[i].device, name))
			drop_addr(&k->state, &k->state.addrs[i]);
	for (size_t i = k->state.n_settings; i--;)
		if (!strcmp(k->state.settings[i].device, name))
			drop_setting(&k->state, &k->state.settings[i]);
	drop_link(&k->state, device(k, name));
}

static bool is_tunnel(const struct cni_st_link *link)
{
	return link->type == CNI_DEV_GRE || link->type == CNI_DEV_IP6GRE;
}

/* EEXIST of the kernel's */
static void check_endpoints(struct kernel *k, const struct cni_st_link *link)
{
	for (size_t i = 0; is_tunnel(link) && i < k->state.n_links; i++) {
		const struct cni_st_link *other = &k->state.links[i];

		assert_false(strcmp(other->name, link->name) && other->type == link->type &&
			     cni_addr_equal(other->local, link->local) && cni_addr_equal(other->remote, link->remote) &&
			     other->has_key == link->has_key && other->key == link->key);
	}
}

static const int defaults[CNI_N_SETTINGS] = { 1 };

static void make_device(struct kernel *k, const struct cni_st_link *link)
{
	assert_null(device(k, link->name));
	if (link->type == CNI_DEV_VLAN)
		assert_non_null(device(k, link->parent));
	check_endpoints(k, link);
	put_link(k, link);
	for (enum cni_setting_key key = 0; key <= CNI_SET_ACCEPT_LOCAL; key++) {
		const struct cni_st_setting s = { .device = link->name, .key = key, .value = defaults[key] };

		put_setting(k, &s);
	}
}

static void apply_link(struct kernel *k, const struct cni_st_link *before, const struct cni_st_link *after)
{
	bool replaced = before && after && (before->type != after->type || before->vlan != after->vlan);

	if (before) {
		assert_non_null(device(k, before->name));
		assert_true(device(k, before->name)->owned);
		assert_true(cni_link_same(device(k, before->name), before));
	}
	if (before && (!after || replaced))
		remove_device(k, before->name);
	if (after && (!before || replaced)) {
		make_device(k, after);
	} else if (after) {
		check_endpoints(k, after);
		*device(k, after->name) = *after;
	}
}

static void apply_setting(struct kernel *k, const struct cni_st_setting *before, const struct cni_st_setting *after)
{
	struct cni_st_setting *has = find_setting(&k->state, after ? after : before);

	if (!after)
		return;
	assert_non_null(has);
	has->value = after->value;
}

static void apply_addr(struct kernel *k, const struct cni_st_addr *before, const struct cni_st_addr *after)
{
	bool any = false;

	if (after) {
		assert_null(find_addr(&k->state, after));
		assert_non_null(device(k, after->device));
		put_addr(k, after);
		return;
	}
	assert_non_null(find_addr(&k->state, before));
	assert_true(find_addr(&k->state, before)->owned);
	drop_addr(&k->state, find_addr(&k->state, before));
	/* a primary IPv4 address takes its secondary ones with it; the last one, all routes */
	for (size_t i = k->state.n_addrs; i--;) {
		struct cni_st_addr *other = &k->state.addrs[i];

		if (strcmp(other->device, before->device) || other->address.addr.family != CNI_V4)
			continue;
		if (before->address.addr.family == CNI_V4 && other->address.len == before->address.len &&
		    cni_prefix_has(before->address, other->address.addr))
			drop_addr(&k->state, other);
		else
			any = true;
	}
	if (!any && before->address.addr.family == CNI_V4)
		flush_routes(k, before->device, false);
}

static void apply_route(struct kernel *k, const struct cni_st_route *before, const struct cni_st_route *after)
{
	struct cni_st_route *has = find_route(&k->state, before ? before : after);

	assert_int_equal(has != NULL, before != NULL);
	if (has) {
		assert_true(has->owned);
		assert_true(cni_route_same(has, before));
	}
	for (size_t i = 0; after && i < after->n_hops; i++) {
		assert_non_null(device(k, after->hops[i].device));
		assert_true(device(k, after->hops[i].device)->up); /* else ENETDOWN */
	}
	if (has)
		drop_route(&k->state, has);
	if (after)
		put_route(k, after);
}

static void apply_base_rules(struct kernel *k, const struct cni_st_chain *before, const struct cni_st_chain *after)
{
	struct cni_st_chain *has = find_chain(&k->state, after ? after : before);

	assert_non_null(has);
	assert_int_equal(has->n_rules, before ? before->n_rules : 0);
	has->rules = after ? after->rules : NULL;
	has->n_rules = after ? after->n_rules : 0;
}

static void apply_chain(struct kernel *k, const struct cni_st_chain *before, const struct cni_st_chain *after)
{
	struct cni_st_chain *has = find_chain(&k->state, after ? after : before);

	assert_int_equal(has != NULL, before != NULL);
	if (has) {
		assert_true(!cni_chain_flips(has) || !has->n_rules);
		drop_chain(&k->state, has);
	}
	if (after) {
		struct cni_st_chain new = *after;

		new.n_rules = cni_chain_flips(&new) ? 0 : new.n_rules;
		put_chain(k, &new);
	}
}

#define APPLY_PLAIN(kind)                                                                                              \
	static void apply_##kind(struct kernel *k, const struct cni_st_##kind *before,                                 \
				 const struct cni_st_##kind *after)                                                    \
	{                                                                                                              \
		struct cni_st_##kind *has = find_##kind(&k->state, after ? after : before);                            \
                                                                                                                       \
		assert_int_equal(has != NULL, before != NULL);                                                         \
		if (has)                                                                                               \
			drop_##kind(&k->state, has);                                                                   \
		if (after)                                                                                             \
			put_##kind(k, after);                                                                          \
	}

APPLY_PLAIN(rule)
APPLY_PLAIN(counter)
APPLY_PLAIN(set)

static void apply_step(struct kernel *k, const struct cni_step *step, bool undo)
{
	const void *before = undo ? step->after : step->before, *after = undo ? step->before : step->after;

	switch (step->object) {
	case CNI_LINK:
		apply_link(k, before, after);
		break;
	case CNI_SETTING:
		apply_setting(k, before, after);
		break;
	case CNI_ADDR:
		apply_addr(k, before, after);
		break;
	case CNI_RULE:
		apply_rule(k, before, after);
		break;
	case CNI_ROUTE:
		apply_route(k, before, after);
		break;
	case CNI_TABLE_NFT:
		assert_int_equal(k->state.has_table, before != NULL);
		assert_false(k->state.n_chains || k->state.n_sets || k->state.n_counters);
		k->state.has_table = after;
		break;
	case CNI_COUNTER:
		apply_counter(k, before, after);
		break;
	case CNI_SET:
		apply_set(k, before, after);
		break;
	case CNI_CHAIN:
		apply_chain(k, before, after);
		break;
	case CNI_BASE_RULES:
		apply_base_rules(k, before, after);
		break;
	default:
		fail();
	}
	if (step->object > CNI_TABLE_NFT)
		assert_true(k->state.has_table);
}

/* What a snapshot does: former values come out of the set "former". */
static struct cni_state *snapshot(struct kernel *k)
{
	struct cni_state *s = cni_new(k->arena, struct cni_state);

	for (size_t i = 0; i < k->state.n_settings; i++) {
		struct cni_st_setting *setting = &k->state.settings[i];
		const struct cni_st_set former = { .name = "former" }, *set = find_set(&k->state, &former);

		setting->has_former = false;
		setting->former = 0;
		for (size_t e = 0; set && e < set->n_elems; e++) {
			const char *name = cni_setting_info[setting->key].name, *at;

			if (strcmp((char *)set->keys + e * CNI_IFNAME, *setting->device ? setting->device : "-"))
				continue;
			at = strstr(set->comments[e], name);
			if (at) {
				setting->has_former = true;
				setting->former = atoi(at + strlen(name) + 1);
			}
		}
	}
#define COPY(list, type)                                                                                               \
	do {                                                                                                           \
		s->list = cni_new_array(k->arena, struct type, k->state.n_##list + 1);                                 \
		if (k->state.n_##list)                                                                                 \
			memcpy(s->list, k->state.list, k->state.n_##list * sizeof(*s->list));                          \
		s->n_##list = k->state.n_##list;                                                                       \
	} while (0)
	COPY(links, cni_st_link);
	COPY(settings, cni_st_setting);
	COPY(addrs, cni_st_addr);
	COPY(rules, cni_st_rule);
	COPY(routes, cni_st_route);
	COPY(counters, cni_st_counter);
	COPY(sets, cni_st_set);
	COPY(chains, cni_st_chain);
	s->has_table = k->state.has_table;
	cni_state_sort(s);
	return s;
}

/* ---- random states over few names, so that they meet ---- */

struct dice {
	uint64_t seed;
};

static unsigned int roll(struct dice *dice, unsigned int n)
{
	dice->seed = dice->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)(dice->seed >> 33) % n;
}

static struct cni_addr v4(unsigned int a, unsigned int b)
{
	return (struct cni_addr){ CNI_V4, 10u << 24 | a << 8 | b };
}

static struct cni_st_hop hop(const char *name)
{
	return (struct cni_st_hop){ .device = name, .weight = 1 };
}

static void random_links(struct kernel *k, struct dice *dice)
{
	static const char *const names[] = { "t0", "t1", "t2" };
	unsigned int first = roll(dice, 4);

	put_link(k, &(struct cni_st_link){ .name = "e0", .kind = "" });
	put_link(k, &(struct cni_st_link){ .name = "e1", .kind = "" });
	if (roll(dice, 2))
		put_link(k, &(struct cni_st_link){ .name = "e0.5",
						   .owned = true,
						   .type = CNI_DEV_VLAN,
						   .kind = "vlan",
						   .up = true,
						   .mtu = 1500,
						   .parent = "e0",
						   .vlan = (uint16_t)(5 + roll(dice, 2)) });
	for (unsigned int i = 0; i < 3; i++) {
		struct cni_st_link t = { .name = names[i], .owned = true, .up = true };
		bool six = !roll(dice, 5);

		if (!roll(dice, 3))
			continue;
		t.type = six ? CNI_DEV_IP6GRE : CNI_DEV_GRE;
		t.kind = six ? "ip6gre" : "gre";
		t.local.v = 1;
		t.remote.v = (first + i) % 4;
		t.ttl = (uint8_t)(64 - roll(dice, 2));
		t.mtu = 1476 - 4 * roll(dice, 2);
		put_link(k, &t);
	}
	put_link(k, &(struct cni_st_link){ .name = "lo", .kind = "" });
}

static void random_devices(struct kernel *k, struct dice *dice)
{
	for (size_t i = 0; i < k->state.n_links; i++) {
		const char *name = k->state.links[i].name;
		const bool owned = k->state.links[i].owned;

		for (enum cni_setting_key key = 0; key <= CNI_SET_ACCEPT_LOCAL; key++)
			if (roll(dice, 2))
				put_setting(k, &(struct cni_st_setting){
						       .device = name, .key = key, .value = (int)roll(dice, 3) });
		if (owned) /* cnic writes no route over a device without an address */
			put_addr(k, &(struct cni_st_addr){ .device = name,
							   .address = { v4((unsigned int)i, 8 + roll(dice, 2)), 31 },
							   .owned = true });
		if (owned && roll(dice, 2))
			put_addr(k, &(struct cni_st_addr){ .device = name,
							   .address = { { CNI_V6, i << 4 | roll(dice, 2) }, 127 },
							   .owned = true });
	}
	if (roll(dice, 2))
		put_setting(k, &(struct cni_st_setting){
				       .device = "", .key = CNI_SET_MULTIPATH_HASH, .value = (int)roll(dice, 2) });
	if (roll(dice, 2)) /* the base has it too, not owned */
		put_addr(k, &(struct cni_st_addr){ .device = "e0", .address = { v4(77, 1), 24 }, .owned = true });
	if (roll(dice, 2))
		put_addr(k, &(struct cni_st_addr){
				    .device = "lo", .address = { v4(78, roll(dice, 2)), 32 }, .owned = true });
}

static void random_routing(struct kernel *k, struct dice *dice)
{
	for (uint32_t i = 0; i < 4; i++) {
		if (!roll(dice, 4))
			continue;
		put_rule(k, &(struct cni_st_rule){ .priority = 100 + roll(dice, 2),
						   .mark = i,
						   .mask = 255,
						   .table = 100 + i,
						   .owned = true });
		for (uint32_t metric = 10; metric <= 20; metric += 10) {
			struct cni_st_route route = { .table = 100 + i, .metric = metric, .owned = true };

			route.family = route.to.addr.family = roll(dice, 3) ? CNI_V4 : CNI_V6;
			route.type = roll(dice, 4) ? CNI_RT_UNICAST : CNI_RT_UNREACHABLE;
			route.n_hops = route.type == CNI_RT_UNICAST ? 1 + roll(dice, 2) : 0;
			route.hops = cni_new_array(k->arena, struct cni_st_hop, 2);
			for (size_t h = 0; h < route.n_hops; h++) /* any but the last one, lo */
				route.hops[h] =
					hop(k->state.links[roll(dice, (unsigned int)k->state.n_links - 1)].name);
			put_route(k, &route);
		}
	}
}

static struct cni_st_rule_nft *verdict(struct kernel *k, int32_t code, const char *chain)
{
	struct cni_st_rule_nft *rule = cni_new(k->arena, struct cni_st_rule_nft);

	rule->n_exprs = 1;
	rule->exprs = cni_new(k->arena, struct cni_expr);
	rule->exprs[0] = (struct cni_expr){ .op = CNI_X_VERDICT, .key = code, .name = chain };
	return rule;
}

static void random_nft(struct kernel *k, struct dice *dice)
{
	static const char *const bases[] = { "output", "prerouting" };
	const char *last = NULL;

	k->state.has_table = true;
	for (unsigned int i = 0; i < 4; i++) {
		const char *name = cni_printf(k->arena, "c.%u", i);
		uint8_t *key = cni_alloc(k->arena, 4);

		if (roll(dice, 2))
			put_counter(k, &(struct cni_st_counter){ .name = name });
		key[0] = (uint8_t)i;
		if (roll(dice, 2))
			put_set(k, &(struct cni_st_set){ .name = name,
							 .fields = { CNI_KEY_IPV4 },
							 .n_fields = 1,
							 .key_len = 4,
							 .keys = key,
							 .n_elems = 1 });
		if (!roll(dice, 3))
			continue;
		last = name;
		put_chain(k,
			  &(struct cni_st_chain){ .name = name, .rules = verdict(k, NF_DROP, NULL), .n_rules = i % 2 });
	}
	for (unsigned int i = 0; i < 2; i++)
		if (roll(dice, 4))
			put_chain(k, &(struct cni_st_chain){ .name = bases[i],
							     .type = CNI_HOOK_FILTER,
							     .hook = NF_INET_LOCAL_OUT,
							     .priority = roll(dice, 9) ? -150 : -149,
							     .rules = verdict(k, NFT_JUMP, last),
							     .n_rules = last ? 1 : 0 });
}

static struct cni_state *random_state(struct cni_arena *arena, struct dice *dice)
{
	struct kernel k = { .arena = arena };

	random_links(&k, dice);
	random_devices(&k, dice);
	random_routing(&k, dice);
	if (roll(dice, 8))
		random_nft(&k, dice);
	else
		k.state.n_settings = 0; /* their former values would have no place */
	return snapshot(&k);
}

/* A router as somebody else made it. */
static struct kernel base_kernel(struct cni_arena *arena)
{
	static const char *const names[] = { "e0", "e1", "lo", "f0" };
	struct kernel k = { .arena = arena };
	struct cni_st_hop *hops = cni_new(arena, struct cni_st_hop);

	for (size_t i = 0; i < 4; i++)
		make_device(&k, &(struct cni_st_link){ .name = names[i], .kind = "", .up = true, .mtu = 1500 });
	device(&k, "f0")->type = CNI_DEV_GRE;
	device(&k, "f0")->remote.v = 99;
	put_setting(&k, &(struct cni_st_setting){ .device = "", .key = CNI_SET_MULTIPATH_HASH });
	put_addr(&k, &(struct cni_st_addr){ .device = "e0", .address = { v4(77, 1), 24 } });
	put_addr(&k, &(struct cni_st_addr){ .device = "e1", .address = { v4(79, 1), 24 } });
	put_rule(&k, &(struct cni_st_rule){ .priority = 32766, .table = 254 });
	put_rule(&k, &(struct cni_st_rule){ .priority = 7, .table = 100, .other = true });
	*hops = hop("e0");
	put_route(&k, &(struct cni_st_route){ .table = 254, .hops = hops, .n_hops = 1 });
	return k;
}

/* Somebody's hand, or a fault, between two runs. */
static void tamper(struct kernel *k, struct dice *dice)
{
	struct cni_state *s = &k->state;

	if (s->n_routes > 1 && !roll(dice, 3))
		drop_route(s, &s->routes[s->n_routes - 1]);
	if (s->n_rules > 2 && !roll(dice, 3))
		drop_rule(s, &s->rules[s->n_rules - 1]);
	if (device(k, "t1") && !roll(dice, 3)) {
		device(k, "t1")->up = false;
		flush_routes(k, "t1", true);
	}
	for (size_t i = 0; i < s->n_chains; i++)
		if (s->chains[i].type == CNI_HOOK_NONE && !roll(dice, 5))
			s->chains[i].n_rules = 0;
	for (size_t i = 0; i < s->n_settings; i++)
		if (s->settings[i].has_former && !roll(dice, 9)) /* others are not put back by anybody */
			s->settings[i].value = (int)roll(dice, 3);
}

/* ---- the laws ---- */

static void run(struct kernel *k, const struct cni_plan *plan, bool undo)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		apply_step(k, &plan->steps[undo ? plan->n_steps - 1 - i : i], undo);
}

static uint32_t priority_of(const struct cni_step *step)
{
	return ((const struct cni_st_rule *)step->after)->priority;
}

static void check_phases(const struct cni_plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct cni_step *s = &plan->steps[i];

		assert_true(!i || plan->steps[i - 1].phase <= s->phase);
		assert_true(s->before || s->after);
		assert_int_equal(s->op == CNI_ADD, !s->before);
		assert_int_equal(s->op == CNI_DELETE, !s->after);
		assert_true(s->phase != CNI_FLIP || s->object == CNI_BASE_RULES);
		assert_true(s->phase != CNI_EXPAND || s->op != CNI_DELETE);
		if (i && s->phase == CNI_EXPAND && s->object == CNI_RULE && s[-1].object == CNI_RULE)
			assert_true(priority_of(&s[-1]) >= priority_of(s));
		assert_true(s->phase != CNI_CONTRACT || s->op != CNI_ADD);
	}
}

/* Every record of ours in `a` is in `b`, the same; and foreign ones, where `foreign` says so. */
static void check_within(const struct cni_state *a, const struct cni_state *b, bool foreign)
{
	struct cni_state *in = (struct cni_state *)b;

#define EACH(kind, list, counts, same_)                                                                                \
	for (size_t i = 0; i < a->n_##list; i++) {                                                                     \
		const struct cni_st_##kind *x = &a->list[i], *y = find_##kind(in, x);                                  \
                                                                                                                       \
		if (!(counts) && !foreign)                                                                             \
			continue;                                                                                      \
		assert_non_null(y);                                                                                    \
		assert_true(same_);                                                                                    \
	}
	EACH(link, links, x->owned, cni_link_same(x, y))
	EACH(addr, addrs, x->owned, true)
	EACH(rule, rules, x->owned, true)
	EACH(route, routes, x->owned, cni_route_same(x, y))
	EACH(counter, counters, true, true)
	EACH(set, sets, true, cni_set_same(x, y))
	EACH(chain, chains, true, cni_chain_same(x, y))
	EACH(setting, settings, false, x->value == y->value)
#undef EACH
	assert_int_equal(a->has_table, b->has_table);
}

static void go(struct kernel *k, const struct cni_state *desired)
{
	struct cni_diags diags;
	struct cni_state *before = snapshot(k), *after;
	struct cni_plan *plan;

	cni_diags_init(&diags, k->arena);
	plan = cni_plan(k->arena, before, desired, &diags);
	assert_int_equal(diags.n_errors, 0);
	check_phases(plan);
	run(k, plan, false);
	after = snapshot(k);
	check_within(plan->desired, after, false);
	check_within(after, plan->desired, false);
	for (size_t i = 0; i < desired->n_settings; i++)
		assert_int_equal(find_setting(after, &desired->settings[i])->value, desired->settings[i].value);
	assert_int_equal(cni_plan(k->arena, after, desired, &diags)->n_steps, 0);
	assert_int_equal(cni_plan(k->arena, after, after, &diags)->n_steps, 0);
	run(k, plan, true);
	check_within(before, snapshot(k), true);
	check_within(snapshot(k), before, true);
	run(k, plan, false);
}

static void test_laws(void **state)
{
	const char *rounds = getenv("CNIC_FULL") ? "20000" : "1500";

	for (unsigned int i = 0; i < (unsigned int)atoi(rounds); i++) {
		struct cni_arena *arena = cni_arena_new();
		struct dice dice = { i };
		struct kernel k = base_kernel(arena);
		struct cni_state *base = snapshot(&k);

		go(&k, random_state(arena, &dice));
		go(&k, random_state(arena, &dice));
		snapshot(&k); /* for has_former */
		tamper(&k, &dice);
		go(&k, random_state(arena, &dice));
		go(&k, cni_state_without(arena, snapshot(&k)));
		check_within(base, snapshot(&k), true);
		check_within(snapshot(&k), base, true);
		cni_arena_free(arena);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_laws, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
