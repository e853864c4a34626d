/* SPDX-License-Identifier: GPL-2.0-or-later */
/* router_look.c - a router copied, looked at, and compared with another one: see router.h. */
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "runtime/netlink/report.h"
#include "tests/property/router.h"

#define EACH_LIST(DO)                                                                                                  \
	DO(links, 0)                                                                                                   \
	DO(settings, 1)                                                                                                \
	DO(addrs, 2)                                                                                                   \
	DO(rules, 3)                                                                                                   \
	DO(routes, 4)                                                                                                  \
	DO(counters, 5)                                                                                                \
	DO(sets, 6)                                                                                                    \
	DO(chains, 7)

struct router router_copy(const struct router *from)
{
	struct router to = *from;

#define COPY(list, slot)                                                                                               \
	to.room[slot] = from->state.n_##list;                                                                          \
	to.state.list = cni_regrow(from->arena, from->state.list, to.room[slot] * sizeof(*to.state.list),              \
				   to.room[slot] * sizeof(*to.state.list));
	EACH_LIST(COPY)
#undef COPY
	return to;
}

static void note_former(struct cni_st_setting *setting, const struct cni_st_set *former)
{
	const char *name = cni_setting_info[setting->key].name;
	const char *device_name = *setting->device ? setting->device : "-";

	for (size_t i = 0; i < former->n_elems; i++) {
		const char *at = former->comments[i];

		if (strncmp((const char *)former->keys + i * CNI_IFNAME, device_name, CNI_IFNAME))
			continue;
		while (at && (strncmp(at, name, strlen(name)) || at[strlen(name)] != '=')) {
			at = strchr(at, ' ');
			at += at != NULL;
		}
		setting->has_former = at;
		setting->former = at ? atoi(at + strlen(name) + 1) : 0;
	}
}

struct cni_state *router_observe(const struct router *r)
{
	struct router shown = router_copy(r);
	struct cni_state *state = cni_new(r->arena, struct cni_state);
	size_t n = 0;

	*state = shown.state;
	for (size_t i = 0; i < state->n_routes; i++)
		if (state->routes[i].owned || (state->routes[i].table == RT_TABLE_MAIN && !state->routes[i].to.len))
			state->routes[n++] = state->routes[i];
	state->n_routes = n;
	for (size_t i = 0; i < state->n_rules; i++)
		state->rules[i].span = (struct cni_span){ 0 };
	for (size_t i = 0; i < state->n_addrs; i++)
		state->addrs[i].span = (struct cni_span){ 0 };
	for (size_t i = 0; i < state->n_sets; i++)
		for (size_t s = 0; !strcmp(state->sets[i].name, "former") && s < state->n_settings; s++)
			note_former(&state->settings[s], &state->sets[i]);
	return state;
}

/* ---- comparing ---- */

static bool same_link(const struct cni_st_link *a, const struct cni_st_link *b)
{
	return a->owned == b->owned && cni_link_same(a, b);
}

static bool same_setting(const struct cni_st_setting *a, const struct cni_st_setting *b)
{
	return a->value == b->value;
}

static bool same_addr(const struct cni_st_addr *a, const struct cni_st_addr *b)
{
	return a->owned == b->owned;
}

static bool same_rule(const struct cni_st_rule *a, const struct cni_st_rule *b)
{
	return a->owned == b->owned;
}

static bool same_route(const struct cni_st_route *a, const struct cni_st_route *b)
{
	return a->owned == b->owned && cni_route_same(a, b);
}

static bool same_chain(const struct cni_st_chain *a, const struct cni_st_chain *b)
{
	return (a->rules == b->rules && a->n_rules == b->n_rules) || cni_chain_same(a, b);
}

static bool same_set(const struct cni_st_set *a, const struct cni_st_set *b)
{
	return (a->keys == b->keys && a->n_elems == b->n_elems) || cni_set_same(a, b);
}

static const char *describe(struct cni_arena *arena, enum cni_object object, const void *a, const void *b)
{
	const struct cni_step step = { .op = !a	  ? CNI_ADD
					     : !b ? CNI_DELETE
						  : CNI_CHANGE,
				       .object = object,
				       .before = a,
				       .after = b };

	return rt_step_text(arena, &step);
}

#define COMPARE(kind, list, object, same)                                                                              \
	for (size_t i = 0, j = 0; i < a->state.n_##list || j < b->state.n_##list;) {                                   \
		const struct cni_st_##kind *x = i < a->state.n_##list ? &a->state.list[i] : NULL;                      \
		const struct cni_st_##kind *y = j < b->state.n_##list ? &b->state.list[j] : NULL;                      \
		int o = !x ? 1 : !y ? -1 : cni_##kind##_cmp(x, y);                                                     \
                                                                                                                       \
		if (o || !same(x, y))                                                                                  \
			return describe(arena, object, o > 0 ? NULL : x, o < 0 ? NULL : y);                            \
		i++;                                                                                                   \
		j++;                                                                                                   \
	}

const char *router_difference(struct cni_arena *arena, const struct router *a, const struct router *b)
{
	COMPARE(link, links, CNI_LINK, same_link)
	COMPARE(setting, settings, CNI_SETTING, same_setting)
	COMPARE(addr, addrs, CNI_ADDR, same_addr)
	COMPARE(rule, rules, CNI_RULE, same_rule)
	COMPARE(route, routes, CNI_ROUTE, same_route)
	COMPARE(counter, counters, CNI_COUNTER, cni_counter_same)
	COMPARE(set, sets, CNI_SET, same_set)
	COMPARE(chain, chains, CNI_CHAIN, same_chain)
	return a->state.has_table == b->state.has_table ? NULL : "the table";
}
