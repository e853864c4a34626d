/* SPDX-License-Identifier: GPL-2.0-or-later */
/* copy.h - what the tracker knew at one moment. Whoever shows it writes it out in pieces, between which the loop goes on:
 * a thousand targets are megabytes of text, and no probe may wait for them. */
#ifndef RT_TRACK_COPY_H
#define RT_TRACK_COPY_H

#include "compiler/text.h"
#include "runtime/track/tracker.h"

/* Of those who show it, since the tracker came. */
struct rt_track_shown {
	uint64_t n_hooks, n_hooks_failed; /* that ended; of them with another status than 0, or killed */
	uint64_t n_unlogged; /* lines that the journal or syslog did not take at once */
	uint64_t n_cut_off; /* readers at the socket that were too slow */
};

struct rt_track_copy {
	int64_t time_ms; /* when: since 1970, UTC */
	const struct rt_track_view *views; /* sorted by name */
	size_t n_views;
	const struct rt_track_path *paths;
	size_t n_paths;
	struct rt_track_totals totals;
	struct rt_track_shown shown;
	struct cni_arena *arena; /* of all of it */
};

/* Deep; of a tracker's views and paths, which do not stay. The rest is filled in by the caller. */
struct rt_track_copy *rt_track_copy_new(const struct rt_track_view *views, size_t n_views,
					const struct rt_track_path *paths, size_t n_paths);
void rt_track_copy_free(struct rt_track_copy *copy); /* NULL is allowed */

/* Where a writer gets one from. */
struct rt_track_look {
	struct rt_track_copy *(*take)(void *arg);
	void *arg;
};

/* A text of a copy that is written in pieces, each by a call of a function that returns false with the last. */
struct rt_track_text {
	const struct rt_track_copy *copy;
	size_t part, item; /* how far it is; begin with 0 */
};

#define RT_TRACK_PIECE 8192 /* bytes, about: a third of a millisecond of JSON */

/* Since 1970, UTC. */
int64_t rt_track_now_ms(void);

#endif
