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
 * Taken for granted: that ordinary routing knows the router's addresses, and that nobody else's rules are before ours. */
#ifndef CNI_PROOF_H
#define CNI_PROOF_H

#include "compiler/diag.h"
#include "compiler/model.h"

struct cni_state;

/* All that is sent to a router that has nothing of ours yet, in the order in which it is sent. */
struct cni_messages {
	const uint8_t *route, *nft; /* of the two kinds of netlink */
	size_t route_len, nft_len;
	const char *const *devices; /* names by ifindex - 1 */
	size_t n_devices;
};

enum cni_proven { CNI_PROVEN, CNI_REFUTED /* reported: CNI506 */, CNI_TOO_LARGE /* for max_nodes: not reported */ };

struct cni_proof {
	enum cni_proven answer;
	size_t n_maps; /* pairs that were compared */
	size_t n_fates; /* different texts */
	size_t n_paths; /* flows' marks that were followed */
	size_t nodes, bytes; /* of the diagrams */
};

/* `observed`: where links are that something else configures; NULL: everywhere. `max_nodes`: of the diagrams. */
struct cni_proof cni_prove(struct cni_arena *arena, const struct cni_model *model, const struct cni_state *observed,
			   const struct cni_messages *messages, unsigned int max_nodes, struct cni_diags *diags);

#endif
