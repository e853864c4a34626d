/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest.c - states without what moves by itself, as JSON, as a digest; see digest.h. */
#include "runtime/saved_plan/digest.h"

#include <jansson.h>
#include <stdlib.h>

#include "runtime/json/state_json.h"
#include "runtime/sha256.h"

/* ---- records as they are meant: what the kernel only observes is taken away ---- */

static void add_link(struct cni_arena *arena, struct cni_state *to, const void *record)
{
	struct cni_st_link *link = cni_push(arena, to->links, to->n_links);

	*link = *(const struct cni_st_link *)record;
	link->ifindex = 0;
	link->carrier = false;
	link->rx_bytes = link->tx_bytes = link->rx_packets = link->tx_packets = link->rx_errors = link->tx_errors = 0;
}

static void add_setting(struct cni_arena *arena, struct cni_state *to, const void *record)
{
	*cni_push(arena, to->settings, to->n_settings) = *(const struct cni_st_setting *)record;
}

static void add_addr(struct cni_arena *arena, struct cni_state *to, const void *record)
{
	*cni_push(arena, to->addrs, to->n_addrs) = *(const struct cni_st_addr *)record;
}

static void add_rule(struct cni_arena *arena, struct cni_state *to, const void *record)
{
	*cni_push(arena, to->rules, to->n_rules) = *(const struct cni_st_rule *)record;
}

static void add_route(struct cni_arena *arena, struct cni_state *to, const void *record)
{
	struct cni_st_route *route = cni_push(arena, to->routes, to->n_routes);
	const struct cni_st_hop *hops;

	*route = *(const struct cni_st_route *)record;
	hops = route->hops;
	route->hops = cni_new_array(arena, struct cni_st_hop, route->n_hops);
	for (size_t i = 0; i < route->n_hops; i++) {
		route->hops[i] = hops[i];
		route->hops[i].linkdown = route->hops[i].dead = false;
	}
}

static void add_table(struct cni_arena *arena, struct cni_state *to, const void *record)
{
	(void)arena;
	(void)record;
	to->has_table = true;
}

static void add_counter(struct cni_arena *arena, struct cni_state *to, const void *record)
{
	struct cni_st_counter *counter = cni_push(arena, to->counters, to->n_counters);

	*counter = *(const struct cni_st_counter *)record;
	counter->packets = counter->bytes = counter->handle = 0;
}

static void add_set(struct cni_arena *arena, struct cni_state *to, const void *record)
{
	struct cni_st_set *set = cni_push(arena, to->sets, to->n_sets);

	*set = *(const struct cni_st_set *)record;
	set->handle = 0;
}

static void add_chain(struct cni_arena *arena, struct cni_state *to, const void *record)
{
	struct cni_st_chain *chain = cni_push(arena, to->chains, to->n_chains);
	const struct cni_st_rule_nft *rules;

	*chain = *(const struct cni_st_chain *)record;
	chain->handle = 0;
	rules = chain->rules;
	chain->rules = cni_new_array(arena, struct cni_st_rule_nft, chain->n_rules);
	for (size_t i = 0; i < chain->n_rules; i++) {
		chain->rules[i] = rules[i];
		chain->rules[i].handle = 0;
	}
}

static void (*const add[CNI_N_OBJECTS])(struct cni_arena *arena, struct cni_state *to, const void *record) = {
	[CNI_LINK] = add_link,	 [CNI_SETTING] = add_setting,  [CNI_ADDR] = add_addr,	    [CNI_RULE] = add_rule,
	[CNI_ROUTE] = add_route, [CNI_TABLE_NFT] = add_table,  [CNI_COUNTER] = add_counter, [CNI_SET] = add_set,
	[CNI_CHAIN] = add_chain, [CNI_BASE_RULES] = add_chain,
};

/* ---- what is ours ---- */

static int by_name(const void *a, const void *b)
{
	return cni_link_cmp(a, b);
}

static bool is_ours(const struct cni_state *ours, const char *device)
{
	const struct cni_st_link key = { .name = device };

	return ours->n_links && bsearch(&key, ours->links, ours->n_links, sizeof(key), by_name);
}

static struct cni_state *managed(struct cni_arena *arena, const struct cni_state *state)
{
	struct cni_state *ours = cni_new(arena, struct cni_state);

#define ADD_ALL(object, list, condition)                                                                               \
	for (size_t i = 0; i < state->n_##list; i++)                                                                   \
		if (condition)                                                                                         \
			add[object](arena, ours, &state->list[i]);
	ADD_ALL(CNI_LINK, links, state->links[i].owned)
	ADD_ALL(CNI_SETTING, settings, state->settings[i].has_former || is_ours(ours, state->settings[i].device))
	ADD_ALL(CNI_ADDR, addrs, state->addrs[i].owned)
	ADD_ALL(CNI_RULE, rules, state->rules[i].owned && !state->rules[i].other)
	ADD_ALL(CNI_ROUTE, routes, state->routes[i].owned && state->routes[i].type != CNI_RT_OTHER)
	ADD_ALL(CNI_COUNTER, counters, true)
	ADD_ALL(CNI_SET, sets, true)
	ADD_ALL(CNI_CHAIN, chains, true)
#undef ADD_ALL
	ours->has_table = state->has_table;
	return ours;
}

/* ---- digests ---- */

void rt_digest_bytes(const void *data, size_t len, char digest[RT_DIGEST_TEXT])
{
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, len, data);
	rt_sha256_end(&sha, digest);
}

static int update(const char *data, size_t len, void *sha)
{
	sha256_update(sha, len, (const uint8_t *)data);
	return 0;
}

static bool add_state(struct sha256_ctx *sha, const struct cni_state *state)
{
	json_t *json = rt_state_to_json(state);
	bool done = json && !json_dump_callback(json, update, sha, JSON_COMPACT);

	json_decref(json);
	return done;
}

bool rt_digest_state(struct cni_arena *arena, const struct cni_state *state, char digest[RT_DIGEST_TEXT])
{
	struct sha256_ctx sha;
	bool done;

	sha256_init(&sha);
	done = add_state(&sha, managed(arena, state));
	rt_sha256_end(&sha, digest);
	return done;
}

bool rt_digest_plan(struct cni_arena *arena, const struct cni_plan *plan, char digest[RT_DIGEST_TEXT])
{
	struct cni_state before = { 0 }, after = { 0 };
	struct sha256_ctx sha;
	bool done;

	sha256_init(&sha);
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct cni_step *step = &plan->steps[i];
		const uint8_t what[] = { (uint8_t)step->phase, (uint8_t)step->op, (uint8_t)step->object,
					 step->before != NULL, step->after != NULL };

		sha256_update(&sha, sizeof(what), what);
		if (step->before)
			add[step->object](arena, &before, step->before);
		if (step->after)
			add[step->object](arena, &after, step->after);
	}
	done = add_state(&sha, &before) && add_state(&sha, &after);
	rt_sha256_end(&sha, digest);
	return done;
}
