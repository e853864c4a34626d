/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runner.h - a process beside the tracker for what may take time or is not allowed to it once it has confined itself: it
 * runs the commands of --on-change and writes the file of --metrics-file. It is forked before that, holds no descriptor
 * of the tracker's but its end of a pair of sockets, and ends when the tracker does, however that ends: what runs may
 * end in its time, what was not begun is not, and the file goes, so that nobody takes old figures for new ones. */
#ifndef RT_TRACK_RUNNER_H
#define RT_TRACK_RUNNER_H

#include "runtime/track/hook.h"

/* Both ways; the two are one program. */
struct rt_runner_message {
	enum {
		RT_RUNNER_NEWS, /* to it: of a change, for --on-change */
		RT_RUNNER_FILE, /* to it: the first `len` bytes in memory are the new file. From it: done, or `error` */
		RT_RUNNER_END, /* from it: a command ended */
	} kind;
	union {
		struct rt_hook_news news;
		size_t len;
		int error; /* -errno */
		struct rt_hook_end end;
	};
};

struct rt_runner_work {
	const char *const *words; /* of the command; NULL: none */
	unsigned int timeout; /* ms */
	const char *file; /* of metrics; NULL: none */
	int memory; /* memfd_create(2): what is to be in the file */
};

/* *line: our end, which never blocks; SOCK_SEQPACKET, a message each. 0 or -errno. */
int rt_runner_start(const struct rt_runner_work *work, int *line);

#endif
