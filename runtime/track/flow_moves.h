/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_moves.h - what becomes of flows when other targets are down than before. Nothing is asked or changed here. */
#ifndef RT_TRACK_FLOW_MOVES_H
#define RT_TRACK_FLOW_MOVES_H

#include "compiler/arena.h"
#include "compiler/model.h"
#include "compiler/state.h"
#include "runtime/netlink/conntrack.h"

/* A policy's ways through tracked targets. */
struct rt_ways {
	const struct cni_model *model;
	const struct cni_state *desired;
	struct rt_place { /* of each of a way's targets */
		size_t tracked; /* in desired->tracked; SIZE_MAX: it is not tracked, and taken for up */
		size_t target; /* in model->targets */
	} * *places;
};

struct rt_ways rt_ways_of(struct cni_arena *arena, const struct cni_model *model, const struct cni_state *desired);

/* Which tier of ways[at] carries a family while `down` says so, by desired->tracked; UINT_MAX: none. *only: which of its
 * targets does so alone; SIZE_MAX: several do. */
unsigned int rt_way_tier(const struct rt_ways *ways, size_t at, enum cni_family family, const bool *down, size_t *only);

struct rt_flow_moves {
	struct rt_flow_move *items; /* ascending by mark, then family */
	size_t n_items;
};

/* Before the routes change: flows that are on a backup stay on it, by the mark of a way that has it first. */
struct rt_flow_moves rt_flows_that_stay(struct cni_arena *arena, const struct rt_ways *ways, const bool *from,
					const bool *to);
/* Afterwards: flows that are on another target now, and translated to an address that is not that one's, are forgotten. */
struct rt_flow_moves rt_flows_that_moved(struct cni_arena *arena, const struct rt_ways *ways, const bool *from,
					 const bool *to);
/* Flows that stayed on a backup, and did so for long enough, go back to the way that they were of. */
struct rt_flow_moves rt_flows_that_return(struct cni_arena *arena, const struct rt_ways *ways, const bool *down);

#endif
