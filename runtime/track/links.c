/* SPDX-License-Identifier: GPL-2.0-or-later */
/* links.c - rtnetlink's notes of links, addresses, and routes of ours; see links.h. */
#include "runtime/track/links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "compiler/state.h"
#include "runtime/netlink/observe.h"

#define LOWER_UP 0x10000u /* IFF_LOWER_UP of linux/if.h, which goes ill with net/if.h */
#define RECEIVE_BUFFER (4 << 20) /* bytes; more than fits is told of by ENOBUFS, and all is read again */
#define ADDRS_MAX 64 /* bits of `has` */

struct rt_links {
	struct rt_netlink *nl;
	struct mnl_socket *events;
	struct rt_watch *watches;
	size_t n_watches;
	struct rt_links_news news; /* so far */
	unsigned char buffer[RT_RECEIVE_SIZE] __attribute__((aligned(8)));
};

/* ---- what the kernel tells ---- */

static void put_flags(struct rt_links *links, struct rt_watch *watch, unsigned int ifindex, unsigned int flags)
{
	const bool up = flags & IFF_UP, carrier = flags & LOWER_UP;

	if (watch->ifindex == ifindex && watch->up == up && watch->carrier == carrier)
		return;
	if (watch->ifindex != ifindex)
		watch->has = 0; /* another device: its addresses are told of behind it */
	watch->ifindex = ifindex;
	watch->up = up;
	watch->carrier = carrier;
	links->news.links = true;
	links->news.routes = true; /* those by it may have gone, of which IPv4 says nothing */
}

static void take_link(struct rt_links *links, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct rt_attrs attrs;
	const char *name;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info) || info->ifi_family != AF_UNSPEC)
		return;
	rt_attrs(&attrs, message, sizeof(*info));
	name = rt_string(attrs.at[IFLA_IFNAME]);
	for (size_t i = 0; i < links->n_watches; i++) {
		struct rt_watch *watch = &links->watches[i];
		const bool named = !strcmp(watch->name, name);

		if (named && message->nlmsg_type == RTM_NEWLINK)
			put_flags(links, watch, (unsigned int)info->ifi_index, info->ifi_flags);
		else if (watch->ifindex == (unsigned int)info->ifi_index)
			put_flags(links, watch, 0, 0); /* gone, or it has another name now */
	}
}

static void take_addr(struct rt_links *links, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct rt_attrs attrs;
	struct cni_addr addr;
	enum cni_family family;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info) ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return;
	family = info->ifa_family == AF_INET ? CNI_V4 : CNI_V6;
	rt_attrs(&attrs, message, sizeof(*info));
	if (!rt_addr(attrs.at[IFA_LOCAL] ? attrs.at[IFA_LOCAL] : attrs.at[IFA_ADDRESS], family, &addr))
		return;
	for (size_t i = 0; i < links->n_watches; i++) {
		struct rt_watch *watch = &links->watches[i];

		for (size_t j = 0; watch->ifindex == info->ifa_index && j < watch->n_addrs && j < ADDRS_MAX; j++) {
			const uint64_t bit = UINT64_C(1) << j, before = watch->has;

			if (!cni_addr_equal(watch->addrs[j], addr))
				continue;
			watch->has = message->nlmsg_type == RTM_NEWADDR ? watch->has | bit : watch->has & ~bit;
			links->news.links |= watch->has != before;
			links->news.routes |= watch->has != before;
		}
	}
}

static int take(const struct nlmsghdr *message, void *arg)
{
	struct rt_links *links = arg;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		take_link(links, message);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		take_addr(links, message);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		links->news.routes = true;
		break;
	}
	return 0;
}

/* ---- all of it ---- */

static int dump(struct rt_links *links, uint16_t type, size_t header)
{
	uint64_t space[64] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);
	int rc;

	for (int i = 0; i < 10; i++) {
		memset(space, 0, sizeof(space));
		(void)mnl_nlmsg_put_header(space);
		request->nlmsg_type = type;
		request->nlmsg_flags = NLM_F_DUMP;
		mnl_nlmsg_put_extra_header(request, header);
		rc = rt_request(links->nl, RT_ROUTE, request, take, links);
		if (rc != -EINTR)
			return rc;
	}
	return 0; /* in motion: what moved it is told of, too */
}

