/* SPDX-License-Identifier: GPL-2.0-or-later */
/* random_policy.h - random .cni texts that are meant to be valid, kept as lines so that a failing one can be shrunk. */
#ifndef CNI_TEST_RANDOM_POLICY_H
#define CNI_TEST_RANDOM_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/property/packet.h"

struct cni_arena;

struct policy_line {
	const char *text; /* with its newline */
	bool droppable; /* the policy may still be valid without it: a route, an unneeded declaration */
	bool dropped;
};

struct policy_text {
	struct policy_line *items;
	size_t n_items;
};

/* Links of every kind with and without bgp, gre and ip6gre tunnels over one or two of them, sets and services,
 * one to three policies of up to twelve routes. The same numbers give the same policy. */
struct policy_text random_policy(struct cni_arena *arena, struct rng *rng);

/* All lines that are not dropped; NUL-terminated. */
const char *policy_text_join(struct cni_arena *arena, const struct policy_text *policy);
/* Another policy over the same links and tunnels: without some of the routes, as `seed` says. */
const char *policy_text_change(struct cni_arena *arena, const struct policy_text *policy, uint64_t seed);

#endif
