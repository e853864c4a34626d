/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracker_internal.h - what the parts of the tracker share: the loop (tracker.c), its looks at the policy
 * (tracker_look.c), and what it tells (tracker_show.c). */
#ifndef RT_TRACKER_INTERNAL_H
#define RT_TRACKER_INTERNAL_H

#include "runtime/track/course.h"
#include "runtime/track/failover.h"
#include "runtime/track/tracker.h"

/* ms until the next look at the policy, and at the routes */
#define RT_LOOK_EACH 3000 /* by itself */
#define RT_LOOK_SOON 20 /* after something was told: more of it may come */
#define RT_LOOK_BUSY 200 /* while somebody changes the network */
#define RT_LOOK_REFUSED 100 /* the first time; twice as long each further one, up to RT_LOOK_EACH */

struct rt_tracker {
	uv_loop_t loop;
	uv_timer_t pulse, look_timer, drain, watchdog;
	uv_poll_t answers[CNI_N_FAMILIES], news;
	uv_signal_t signals[3];
	uv_fs_event_t folder;
	uv_work_t work;
	const struct rt_options *options;
	struct rt_netlink *nl;
	struct rt_prober *prober;
	struct rt_links *links;
	struct rt_course *course; /* never NULL once it is open */
	struct rt_look look; /* while looks */
	bool looks, look_again; /* another look is wanted when this one is over */
	bool files_again, routes; /* what that one is to do */
	uint64_t look_at; /* ms of the loop; of the timer */
	uint32_t generation, paths; /* as they were found last */
	unsigned int n_refused; /* in a row */
	char failure[512], refused[256]; /* what was told of last: once */
	const char *folder_path; /* owned; NULL: there is none to watch */
	bool watches_folder, ends;
	int lock, error;
	struct rt_track_listener *listeners;
	struct rt_track_totals totals;
	struct cni_arena *shown; /* what views and paths were given out in */
};

/* ---- tracker.c ---- */

void rt_tracker_settle(struct rt_tracker *tracker); /* does and tells what follows from what the judges say */
void rt_tracker_turn(uv_timer_t *pulse); /* does what is due, and sets the pulse */
void rt_tracker_stop(struct rt_tracker *tracker, int error);

/* ---- tracker_look.c ---- */

int rt_tracker_first_look(struct rt_tracker *tracker, struct cni_diags *diags); /* waits for it; -errno, told */
void rt_tracker_look_within(struct rt_tracker *tracker, uint64_t ms); /* or sooner, if one is due */
void rt_tracker_watch_folder(struct rt_tracker *tracker); /* as soon as there is one */
/* Routes that were refused, or not as they were believed to be, are looked at again: at growing distances. */
void rt_tracker_doubt(struct rt_tracker *tracker, const struct rt_failover *done);

/* ---- tracker_show.c ---- */

/* A line on standard error; `detail`: only with -v. One whose reader does not keep up is lost: it must not hold us up. */
void rt_tracker_say(const struct rt_tracker *tracker, bool detail, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void rt_tracker_tell(struct rt_tracker *tracker, struct rt_target *target, const struct rt_failover *done);
void rt_tracker_tell_counts(struct rt_tracker *tracker); /* for who looks whether it did well */

#endif
