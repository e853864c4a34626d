/* SPDX-License-Identifier: GPL-2.0-or-later */
/* down.h - which targets are down, as the kernel keeps it, and what routes there are to be on such a day.
 *
 * The tracker says of a target that it is down by one route, which nothing ever looks up:
 *
 *	unreachable default table (options.table + 16383) metric (of its name) proto 93
 *
 * It is bound to no device, so neither a lost carrier nor a tracker that is killed takes it away. All other routes hang on
 * the policy and on those: a path's lack the next hops through what is down, a tier without any is no route, and the
 * next tier, or the path's `else`, is met instead. Failover is to write that route and to remove the others. */
#ifndef CNI_DOWN_H
#define CNI_DOWN_H

#include "compiler/arena.h"
#include "compiler/state.h"

/* FNV-1a, 32 bits, of the name; never 0 nor a guard's. Two targets of a policy may not have the same: CNI374. */
uint32_t cni_down_metric(const char *target);
/* Never a path's: no path has the highest number. `first_table` is options.table. */
uint32_t cni_down_table(uint32_t first_table);
struct cni_st_route cni_down_route(uint32_t first_table, const char *target); /* owned */

/* Whether it says that something is down, of whatever table. */
bool cni_route_says_down(const struct cni_st_route *route);
/* Whether a state, observed or desired, says so of this target: in whatever table, or in this policy's. */
bool cni_is_down(const struct cni_state *state, const char *target);
bool cni_is_down_for(const struct cni_state *state, uint32_t first_table, const char *target);

/* Whether two states say the same. */
bool cni_same_down(const struct cni_state *a, const struct cni_state *b);

/* Makes desired->routes what is to be there while those of desired->tracked are down that `said` (observed, or desired)
 * says are, with the routes that say so. Others that it names, tracked no longer, are up. Sorted. Without any, `routes`
 * are all_routes themselves: neither list is to be written to. Less than a millisecond for thousands of routes. */
void cni_state_follow(struct cni_arena *arena, struct cni_state *desired, const struct cni_state *said);
/* The same of these names. */
void cni_state_follow_names(struct cni_arena *arena, struct cni_state *desired, const char *const *down, size_t n_down);

#endif
