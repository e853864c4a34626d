/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map.h - disjoint boxes as verdict maps: one look-up, however many there are.
 *
 * A map of one field is a map of ranges, one of several fields concatenates them, those that tell most apart first (the
 * kernel narrows down what can still match field by field), and one in which every field has a single value is a hash.
 * Many boxes are cut by leading bits of an address, as shards.h cuts sets: an index, which is a map of ranges, leads to
 * a chain for each piece, and that asks the piece's map. So a change touches a piece and the index, and a look-up costs
 * what a small map costs. Boxes that say nothing of the address are asked for apart. */
#ifndef CNI_LOWER_MAP_H
#define CNI_LOWER_MAP_H

#include "compiler/lower/boxes.h"

struct map {
	enum cni_family family;
	const char *label; /* of sets and chains */
	struct cni_span span;
	uint64_t dscp; /* code points that the packet must have one of; all: any */
};

/* Appends rules that go to the chain of the box that a packet is in; others go on with the next rule. The boxes are
 * disjoint. Returns how many look-ups a packet needs at most. */
size_t lower_map(struct lower *l, struct chain *chain, const struct map *map, struct box *boxes, size_t n);

#endif
