/* SPDX-License-Identifier: GPL-2.0-or-later */
/* observe_addr.c - addresses of devices. */
#include "runtime/netlink/observe.h"

#include <errno.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static int read_addr(const struct nlmsghdr *message, void *arg)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct rt_observation *obs = arg;
	struct cni_st_addr addr = { 0 };
	enum cni_family family;
	struct rt_attrs attrs;

	if (message->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return 0;
	if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
		return 0;
	family = info->ifa_family == AF_INET ? CNI_V4 : CNI_V6;
	rt_attrs(&attrs, message, sizeof(*info));
	addr.device = rt_observed_device(obs, (int)info->ifa_index);
	if (!addr.device)
		return -EINTR; /* made since the links were read */
	/* IFA_ADDRESS is the peer's where IFA_LOCAL is there too */
	if (!rt_addr(attrs.at[IFA_LOCAL], family, &addr.address.addr) &&
	    !rt_addr(attrs.at[IFA_ADDRESS], family, &addr.address.addr))
		return 0;
	addr.address.len = info->ifa_prefixlen;
	addr.owned = rt_u8(attrs.at[IFA_PROTO], 0) == CNI_PROTO;
	*cni_push(obs->arena, obs->state->addrs, obs->state->n_addrs) = addr;
	return 0;
}

int rt_observe_addrs(struct rt_observation *obs)
{
	uint64_t space[64] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);

	request->nlmsg_type = RTM_GETADDR;
	request->nlmsg_flags = NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifaddrmsg));
	return rt_request(obs->nl, RT_ROUTE, request, read_addr, obs);
}
