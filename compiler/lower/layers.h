/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layers.h - which routes of a policy can be decided by one look-up together.
 *
 * Routes that do not overlap can stand in one map, in any order. So each route is put into the first layer behind those
 * of all earlier routes that it overlaps: their number is the length of the longest chain of routes of which each
 * overlaps the next (L. Mirsky, A dual of Dilworth's decomposition theorem, 1971), and the first layer that has an
 * answer has the right one. Routes of addresses alone are kept in one layer even where they overlap, if they ask for the
 * same address: a map of disjoint ranges is made of them, each with its first route. */
#ifndef CNI_LOWER_LAYERS_H
#define CNI_LOWER_LAYERS_H

#include "compiler/lower/nft.h"
#include "compiler/region/region.h"

enum route_kind {
	ROUTE_RULES, /* what no map can ask for, or not well: rules of its own */
	ROUTE_FROM, /* source addresses alone */
	ROUTE_TO, /* destination addresses alone */
	ROUTE_FIELDS, /* anything else: boxes */
};

struct layered_route {
	size_t at; /* in the policy */
	struct cni_region region; /* of one family; not empty */
	enum route_kind kind;
	uint64_t dscp; /* of ROUTE_FIELDS: a bit per code point */
	size_t layer; /* from 0 */
};

/* The routes of a policy that speak of a family, in their order; in layers, unless that takes more work than there is:
 * then false. */
bool layers_of(struct lower *l, const struct cni_policy *policy, enum cni_family family, struct layered_route **routes,
	       size_t *n, struct cni_region *all);

#endif
