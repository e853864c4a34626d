/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seen.h - what a kernel did with one packet. No pointers: it is written by one process and read by another. */
#ifndef RT_TWIN_SEEN_H
#define RT_TWIN_SEEN_H

#include <stdbool.h>

#include "compiler/ip.h"
#include "compiler/state.h"

enum rt_twin_end {
	RT_TWIN_UNTRIED,
	RT_TWIN_LEFT, /* by `way` */
	RT_TWIN_BY_MAIN, /* by the device that main's default route has, which no policy speaks of */
	RT_TWIN_SILENT, /* nothing came of it */
	RT_TWIN_REJECTED, /* an ICMP error came of it, or the sender's own error */
	RT_TWIN_HERE, /* the router itself took it */
	RT_TWIN_N_ENDS
};

struct rt_twin_way {
	char device[CNI_IFNAME];
	bool has_hop; /* the frame was for a next hop, not for whoever is on the link */
	struct cni_addr hop;
};

struct rt_twin_seen {
	enum rt_twin_end end;
	struct rt_twin_way way; /* of LEFT */
	bool wraps; /* of LEFT: the device is a tunnel, not a stand-in for one */
	bool has_outer; /* then: the packet around it left by `outer` */
	struct rt_twin_way outer;
	struct cni_addr source; /* of LEFT and BY_MAIN: that it had then */
	unsigned int mss; /* of a SYN, likewise; 0: none */
};

#endif
