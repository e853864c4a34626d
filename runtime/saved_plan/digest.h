/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest.h - digests of what a saved plan depends on, to see whether any of it has moved: SHA-256 (FIPS 180-4) in
 * lower-case hexadecimal. States are serialised canonically (json/state_json.h), so that equal ones have equal digests
 * whether they come from the kernel or from a file of `cnic snapshot`. */
#ifndef RT_DIGEST_H
#define RT_DIGEST_H

#include "compiler/arena.h"
#include "compiler/plan.h"

#define RT_DIGEST_TEXT 65 /* 64 digits and NUL */

void rt_digest_bytes(const void *data, size_t len, char digest[RT_DIGEST_TEXT]);

/* Of all that is cnic's: owned devices, addresses, rules and routes, settings of owned devices and those that cnic set,
 * and the nft table; without counters' values, statistics, handles, numbers of devices and the generation. False: no
 * memory. */
bool rt_digest_state(struct cni_arena *arena, const struct cni_state *state, char digest[RT_DIGEST_TEXT]);

/* Of the steps, both sides of each, in their order. Places in the policy do not count. */
bool rt_digest_plan(struct cni_arena *arena, const struct cni_plan *plan, char digest[RT_DIGEST_TEXT]);

#endif
