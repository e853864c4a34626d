/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode_route.c - addresses, ip rules and routes. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "runtime/netlink/encode.h"

#define MAX_HOPS 1024 /* an attribute ends at 64 KiB, a hop takes at most 40 bytes */

/* ---- addresses ---- */

static struct nlmsghdr *put_address(struct rt_writer *w, uint16_t type, uint16_t flags, const struct cni_st_addr *addr)
{
	struct nlmsghdr *message = rt_batch_add(w->batch, w->tag, type, flags, sizeof(struct ifaddrmsg));
	struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);

	info->ifa_family = rt_af(addr->address.addr.family);
	info->ifa_prefixlen = addr->address.len;
	info->ifa_index = rt_ifindex(w->nl, addr->device);
	if (!info->ifa_index)
		rt_writer_fail(w, -ENODEV);
	rt_put_addr(message, IFA_LOCAL, addr->address.addr);
	rt_put_addr(message, IFA_ADDRESS, addr->address.addr);
	return message;
}

/* No duplicate address detection: all of ours are on lo or on links with one other end, and an address that is still
 * tentative can be no route's source. */
void rt_addr_add(struct rt_writer *w, const void *record)
{
	const struct cni_st_addr *addr = record;
	struct nlmsghdr *message = put_address(w, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, addr);

	mnl_attr_put_u8(message, IFA_PROTO, CNI_PROTO);
	if (addr->address.addr.family == CNI_V6)
		mnl_attr_put_u32(message, IFA_FLAGS, IFA_F_NODAD);
}

void rt_addr_del(struct rt_writer *w, const void *record)
{
	put_address(w, RTM_DELADDR, 0, record);
}

/* ---- rules ---- */

static void put_rule(struct rt_writer *w, uint16_t type, uint16_t flags, const struct cni_st_rule *rule)
{
	struct nlmsghdr *message = rt_batch_add(w->batch, w->tag, type, flags, sizeof(struct fib_rule_hdr));
	struct fib_rule_hdr *header = mnl_nlmsg_get_payload(message);

	header->family = rt_af(rule->family);
	header->action = rule->jump ? FR_ACT_GOTO : rule->table ? FR_ACT_TO_TBL : FR_ACT_NOP;
	header->flags = rule->invert ? FIB_RULE_INVERT : 0;
	header->table = rule->table < 256 ? (uint8_t)rule->table : RT_TABLE_UNSPEC;
	header->src_len = rule->has_from ? rule->from.len : 0;
	header->dst_len = rule->has_to ? rule->to.len : 0;
	mnl_attr_put_u32(message, FRA_PRIORITY, rule->priority);
	mnl_attr_put_u8(message, FRA_PROTOCOL, CNI_PROTO);
	if (rule->jump)
		mnl_attr_put_u32(message, FRA_GOTO, rule->jump);
	else if (rule->table)
		mnl_attr_put_u32(message, FRA_TABLE, rule->table);
	if (rule->has_from)
		rt_put_addr(message, FRA_SRC, rule->from.addr);
	if (rule->has_to)
		rt_put_addr(message, FRA_DST, rule->to.addr);
	if (rule->iif)
		mnl_attr_put_strz(message, FRA_IIFNAME, rule->iif);
	if (rule->mask) {
		mnl_attr_put_u32(message, FRA_FWMARK, rule->mark);
		mnl_attr_put_u32(message, FRA_FWMASK, rule->mask);
	}
	if (rule->ipproto)
		mnl_attr_put_u8(message, FRA_IP_PROTO, rule->ipproto);
}

void rt_rule_add(struct rt_writer *w, const void *record)
{
	put_rule(w, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, record);
}

/* The protocol is among what must match: a foreign rule stays. */
void rt_rule_del(struct rt_writer *w, const void *record)
{
	put_rule(w, RTM_DELRULE, 0, record);
}

/* ---- routes ---- */

static void put_via(struct nlmsghdr *message, enum cni_family family, const struct cni_st_hop *hop)
{
	struct {
		struct rtvia via;
		uint8_t bytes[16];
	} other = { .via.rtvia_family = rt_af(hop->via.family) };
	size_t len;

	if (!hop->has_via)
		return;
	if (hop->via.family == family) {
		rt_put_addr(message, RTA_GATEWAY, hop->via);
		return;
	}
	len = cni_addr_to_bytes(hop->via, other.bytes);
	mnl_attr_put(message, RTA_VIA, sizeof(other.via) + len, &other);
}

