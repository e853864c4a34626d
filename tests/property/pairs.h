/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pairs.h - random pairs of policies, A and B: plans from one to the other on a model of the kernel. */
#ifndef CNI_TEST_PAIRS_H
#define CNI_TEST_PAIRS_H

#include "tests/property/random_policy.h"

/* Another policy altogether, or the same but for some routes, names, endpoints, addresses or options. */
struct policy_text second_policy(struct cni_arena *arena, struct rng *rng, const struct policy_text *first);

/* TAP, one line for each law (laws.h). `only`: the seed of the one pair that is tried, or NULL; `full`: many more
 * pairs; `show`: print their policies. Returns main's status. */
int pairs_main(const char *only, bool full, bool show);

#endif