static int read_all(struct rt_links *links)
{
	int rc;

	/* one that is gone is in no dump */
	for (size_t i = 0; i < links->n_watches; i++)
		put_flags(links, &links->watches[i], 0, 0);
	rc = dump(links, RTM_GETLINK, sizeof(struct ifinfomsg));
	return rc ? rc : dump(links, RTM_GETADDR, sizeof(struct ifaddrmsg));
}

int rt_links_watch(struct rt_links *links, struct rt_watch *watches, size_t n)
{
	links->watches = watches;
	links->n_watches = n;
	return read_all(links);
}

int rt_links_read(struct rt_links *links, struct rt_links_news *news)
{
	const int fd = mnl_socket_get_fd(links->events);
	bool lost = false;
	ssize_t len;
	int rc = 0;

	links->news = (struct rt_links_news){ 0 };
	while ((len = recv(fd, links->buffer, sizeof(links->buffer), MSG_DONTWAIT)) > 0 || errno == ENOBUFS) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)links->buffer;

		lost |= len <= 0;
		for (int left = (int)len; len > 0 && mnl_nlmsg_ok(message, left);
		     message = mnl_nlmsg_next(message, &left))
			(void)take(message, links);
	}
	if (len < 0 && errno != EAGAIN && errno != EINTR)
		rc = -errno;
	if (lost) {
		links->news.routes = links->news.links = true;
		rc = read_all(links);
	}
	*news = links->news;
	return rc;
}

enum rt_track_reason rt_watch_wrong(const struct rt_watch *watch)
{
	const size_t n = watch->n_addrs < ADDRS_MAX ? watch->n_addrs : ADDRS_MAX;
	const uint64_t all = n == ADDRS_MAX ? UINT64_MAX : (UINT64_C(1) << n) - 1;

	if (!watch->ifindex)
		return RT_TRACK_DEVICE;
	if (!watch->up || !watch->carrier)
		return RT_TRACK_CARRIER;
	return watch->has == all ? RT_TRACK_START : RT_TRACK_ADDRESS;
}

/* ---- bytes ---- */

static int take_bytes(const struct nlmsghdr *message, void *arg)
{
	struct rtnl_link_stats64 *stats = arg;
	struct rt_attrs attrs;
	const struct nlattr *found;

	rt_attrs(&attrs, message, sizeof(struct if_stats_msg));
	found = attrs.at[IFLA_STATS_LINK_64];
	if (found && mnl_attr_get_payload_len(found) >= offsetof(struct rtnl_link_stats64, rx_errors))
		memcpy(stats, mnl_attr_get_payload(found), offsetof(struct rtnl_link_stats64, rx_errors));
	return 0;
}

int rt_links_bytes(struct rt_links *links, unsigned int ifindex, uint64_t *in, uint64_t *out)
{
	struct rtnl_link_stats64 stats = { 0 };
	uint64_t space[16] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);
	struct if_stats_msg *header;
	int rc;

	request->nlmsg_type = RTM_GETSTATS;
	header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	header->ifindex = ifindex;
	header->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
	rc = rt_request(links->nl, RT_ROUTE, request, take_bytes, &stats);
	*in = stats.rx_bytes;
	*out = stats.tx_bytes;
	return rc;
}

/* ---- the socket ---- */

/* Of routes, a daemon may change a million of its own: those are not even queued. */
static int only_our_routes(int fd)
{
	const unsigned int type_at = offsetof(struct nlmsghdr, nlmsg_type);
	const unsigned int protocol_at = NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_protocol);
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, type_at),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, protocol_at),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CNI_PROTO, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog filter = { sizeof(program) / sizeof(*program), program };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) ? -errno : 0;
}

static int open_events(struct rt_links *links)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
				      RTNLGRP_IPV6_ROUTE };
	const int size = RECEIVE_BUFFER;
	int fd, rc;

	links->events = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!links->events || mnl_socket_bind(links->events, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	fd = mnl_socket_get_fd(links->events);
	rc = only_our_routes(fd);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	for (size_t i = 0; !rc && i < sizeof(groups) / sizeof(*groups); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(links->events, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
			rc = -errno;
	}
	return rc;
}

int rt_links_new(struct rt_links **links, struct rt_netlink *nl)
{
	struct rt_links *new = calloc(1, sizeof(*new));

	*links = new;
	if (!new)
		return -ENOMEM;
	new->nl = nl;
	return open_events(new);
}

void rt_links_free(struct rt_links *links)
{
	if (!links)
		return;
	if (links->events)
		mnl_socket_close(links->events);
	free(links);
}

int rt_links_fd(const struct rt_links *links)
{
	return mnl_socket_get_fd(links->events);
}
