/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proof.h - that the messages by which a policy reaches the kernel do what the policy says: for every packet.
 *
 * The messages are decoded by code that shares nothing with what encodes them, run over sets of packets, and compared
 * with the model as maps of packets to fates. What is said of a fate: next hops in order, with gateways, weights and
 * what happens when all are down; masquerading and source; the MSS of a SYN. Proven for each device that a policy or a
 * target has, for one that nobody names and for the router itself, in both families:
 *
 *   new flows        go where the first route that matches leads, and main takes what is never steered
 *   local addresses  that the policy does not know of are left to main as well
 *   known flows      stay on their path in the same epoch, and in another are classified again, unless translation
 *                    holds them
 *   answers          leave by the target that their flow came in by
 *   the router's own outer packets and answers to probes take the links that they should
 *
 * Taken for granted: that ordinary routing knows the router's addresses, and that nobody else's rules are before ours.
 * Of what a router holds the latter is looked at: others' ip rules up to our last one are run as well, and what may
 * touch our bits of marks is not judged. Not looked at: rules of other tables that drop or translate, and the main, default
 * and local tables. */
#ifndef CNI_PROOF_H
#define CNI_PROOF_H

#include "compiler/diag.h"
#include "compiler/model.h"

struct cni_st_pin;
struct cni_state;

/* All that is sent to a router that has nothing of ours yet, in the order in which it is sent. Or, of a dump, what a router
 * tells that it holds: our nft table, all ip rules, and the tables that those up to our last one lead to, but the kernel's
 * own three; objects in front of what names them. */
struct cni_messages {
	const uint8_t *route, *nft; /* of the two kinds of netlink */
	size_t route_len, nft_len;
	const char *const *devices; /* names by ifindex - 1 */
	const uint32_t *indexes; /* NULL, or those of the devices */
	size_t n_devices;
	bool is_dump;
	const uint8_t *others; /* of a dump: the rules of all other nft tables */
	size_t others_len;
	const struct cni_st_pin *pins; /* not of a dump: where the tracker is told to move flows to */
	size_t n_pins;
};

/* Of a dump nothing is reported. */
enum cni_proven {
	CNI_PROVEN,
	CNI_REFUTED, /* reported: CNI506 */
	CNI_TOO_LARGE, /* for the limits: not reported */
	CNI_NOT_JUDGED, /* of a dump only: it holds what is not understood */
};

/* A packet that meets another fate than it should, in words. */
struct cni_counterexample {
	const char *what, *where, *packet, *should, *is; /* packet "": any */
	const char *line; /* "route web", "else": what the policy decides by; NULL: it speaks of no such packet */
	struct cni_span span; /* where that is written */
};

struct cni_proof {
	enum cni_proven answer;
	struct cni_counterexample example; /* of REFUTED */
	const char *unclear; /* of NOT_JUDGED: what is not understood */
	size_t n_maps; /* pairs that were compared */
	size_t n_fates; /* different texts */
	size_t n_paths; /* flows' marks that were followed */
	size_t nodes, bytes; /* of the diagrams */
};

struct cni_proof_limits {
	unsigned int max_nodes; /* of the diagrams */
	bool (*is_late)(void *arg); /* asked now and then: whether to give up; NULL: never */
	void *arg;
};

/* `observed`: where links are that something else configures, NULL: everywhere; and which targets are said to be down, so
 * that no path takes them. */
struct cni_proof cni_prove(struct cni_arena *arena, const struct cni_model *model, const struct cni_state *observed,
			   const struct cni_messages *messages, const struct cni_proof_limits *limits,
			   struct cni_diags *diags);

#endif
