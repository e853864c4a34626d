/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.c - see device.h. */
#include "runtime/twin/device.h"

#include <net/if.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "runtime/netlink/encode.h"

static void ask_nobody(struct ifinfomsg *info)
{
	info->ifi_flags = info->ifi_change = IFF_NOARP;
}

void rt_twin_add_pair(struct rt_batch *batch, const char *name, const uint8_t mac[6], uint32_t mtu, const char *peer)
{
	struct nlmsghdr *message =
		rt_batch_add(batch, 0, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	struct nlattr *info, *data, *other;
	struct ifinfomsg *second;

	ask_nobody(mnl_nlmsg_get_payload(message));
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	mnl_attr_put(message, IFLA_ADDRESS, 6, mac);
	if (mtu)
		mnl_attr_put_u32(message, IFLA_MTU, mtu);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(message, VETH_INFO_PEER);
	second = mnl_nlmsg_put_extra_header(message, sizeof(*second));
	ask_nobody(second);
	mnl_attr_put_strz(message, IFLA_IFNAME, peer);
	if (mtu)
		mnl_attr_put_u32(message, IFLA_MTU, mtu);
	mnl_attr_nest_end(message, other);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	rt_twin_set_up(batch, name, true); /* a veth does not come up before it is one of two */
	rt_twin_set_up(batch, peer, true);
}

void rt_twin_set_up(struct rt_batch *batch, const char *name, bool up)
{
	struct nlmsghdr *message = rt_batch_add(batch, 0, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	info->ifi_change = IFF_UP;
	info->ifi_flags = up ? IFF_UP : 0;
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
}

void rt_twin_add_address(struct rt_batch *batch, unsigned int ifindex, struct cni_prefix address)
{
	struct nlmsghdr *message =
		rt_batch_add(batch, 0, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifaddrmsg));
	struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);

	info->ifa_family = rt_af(address.addr.family);
	info->ifa_prefixlen = address.len;
	info->ifa_index = ifindex;
	info->ifa_flags = IFA_F_NODAD;
	rt_put_addr(message, IFA_LOCAL, address.addr);
	rt_put_addr(message, IFA_ADDRESS, address.addr);
}

void rt_twin_add_default(struct rt_batch *batch, unsigned int ifindex, enum cni_family family,
			 const struct cni_addr *via, uint32_t metric)
{
	struct nlmsghdr *message =
		rt_batch_add(batch, 0, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct rtmsg));
	struct rtmsg *route = mnl_nlmsg_get_payload(message);

	route->rtm_family = rt_af(family);
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_scope = via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(message, RTA_OIF, ifindex);
	mnl_attr_put_u32(message, RTA_PRIORITY, metric);
	if (via)
		rt_put_addr(message, RTA_GATEWAY, *via);
}

void rt_twin_add_neighbour(struct rt_batch *batch, unsigned int ifindex, struct cni_addr addr, const uint8_t mac[6])
{
	struct nlmsghdr *message =
		rt_batch_add(batch, 0, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, sizeof(struct ndmsg));
	struct ndmsg *info = mnl_nlmsg_get_payload(message);

	info->ndm_family = rt_af(addr.family);
	info->ndm_ifindex = (int)ifindex;
	info->ndm_state = NUD_PERMANENT;
	rt_put_addr(message, NDA_DST, addr);
	mnl_attr_put(message, NDA_LLADDR, 6, mac);
}

void rt_twin_forget_flows(struct rt_batch *batch)
{
	/* without a tuple: every one */
	rt_batch_add(batch, 0, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, 0, sizeof(struct nfgenmsg));
}
