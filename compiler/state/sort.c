/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sort.c - the order of records by key; see state.h. */
#include "compiler/state.h"

#include <stdlib.h>
#include <string.h>

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* The first difference decides. */
#define BY(order)                                                                                                      \
	do {                                                                                                           \
		int o = (order);                                                                                       \
		if (o)                                                                                                 \
			return o;                                                                                      \
	} while (0)

static int by_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int by_prefix(const struct cni_prefix *a, const struct cni_prefix *b)
{
	BY(ORDER(a->addr.family, b->addr.family));
	BY(ORDER(a->addr.v, b->addr.v));
	return ORDER(a->len, b->len);
}

int cni_link_cmp(const struct cni_st_link *a, const struct cni_st_link *b)
{
	return by_text(a->name, b->name);
}

int cni_setting_cmp(const struct cni_st_setting *a, const struct cni_st_setting *b)
{
	BY(by_text(a->device, b->device));
	return ORDER(a->key, b->key);
}

int cni_addr_cmp(const struct cni_st_addr *a, const struct cni_st_addr *b)
{
	BY(by_text(a->device, b->device));
	return by_prefix(&a->address, &b->address);
}

int cni_rule_cmp(const struct cni_st_rule *a, const struct cni_st_rule *b)
{
	BY(ORDER(a->family, b->family));
	BY(ORDER(a->priority, b->priority));
	BY(ORDER(a->other, b->other));
	BY(ORDER(a->has_from, b->has_from));
	if (a->has_from)
		BY(by_prefix(&a->from, &b->from));
	BY(ORDER(a->has_to, b->has_to));
	if (a->has_to)
		BY(by_prefix(&a->to, &b->to));
	BY(by_text(a->iif, b->iif));
	BY(ORDER(a->mask, b->mask));
	if (a->mask)
		BY(ORDER(a->mark, b->mark));
	BY(ORDER(a->ipproto, b->ipproto));
	BY(ORDER(a->invert, b->invert));
	BY(ORDER(a->jump, b->jump));
	return ORDER(a->table, b->table);
}

int cni_route_cmp(const struct cni_st_route *a, const struct cni_st_route *b)
{
	BY(ORDER(a->table, b->table));
	BY(ORDER(a->family, b->family));
	BY(by_prefix(&a->to, &b->to));
	return ORDER(a->metric, b->metric);
}

int cni_counter_cmp(const struct cni_st_counter *a, const struct cni_st_counter *b)
{
	return by_text(a->name, b->name);
}

int cni_set_cmp(const struct cni_st_set *a, const struct cni_st_set *b)
{
	return by_text(a->name, b->name);
}

int cni_chain_cmp(const struct cni_st_chain *a, const struct cni_st_chain *b)
{
	return by_text(a->name, b->name);
}

/* The kernel can hold a rule of ours and an identical foreign one: ours first, so that it is the one that a
 * desired rule meets. The same for routes. */
#define SORTER(kind, tie)                                                                                              \
	static int sort_##kind(const void *x, const void *y)                                                           \
	{                                                                                                              \
		const struct cni_st_##kind *a = (const struct cni_st_##kind *)x;                                       \
		const struct cni_st_##kind *b = (const struct cni_st_##kind *)y;                                       \
		int order = cni_##kind##_cmp(a, b);                                                                    \
                                                                                                                       \
		return order ? order : (tie);                                                                          \
	}

SORTER(link, 0)
SORTER(setting, 0)
SORTER(addr, 0)
SORTER(rule, ORDER(b->owned, a->owned))
SORTER(route, ORDER(b->owned, a->owned))
SORTER(counter, 0)
SORTER(set, 0)
SORTER(chain, 0)

static void sort(void *items, size_t n, size_t size, int (*order)(const void *, const void *))
{
	if (n)
		qsort(items, n, size, order);
}

void cni_state_sort_routes(struct cni_state *state)
{
	sort(state->routes, state->n_routes, sizeof(*state->routes), sort_route);
}

void cni_state_sort(struct cni_state *state)
{
	sort(state->links, state->n_links, sizeof(*state->links), sort_link);
	sort(state->settings, state->n_settings, sizeof(*state->settings), sort_setting);
	sort(state->addrs, state->n_addrs, sizeof(*state->addrs), sort_addr);
	sort(state->rules, state->n_rules, sizeof(*state->rules), sort_rule);
	cni_state_sort_routes(state);
	sort(state->counters, state->n_counters, sizeof(*state->counters), sort_counter);
	sort(state->sets, state->n_sets, sizeof(*state->sets), sort_set);
	sort(state->chains, state->n_chains, sizeof(*state->chains), sort_chain);
}
