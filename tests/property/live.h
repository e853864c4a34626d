/* SPDX-License-Identifier: GPL-2.0-or-later */
/* live.h - what packets can meet in a state: the chains that base chains lead to, with their sets and counters, and the
 * routes that a mark or a source leads to. */
#ifndef CNI_TEST_LIVE_H
#define CNI_TEST_LIVE_H

#include "compiler/state.h"

struct cni_arena;

struct live_mark {
	uint32_t mask, value;
	const char *way; /* what it stands for: the comment of its counter */
};

struct live {
	const struct cni_state *state;
	bool *chains, *sets, *counters; /* by their places in the state: whether they are reached */
	struct live_mark *marks; /* that the chains give */
	size_t n_marks;
};

/* `wanted`: where that has no translation, what is left of it is not counted: it goes by marks, which nothing gives, and
 * stays for packets that were marked before the flip. May be NULL. */
struct live live_of(struct cni_arena *arena, const struct cni_state *state, const struct live *wanted);
/* The first thing that is live in one only, or not the same in both; NULL: none. */
const char *live_difference(struct cni_arena *arena, const struct live *a, const struct live *b);

/* A packet on its way to the routing decision. */
struct probe {
	enum cni_family family;
	uint32_t mark;
	const char *way; /* that the mark stands for; NULL: by source */
	struct cni_addr src, dst;
	uint8_t proto;
};

struct probes {
	struct probe *items;
	size_t n_items;
};

/* One of each family for every mark; the outer packets and the answers that rules by source are there for. */
struct probes live_probes(struct cni_arena *arena, const struct live *live);
bool probe_matches(const struct probe *probe, const struct cni_st_rule *rule);

/* The routes that it meets, in order: each one is for when the devices of those before it are down. One that closes
 * the table is the last. */
struct course {
	const struct cni_st_route **routes;
	size_t n_routes;
};

/* Of rules with one priority, the first one made counts: see router.h. */
struct course probe_course(struct cni_arena *arena, const struct cni_state *state, const struct probe *probe);
/* Without the routes over `but` (by name, ends in NULL), or NULL. */
bool course_same(const struct course *a, const struct course *b, const char *const *but);
/* Whether `whole` has every route of `part`, in the same order. */
bool course_has(const struct course *whole, const struct course *part);
/* Whether each of its routes is in one of the two. */
bool course_within(const struct course *course, const struct course *a, const struct course *b);
const char *course_format(struct cni_arena *arena, const struct probe *probe, const struct course *course);

#endif
