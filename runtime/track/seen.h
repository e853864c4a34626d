/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seen.h - all by which a tracker is seen: the socket of `cnic status` (door.h), logs, and what the command line asks for:
 * --metrics-file, --metrics-listen, --on-change, --syslog. */
#ifndef RT_TRACK_SEEN_H
#define RT_TRACK_SEEN_H

#include "runtime/track/tracker.h"

struct rt_seen;

/* NULL; or what is wrong with those options, as a line. */
const char *rt_seen_misused(struct cni_arena *arena, const struct rt_options *options);

/* Before rt_tracker_open(): starts the runner (runner.h), which so takes along neither the policy in memory nor the tracker's
 * descriptors. Of what cannot be opened, here and below, there is a warning, CNI780: it is more important that targets are
 * tracked. */
struct rt_seen *rt_seen_new(const struct rt_options *options, struct cni_diags *diags);
/* After it, and before the tracker confines itself: opens all files and sockets. */
void rt_seen_open(struct rt_seen *seen, struct rt_tracker *tracker);
void rt_seen_close(
	struct rt_seen *seen); /* before rt_tracker_free(), which runs the loop until its handles are closed */
void rt_seen_free(struct rt_seen *seen); /* after it, or where there is none */

#endif
