/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_only.h - a transport that cannot change anything, for commands that only look: no mistake elsewhere can make
 * them write. */
#ifndef RT_READ_ONLY_H
#define RT_READ_ONLY_H

#include "runtime/netlink/netlink.h"

/* Puts itself around the transport of `nl`, for good. From then on a datagram with any message that is not known to
 * only read is refused whole, as is every write to /proc/sys: -EPERM, and nothing is sent. 0 or -ENOMEM. */
int rt_netlink_read_only(struct rt_netlink *nl);

#endif
