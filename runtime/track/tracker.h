/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracker.h - the tracker: probes the targets of a policy, and takes those that are down out of the routing. One thread,
 * one libuv loop; nobody who is told of something may block in it. */
#ifndef RT_TRACKER_H
#define RT_TRACKER_H

#include <uv.h>

#include "compiler/diag.h"
#include "runtime/commands/options.h"
#include "runtime/track/track.h"

struct rt_tracker;

/* Who wants to know. `event` is called within the loop, after the kernel has (or has not) done what the event tells of;
 * what it points to is valid during the call. The listener is the caller's, and outlives the tracker. */
struct rt_track_listener {
	void (*event)(const struct rt_track_event *event, void *arg);
	void *arg;
	struct rt_track_listener *next; /* the tracker's */
};

/* A path of the policy, and what carries it now. */
struct rt_track_path {
	const char *name; /* "cf1 then cf2 else drop": as `cnic status` calls it */
	uint32_t mark;
	const char *active; /* the first target that is up; NULL: none, and `else` speaks */
};

/* Loads the policy, reads from the kernel what is down, and opens every socket; nothing is probed before rt_tracker_run().
 * In the network namespace of the calling thread. 0; or -errno, with a diagnostic: -EADDRINUSE, another tracker is at
 * work in this namespace. */
int rt_tracker_open(struct rt_tracker **tracker, const struct rt_options *options, struct cni_diags *diags);

/* Until SIGTERM or SIGINT: 0, and the kernel is left as it is. -errno where the loop cannot go on. */
int rt_tracker_run(struct rt_tracker *tracker);
void rt_tracker_free(struct rt_tracker *tracker); /* NULL is allowed */

void rt_tracker_listen(struct rt_tracker *tracker, struct rt_track_listener *listener);

/* Brought up to date by the call; valid until the loop goes on. Sorted by name. */
size_t rt_tracker_views(struct rt_tracker *tracker, const struct rt_track_view **views);
size_t rt_tracker_paths(struct rt_tracker *tracker, const struct rt_track_path **paths);

/* For handles of the caller's own: opened between rt_tracker_open() and rt_tracker_run(), closed (uv_close) before
 * rt_tracker_free(), which runs the loop until all are. */
uv_loop_t *rt_tracker_loop(struct rt_tracker *tracker);

/* What it did since it came. */
struct rt_track_totals {
	int64_t since; /* seconds since 1970, UTC */
	uint64_t n_loads, n_load_errors; /* of the policy */
	uint64_t n_switches,
		n_refused; /* changes of routes that were asked for; that the kernel refused at least once */
	uint64_t n_strays; /* ICMP that is no target's answer: of nobody we asked */
	uint64_t switch_last, switch_max; /* ns: as in struct rt_track_event */
	unsigned int revision; /* that is followed; 0: files */
};
void rt_tracker_totals(const struct rt_tracker *tracker, struct rt_track_totals *totals);

#endif
