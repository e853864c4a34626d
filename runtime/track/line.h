/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line.h - a line that goes to many readers, each in its own time: it lives as long as somebody has it to send. */
#ifndef RT_TRACK_LINE_H
#define RT_TRACK_LINE_H

#include <stddef.h>

struct rt_track_line {
	unsigned int users;
	size_t len, room;
	char *data;
};

/* With the caller as its one user; `len` may be 0. */
struct rt_track_line *rt_track_line_new(const char *data, size_t len);
/* Before anybody else has it. */
void rt_track_line_add(struct rt_track_line *line, const char *data, size_t len);
void rt_track_line_drop(struct rt_track_line *line); /* one user less; NULL is allowed */

#endif
