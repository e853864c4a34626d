/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare.h - the packets whose fate differs between two policies: all of them and no others, in classes.
 *
 * Compared are the devices that one of the policies speaks of, and "local"; where only one does, with ordinary routing.
 * A class is of one group of devices, one family, one fate before and one after. Needs packet spaces (space.h): one
 * comparison at a time. */
#ifndef CNI_COMPARE_H
#define CNI_COMPARE_H

#include "compiler/meaning/meaning.h"

/* Devices that have the same policy before, and the same after. */
struct cni_device_group {
	const char **devices; /* by name; "local" is what the router itself sends */
	size_t n_devices;
	const struct cni_policy *before, *after; /* NULL: none */
};

/* Labels that decide, before and after: some packet of the class has both. */
struct cni_deciding {
	unsigned int before, after;
};

struct cni_change {
	const struct cni_device_group *group;
	enum cni_family family;
	unsigned int before, after; /* fates */
	bool loses; /* a target took the packets before; now they go nowhere */
	struct cni_deciding *lines; /* ascending */
	size_t n_lines;
	struct cni_count packets, sources, destinations;
	struct cni_boxes boxes; /* destinations that both policies never steer are left out of account */
	struct cni_header witness;
	struct cni_deciding witness_line;
};

struct cni_day_fates { /* of one day: of each label of a group's maps */
	const unsigned int *before[CNI_N_FAMILIES], *after[CNI_N_FAMILIES];
};

struct cni_changes { /* of one day */
	bool failed; /* the limit of nodes was reached: nothing is known */
	struct cni_change *items; /* by group, family, and first deciding line */
	size_t n_items;
	struct cni_day_fates *fates; /* of groups[i]: fates[i] */
};

struct cni_comparison {
	struct cni_arena *arena;
	const struct cni_model *before, *after;
	struct cni_spaces *spaces;
	struct cni_fates fates;
	struct cni_device_group *groups;
	size_t n_groups;
	struct cni_route_maps {
		struct cni_map before[CNI_N_FAMILIES], after[CNI_N_FAMILIES];
	} * maps; /* of groups[i]: maps[i]; labels are routes (meaning.h) */
	struct cni_hints from, to;
};

#define CNI_MAX_BOXES 6 /* of a class */
#define CNI_MAX_RANGES 8 /* of a field */

/* NULL for a router without a policy. To be freed before `arena` is. */
struct cni_comparison *cni_comparison_new(struct cni_arena *arena, const struct cni_model *before,
					  const struct cni_model *after, unsigned int max_nodes);
void cni_comparison_free(struct cni_comparison *c); /* NULL is allowed */
/* On a day when these targets are down, in each policy that has them. */
struct cni_changes cni_comparison_on(struct cni_comparison *c, const char *const *down, size_t n_down);

/* The class that a packet is of which comes in by one of the group's devices, an index; CNI_NONE: its fate is the same. */
size_t cni_changes_find(const struct cni_comparison *c, const struct cni_changes *changes,
			const struct cni_device_group *group, const struct cni_header *packet);

/* Why packets to an address are never steered, as "lan hq" with its place; "" for what no router steers. */
const char *cni_never_reason(struct cni_arena *arena, const struct cni_model *model, struct cni_addr to,
			     struct cni_span *span);

#endif
