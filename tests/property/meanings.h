/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meanings.h - random pairs of policies: the packets that are said to be treated differently, and those that are not,
 * against the naive reading of both. */
#ifndef CNI_TEST_MEANINGS_H
#define CNI_TEST_MEANINGS_H

#include <stdbool.h>

/* TAP. `only`: the seed of the one pair that is tried, or NULL; `full`: 1,000 pairs, not 200; `show`: print their
 * policies. Returns main's status. */
int meanings_main(const char *only, bool full, bool show);

#endif
