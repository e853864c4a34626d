/* SPDX-License-Identifier: GPL-2.0-or-later */
/* near.h - why the routes above the one that decides did not match, those with the same reason together. */
#ifndef CNI_EXPLAIN_NEAR_H
#define CNI_EXPLAIN_NEAR_H

#include "compiler/arena.h"
#include "compiler/check/evaluate.h"

#define CNI_NEAR_SHOWN 3 /* routes of one reason */

struct cni_near {
	size_t n_parts; /* that fail; of all of `routes` the same ones */
	const char *fields; /* "`to`, `dport`" */
	struct cni_near_route {
		const struct cni_route *route;
		struct cni_span *wants; /* of each part: where it is written */
		size_t n_wants;
	} routes[CNI_NEAR_SHOWN]; /* the first ones */
	size_t n_routes; /* also beyond CNI_NEAR_SHOWN */
};

/* Of policy->routes[0..n): by the number of parts that fail, then by the first route. In `arena`; returns how many. */
size_t cni_near(struct cni_arena *arena, const struct cni_policy *policy, size_t n, const struct cni_packet *packet,
		struct cni_near **near);

#endif
