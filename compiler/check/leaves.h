/* SPDX-License-Identifier: GPL-2.0-or-later */
/* leaves.h - the prefixes, ranges and addresses that a list of values comes to, each where it is written. */
#ifndef CNI_CHECK_LEAVES_H
#define CNI_CHECK_LEAVES_H

#include "compiler/model.h"

struct cni_leaf {
	enum cni_family family;
	struct cni_range6 range;
	struct cni_span use; /* of the value in the list: itself, or what holds it */
	struct cni_span written; /* its own, if it is in a set that the list names; {0, 0}: it is not, or in a file */
};

/* Calls `each` for every one, sets within sets included, no set twice. Of a file and of a lan these are the canonical
 * ranges: what lies beside each other there is one. `arena` is for the way only. */
void cni_leaves(struct cni_arena *arena, const struct cni_model *model, const struct cni_items *items,
		void (*each)(const struct cni_leaf *leaf, void *arg), void *arg);

/* The range of a value that is an address, a prefix or a range; false: it is none of these. */
bool cni_value_range(const struct cni_ast_value *value, enum cni_family *family, struct cni_range6 *range);

#endif
