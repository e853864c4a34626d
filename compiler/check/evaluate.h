/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evaluate.h - what a policy does with one packet: the reference meaning of the language. The first route that
 * matches decides; nothing here knows of marks, tables or the kernel. */
#ifndef CNI_EVALUATE_H
#define CNI_EVALUATE_H

#include "compiler/model.h"

/* Fields of a packet, as bits. */
enum {
	CNI_HAS_FROM = 1,
	CNI_HAS_TO = 2,
	CNI_HAS_PROTO = 4,
	CNI_HAS_SPORT = 8,
	CNI_HAS_DPORT = 16,
	CNI_HAS_DSCP = 32,
	CNI_HAS_ICMP_TYPE = 64,
};

struct cni_packet {
	unsigned int known; /* CNI_HAS_…: the fields that are set; the family is known with FROM or TO */
	struct cni_addr from, to; /* of one family */
	uint8_t proto; /* IANA protocol number */
	uint16_t sport, dport; /* of protocols that have ports */
	uint8_t dscp; /* 0..63 */
	uint8_t icmp_type; /* of ICMP and ICMPv6 */
};

struct cni_decision {
	unsigned int asks; /* CNI_HAS_…: the decision depends on these, which are not known; `route` is where */
	const struct cni_policy *policy; /* NULL: the device has none, the packet goes by main */
	const struct cni_route *route; /* NULL: the policy's own `else`, or never steered */
	bool never_steered; /* to a lan, to the router itself, to a network that it is on, multicast, link-local */
	enum cni_verdict verdict; /* NONE: one of `targets` */
	const size_t *targets; /* one, or those that share a weighted path */
	size_t n_targets;
};

/* The policy of a device, or of "local"; NULL: none. */
const struct cni_policy *cni_policy_on(const struct cni_model *model, const char *device);

/* What a route makes of the packets of a family that it takes, while `down[target]` are down; NULL: the policy's end. */
struct cni_decision cni_decide(struct cni_arena *arena, const struct cni_model *model, const struct cni_policy *policy,
			       const struct cni_route *route, enum cni_family family, const bool *down);

/* A part of a match that a packet fails. */
struct cni_failed_part {
	enum cni_match_kind kind;
	const struct cni_ast_match *ast; /* of ports, services and ICMP types; NULL: of all that is said of that kind */
};

/* All of them, in `arena`; returns how many. The packet has a destination. */
size_t cni_failed_parts(struct cni_arena *arena, const struct cni_match *match, const struct cni_packet *packet,
			struct cni_failed_part **parts);

/* Where packets are never steered to: lans, addresses of the router, networks that it is on, multicast, link-local
 * and broadcast. Canonical. */
struct cni_ranges cni_never_steered(struct cni_arena *arena, const struct cni_model *model);

/* A packet that comes in by `device`, or that the router sends itself ("local"), while `down[target]` are down.
 * A target without an address of the packet's family is down for it. `never` is of cni_never_steered(); `targets`
 * is allocated in the arena. */
struct cni_decision cni_evaluate(struct cni_arena *arena, const struct cni_model *model, const struct cni_ranges *never,
				 const char *device, const struct cni_packet *packet, const bool *down);

#endif
