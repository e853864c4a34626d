/* SPDX-License-Identifier: GPL-2.0-or-later */
/* observe_route.c - routes: ours in every table, what others have in those that we fill, and main's defaults. The
 * kernel filters by table and protocol (NETLINK_GET_STRICT_CHK), so that a daemon's million routes in other tables cost
 * nothing. */
#include "runtime/netlink/observe.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <linux/rtnetlink.h>

static enum cni_route_type type_of(uint8_t type)
{
	return type == RTN_UNICAST	 ? CNI_RT_UNICAST
	       : type == RTN_BLACKHOLE	 ? CNI_RT_BLACKHOLE
	       : type == RTN_UNREACHABLE ? CNI_RT_UNREACHABLE
					 : CNI_RT_OTHER;
}

/* A next hop's gateway may be of the other family (RTA_VIA). */
static void read_via(const struct rt_attrs *attrs, enum cni_family family, struct cni_st_hop *hop)
{
	const struct nlattr *via = attrs->at[RTA_VIA];

	hop->has_via = rt_addr(attrs->at[RTA_GATEWAY], family, &hop->via);
	if (via && mnl_attr_get_payload_len(via) >= sizeof(struct rtvia)) {
		const struct rtvia *other = mnl_attr_get_payload(via);
		size_t len = mnl_attr_get_payload_len(via) - sizeof(*other);

		if ((other->rtvia_family == AF_INET && len == 4) || (other->rtvia_family == AF_INET6 && len == 16)) {
			hop->has_via = true;
			hop->via = cni_addr_from_bytes(len == 4 ? CNI_V4 : CNI_V6, other->rtvia_addr);
		}
	}
}

static bool add_hop(struct rt_observation *obs, struct cni_st_route *route, const struct rt_attrs *attrs, int ifindex,
		    unsigned int flags, unsigned int weight)
{
	struct cni_st_hop *hop = cni_push(obs->arena, route->hops, route->n_hops);

	read_via(attrs, route->family, hop);
	hop->device = rt_observed_device(obs, ifindex);
	hop->weight = (uint16_t)weight;
	hop->onlink = flags & RTNH_F_ONLINK;
	hop->linkdown = flags & RTNH_F_LINKDOWN;
	hop->dead = flags & RTNH_F_DEAD;
	return hop->device;
}

static bool add_hops(struct rt_observation *obs, struct cni_st_route *route, const struct nlattr *list)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(list);
	int left = mnl_attr_get_payload_len(list);
	bool known = true;

	for (; RTNH_OK(hop, left); left -= (int)NLMSG_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
		struct rt_attrs attrs = { 0 };
		const struct nlattr *attr;

		if (hop->rtnh_len < sizeof(*hop))
			break;
		mnl_attr_for_each_payload((const void *)RTNH_DATA(hop),
					  hop->rtnh_len - sizeof(*hop)) if (mnl_attr_get_type(attr) < RT_ATTRS)
			attrs.at[mnl_attr_get_type(attr)] = attr;
		known &= add_hop(obs, route, &attrs, hop->rtnh_ifindex, hop->rtnh_flags, hop->rtnh_hops + 1u);
	}
	return known;
}

