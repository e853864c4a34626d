/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracker.h - what a tracker does to the kernel, without its probes: says what is down, and changes the routes with it. */
#ifndef FAULT_TRACKER_H
#define FAULT_TRACKER_H

#include "runtime/netlink/netlink.h"
#include "tests/fault/router.h"

struct tracker {
	struct rt_netlink *nl; /* its own */
	struct attempt knows; /* the policy, as it was when the tracker came */
};

/* Reads the policy and the router, and makes the routes what they are to be. */
void tracker_come(struct tracker *tracker, struct rt_netlink *nl, const char *file);
void tracker_go(struct tracker *tracker);
/* From now on these, and no others, are down: bits, in the order of their names. What somebody else does meanwhile to the
 * same routes is no failure. */
void tracker_say(struct tracker *tracker, unsigned int down);

#endif
