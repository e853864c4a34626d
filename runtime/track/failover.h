/* SPDX-License-Identifier: GPL-2.0-or-later */
/* failover.h - what follows from a target's going down or coming back: flows that are to stay are moved out of the way,
 * then the routes change, then what is bound to another target is forgotten. */
#ifndef RT_TRACK_FAILOVER_H
#define RT_TRACK_FAILOVER_H

#include "runtime/netlink/netlink.h"
#include "runtime/track/course.h"

struct rt_failover {
	unsigned int n_routes, n_flows;
	uint64_t took; /* ns, until the kernel had the routes */
	bool stays; /* flows were left on a backup */
	bool doubtful; /* routes were not as they were believed to be, or were refused */
	int error; /* -errno of the kernel's first refusal */
	char text[256]; /* and of what */
};

/* Makes the day that of the judges: first all that goes down, then what comes back. An installed policy only; of any other
 * what is down is noted, and no more. */
struct rt_failover rt_failover_down(struct rt_course *course, struct rt_netlink *nl);
struct rt_failover rt_failover_up(struct rt_course *course, struct rt_netlink *nl);

/* Flows that stayed on a backup go back. */
struct rt_failover rt_failover_return(struct rt_course *course, struct rt_netlink *nl);

/* Makes of the routes that were found (sorted) those of the day. */
struct rt_failover rt_failover_mend(struct rt_course *course, struct rt_netlink *nl, const struct cni_state *observed);

#endif
