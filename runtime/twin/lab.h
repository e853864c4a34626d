/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lab.h - a router in the network namespace of the calling process, which is empty and its own: the devices that a policy
 * names, a main table with a default route, and the policy applied as `cnic apply` does. */
#ifndef RT_TWIN_LAB_H
#define RT_TWIN_LAB_H

#include "compiler/model.h"
#include "compiler/state.h"
#include "runtime/commands/session.h"
#include "runtime/netlink/netlink.h"

#define RT_TWIN_DEVICE_TYPES (CNI_DEV_VLAN + 1)

struct rt_twin_port { /* a veth; none of them asks for neighbours */
	const char *name, *peer;
	unsigned int ifindex, peer_ifindex;
};

struct rt_twin_lab {
	/* from the caller */
	struct rt_session *session;
	struct rt_netlink *nl;
	const struct cni_model *model; /* NULL: a router without a policy */
	const struct cni_state *wanted; /* what it becomes on any router; NULL without a model */
	const char **incoming; /* devices that packets are to come in by: these are ports */
	size_t n_incoming;
	/* what was built */
	struct rt_twin_port *ports;
	size_t n_ports;
	const struct rt_twin_port *main; /* that main's default routes lead to */
	const struct cni_state *state; /* that was applied; NULL without a model */
	struct cni_addr *hops; /* next hops: hop i has rt_twin_hop_mac(i) */
	size_t n_hops;
	bool stands_in[RT_TWIN_DEVICE_TYPES]; /* ports stand for devices of this kind, some or all */
};

/* False with CNI790, or what the apply said, in the session's diagnostics. */
bool rt_twin_build(struct rt_twin_lab *lab);
/* Takes a device down, as if it had failed. Likewise. */
bool rt_twin_fail(struct rt_twin_lab *lab, const char *device);

/* Hardware addresses: of every port, and of next hops. */
extern const uint8_t rt_twin_port_mac[6];
void rt_twin_hop_mac(size_t hop, uint8_t mac[6]);
/* SIZE_MAX: of none. */
size_t rt_twin_hop_of(const struct rt_twin_lab *lab, const uint8_t mac[6]);

#endif
