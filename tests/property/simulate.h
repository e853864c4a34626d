/* SPDX-License-Identifier: GPL-2.0-or-later */
/* simulate.h - what a kernel in a given state (compiler/state.h) does with a packet: hooks, rules, tables, NAT. Knows
 * nothing of policies. Main holds nothing but what is on-link. */
#ifndef CNI_TEST_SIMULATE_H
#define CNI_TEST_SIMULATE_H

#include "tests/property/machine.h"

enum sim_kind {
	SIM_MAIN, /* no table of the state decides */
	SIM_LOCAL, /* for the router itself */
	SIM_DROP,
	SIM_REJECT, /* an ICMP answer, or an error to the local sender */
	SIM_HOPS,
};

struct sim_result {
	enum sim_kind kind;
	const struct cni_st_route *route; /* of HOPS */
	uint32_t table; /* that decided; 0: none */
	struct machine_packet packet; /* as the hooks so far left it */
};

struct sim {
	struct machine machine;
	const char *const *down; /* devices that are down; ends in NULL */
};

bool sim_is_up(const struct sim *sim, const char *device);

/* From the device it comes in by to the routing decision, or (device NULL) from the local socket to it. `mark` is what
 * it comes with; `flow` is changed. */
struct sim_result sim_route(struct sim *sim, const struct packet *packet, const char *device, struct flow *flow,
			    bool reply, uint32_t mark);

/* From the decision to the wire of `oif`: what masquerading, source and MSS come to. Ends the flow's first packet. */
enum machine_verdict sim_leave(struct sim *sim, struct sim_result *result, const char *oif);

/* The routing decision alone, of a packet that no chain steers (the outer packet of a tunnel). */
struct sim_result sim_lookup(struct sim *sim, struct machine_packet *packet);

const char *sim_format(const struct sim *sim, const struct sim_result *result, char text[256]);

#endif