static int read_route(const struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct rt_observation *obs = arg;
	struct cni_st_route route = { 0 };
	bool known = true;
	struct rt_attrs attrs;

	if (message->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return 0;
	if ((info->rtm_family != AF_INET && info->rtm_family != AF_INET6) || info->rtm_flags & RTM_F_CLONED)
		return 0;
	/* a daemon may keep a million others in main, which nothing here asks for */
	if (obs->reading == RT_MAIN && info->rtm_dst_len && info->rtm_protocol != CNI_PROTO)
		return 0;
	rt_attrs(&attrs, message, sizeof(*info));
	route.family = info->rtm_family == AF_INET ? CNI_V4 : CNI_V6;
	route.table = rt_u32(attrs.at[RTA_TABLE], info->rtm_table);
	route.owned = info->rtm_protocol == CNI_PROTO;
	route.type = type_of(info->rtm_type);
	route.metric = rt_u32(attrs.at[RTA_PRIORITY], 0);
	route.to.addr.family = route.family;
	if (rt_addr(attrs.at[RTA_DST], route.family, &route.to.addr))
		route.to.len = info->rtm_dst_len;
	route.has_source = rt_addr(attrs.at[RTA_PREFSRC], route.family, &route.source);
	/* the requests overlap: ours are taken of the first, or of main of its own */
	if (route.owned && (route.table == RT_TABLE_MAIN ? obs->reading != RT_MAIN : obs->reading != RT_OURS))
		return 0;
	if (route.type == CNI_RT_UNICAST && attrs.at[RTA_MULTIPATH])
		known = add_hops(obs, &route, attrs.at[RTA_MULTIPATH]);
	else if (route.type == CNI_RT_UNICAST && attrs.at[RTA_OIF])
		known = add_hop(obs, &route, &attrs, (int)rt_u32(attrs.at[RTA_OIF], 0), info->rtm_flags, 1);
	if (!known && obs->reading != RT_OTHERS)
		return -EINTR; /* a device made since the links were read */
	if (!known)
		route.n_hops = 0; /* no device that a route of ours goes by */
	if (route.type == CNI_RT_UNICAST && !route.n_hops)
		route.type = CNI_RT_OTHER; /* by a nexthop object that the kernel does not spell out */
	*cni_push(obs->arena, obs->state->routes, obs->state->n_routes) = route;
	return 0;
}

static int dump(struct rt_observation *obs, enum rt_reading reading, uint8_t family, uint32_t table, uint8_t protocol)
{
	uint64_t space[64] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);
	struct rtmsg *info;
	int rc;

	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_DUMP;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->rtm_family = family;
	info->rtm_protocol = protocol;
	if (table != RT_TABLE_UNSPEC)
		mnl_attr_put_u32(request, RTA_TABLE, table);
	obs->reading = reading;
	rc = rt_request(obs->nl, RT_ROUTE, request, read_route, obs);
	/* no route was ever in main, or a kernel without the family */
	return rc == -ENOENT || rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP ? 0 : rc;
}

/* ---- tables that we fill ---- */

struct table {
	enum cni_family family;
	uint32_t number;
};

struct tables {
	struct table *items;
	size_t n_items;
};

static int by_number(const void *a, const void *b)
{
	const struct table *x = a, *y = b;

	return x->number != y->number ? (x->number > y->number) - (x->number < y->number)
				      : (int)x->family - (int)y->family;
}

/* Each once. */
static struct tables tables_of(struct cni_arena *arena, const struct cni_state *state)
{
	struct tables all = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < state->n_rules; i++)
		if (cni_rule_fills(&state->rules[i]))
			*cni_push(arena, all.items, all.n_items) =
				(struct table){ state->rules[i].family, state->rules[i].table };
	for (size_t i = 0; i < state->n_routes; i++)
		if (cni_route_fills(&state->routes[i]))
			*cni_push(arena, all.items, all.n_items) =
				(struct table){ state->routes[i].family, state->routes[i].table };
	if (all.n_items)
		qsort(all.items, all.n_items, sizeof(*all.items), by_number);
	for (size_t i = 0; i < all.n_items; i++)
		if (all.items[i].number != RT_TABLE_MAIN && (!n || by_number(&all.items[n - 1], &all.items[i])))
			all.items[n++] = all.items[i];
	all.n_items = n;
	return all;
}

static int dump_tables(struct rt_observation *obs, const struct tables *tables, const struct tables *except)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < tables->n_items; i++) {
		const struct table *table = &tables->items[i];

		if (!except->n_items || !bsearch(table, except->items, except->n_items, sizeof(*table), by_number))
			rc = dump(obs, RT_OTHERS, table->family == CNI_V4 ? AF_INET : AF_INET6, table->number,
				  RTPROT_UNSPEC);
	}
	return rc;
}

int rt_observe_others(struct rt_observation *obs, const struct cni_state *wanted)
{
	struct tables more = tables_of(obs->arena, wanted), seen = tables_of(obs->arena, obs->state);

	return dump_tables(obs, &more, &seen);
}

int rt_observe_routes(struct rt_observation *obs)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct tables tables;
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(families); i++) {
		rc = dump(obs, RT_OURS, families[i], RT_TABLE_UNSPEC, CNI_PROTO);
		if (!rc)
			rc = dump(obs, RT_MAIN, families[i], RT_TABLE_MAIN, RTPROT_UNSPEC);
	}
	if (rc)
		return rc;
	/* an apply asks for those of its policy besides, which only lowering tells */
	tables = tables_of(obs->arena, obs->state);
	return dump_tables(obs, &tables, &(struct tables){ 0 });
}
