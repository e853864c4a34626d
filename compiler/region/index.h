/* SPDX-License-Identifier: GPL-2.0-or-later */
/* index.h - which of many regions can meet a given one, without looking at each of them.
 *
 * Regions are grouped by the views that they limit, and each such view is a tree of intervals: from the first value
 * to the last, whatever lies between. What is found may turn out not to meet; what meets is always found. */
#ifndef CNI_REGION_INDEX_H
#define CNI_REGION_INDEX_H

#include "compiler/region/region.h"

struct cni_region_index;

/* For regions[0..n), all of the family of `all`, which must stay where they are. None can be found yet. */
struct cni_region_index *cni_region_index_new(struct cni_arena *arena, const struct cni_region *all,
					      const struct cni_region *regions, size_t n);

/* From now on regions[at] can be found, each once. Empty ones never are. */
void cni_region_index_add(struct cni_region_index *index, size_t at);

/* Those that can meet `region`, ascending, in `arena`; *n is their number. */
size_t *cni_region_index_find(const struct cni_region_index *index, struct cni_arena *arena,
			      const struct cni_region *region, struct cni_work *work, size_t *n);

#endif
