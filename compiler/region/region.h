/* SPDX-License-Identifier: GPL-2.0-or-later */
/* region.h - sets of packets of one family as products of range sets, and exact subtraction of one from another.
 *
 * A region is what a match says: each of six views of a packet lies in a set. Ports and ICMP types are views
 * together with the protocol (keys protocol << 16 | port and protocol << 8 | type); for protocols without ports or
 * types a view holds all keys of the protocol or none. Regions are kept tidy: the protocols of the three keyed
 * views agree, so that a region is empty exactly when one view is. */
#ifndef CNI_REGION_H
#define CNI_REGION_H

#include "compiler/model.h"

enum cni_view { CNI_VIEW_FROM, CNI_VIEW_TO, CNI_VIEW_SPORT, CNI_VIEW_DPORT, CNI_VIEW_TYPE, CNI_VIEW_DSCP, CNI_N_VIEWS };

struct cni_region {
	enum cni_family family;
	struct cni_ranges view[CNI_N_VIEWS]; /* FROM and TO in the family's array, the others in v4 */
};

/* What a proof may still cost: ranges that are read or written. Results are void once it is used up. */
struct cni_work {
	uint64_t left;
	bool spent;
};

/* False: there was not so much left, and all of it is used up. */
bool cni_work_charge(struct cni_work *work, uint64_t steps);

/* Every packet of a family. Regions made from it share its memory. */
struct cni_region cni_region_all(struct cni_arena *arena, enum cni_family family);
/* Those of `all` that a match holds for, and those to these addresses. */
struct cni_region cni_region_of_match(struct cni_arena *arena, const struct cni_region *all,
				      const struct cni_match *match, struct cni_work *work);
struct cni_region cni_region_to(const struct cni_region *all, const struct cni_ranges *to);
bool cni_region_is_empty(const struct cni_region *region);
/* From the first value of a view to its last; not of an empty one. */
struct cni_range6 cni_region_hull(const struct cni_region *region, enum cni_view view);
/* Whether some packet may be in both; false only where none is. */
bool cni_regions_meet(const struct cni_region *a, const struct cni_region *b, struct cni_work *work);
bool cni_region_covers(const struct cni_region *outer, const struct cni_region *inner, struct cni_work *work);
/* What is left of it when a view is cut down to a set. */
struct cni_region cni_region_cut(struct cni_arena *arena, const struct cni_region *region, enum cni_view view,
				 const struct cni_ranges *set, struct cni_work *work);
/* The same with one source and one destination address: the first of each, or the last. Shares its memory. */
struct cni_region cni_region_narrow(struct cni_arena *arena, const struct cni_region *region, bool last);

struct cni_regions { /* of one family, disjoint */
	struct cni_region *items;
	size_t n_items;
};

/* Takes `less` out of every region of the list; true if that took anything. */
bool cni_regions_minus(struct cni_arena *arena, struct cni_regions *regions, const struct cni_region *less,
		       struct cni_work *work);

#endif
