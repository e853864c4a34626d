/* SPDX-License-Identifier: GPL-2.0-or-later */
/* observe_link.c - devices, with the IPv4 settings that their own message carries. */
#include "runtime/netlink/observe.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/ip6_tunnel.h>
#include <linux/rtnetlink.h>

static void read_tunnel(struct cni_st_link *link, enum cni_family family, const struct rt_attrs *data)
{
	uint16_t flags = rt_u16(data->at[IFLA_GRE_OFLAGS], 0);

	rt_addr(data->at[IFLA_GRE_LOCAL], family, &link->local);
	rt_addr(data->at[IFLA_GRE_REMOTE], family, &link->remote);
	link->local.family = link->remote.family = family;
	link->ttl = rt_u8(data->at[IFLA_GRE_TTL], 0);
	link->has_key = flags & GRE_KEY;
	link->csum = flags & GRE_CSUM;
	link->seq = flags & GRE_SEQ;
	link->key = link->has_key ? rt_be32(data->at[IFLA_GRE_OKEY], 0) : 0;
}

static void read_gre(struct cni_st_link *link, const struct rt_attrs *data)
{
	link->type = CNI_DEV_GRE;
	read_tunnel(link, CNI_V4, data);
	link->tos = rt_u8(data->at[IFLA_GRE_TOS], 0);
	link->pmtudisc = rt_u8(data->at[IFLA_GRE_PMTUDISC], 1);
	link->ignore_df = rt_u8(data->at[IFLA_GRE_IGNORE_DF], 0);
}

/* The traffic class is part of the flow label's word; "inherit" and "no limit" are flags. */
static void read_ip6gre(struct cni_st_link *link, const struct rt_attrs *data)
{
	uint32_t flags = rt_u32(data->at[IFLA_GRE_FLAGS], 0);

	link->type = CNI_DEV_IP6GRE;
	read_tunnel(link, CNI_V6, data);
	link->tos = flags & IP6_TNL_F_USE_ORIG_TCLASS ? 1 : (uint8_t)(rt_be32(data->at[IFLA_GRE_FLOWINFO], 0) >> 20);
	link->pmtudisc = true; /* there is no other way */
	link->encap_limit = flags & IP6_TNL_F_IGN_ENCAP_LIMIT ? 256 : rt_u8(data->at[IFLA_GRE_ENCAP_LIMIT], 0);
}

static void read_vlan(struct cni_st_link *link, const struct rt_attrs *data)
{
	link->type = CNI_DEV_VLAN;
	link->vlan = rt_u16(data->at[IFLA_VLAN_ID], 0);
}

static const struct {
	const char *kind;
	void (*read)(struct cni_st_link *link, const struct rt_attrs *data);
} kinds[] = {
	{ "gre", read_gre },
	{ "ip6gre", read_ip6gre },
	{ "vlan", read_vlan },
};

static void read_stats(struct cni_st_link *link, const struct nlattr *attr)
{
	struct rtnl_link_stats64 stats = { 0 };
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	if (len)
		memcpy(&stats, mnl_attr_get_payload(attr), len < sizeof(stats) ? len : sizeof(stats));
	link->rx_bytes = stats.rx_bytes;
	link->tx_bytes = stats.tx_bytes;
	link->rx_packets = stats.rx_packets;
	link->tx_packets = stats.tx_packets;
	link->rx_errors = stats.rx_errors;
	link->tx_errors = stats.tx_errors;
}

/* IFLA_INET_CONF is an array of 32-bit numbers, of which IPV4_DEVCONF_x is the x-th from 1. */
static void read_settings(struct rt_observation *obs, const char *device, const struct nlattr *spec)
{
	struct rt_attrs families, inet;
	const struct nlattr *conf;

	rt_attrs_nested(&families, spec);
	rt_attrs_nested(&inet, families.at[AF_INET]);
	conf = inet.at[IFLA_INET_CONF];
	for (int key = 0; conf && key < CNI_N_SETTINGS; key++) {
		int number = cni_setting_info[key].devconf;
		int32_t value;

		if (number <= 0 || mnl_attr_get_payload_len(conf) < (size_t)number * sizeof(value))
			continue;
		memcpy(&value, (const int32_t *)mnl_attr_get_payload(conf) + number - 1, sizeof(value));
		*cni_push(obs->arena, obs->state->settings, obs->state->n_settings) =
			(struct cni_st_setting){ .device = device, .key = (enum cni_setting_key)key, .value = value };
	}
}

