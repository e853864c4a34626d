/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proofs.h - random policies, and changes from one to another: what would be sent is proven to mean what they say. */
#ifndef CNI_TEST_PROOFS_H
#define CNI_TEST_PROOFS_H

#include <stdbool.h>

/* TAP. `only`: the seed of the one policy that is tried, or NULL. Returns main's status. */
int proofs_main(const char *only, bool full, bool show);

#endif
