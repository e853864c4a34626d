/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode_link.c - GRE, GRE over IPv6 and VLAN devices. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/ip6_tunnel.h>
#include <linux/rtnetlink.h>

#include "runtime/netlink/encode.h"

static void put_tunnel(struct nlmsghdr *message, const struct cni_st_link *link)
{
	uint16_t flags = 0;

	flags |= link->has_key ? GRE_KEY : 0;
	flags |= link->csum ? GRE_CSUM : 0;
	flags |= link->seq ? GRE_SEQ : 0;
	mnl_attr_put_u16(message, IFLA_GRE_IFLAGS, flags);
	mnl_attr_put_u16(message, IFLA_GRE_OFLAGS, flags);
	if (link->has_key) {
		mnl_attr_put_u32(message, IFLA_GRE_IKEY, htonl(link->key));
		mnl_attr_put_u32(message, IFLA_GRE_OKEY, htonl(link->key));
	}
	rt_put_addr(message, IFLA_GRE_LOCAL, link->local);
	rt_put_addr(message, IFLA_GRE_REMOTE, link->remote);
	mnl_attr_put_u8(message, IFLA_GRE_TTL, link->ttl);
}

static void put_gre(struct rt_writer *w, struct nlmsghdr *message, const struct cni_st_link *link)
{
	(void)w;
	put_tunnel(message, link);
	mnl_attr_put_u8(message, IFLA_GRE_TOS, link->tos);
	mnl_attr_put_u8(message, IFLA_GRE_PMTUDISC, link->pmtudisc);
	mnl_attr_put_u8(message, IFLA_GRE_IGNORE_DF, link->ignore_df);
}

static void put_ip6gre(struct rt_writer *w, struct nlmsghdr *message, const struct cni_st_link *link)
{
	bool inherit = link->tos == 1, no_limit = link->encap_limit > 255;

	(void)w;
	put_tunnel(message, link);
	mnl_attr_put_u32(message, IFLA_GRE_FLOWINFO, inherit ? 0 : htonl((uint32_t)link->tos << 20));
	mnl_attr_put_u32(message, IFLA_GRE_FLAGS,
			 (inherit ? IP6_TNL_F_USE_ORIG_TCLASS : 0) | (no_limit ? IP6_TNL_F_IGN_ENCAP_LIMIT : 0));
	mnl_attr_put_u8(message, IFLA_GRE_ENCAP_LIMIT, no_limit ? 0 : (uint8_t)link->encap_limit);
}

static void put_vlan(struct rt_writer *w, struct nlmsghdr *message, const struct cni_st_link *link)
{
	(void)w;
	mnl_attr_put_u16(message, IFLA_VLAN_ID, link->vlan);
}

static const struct {
	const char *kind;
	void (*put)(struct rt_writer *w, struct nlmsghdr *message, const struct cni_st_link *link);
} kinds[] = {
	[CNI_DEV_GRE] = { "gre", put_gre },
	[CNI_DEV_IP6GRE] = { "ip6gre", put_ip6gre },
	[CNI_DEV_VLAN] = { "vlan", put_vlan },
};

static struct nlmsghdr *begin(struct rt_writer *w, uint16_t type, uint16_t flags, const char *name, const bool *up)
{
	struct nlmsghdr *message = rt_batch_add(w->batch, w->tag, type, flags, sizeof(struct ifinfomsg));
	struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	if (up) {
		info->ifi_change = IFF_UP;
		info->ifi_flags = *up ? IFF_UP : 0;
	}
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	return message;
}

static void put_kind(struct rt_writer *w, struct nlmsghdr *message, const struct cni_st_link *link)
{
	struct nlattr *info, *data;

	if (!kinds[link->type].put) {
		rt_writer_fail(w, -ENOTSUP);
		return;
	}
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, kinds[link->type].kind);
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	kinds[link->type].put(w, message, link);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
}

/* The group marks it as ours from its first moment on; an alias is not taken at creation, and follows. */
void rt_link_add(struct rt_writer *w, const void *record)
{
	const struct cni_st_link *link = record;
	struct nlmsghdr *message = begin(w, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link->name, &link->up);

	mnl_attr_put_u32(message, IFLA_GROUP, CNI_GROUP);
	if (link->mtu)
		mnl_attr_put_u32(message, IFLA_MTU, link->mtu);
	if (link->type == CNI_DEV_VLAN) {
		unsigned int parent = rt_ifindex(w->nl, link->parent);

		if (!parent)
			rt_writer_fail(w, -ENODEV);
		mnl_attr_put_u32(message, IFLA_LINK, parent);
	}
	put_kind(w, message, link);
	message = begin(w, RTM_SETLINK, 0, link->name, NULL);
	mnl_attr_put_strz(message, IFLA_IFALIAS, "cnic");
}

/* A tunnel takes all of its parameters at once, and those left out as zero. */
void rt_link_change(struct rt_writer *w, const void *before, const void *after)
{
	const struct cni_st_link *link = after;
	struct nlmsghdr *message = begin(w, RTM_NEWLINK, 0, link->name, &link->up);

	(void)before;
	if (link->mtu)
		mnl_attr_put_u32(message, IFLA_MTU, link->mtu);
	if (link->owned)
		put_kind(w, message, link);
}

void rt_link_del(struct rt_writer *w, const void *record)
{
	const struct cni_st_link *link = record;

	begin(w, RTM_DELLINK, 0, link->name, NULL);
}
