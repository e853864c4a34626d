/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ask.h - asking the tracker of the calling thread's network namespace, at its door (door.h). */
#ifndef RT_TRACK_ASK_H
#define RT_TRACK_ASK_H

#include <jansson.h>

#include "compiler/arena.h"

/* What it says, a line at a time. */
struct rt_track_stream {
	int fd; /* -1: not open */
	char *data;
	size_t len, room, taken;
};

/* 0; -ENOENT: none runs; -errno. Closed in any case. */
int rt_track_stream_open(struct rt_track_stream *stream, struct cni_arena *arena);
void rt_track_stream_close(struct rt_track_stream *stream);
/* To be told of every change, and of the state each second. 0 or -errno. */
int rt_track_stream_watch(const struct rt_track_stream *stream);
/* The next document, of a version and kind of text that this program knows (json.h): *json is the caller's. -EAGAIN: none
 * is there yet; -ECONNRESET: the tracker has ended, or has closed the door; -EPROTO: it says something else. */
int rt_track_stream_next(struct rt_track_stream *stream, json_t **json);

/* The state, waiting for it a second or two at most. The caller's; NULL: none runs, or *why. */
json_t *rt_track_ask(struct cni_arena *arena, const char **why);

#endif
