/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch.h - from the routes of one day to those of another, in one send: which targets are down differs. */
#ifndef RT_TRACK_SWITCH_H
#define RT_TRACK_SWITCH_H

#include "compiler/arena.h"
#include "compiler/state.h"
#include "runtime/netlink/netlink.h"

struct rt_switched {
	unsigned int n; /* routes that there were to change */
	bool moved; /* something was there, or was gone, already: somebody else changes routes, too */
	int error; /* -errno of the first refusal that is not of that kind */
	char text[256]; /* the route that was refused, and the kernel's own words */
};

/* Makes of the routes before[0..n_before) those of `desired`, both sorted: what says that something is down, then what is
 * new, changed, and gone, and last what says that something is down no more. Only what is ours is touched, in tables that
 * `desired` fills or that say what is down. A route by a device that is not there is left out: it comes with it. */
struct rt_switched rt_switch_routes(struct rt_netlink *nl, struct cni_arena *arena, const struct cni_state *desired,
				    const struct cni_st_route *before, size_t n_before);

#endif
