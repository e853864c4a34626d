/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shards.h - large sets of addresses, cut by their leading bits so that a change of a member touches one piece.
 *
 * A part of the address space with more members than the limit is halved, and a range that crosses the cut is split:
 * which pieces there are depends on the members alone. Each piece is a set; an index, which is a verdict map of
 * ranges, leads to a chain for each piece, and that asks the set. All have names by content: a piece without a change
 * stays as it is, the index and the chains are made anew. (It also keeps the kernel from reading back one large set,
 * whose cost is the square of its size.) */
#ifndef CNI_LOWER_SHARDS_H
#define CNI_LOWER_SHARDS_H

#include "compiler/lower/nft.h"

struct shard {
	struct cni_addr lo, hi; /* the part of the address space that it speaks for */
	struct cni_st_set set; /* its members */
};

struct shards {
	const struct cni_ranges *ranges;
	enum cni_family family;
	const char *label;
	struct shard *items; /* those that have members; ascending */
	size_t n_items;
};

/* How many of n members a piece may have. */
size_t lower_shard_max(const struct lower *l, size_t n);

/* The pieces of the addresses of one family, if they are too many for one set; else NULL. */
const struct shards *lower_shards(struct lower *l, const struct cni_ranges *ranges, enum cni_family family,
				  const char *label);

/* Ends the rule by leading addresses inside (or outside) to the chain `then`; others go on with the next rule. `then`
 * must end in a verdict, not in its own last rule: the way back is to where the address was asked for. */
void lower_by_shards(struct lower *l, struct cni_st_rule_nft *r, const struct shards *shards, bool source, bool inside,
		     const char *then);

#endif
