/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pairs.h - random pairs of policies, A and B: plans from one to the other on a model of the kernel. */
#ifndef CNI_TEST_PAIRS_H
#define CNI_TEST_PAIRS_H

#include <stdbool.h>

/* TAP, one line for each law (laws.h). `only`: the seed of the one pair that is tried, or NULL; `full`: many more
 * pairs; `show`: print their policies. Returns main's status. */
int pairs_main(const char *only, bool full, bool show);

#endif
