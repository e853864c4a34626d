/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect_internal.h - what the files that judge `expect`s share. */
#ifndef CNI_EXPECT_INTERNAL_H
#define CNI_EXPECT_INTERNAL_H

#include "compiler/arena.h"
#include "compiler/check/expect.h"
#include "compiler/space/space.h"

struct cni_expects {
	struct cni_arena *arena;
	const struct cni_model *model;
	struct cni_ranges never;
	bool *down; /* on the day of the expect at hand */
	struct cni_spaces *spaces; /* NULL: none were needed yet */
	struct expect_map { /* of each policy: which route decides; made when it is needed */
		bool made[CNI_N_FAMILIES];
		struct cni_map map[CNI_N_FAMILIES];
	} * maps;
	struct cni_hints from, to;
};

/* expect.c: whether a decision is what is asked for, on the day of x->down. */
bool expect_is_met(const struct cni_expects *x, const struct cni_expect *e, const struct cni_decision *decision,
		   enum cni_family family);

enum proof {
	PROOF_HOLDS,
	PROOF_EMPTY, /* it speaks of no packet */
	PROOF_BREAKS, /* by *such_as, which *decision is about */
	PROOF_FAILED, /* the limit of nodes was reached */
};

/* expect_space.c: of every packet that it speaks of, on the day of x->down. */
enum proof expect_prove(struct cni_expects *x, const struct cni_expect *e, struct cni_decision *decision,
			struct cni_header *such_as);
/* The packets that it speaks of. */
struct cni_space expect_space(struct cni_expects *x, const struct cni_expect *e, enum cni_family family);

#endif
