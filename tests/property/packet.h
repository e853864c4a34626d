/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.h - a packet as policies speak of it, random numbers, and packets at the edges of a policy's matches. */
#ifndef CNI_TEST_PACKET_H
#define CNI_TEST_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/ip.h"
#include "compiler/model.h"
#include "compiler/space/space.h"

struct cni_arena;

struct packet {
	struct cni_addr src, dst; /* of one family */
	uint8_t proto; /* IANA protocol number; 1 only over IPv4, 58 only over IPv6 */
	uint16_t sport, dport; /* where the protocol has ports (packet_has_ports) */
	uint8_t icmp_type; /* of protocols 1 and 58 */
	uint8_t dscp; /* 0..63 */
	bool syn; /* TCP: SYN is set, with an MSS option */
	uint16_t mss;
};

#define PACKET_TEXT 256

static inline bool packet_has_ports(uint8_t proto)
{
	return proto == 6 || proto == 17 || proto == 33 || proto == 132 || proto == 136;
}

/* Whether conntrack makes an entry for it when it knows of none: not for ICMP that asks nothing
 * (nf_conntrack_proto_icmp.c, nf_conntrack_proto_icmpv6.c). */
static inline bool packet_starts_flow(const struct packet *packet)
{
	const uint8_t type = packet->icmp_type;

	if (packet->proto == 1)
		return type == 8 || type == 13 || type == 15 || type == 17;
	return packet->proto != 58 || type == 128 || type == 139;
}

const char *packet_format(const struct packet *packet, char text[PACKET_TEXT]); /* returns text */
/* What answers it, or what it answers: ends and ports swapped, requests and replies; no longer a SYN. */
struct packet packet_reply(const struct packet *packet);

/* A generator of pseudo-random numbers (splitmix64): the same seed gives the same numbers everywhere. */
struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *rng);
unsigned int rng_below(struct rng *rng, unsigned int n); /* 0..n-1 */
static inline bool rng_percent(struct rng *rng, unsigned int percent)
{
	return rng_below(rng, 100) < percent;
}

struct packets {
	struct packet *items;
	size_t n_items;
};

/* Packets for one policy: first every edge of its matches and of what is never steered (the first and last address
 * of each range and their neighbours outside, ports likewise, each code point and ICMP type and their neighbours),
 * each put into a packet that comes close to some route; then random ones, until there are `n` at least. */
struct packets packets_for(struct cni_arena *arena, struct rng *rng, const struct cni_model *model,
			   const struct cni_policy *policy, size_t n);

/* What a packet space calls it. */
struct packet packet_of_header(const struct cni_header *h);

#endif
