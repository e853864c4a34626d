/* SPDX-License-Identifier: GPL-2.0-or-later */
/* former_nft.h - the way back where others wrote into cnic's nft table: what cnic cannot write cannot come back. */
#ifndef RT_FORMER_NFT_H
#define RT_FORMER_NFT_H

#include "compiler/arena.h"
#include "compiler/state.h"

struct rt_lost {
	const char **texts; /* what is gone for good, one line each */
	size_t n_texts;
};

/* Chains and sets of `old` into `want`. What cnic never writes (rules with expressions of other kinds, sets without
 * fields, rules that ask such sets) is wanted where `now` still has it untouched; else it is left out, and told. */
void rt_former_nft(struct cni_arena *arena, const struct cni_state *old, const struct cni_state *now,
		   struct cni_state *want, struct rt_lost *lost);

#endif
