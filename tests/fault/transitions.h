/* SPDX-License-Identifier: GPL-2.0-or-later */
/* transitions.h - the pairs of policies that every proof of the fault tests goes through, both ways. */
#ifndef FAULT_TRANSITIONS_H
#define FAULT_TRANSITIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler/arena.h"

struct transition {
	const char *name;
	const char *from,
		*to; /* NULL: no policy; else of policies/, or a path from the top of the tree, without .cni */
	bool tunnels; /* wants a kernel with GRE and VLAN */
	bool in_place; /* devices, addresses or routes change where they are */
	bool killed; /* among those that are killed under traffic */
	bool slow; /* and much like others: only with --full */
	bool flows; /* conntrack holds marks of the epoch that comes next */
};
extern const struct transition transitions[];
extern const size_t n_transitions;

/* The file of a policy of a transition; NULL for NULL. `top`: of the tree; `scratch`: where those that are too large
 * to be kept are written, once. */
const char *transition_file(struct cni_arena *arena, const char *top, const char *scratch, const char *policy);

#endif
