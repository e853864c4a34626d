/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_only.c - what may pass is listed; everything else is refused. See read_only.h. */
#include "runtime/netlink/read_only.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>

struct reader {
	struct rt_transport transport;
	struct rt_transport *inner;
};

#define NFT(message) (NFNL_SUBSYS_NFTABLES << 8 | (message))

/* Those that read and set back (NFT_MSG_GETOBJ_RESET, IPCTNL_MSG_CT_GET_CTRZERO …) are not among them. */
static const struct {
	enum rt_bus bus;
	uint16_t type;
} reading[] = {
	{ RT_ROUTE, RTM_GETLINK },
	{ RT_ROUTE, RTM_GETADDR },
	{ RT_ROUTE, RTM_GETROUTE },
	{ RT_ROUTE, RTM_GETRULE },
	{ RT_ROUTE, RTM_GETNEXTHOP },
	{ RT_ROUTE, RTM_GETNETCONF },
	{ RT_NETFILTER, NFT(NFT_MSG_GETGEN) },
	{ RT_NETFILTER, NFT(NFT_MSG_GETTABLE) },
	{ RT_NETFILTER, NFT(NFT_MSG_GETCHAIN) },
	{ RT_NETFILTER, NFT(NFT_MSG_GETRULE) },
	{ RT_NETFILTER, NFT(NFT_MSG_GETSET) },
	{ RT_NETFILTER, NFT(NFT_MSG_GETSETELEM) },
	{ RT_NETFILTER, NFT(NFT_MSG_GETOBJ) },
	{ RT_NETFILTER, NFT(NFT_MSG_GETFLOWTABLE) },
	{ RT_NETFILTER, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET },
};

static bool only_reads(enum rt_bus bus, uint16_t type)
{
	for (size_t i = 0; i < sizeof(reading) / sizeof(*reading); i++)
		if (reading[i].bus == bus && reading[i].type == type)
			return true;
	return false;
}

static int send_reading(struct rt_transport *transport, enum rt_bus bus, const void *data, size_t len)
{
	struct rt_transport *inner = ((struct reader *)transport)->inner;
	const struct nlmsghdr *message = data;
	int left = (int)len;

	if (!len || len > INT_MAX)
		return -EPERM;
	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		if (!only_reads(bus, message->nlmsg_type))
			return -EPERM;
	return left > 0 ? -EPERM : inner->send(inner, bus, data, len);
}

static ssize_t receive(struct rt_transport *transport, enum rt_bus bus, void *buffer, size_t size)
{
	struct rt_transport *inner = ((struct reader *)transport)->inner;

	return inner->receive(inner, bus, buffer, size);
}

static int read_setting(struct rt_transport *transport, const char *path, int *value)
{
	struct rt_transport *inner = ((struct reader *)transport)->inner;

	return inner->read_setting(inner, path, value);
}

static int write_setting(struct rt_transport *transport, const char *path, int value)
{
	(void)transport;
	(void)path;
	(void)value;
	return -EPERM;
}

static void close_both(struct rt_transport *transport)
{
	struct rt_transport *inner = ((struct reader *)transport)->inner;

	inner->close(inner);
	free(transport);
}

int rt_netlink_read_only(struct rt_netlink *nl)
{
	struct reader *reader = malloc(sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	*reader = (struct reader){ { send_reading, receive, read_setting, write_setting, close_both }, nl->transport };
	nl->transport = &reader->transport;
	return 0;
}
