/* SPDX-License-Identifier: GPL-2.0-or-later */
/* laws.h - the laws of plans, looked at after every message of one. */
#ifndef CNI_TEST_LAWS_H
#define CNI_TEST_LAWS_H

#include "tests/property/router.h"

enum law { /* one TAP line each */
	   LAW_PHASES,
	   LAW_LEGAL,
	   LAW_FOREIGN,
	   LAW_IN_PLACE,
	   LAW_STEERING,
	   LAW_ROUTES,
	   LAW_UNDO,
	   LAW_REACHES,
	   LAW_EMPTY,
	   LAW_CONVERGES,
	   LAW_REMOVE,
	   N_LAWS
};

struct laws {
	struct cni_arena *arena;
	const char *what; /* is looked at now */
	bool mends; /* the change before was cut off, so that something may be missing from what packets meet */
	/* counts */
	size_t n_messages, n_steps, n_in_place, n_probes;
	/* the first one that is broken */
	enum law broken;
	const char *how; /* NULL: none is */
};

/* Always false. */
bool laws_break(struct laws *laws, enum law law, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* How many messages a plan is. */
size_t laws_messages(const struct cni_plan *plan);

/* Carries the plan out on the router, and looks at every law that is about one plan. `cut`, if there is one: the router
 * after so many messages. */
bool laws_carry_out(struct laws *laws, struct router *router, const struct cni_plan *plan, size_t n_cut,
		    struct router *cut);

#endif