static unsigned int device_of(struct rt_writer *w, const struct cni_st_hop *hop)
{
	unsigned int ifindex = rt_ifindex(w->nl, hop->device);

	if (!ifindex)
		rt_writer_fail(w, -ENODEV);
	return ifindex;
}

static void put_hops(struct rt_writer *w, struct nlmsghdr *message, const struct cni_st_route *route)
{
	struct nlattr *list = mnl_attr_nest_start(message, RTA_MULTIPATH);

	list->nla_type = RTA_MULTIPATH; /* as iproute2 does: it is no list of attributes */
	for (size_t i = 0; i < route->n_hops; i++) {
		struct rtnexthop *hop = mnl_nlmsg_get_payload_tail(message);

		*hop = (struct rtnexthop){ .rtnh_flags = route->hops[i].onlink ? RTNH_F_ONLINK : 0,
					   .rtnh_hops =
						   (uint8_t)(route->hops[i].weight ? route->hops[i].weight - 1 : 0),
					   .rtnh_ifindex = (int)device_of(w, &route->hops[i]) };
		message->nlmsg_len += sizeof(*hop);
		put_via(message, route->family, &route->hops[i]);
		hop->rtnh_len = (unsigned short)((char *)mnl_nlmsg_get_payload_tail(message) - (char *)hop);
	}
	mnl_attr_nest_end(message, list);
}

static struct nlmsghdr *put_key(struct rt_writer *w, uint16_t type, uint16_t flags, const struct cni_st_route *route)
{
	static const unsigned char types[] = { [CNI_RT_UNICAST] = RTN_UNICAST,
					       [CNI_RT_BLACKHOLE] = RTN_BLACKHOLE,
					       [CNI_RT_UNREACHABLE] = RTN_UNREACHABLE };
	struct nlmsghdr *message = rt_batch_add(w->batch, w->tag, type, flags, sizeof(struct rtmsg));
	struct rtmsg *info = mnl_nlmsg_get_payload(message);

	info->rtm_family = rt_af(route->family);
	info->rtm_dst_len = route->to.len;
	info->rtm_table = route->table < 256 ? (uint8_t)route->table : RT_TABLE_UNSPEC;
	info->rtm_protocol = CNI_PROTO;
	if (route->type < sizeof(types))
		info->rtm_type = types[route->type];
	else
		rt_writer_fail(w, -ENOTSUP);
	mnl_attr_put_u32(message, RTA_TABLE, route->table);
	mnl_attr_put_u32(message, RTA_PRIORITY, route->metric);
	if (route->to.len)
		rt_put_addr(message, RTA_DST, cni_prefix_first(route->to));
	return message;
}

static void put_route(struct rt_writer *w, uint16_t flags, const struct cni_st_route *route)
{
	struct nlmsghdr *message = put_key(w, RTM_NEWROUTE, flags, route);
	struct rtmsg *info = mnl_nlmsg_get_payload(message);

	if (route->has_source)
		rt_put_addr(message, RTA_PREFSRC, route->source);
	if (route->n_hops > MAX_HOPS) {
		rt_writer_fail(w, -E2BIG);
	} else if (route->n_hops > 1) {
		put_hops(w, message, route);
	} else if (route->n_hops) {
		/* as iproute2 does: IPv4 without a gateway is on the link itself; IPv6 has no scopes */
		if (route->family == CNI_V4 && !route->hops->has_via)
			info->rtm_scope = RT_SCOPE_LINK;
		info->rtm_flags = route->hops->onlink ? RTNH_F_ONLINK : 0;
		mnl_attr_put_u32(message, RTA_OIF, device_of(w, route->hops));
		put_via(message, route->family, route->hops);
	}
}

void rt_route_add(struct rt_writer *w, const void *record)
{
	put_route(w, NLM_F_CREATE | NLM_F_EXCL, record);
}

/* In one message: no packet finds the place empty. */
void rt_route_change(struct rt_writer *w, const void *before, const void *after)
{
	(void)before;
	put_route(w, NLM_F_CREATE | NLM_F_REPLACE, after);
}

/* Without next hops: the kernel then takes the route of this key and protocol, with all of them. */
void rt_route_del(struct rt_writer *w, const void *record)
{
	struct nlmsghdr *message = put_key(w, RTM_DELROUTE, 0, record);
	struct rtmsg *info = mnl_nlmsg_get_payload(message);

	info->rtm_scope = RT_SCOPE_NOWHERE; /* any */
}
