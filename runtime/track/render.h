/* SPDX-License-Identifier: GPL-2.0-or-later */
/* render.h - a text of a copy, written a piece at each turn of the loop. */
#ifndef RT_TRACK_RENDER_H
#define RT_TRACK_RENDER_H

#include "runtime/track/copy.h"

struct rt_render {
	uv_idle_t idle;
	bool busy;
	struct rt_track_copy *copy;
	struct rt_track_text text;
	struct cni_text piece;
	bool (*more)(struct rt_track_text *text, struct cni_text *out); /* what it is written as */
	void (*piece_done)(const char *data, size_t len, void *arg);
	void (*done)(void *arg); /* all of it */
	void *arg;
};

/* Of a struct whose functions are set. */
void rt_render_open(struct rt_render *render, uv_loop_t *loop);
/* Not while it is busy. Takes the copy over. */
void rt_render_start(struct rt_render *render, struct rt_track_copy *copy);
void rt_render_close(struct rt_render *render);

#endif
