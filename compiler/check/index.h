/* SPDX-License-Identifier: GPL-2.0-or-later */
/* index.h - which target an address belongs to, by binary search: policies may have thousands of tunnels. */
#ifndef CNI_CHECK_INDEX_H
#define CNI_CHECK_INDEX_H

#include "compiler/check/check.h"

struct cni_indexed {
	struct cni_addr first, last; /* of the on-link prefix */
	enum cni_family family;
	const struct cni_target *target;
};

struct cni_index {
	struct cni_indexed *items; /* by family, then first, then order of declaration */
	size_t n_items;
};

/* The on-link prefixes of all targets. */
struct cni_index cni_index_prefixes(struct cni_arena *arena, const struct cni_model *model);
/* The item that holds `addr` (of several that overlap: the one that begins last); NULL: none. */
const struct cni_indexed *cni_index_find(const struct cni_index *index, struct cni_addr addr);

#endif
