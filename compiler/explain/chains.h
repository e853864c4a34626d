/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chains.h - what the nft chains of a state do with the first packet of a flow, rule by rule.
 *
 * The state may be a desired one or an observed one, whose sets have all been read. Knows nothing of policies. */
#ifndef CNI_EXPLAIN_CHAINS_H
#define CNI_EXPLAIN_CHAINS_H

#include "compiler/arena.h"
#include "compiler/check/evaluate.h"
#include "compiler/state.h"

enum cni_fate { CNI_FATE_ACCEPT, CNI_FATE_DROP, CNI_FATE_REJECT };

struct cni_met { /* a rule that did something: its last expression was reached */
	const struct cni_st_chain *chain;
	size_t rule;
};

struct cni_passage {
	/* in */
	const struct cni_state *state;
	const struct cni_packet *packet; /* fields that are not known are taken as 0, the protocol as TCP */
	const char *iif, *oif; /* NULL: none */
	bool has_hash; /* `hash` stands for the result of every hash */
	uint32_t hash;
	/* in and out */
	uint32_t mark, ct_mark;
	unsigned int mss; /* 0: no TCP */
	/* out */
	enum cni_fate fate;
	uint32_t modulus; /* of the last hash; 0: there was none */
	bool masquerades, has_source;
	struct cni_addr source;
	const char *fault; /* what cnic never writes, and cannot follow; NULL: nothing */
	struct cni_met *met;
	size_t n_met;
};

/* A TCP packet is taken for a SYN with the largest MSS. */
struct cni_passage cni_passage_new(const struct cni_state *state, const struct cni_packet *packet, const char *iif);

/* Runs all base chains of a hook (NF_INET_*), by priority. */
void cni_passage_run(struct cni_passage *passage, struct cni_arena *arena, uint32_t hook);

/* Whether the state has the address: as the router's own. */
bool cni_has_address(const struct cni_state *state, struct cni_addr addr);

#endif
