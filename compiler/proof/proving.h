/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proving.h - one proof while it is made, and what its parts (claim.c, arrival.c, flows.c, staying.c, prove.c) share. */
#ifndef CNI_PROVING_H
#define CNI_PROVING_H

#include "compiler/proof/fate.h"
#include "compiler/proof/proof.h"

#define CONFIRMED 0x08 /* IPS_CONFIRMED, IPS_SRC_NAT: linux/nf_conntrack_common.h */
#define TRANSLATED 0x10

struct proving {
	struct decoder d;
	struct ruleset set;
	struct machine machine;
	struct routing routing;
	struct texts texts;
	struct sent sent;
	struct meant meant;
	struct cni_spaces *spaces;
	const struct cni_model *model;
	const struct cni_proof_limits *limits;
	const struct cni_messages *messages;
	struct cni_proof proof;
};

/* Of each of what is compared: which packets, and how a number is told. */
struct claim {
	const char *what;
	const char *device; /* NULL: the router itself */
	enum cni_family family;
	struct cni_space domain;
	const char *(*tell)(struct proving *p, unsigned int label);
	bool by_routes; /* of the device's policy: new flows */
};

/* One device's packets: what is proven of them in turn. */
struct arrival {
	struct proving *p;
	struct claim claim;
	struct classes outcomes; /* of new flows */
	struct classes marks; /* the same, but for the flow's mark */
	struct cni_space translated; /* packets whose route translates */
	struct cni_space tracked; /* packets that conntrack sees */
	struct cni_space steered; /* of them, those that the policy's routes are for */
	struct leaf {
		struct marks marks;
		bool translates;
	} * leaves;
	size_t n_leaves;
};

/* claim.c. Over: refuted, failed, or too late to go on. */
bool proof_is_late(const struct proving *p);
bool proof_is_over(const struct proving *p);
/* Refutes where they differ for a packet of the claim's domain. */
void proof_compare(struct proving *p, const struct claim *claim, struct classes is, struct classes should);
const char *proof_tell_text(struct proving *p, unsigned int label);
const char *proof_tell_outcome(struct proving *p, unsigned int label);

/* arrival.c: new flows, held against the policy; NULL: the router's own. */
struct arrival arrival_of(struct proving *p, enum cni_family family, const char *device);
/* What packets of the device come to whose flow has that mark and status (IPS_*). */
struct classes arrival_run(struct arrival *a, uint32_t ct_mark, uint32_t status, bool reply, uint32_t fib_type);
struct cni_space arrival_packets(struct arrival *a, const struct leaf *leaf);
void arrival_compare(struct arrival *a, const char *what, struct cni_space domain, struct classes is,
		     struct classes should);
struct classes proof_marked(struct proving *p, enum outcome_kind kind, uint32_t mark);

/* flows.c */
void prove_flows(struct arrival *a);
void prove_stale(struct arrival *a, const char *what, uint32_t ct_mark, struct classes stays);
void prove_reply(struct arrival *a, const struct leaf *leaf, uint32_t status);
void prove_local_addresses(struct arrival *a);
void prove_moved(struct arrival *a, const uint32_t *returns); /* [target]: the mark that it gives; 0: none */

/* staying.c */
void prove_staying(struct arrival *a);

#endif
