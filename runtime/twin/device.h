/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.h - what a lab is made of, as netlink messages: none of them bears the mark of cnic. */
#ifndef RT_TWIN_DEVICE_H
#define RT_TWIN_DEVICE_H

#include "compiler/ip.h"
#include "runtime/netlink/netlink.h"

/* A veth pair, both ends up; `mac` is of `name`. `mtu` 0: the kernel's own. */
void rt_twin_add_pair(struct rt_batch *batch, const char *name, const uint8_t mac[6], uint32_t mtu, const char *peer);
void rt_twin_set_up(struct rt_batch *batch, const char *name, bool up);
/* Usable at once. */
void rt_twin_add_address(struct rt_batch *batch, unsigned int ifindex, struct cni_prefix address);
/* Of main; `via` NULL: all are on the link. */
void rt_twin_add_default(struct rt_batch *batch, unsigned int ifindex, enum cni_family family,
			 const struct cni_addr *via, uint32_t metric);
/* Permanent. */
void rt_twin_add_neighbour(struct rt_batch *batch, unsigned int ifindex, struct cni_addr addr, const uint8_t mac[6]);
/* Forgets all flows. */
void rt_twin_forget_flows(struct rt_batch *batch);

#endif