struct scratch {
	struct rt_observation *obs;
	int *parents; /* ifindex of each link's IFLA_LINK; 0: none, or not here */
	size_t n_parents;
};

static int read_link(const struct nlmsghdr *message, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct scratch *scratch = arg;
	struct rt_observation *obs = scratch->obs;
	struct rt_attrs attrs, link_info, data;
	struct cni_st_link *link;

	if (message->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return 0;
	rt_attrs(&attrs, message, sizeof(*info));
	if (!*rt_string(attrs.at[IFLA_IFNAME]))
		return 0;
	rt_attrs_nested(&link_info, attrs.at[IFLA_LINKINFO]);
	rt_attrs_nested(&data, link_info.at[IFLA_INFO_DATA]);

	link = cni_push(obs->arena, obs->state->links, obs->state->n_links);
	link->name = cni_strdup(obs->arena, rt_string(attrs.at[IFLA_IFNAME]));
	link->kind = cni_strdup(obs->arena, rt_string(link_info.at[IFLA_INFO_KIND]));
	link->ifindex = info->ifi_index;
	link->owned = rt_u32(attrs.at[IFLA_GROUP], 0) == CNI_GROUP;
	link->up = info->ifi_flags & IFF_UP;
	link->mtu = rt_u32(attrs.at[IFLA_MTU], 0);
	link->carrier = rt_u8(attrs.at[IFLA_CARRIER], 0);
	read_stats(link, attrs.at[IFLA_STATS64]);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(link->kind, kinds[i].kind))
			kinds[i].read(link, &data);
	read_settings(obs, link->name, attrs.at[IFLA_AF_SPEC]);

	*cni_push(obs->arena, scratch->parents, scratch->n_parents) =
		attrs.at[IFLA_LINK_NETNSID] ? 0 : (int)rt_u32(attrs.at[IFLA_LINK], 0);
	return 0;
}

static int by_ifindex(const void *a, const void *b)
{
	int x = ((const struct rt_index *)a)->ifindex, y = ((const struct rt_index *)b)->ifindex;

	return (x > y) - (x < y);
}

void rt_index_devices(struct rt_observation *obs)
{
	for (size_t i = 0; i < obs->state->n_links; i++)
		*cni_push(obs->arena, obs->index, obs->n_index) =
			(struct rt_index){ obs->state->links[i].ifindex, obs->state->links[i].name };
	if (obs->n_index)
		qsort(obs->index, obs->n_index, sizeof(*obs->index), by_ifindex);
}

const char *rt_observed_device(const struct rt_observation *obs, int ifindex)
{
	struct rt_index key = { .ifindex = ifindex }, *found;

	found = obs->n_index ? bsearch(&key, obs->index, obs->n_index, sizeof(key), by_ifindex) : NULL;
	return found ? found->name : NULL;
}

int rt_observe_links(struct rt_observation *obs)
{
	uint64_t space[64] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);
	struct scratch scratch = { .obs = obs };
	int rc;

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	rc = rt_request(obs->nl, RT_ROUTE, request, read_link, &scratch);
	if (rc)
		return rc;
	rt_index_devices(obs);
	for (size_t i = 0; i < obs->state->n_links; i++) { /* a parent may come after its child */
		struct cni_st_link *link = &obs->state->links[i];
		const char *parent = rt_observed_device(obs, scratch.parents[i]);

		if (link->type == CNI_DEV_VLAN)
			link->parent = parent ? parent : "";
	}
	return 0;
}
