/* SPDX-License-Identifier: GPL-2.0-or-later */
/* failover.c - see failover.h. */
#include "runtime/track/failover.h"

#include <stdio.h>
#include <string.h>

#include "runtime/track/switch.h"

static void refused(struct rt_failover *failover, int error, const char *what)
{
	failover->doubtful = true;
	if (failover->error)
		return;
	failover->error = error;
	snprintf(failover->text, sizeof(failover->text), "%s", what);
}

static void move_flows(struct rt_failover *failover, const struct rt_course *course, struct rt_netlink *nl,
		       const struct rt_flow_moves *moves)
{
	unsigned int n = 0;
	int rc = rt_conntrack_move(nl, course->desired->id_mask, moves->items, moves->n_items, &n);
	char text[64];

	failover->n_flows += n;
	if (!rc)
		return;
	snprintf(text, sizeof(text), "flows of %zu paths: %s", moves->n_items, strerror(-rc));
	refused(failover, rc, text);
}

static void switch_routes(struct rt_failover *failover, const struct rt_course *course, struct rt_netlink *nl,
			  struct cni_arena *scratch, const struct cni_st_route *before, size_t n_before)
{
	const struct rt_switched switched = rt_switch_routes(nl, scratch, course->desired, before, n_before);

	failover->n_routes += switched.n;
	failover->doubtful |= switched.moved;
	if (switched.error)
		refused(failover, switched.error, switched.text);
}

static struct rt_failover change_day(struct rt_course *course, struct rt_netlink *nl, const bool *to)
{
	const uint64_t begun = rt_track_now();
	struct rt_failover failover = { 0 };
	struct cni_arena *scratch = cni_arena_new();
	const size_t n_before = course->desired->n_routes;
	bool *from = cni_new_array(scratch, bool, course->n_targets);
	struct cni_st_route *before = cni_new_array(scratch, struct cni_st_route, n_before);
	struct cni_arena *day = course->day;
	struct rt_flow_moves moves;

	memcpy(from, course->down, course->n_targets * sizeof(*from));
	memcpy(before, course->desired->routes, n_before * sizeof(*before));
	if (course->installed) {
		moves = rt_flows_that_stay(scratch, &course->ways, from, to);
		failover.stays = moves.n_items;
		move_flows(&failover, course, nl, &moves);
	}
	course->day = NULL; /* the next hops of `before` are in it */
	rt_course_follow(course, to);
	if (course->installed) {
		switch_routes(&failover, course, nl, scratch, before, n_before);
		failover.took = rt_track_now() - begun;
		moves = rt_flows_that_moved(scratch, &course->ways, from, to);
		move_flows(&failover, course, nl, &moves);
	}
	cni_arena_free(day);
	cni_arena_free(scratch);
	return failover;
}

static struct rt_failover change_to(struct rt_course *course, struct rt_netlink *nl, bool down)
{
	struct rt_failover failover = { 0 };
	struct cni_arena *scratch = cni_arena_new();
	bool *to = cni_new_array(scratch, bool, course->n_targets), any = false;

	for (size_t i = 0; i < course->n_targets; i++) {
		const bool changes = course->down[i] != down && course->targets[i].judge.down == down;

		to[i] = changes ? down : course->down[i];
		any |= changes;
	}
	if (any)
		failover = change_day(course, nl, to);
	cni_arena_free(scratch);
	return failover;
}

struct rt_failover rt_failover_down(struct rt_course *course, struct rt_netlink *nl)
{
	return change_to(course, nl, true);
}

struct rt_failover rt_failover_up(struct rt_course *course, struct rt_netlink *nl)
{
	return change_to(course, nl, false);
}

struct rt_failover rt_failover_return(struct rt_course *course, struct rt_netlink *nl)
{
	struct rt_failover failover = { 0 };
	struct cni_arena *scratch;
	struct rt_flow_moves moves;

	if (!course->installed || !course->n_targets)
		return failover;
	scratch = cni_arena_new();
	moves = rt_flows_that_return(scratch, &course->ways, course->down);
	move_flows(&failover, course, nl, &moves);
	cni_arena_free(scratch);
	return failover;
}

struct rt_failover rt_failover_mend(struct rt_course *course, struct rt_netlink *nl, const struct cni_state *observed)
{
	struct rt_failover failover = { 0 };
	struct cni_arena *scratch;

	if (!course->installed)
		return failover;
	scratch = cni_arena_new();
	switch_routes(&failover, course, nl, scratch, observed->routes, observed->n_routes);
	cni_arena_free(scratch);
	return failover;
}
