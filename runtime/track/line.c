/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line.c - see line.h. No memory: abort(), as the arena does. */
#include "runtime/track/line.h"

#include <stdlib.h>
#include <string.h>

#define ROOM 8192

struct rt_track_line *rt_track_line_new(const char *data, size_t len)
{
	struct rt_track_line *line = calloc(1, sizeof(*line));

	if (!line)
		abort();
	line->users = 1;
	rt_track_line_add(line, data, len);
	return line;
}

void rt_track_line_add(struct rt_track_line *line, const char *data, size_t len)
{
	/* a short line takes no more than it needs: there may be thousands */
	size_t room = line->room ? line->room : len ? len : ROOM;

	while (room - line->len < len)
		room *= 2;
	if (room != line->room) {
		line->data = realloc(line->data, room);
		if (!line->data)
			abort();
		line->room = room;
	}
	if (len)
		memcpy(line->data + line->len, data, len);
	line->len += len;
}

void rt_track_line_drop(struct rt_track_line *line)
{
	if (!line || --line->users)
		return;
	free(line->data);
	free(line);
}
