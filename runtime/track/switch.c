/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch.c - see switch.h. */
#include "runtime/track/switch.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "compiler/emit/describe.h"
#include "runtime/netlink/encode.h"

/* In the order in which they are sent. */
enum part { SAYS_DOWN, IS_NEW, CHANGES, GOES, SAYS_UP, N_PARTS };

struct step {
	const struct cni_st_route *before, *after; /* NULL: none */
};

struct steps {
	struct step *items[N_PARTS];
	size_t n[N_PARTS];
};

static bool has_devices(struct rt_netlink *nl, const struct cni_st_route *route)
{
	for (size_t i = 0; i < route->n_hops; i++)
		if (!rt_ifindex(nl, route->hops[i].device))
			return false;
	return true;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Tables of all_routes, ascending as those are. */
static uint32_t *tables_of(struct cni_arena *arena, const struct cni_state *desired, size_t *n)
{
	uint32_t *tables = NULL;

	*n = 0;
	for (size_t i = 0; i < desired->n_all_routes; i++)
		if (!*n || tables[*n - 1] != desired->all_routes[i].table)
			*cni_push(arena, tables, *n) = desired->all_routes[i].table;
	return tables;
}

static struct steps find_steps(struct rt_netlink *nl, struct cni_arena *arena, const struct cni_state *desired,
			       const struct cni_st_route *before, size_t n_before)
{
	struct steps steps = { 0 };
	size_t n_tables, b = 0, a = 0;
	const uint32_t *tables = tables_of(arena, desired, &n_tables);

	while (b < n_before || a < desired->n_routes) {
		const struct cni_st_route *x = b < n_before ? &before[b] : NULL;
		const struct cni_st_route *y = a < desired->n_routes ? &desired->routes[a] : NULL;
		const int order = !x ? 1 : !y ? -1 : cni_route_cmp(x, y);
		const struct cni_st_route *any = order <= 0 ? x : y;
		const bool says = any->table == desired->down_table;
		enum part part = N_PARTS;

		b += order <= 0;
		a += order >= 0;
		if (order > 0 && has_devices(nl, y))
			part = says ? SAYS_DOWN : IS_NEW;
		else if (order == 0 && x->owned && !cni_route_same(x, y) && has_devices(nl, y))
			part = CHANGES;
		else if (order < 0 && x->owned &&
			 (says || (n_tables && bsearch(&x->table, tables, n_tables, sizeof(*tables), by_number))))
			part = says ? SAYS_UP : GOES;
		if (part != N_PARTS)
			*cni_push(arena, steps.items[part], steps.n[part]) =
				(struct step){ order <= 0 ? x : NULL, order >= 0 ? y : NULL };
	}
	return steps;
}

/* Somebody else was there first, an apply or the kernel itself, with what went with a device. What is there then is looked
 * at again anyway. */
static bool is_so_already(const struct nlmsghdr *message, int error)
{
	if (message->nlmsg_type == RTM_DELROUTE)
		return error == -ESRCH || error == -ENOENT || error == -ENODEV;
	return error == -EEXIST;
}

static void tell(struct cni_arena *arena, struct rt_switched *switched, const struct step *step,
		 const struct rt_refusal *refusal)
{
	struct cni_text text = { .arena = arena };

	if (step)
		cni_describe_route(&text, step->after ? step->after : step->before);
	snprintf(switched->text, sizeof(switched->text), "%s%s%s%s%s", text.data ? text.data : "",
		 text.data ? ": " : "", strerror(-refusal->error), *refusal->text ? ": " : "", refusal->text);
}

struct rt_switched rt_switch_routes(struct rt_netlink *nl, struct cni_arena *arena, const struct cni_state *desired,
				    const struct cni_st_route *before, size_t n_before)
{
	const struct steps steps = find_steps(nl, arena, desired, before, n_before);
	rt_auto_batch struct rt_batch batch = { .bears = is_so_already };
	struct rt_writer writer = { .nl = nl, .batch = &batch };
	struct rt_switched switched = { 0 };
	const struct step **sent = NULL;
	struct rt_refusal refusal;
	size_t n = 0;

	for (enum part part = 0; part < N_PARTS; part++)
		for (size_t i = 0; i < steps.n[part]; i++) {
			const struct step *step = &steps.items[part][i];

			writer.tag = n;
			*cni_push(arena, sent, n) = step;
			if (!step->before)
				rt_route_add(&writer, step->after);
			else if (!step->after)
				rt_route_del(&writer, step->before);
			else
				rt_route_change(&writer, step->before, step->after);
		}
	switched.n = (unsigned int)n;
	if (!n)
		return switched;
	switched.error = rt_exchange(nl, RT_ROUTE, &batch, &refusal);
	switched.moved = batch.n_borne;
	if (switched.error)
		tell(arena, &switched, refusal.message < n ? sent[refusal.message] : NULL, &refusal);
	return switched;
}
