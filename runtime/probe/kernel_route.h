/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_route.h - the kernel's own answer to where a packet would go. */
#ifndef RT_KERNEL_ROUTE_H
#define RT_KERNEL_ROUTE_H

#include "compiler/check/evaluate.h"
#include "runtime/netlink/netlink.h"

struct rt_kernel_route {
	int error; /* -errno: the kernel routes it nowhere. -EINVAL is a blackhole's, -EHOSTUNREACH an unreachable's */
	unsigned char type; /* RTN_* */
	uint32_t table;
	unsigned int ifindex; /* 0: none */
	bool has_via;
	struct cni_addr via;
};

/* RTM_GETROUTE of a packet with a source, that came in by `iif` (NULL: the router's own) and has this mark. 0, also where
 * route->error is set; or -errno: the kernel could not be asked (-ENODEV: there is no such device). */
int rt_kernel_route(struct rt_netlink *nl, const struct cni_packet *packet, const char *iif, uint32_t mark,
		    struct rt_kernel_route *route);

#endif
