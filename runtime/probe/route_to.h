/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route_to.h - by which device the router's own packets to an address would leave now. */
#ifndef RT_PROBE_ROUTE_TO_H
#define RT_PROBE_ROUTE_TO_H

#include "compiler/ip.h"
#include "runtime/netlink/netlink.h"

/* Of packets from the address `from`, without a mark. 0 with the device's index, or -errno: there is no way, or `from`
 * is no address of this router. */
int rt_route_to(struct rt_netlink *nl, struct cni_addr from, struct cni_addr to, unsigned int *ifindex);

#endif
