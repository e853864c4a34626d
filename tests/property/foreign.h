/* SPDX-License-Identifier: GPL-2.0-or-later */
/* foreign.h - a random router as others made it, before cnic comes. */
#ifndef CNI_TEST_FOREIGN_H
#define CNI_TEST_FOREIGN_H

#include "tests/property/packet.h"
#include "tests/property/router.h"

/* With every device that the two states want and do not make, and others; with random settings; and with foreign
 * addresses, rules and routes, some of which are just what the states want. */
struct router foreign_router(struct cni_arena *arena, struct rng *rng, const struct cni_state *a,
			     const struct cni_state *b);

#endif
