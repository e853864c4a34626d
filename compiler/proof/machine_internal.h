/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine_internal.h - what the parts of the machine share: where a rule is at, and what is remembered of chains. */
#ifndef CNI_PROOF_MACHINE_INTERNAL_H
#define CNI_PROOF_MACHINE_INTERNAL_H

#include "compiler/proof/machine.h"

/* How a chain is run. Compared by bytes. */
struct mode {
	struct marks marks; /* of the packets; zero where the run is for all */
	uint32_t for_all; /* marks: they do not matter from here on, and are given to packets later */
	uint32_t is_inner; /* for all, of a chain that was jumped to: */
	struct cni_map back; /* what comes after a return */
};

/* Where a rule is at; the packets that it has lost on the way go on with the next rule as they then were. */
struct place {
	struct machine *m;
	struct chain *chain;
	size_t at; /* rule */
	struct mode mode;
	struct cni_space here; /* packets that are still in the rule */
	struct registers r;
};

/* expr.c: one expression that leads nowhere: it loads, changes or compares. */
void machine_expr(struct place *p, const struct expr *x);

/* quiet.c: from which rule on no rule asks for marks or changes any, nor does what the chain comes back from; and whether
 * some rule does. */
size_t quiet_from(struct chain *chain);
bool marks_matter(struct chain *chain);

/* lookup.c: the element of one key; NULL: there is none. Elements are in order, and disjoint. */
const struct element *constant_element(const struct set *set, const uint8_t *key);

/* memory.c: what a chain does from one of its rules on. */
struct memory {
	struct chain *chain; /* NULL: the place is free */
	uint32_t at;
	unsigned int reads;
	struct mode mode;
	const struct surroundings *then;
	struct classes to;
};

/* Of that chain, rule and marks, in surroundings that differ in nothing that was read; NULL: it is not known. */
const struct memory *machine_recall(const struct machine *m, const struct memory *key);
void machine_remember(struct machine *m, struct memory *memory);

#endif
