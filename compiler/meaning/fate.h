/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fate.h - what becomes of a packet that a route has decided about, in terms that mean the same in two models: devices,
 * next hops, tunnels' ends, sizes; not indices, and not the names of links, which no packet meets.
 *
 * A fate is of one family and of a day on which some targets are down: what is down, or does not carry the family, is not
 * in it. Two fates are the same where packets cannot tell them apart, then or when more goes down. */
#ifndef CNI_FATE_H
#define CNI_FATE_H

#include "compiler/model.h"

enum cni_trait { /* of a target, for one family */
		 CNI_TRAIT_DEVICE,
		 CNI_TRAIT_HOP,
		 CNI_TRAIT_MTU,
		 CNI_TRAIT_MSS, /* that SYNs are clamped to */
		 CNI_TRAIT_ADDRESS, /* that masquerade gives packets */
		 CNI_TRAIT_ENDS, /* of a tunnel: kind, ends, options */
		 CNI_TRAIT_OVER, /* the way of its outer packets */
		 CNI_N_TRAITS
};

extern const char *const cni_trait_words[CNI_N_TRAITS];

struct cni_fate_member {
	const char *name;
	unsigned int weight; /* without a common divisor; 1 in ordered paths */
	bool masquerade;
	bool cut_off; /* a tunnel none of whose links is up: it takes packets, and they go nowhere */
	const char *traits[CNI_N_TRAITS]; /* NULL: it has none of these */
};

struct cni_fate {
	const char *text; /* as in a policy: "cf1 then cf2 else drop", "main masquerade" */
	const char *key; /* equal: the same fate */
	struct cni_fate_member *members; /* that are up: in order of preference, or sharing by weight */
	size_t n_members; /* 0: `verdict` */
	bool weighted;
	enum cni_verdict verdict; /* without members, what becomes of the packet; else, when they all are down */
};

struct cni_fates { /* of both models that are compared: an id is an index */
	struct cni_arena *arena;
	struct cni_fate *items;
	size_t n_items;
	size_t *slots; /* by hash of the key: an id and one, 0 is free */
	size_t n_slots;
};

/* What ordinary routing does: the fate of what no policy speaks of. */
unsigned int cni_fate_main(struct cni_fates *fates);
/* Of a verdict without a path: the end of a policy. */
unsigned int cni_fate_verdict(struct cni_fates *fates, enum cni_verdict verdict);
/* Of a route's path; down[target] are down. */
unsigned int cni_fate_route(struct cni_fates *fates, const struct cni_model *model, const struct cni_route *route,
			    enum cni_family family, const bool *down);

#endif
