/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boxes.h - what a route matches, as boxes: one range of each field that a verdict map can ask for. */
#ifndef CNI_LOWER_BOXES_H
#define CNI_LOWER_BOXES_H

#include "compiler/lower/nft.h"
#include "compiler/region/region.h"

enum column { COL_FROM, COL_TO, COL_PROTO, COL_SPORT, COL_DPORT, N_COLUMNS };

#define LIMITS(column) (1u << (column))
#define LIMITS_PORTS (LIMITS(COL_SPORT) | LIMITS(COL_DPORT))

struct box {
	struct cni_range6 range[N_COLUMNS]; /* where `limits` has the column's bit; else anything */
	unsigned int limits; /* ports only together with one protocol, which has them */
	const char *then; /* the chain that it leads to */
};

struct boxes {
	struct box *items;
	size_t n_items;
};

/* How many boxes the region takes, or `most` + 1. Its DSCP is left out: whoever asks the map asks for that before. ICMP
 * types are no column: a region that limits them takes too many. */
size_t boxes_count(const struct cni_region *region, size_t most);
void boxes_add(struct lower *l, struct boxes *boxes, const struct cni_region *region, const struct cni_region *all,
	       const char *then);

#endif
