/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flatten.h - ranges of addresses that overlap, each of a route, made into disjoint ones of the first route that has
 * them. */
#ifndef CNI_LOWER_FLATTEN_H
#define CNI_LOWER_FLATTEN_H

#include "compiler/lower/boxes.h"

struct route_range {
	struct cni_range6 range;
	size_t at; /* of the route: the lower comes first */
};

/* Appends them as boxes of that column, ascending, neighbours of one chain as one; `then` is by route. Sorts `ranges`. */
void flatten(struct lower *l, struct boxes *boxes, enum column column, struct route_range *ranges, size_t n,
	     const char *const *then);

#endif
