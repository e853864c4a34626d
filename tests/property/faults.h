/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faults.h - random faults in what would be sent for random policies: where a packet shows one, the proof must see it. */
#ifndef CNI_TEST_FAULTS_H
#define CNI_TEST_FAULTS_H

#include <stdbool.h>

/* TAP. `only`: the seed of the one policy that is tried, or NULL. Returns main's status. */
int faults_main(const char *only, bool full, bool show);

#endif
