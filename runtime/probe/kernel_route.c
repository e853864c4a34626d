/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_route.c - RTM_GETROUTE; see kernel_route.h. */
#include "runtime/probe/kernel_route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "runtime/netlink/encode.h"
#include "runtime/netlink/observe.h"

static int take(const struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct rt_kernel_route *route = arg;
	struct rt_attrs attrs;

	rt_attrs(&attrs, message, sizeof(*header));
	route->type = header->rtm_type;
	route->table = rt_u32(attrs.at[RTA_TABLE], header->rtm_table);
	route->ifindex = rt_u32(attrs.at[RTA_OIF], 0);
	route->has_via = rt_addr(attrs.at[RTA_GATEWAY], header->rtm_family == AF_INET ? CNI_V4 : CNI_V6, &route->via);
	return 0;
}

/* Those that the kernel takes for a look-up: rtm_getroute_parse_ip_proto(). */
static bool may_name(uint8_t proto, enum cni_family family)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ||
	       proto == (family == CNI_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static void put_flow(struct nlmsghdr *request, const struct cni_packet *p)
{
	if (!(p->known & CNI_HAS_PROTO) || !may_name(p->proto, p->to.family))
		return;
	mnl_attr_put_u8(request, RTA_IP_PROTO, p->proto);
	if (p->known & CNI_HAS_SPORT)
		mnl_attr_put_u16(request, RTA_SPORT, htons(p->sport));
	if (p->known & CNI_HAS_DPORT)
		mnl_attr_put_u16(request, RTA_DPORT, htons(p->dport));
}

int rt_kernel_route(struct rt_netlink *nl, const struct cni_packet *packet, const char *iif, uint32_t mark,
		    struct rt_kernel_route *route)
{
	const unsigned int ifindex = iif ? rt_ifindex(nl, iif) : 0;
	uint64_t space[64] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);
	struct rtmsg *header;

	*route = (struct rt_kernel_route){ 0 };
	if (iif && !ifindex)
		return -ENODEV;
	request->nlmsg_type = RTM_GETROUTE;
	header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	header->rtm_family = rt_af(packet->to.family);
	header->rtm_dst_len = (unsigned char)cni_width(packet->to.family);
	header->rtm_tos = packet->known & CNI_HAS_DSCP ? (unsigned char)(packet->dscp << 2) : 0;
	/* IPv6 names the table in any case, and refuses the flag */
	header->rtm_flags = packet->to.family == CNI_V4 ? RTM_F_LOOKUP_TABLE : 0;
	rt_put_addr(request, RTA_DST, packet->to);
	if (packet->known & CNI_HAS_FROM) {
		header->rtm_src_len = (unsigned char)cni_width(packet->from.family);
		rt_put_addr(request, RTA_SRC, packet->from);
	}
	if (ifindex)
		mnl_attr_put_u32(request, RTA_IIF, ifindex);
	mnl_attr_put_u32(request, RTA_MARK, mark);
	put_flow(request, packet);
	route->error = rt_request(nl, RT_ROUTE, request, take, route);
	return 0;
}
