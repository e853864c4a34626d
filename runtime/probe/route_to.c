/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route_to.c - RTM_GETROUTE; see route_to.h. */
#include "runtime/probe/route_to.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "runtime/netlink/encode.h"
#include "runtime/netlink/observe.h"

static int take_device(const struct nlmsghdr *message, void *arg)
{
	struct rt_attrs attrs;

	rt_attrs(&attrs, message, sizeof(struct rtmsg));
	*(unsigned int *)arg = rt_u32(attrs.at[RTA_OIF], 0);
	return 0;
}

int rt_route_to(struct rt_netlink *nl, struct cni_addr from, struct cni_addr to, unsigned int *ifindex)
{
	uint64_t space[32] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);
	struct rtmsg *route;
	int rc;

	request->nlmsg_type = RTM_GETROUTE;
	route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
	route->rtm_family = rt_af(to.family);
	route->rtm_dst_len = route->rtm_src_len = (unsigned char)cni_width(to.family);
	rt_put_addr(request, RTA_DST, to);
	rt_put_addr(request, RTA_SRC, from);
	*ifindex = 0;
	rc = rt_request(nl, RT_ROUTE, request, take_device, ifindex);
	return rc ? rc : *ifindex ? 0 : -ENETUNREACH;
}
