/* SPDX-License-Identifier: GPL-2.0-or-later */
/* course.h - a policy under way: its targets, with what is known of each, and when which of their addresses is probed
 * next. Whether a target is down is decided here; what follows from it is not. */
#ifndef RT_TRACK_COURSE_H
#define RT_TRACK_COURSE_H

#include "runtime/track/flow_moves.h"
#include "runtime/track/judge.h"
#include "runtime/track/links.h"
#include "runtime/track/policy.h"
#include "runtime/track/prober.h"

struct rt_target {
	const struct cni_target *target;
	struct rt_judge judge;
	struct rt_watch *watch;
	struct rt_slot *slots; /* one an address */
	bool changed; /* since the last time that it was told */
	enum rt_track_state told; /* what it was then */
	int64_t since; /* of its state: seconds since 1970, UTC */
	/* passive: bytes so far, and whether what came of the last `every` asks for a probe */
	uint64_t in, out;
	bool has_bytes, asks;
};

struct rt_slot {
	struct rt_target *target;
	size_t probe; /* of its judge */
	struct rt_aim *aim;
	uint64_t next; /* question */
};

struct rt_course {
	struct cni_arena *arena;
	struct rt_text_of_policy *text;
	struct cni_state *desired; /* its routes are those of `down` */
	bool installed; /* the kernel holds this policy: its routes are ours to change */
	struct cni_arena *day; /* of desired->routes */
	struct rt_ways ways;
	struct rt_target *targets; /* as desired->tracked */
	size_t n_targets;
	bool *down; /* what desired->routes say, by target */
	struct rt_watch *watches;
	struct rt_slot *slots;
	uint64_t *due; /* of each slot: when there is something to do; apart, since all are looked at each time */
	size_t n_slots;
};

/* Out of a look's findings, which it takes over. Targets that `former` (may be NULL) has too go on as they were, and
 * their addresses' questions stay open; of others `observed` says whether they are down. NULL: no memory. */
struct rt_course *rt_course_new(struct rt_look *look, struct rt_course *former, struct rt_prober *prober,
				struct rt_links *links, uint64_t now);
void rt_course_free(struct rt_course *course, struct rt_prober *prober); /* NULL is allowed */

/* Does what is due: asks, and judges what was not answered in time. Returns when something is again. */
uint64_t rt_course_turn(struct rt_course *course, struct rt_prober *prober, struct rt_links *links, uint64_t now);
void rt_course_answered(struct rt_slot *slot, uint64_t came, uint64_t rtt);
/* The devices are as the watches say. */
void rt_course_links(struct rt_course *course, uint64_t now);

/* desired->routes := those of the day on which to[] are down. */
void rt_course_follow(struct rt_course *course, const bool *to);

#endif
