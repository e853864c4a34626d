/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntrack.h - marks of flows: forgetting those of an earlier turn of the epoch (see compiler/lower.h). */
#ifndef RT_CONNTRACK_H
#define RT_CONNTRACK_H

#include <stdbool.h>
#include <stdint.h>

struct rt_netlink;

/* Clears the bits of `mark_mask` in the mark of every flow with (mark & mask) == mark. 0, or -errno; a kernel
 * without conntrack has no flows: 0. Flows that end meanwhile are no error. */
int rt_conntrack_forget(struct rt_netlink *nl, uint32_t mark_mask, uint32_t mask, uint32_t mark);

/* Whether any flow has (mark & mask) == mark. Where conntrack cannot be asked: false. */
bool rt_conntrack_has(struct rt_netlink *nl, uint32_t mask, uint32_t mark);

#endif
