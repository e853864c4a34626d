/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aside.h - the tracker's talk with the runner (runner.h), in its loop: never waited for. News that the runner does not take
 * at once wait here, of each target the latest. */
#ifndef RT_TRACK_ASIDE_H
#define RT_TRACK_ASIDE_H

#include <uv.h>

#include "runtime/track/runner.h"

struct rt_aside {
	uv_poll_t poll;
	int line; /* -1: the runner has ended */
	struct rt_aside_news *first, **last; /* that wait */
	/* of a message from the runner; NULL: it has ended, and is not started again */
	void (*heard)(const struct rt_runner_message *message, void *arg);
	void *arg;
};

/* Takes the line over, also where it fails. 0 or -errno. */
int rt_aside_open(struct rt_aside *aside, uv_loop_t *loop, int line,
		  void (*heard)(const struct rt_runner_message *message, void *arg), void *arg);
void rt_aside_close(struct rt_aside *aside); /* the runner goes on with what it has begun */

void rt_aside_tell(struct rt_aside *aside, const struct rt_hook_news *news);
/* The file is to be written. False: the runner does not take it. */
bool rt_aside_file(struct rt_aside *aside, size_t len);

#endif
