/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fate.h - what becomes of a packet, as a text that is the same for the same fate: what both sides of a proof come to.
 *
 * "eth1 via 192.0.2.10 mss 1436 then eth0 via 198.51.100.1 masquerade else drop"; shares by weight are
 * "3: … | 1: …". Texts are numbered, and the numbers are labels of maps. */
#ifndef CNI_PROOF_FATE_H
#define CNI_PROOF_FATE_H

#include "compiler/model.h"
#include "compiler/proof/machine.h"
#include "compiler/text.h"

struct texts {
	struct cni_arena *arena;
	const char **items;
	size_t n_items;
	unsigned int *slots; /* of an open hash table: numbers, from 1 */
	size_t n_slots;
};

unsigned int texts_number(struct texts *texts, const char *text);

/* A text behind, or within, each text of a map. */
struct cni_map texts_concat(struct texts *texts, struct cni_spaces *spaces, struct cni_map a, struct cni_map b);

/* ---- the words ---- */

/* How a packet is changed where it leaves. */
struct leaving {
	bool masquerade, has_source;
	struct cni_addr source;
	unsigned int mss; /* 0: as it is */
};

const char *leaving_text(struct cni_arena *arena, const struct leaving *leaving);

/* A next hop, without how it leaves; of a tier of several, with its weight. `via` NULL: none is of meaning. */
const char *hop_text(struct cni_arena *arena, const char *device, const struct cni_addr *via, unsigned int weight);

/* Whether the next hop on that device says where a packet goes: not on a tunnel, which has one other end, nor where
 * something else configures the link. */
bool hop_needs_via(const struct cni_model *model, const char *device);

/* Parts "WEIGHT text", a line each, become one fate: sorted, equal ones together, weights without a common divisor. */
const char *shares_text(struct cni_arena *arena, const char *parts);

unsigned int greatest_divisor(unsigned int a, unsigned int b);

/* The smaller of two MSS of which 0 is none. */
static inline unsigned int smaller_mss(unsigned int a, unsigned int b)
{
	return !a || (b && b < a) ? b : a;
}

/* ---- routing.c: from a mark to next hops, by ip rules and tables ---- */

/* Where a packet goes, and where if that is down, and so on. */
struct tree {
	enum tree_kind {
		TREE_ON,
		/* the table has no such route: rules go on */ TREE_MAIN,
		TREE_DROP,
		TREE_REJECT,
		TREE_HOPS
	} kind;
	const struct ip_route *route; /* of HOPS */
	unsigned int next; /* of HOPS */
};

struct routing {
	struct decoder *d;
	struct cni_spaces *spaces;
	struct tree *trees; /* by label */
	size_t n_trees;
	struct table {
		uint32_t number;
		enum cni_family family;
		struct cni_map map;
	} * tables; /* those that were asked for */
	size_t n_tables;
};

void routing_init(struct routing *r, struct decoder *d, struct cni_spaces *spaces);
/* Labels are of r->trees; none is ON. `iif`: "lo" for what the router sends. */
struct cni_map routing_map(struct routing *r, enum cni_family family, uint32_t mark, const char *iif);

/* ---- sent.c: what messages do with a packet ---- */

struct sent {
	struct machine *machine;
	struct routing *routing;
	struct texts *texts;
	const struct cni_model *model;
	uint32_t foreign; /* bits of marks that are somebody else's: all packets and flows have them, and keep them */
	struct routed {
		enum cni_family family;
		struct marks marks;
		struct cni_map map;
	} * routed; /* from marks to the wire, as far as it was asked for */
	size_t n_routed;
};

/* From the hook to the wire, for packets that come in by `iif` (NULL: the router sends them) of a flow that is new. In
 * *outcomes, labels of the machine, what the first hook came to. */
struct classes sent_map(struct sent *s, enum cni_family family, const char *iif, struct classes *outcomes);
/* The same from the outcomes on. */
struct classes sent_outcomes(struct sent *s, enum cni_family family, const char *iif, struct classes outcomes);
/* By routing alone, of packets with that mark. */
struct cni_map sent_routing(struct sent *s, enum cni_family family, uint32_t mark, const char *iif);

/* ---- meant.c: what the policy does with it ---- */

struct meant {
	struct cni_arena *arena;
	struct cni_spaces *spaces;
	struct classing *classing;
	struct texts *texts;
	const struct cni_model *model;
	const struct cni_state *observed; /* where links are that something else configures; NULL: everywhere */
	const bool *down; /* [target]: what the tracker says, as observed */
	struct cni_ranges never;
	bool is_syn; /* what is spoken of at the moment: only a SYN has an MSS */
};

/* For packets of new flows that come in by `device`; NULL: that the router sends. */
struct classes meant_map(struct meant *m, enum cni_family family, const char *device);
/* Packets that the router sends from an address that has a way of its own, whatever the policy says: outer packets of
 * tunnels, answers to probes; and that way. */
struct cni_space meant_own(struct meant *m, enum cni_family family);
struct cni_map meant_own_map(struct meant *m, enum cni_family family);
/* Outer packets of tunnels, from one end to the other. */
struct cni_space meant_outer(struct meant *m, enum cni_family family);
/* Where answers that come in by `device` (NULL: from the router itself) go to what came in by the target. */
struct cni_map meant_return(struct meant *m, enum cni_family family, size_t target, const char *device);
/* What comes in by the target and is answered by it. */
struct cni_space meant_arrivals(struct meant *m, enum cni_family family, size_t target);
/* The link by which probes that come in by the target are answered because they are to, or from, that link's own address;
 * CNI_NONE: there is none, or its own policy speaks for it. */
size_t meant_answering(const struct meant *m, size_t target);
/* What comes in by a tunnel and is answered by that link. */
struct cni_space meant_answered_outside(struct meant *m, enum cni_family family, size_t target);
/* What may be steered by its destination. */
struct cni_space meant_steered(struct meant *m, enum cni_family family);
/* The label of cni_meaning_routes() that decides about a packet; CNI_LABEL_NEVER also where there is no policy. */
unsigned int meant_label(struct meant *m, const char *device, const struct cni_header *packet);
/* Flows of the device's policy that stay on a target when a better one comes back: where they went until then, and go now. */
struct staying {
	struct cni_map before, after;
	const char *target;
};
struct staying *meant_staying(struct meant *m, enum cni_family family, const char *device, size_t *n);
/* Packets whose route translates. */
struct cni_space meant_translated(struct meant *m, enum cni_family family, const char *device);
const struct cni_policy *meant_policy(const struct cni_model *model, const char *device);
/* Probes of the reply type: conntrack must not see them. */
struct cni_space meant_untracked(struct meant *m, enum cni_family family, const char *device);

#endif
