/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status.h - what of a policy is in the kernel, found in an observed state by the names of compiler/lower.h. */
#ifndef RT_STATUS_H
#define RT_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler/state.h"
#include "compiler/text.h"

struct rt_path_status {
	unsigned int id;
	const char *description;
	const struct cni_st_counter *counter;
	bool has_table; /* its packets are routed by a table of their own; else by main */
	uint32_t table;
};

struct rt_route_status {
	const char *policy, *route; /* route is "else" for the policy's end */
	const struct cni_st_counter *counter;
};

struct rt_status {
	const struct cni_state *state;
	bool installed; /* something of ours is there */
	struct rt_path_status *paths; /* by id */
	size_t n_paths;
	struct rt_route_status *routes; /* by name */
	size_t n_routes;
	const char **down; /* targets that the tracker says are down: by name, ascending */
	size_t n_down;
	const char **warnings; /* what is there, but cannot work so */
	size_t n_warnings;
};

struct rt_status rt_status_of(struct cni_arena *arena, const struct cni_state *state);

/* Whether a path leads through the target by which it is described. Not so the way back of what came in by it, which stays
 * when it is down. */
bool rt_path_takes(const struct rt_path_status *path, const char *target);

/* Whether packets can leave by it now. */
bool rt_hop_is_up(const struct cni_st_hop *hop);
/* The route of a table that decides now: the first with a next hop that is up, or an end without any. NULL: none,
 * and the lookup goes on to main. */
const struct cni_st_route *rt_live_route(const struct cni_state *state, uint32_t table, enum cni_family family);

/* "up", "down" or "no carrier" */
const char *rt_link_condition(const struct cni_st_link *link);

void rt_status_text(struct cni_text *out, const struct rt_status *status, bool verbose);

#endif
