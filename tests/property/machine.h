/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine.h - a small nf_tables: runs the chains of a state over a packet, as net/netfilter/nf_tables_core.c and its
 * expressions do. Knows nothing of policies. */
#ifndef CNI_TEST_MACHINE_H
#define CNI_TEST_MACHINE_H

#include "compiler/state.h"
#include "compiler/text.h"
#include "tests/property/packet.h"

struct flow { /* a conntrack entry */
	uint32_t mark;
	uint32_t status; /* IPS_* */
	bool replied;
	bool none; /* there is no entry: conntrack takes no flow that starts like this */
};

/* What the chains see of a packet, and leave in it. */
struct machine_packet {
	uint8_t bytes[80]; /* from the network header on */
	size_t len, transport; /* offset of the transport header */
	enum cni_family family;
	uint8_t proto;
	struct cni_addr src, dst;
	const char *iif, *oif; /* NULL: none */
	uint32_t mark;
	struct flow *flow;
	bool reply; /* direction of the packet within its flow */
	bool untracked;
	bool masquerade, snat; /* asked for by a chain */
	struct cni_addr snat_to;
};

struct machine {
	const struct cni_state *state;
	uint32_t hash; /* what every hash gives, modulo its modulus: callers sweep it */
	uint32_t modulus; /* out: of the last hash that ran; 0: none did */
	struct cni_text *trace; /* NULL, or where the chains walked are written */
	const char *fault; /* out: what no kernel would run; NULL: none */
};

enum machine_verdict { MACHINE_ACCEPT, MACHINE_DROP, MACHINE_REJECT };

void machine_packet_init(struct machine_packet *mp, const struct packet *packet);
unsigned int machine_packet_mss(const struct machine_packet *mp); /* 0: no MSS option */

/* All base chains of a hook (NF_INET_*), by priority; conntrack stands at -200 in PRE_ROUTING and LOCAL_OUT, and NAT
 * chains see only what has no NAT yet. */
enum machine_verdict machine_run(struct machine *m, struct machine_packet *mp, uint32_t hook);

/* RTN_* of an address, as the fib expression finds it where main has no default route. */
uint32_t machine_addr_type(const struct cni_state *state, struct cni_addr addr);

#endif
