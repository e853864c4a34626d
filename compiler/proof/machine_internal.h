/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine_internal.h - what the parts of the machine share: where a rule is at, and what is remembered of chains. */
#ifndef CNI_PROOF_MACHINE_INTERNAL_H
#define CNI_PROOF_MACHINE_INTERNAL_H

#include "compiler/proof/machine.h"

/* Where a rule is at; the packets that it has lost on the way go on with the next rule as they then were. */
struct place {
	struct machine *m;
	struct chain *chain;
	size_t at; /* rule */
	bool for_all; /* marks: they do not matter from here on, and are given to packets later */
	struct marks marks;
	struct cni_space here; /* packets that are still in the rule */
	struct registers r;
};

/* expr.c: one expression that leads nowhere: it loads, changes or compares. */
void machine_expr(struct place *p, const struct expr *x);

/* lookup.c: the element of one key; NULL: there is none. Elements are in order, and disjoint. */
const struct element *constant_element(const struct set *set, const uint8_t *key);

/* memory.c: what a chain does from one of its rules on. */
struct memory {
	struct chain *chain; /* NULL: the place is free */
	uint32_t at;
	bool for_all; /* marks */
	uint8_t reads;
	struct marks marks;
	const struct surroundings *then;
	struct classes to;
};

/* Of that chain, rule and marks, in surroundings that differ in nothing that was read; NULL: it is not known. */
const struct memory *machine_recall(const struct machine *m, const struct memory *key);
void machine_remember(struct machine *m, struct memory *memory);

#endif
