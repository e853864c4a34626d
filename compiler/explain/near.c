/* SPDX-License-Identifier: GPL-2.0-or-later */
/* near.c - see near.h. */
#include "compiler/explain/near.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
	[CNI_MATCH_FROM] = "from",   [CNI_MATCH_TO] = "to",	  [CNI_MATCH_PROTO] = "proto",
	[CNI_MATCH_SPORT] = "sport", [CNI_MATCH_DPORT] = "dport", [CNI_MATCH_SERVICE] = "service",
	[CNI_MATCH_DSCP] = "dscp",   [CNI_MATCH_ICMP] = "icmp",	  [CNI_MATCH_ICMPV6] = "icmpv6",
};

struct list {
	struct cni_near *items;
	size_t n_items;
};

/* Each kind once, in the order of the enum. */
static const char *fields_of(struct cni_arena *arena, const struct cni_failed_part *parts, size_t n)
{
	const char *text = "";
	unsigned int kinds = 0;

	for (size_t i = 0; i < n; i++)
		kinds |= 1u << parts[i].kind;
	for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++)
		if (kinds >> k & 1)
			text = cni_printf(arena, "%s%s`%s`", text, *text ? ", " : "", words[k]);
	return text;
}

static void add_wants(struct cni_arena *arena, struct cni_near_route *to, const struct cni_failed_part *part)
{
	for (const struct cni_ast_match *m = to->route->ast->matches; m; m = m->next)
		if (part->ast ? m == part->ast : m->kind == part->kind)
			*cni_push(arena, to->wants, to->n_wants) = m->span;
}

/* Reasons are few: one for each combination of fields. */
static struct cni_near *find(struct cni_arena *arena, struct list *list, size_t n_parts, const char *fields)
{
	struct cni_near *near;

	for (size_t i = 0; i < list->n_items; i++)
		if (list->items[i].n_parts == n_parts && !strcmp(list->items[i].fields, fields))
			return &list->items[i];
	near = cni_push(arena, list->items, list->n_items);
	near->n_parts = n_parts;
	near->fields = cni_strdup(arena, fields);
	return near;
}

static int by_parts(const void *x, const void *y)
{
	const struct cni_near *a = x, *b = y;
	const struct cni_route *first = a->routes[0].route, *second = b->routes[0].route;

	if (a->n_parts != b->n_parts)
		return a->n_parts < b->n_parts ? -1 : 1;
	return first < second ? -1 : first > second;
}

size_t cni_near(struct cni_arena *arena, const struct cni_policy *policy, size_t n, const struct cni_packet *packet,
		struct cni_near **near)
{
	struct list list = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct cni_arena *aside = cni_arena_new(); /* of a hundred thousand routes three are kept */
		struct cni_failed_part *parts;
		const size_t n_parts = cni_failed_parts(aside, &policy->routes[i].match, packet, &parts);
		struct cni_near *reason = find(arena, &list, n_parts, fields_of(aside, parts, n_parts));

		if (reason->n_routes < CNI_NEAR_SHOWN) {
			reason->routes[reason->n_routes].route = &policy->routes[i];
			for (size_t p = 0; p < n_parts; p++)
				add_wants(arena, &reason->routes[reason->n_routes], &parts[p]);
		}
		reason->n_routes++;
		cni_arena_free(aside);
	}
	if (list.n_items)
		qsort(list.items, list.n_items, sizeof(*list.items), by_parts);
	*near = list.items;
	return list.n_items;
}
