/* SPDX-License-Identifier: GPL-2.0-or-later */
/* window.h - loss and round trips of the last so many seconds, in a fixed room: the time is cut into parts, and whole
 * parts are forgotten. Times are ns of any clock that goes only forward. */
#ifndef RT_TRACK_WINDOW_H
#define RT_TRACK_WINDOW_H

#include <stdint.h>

#define RT_WINDOW_PARTS 20 /* so that at least 19/20 of the time is looked at */

struct rt_window {
	uint64_t length; /* ns of a part */
	uint64_t number; /* of the part that is being filled: its beginning / length */
	struct rt_window_part {
		uint32_t n_answered, n_lost;
		uint64_t sum, min, max; /* of round trips, ns */
	} parts[RT_WINDOW_PARTS];
};

void rt_window_init(struct rt_window *window, uint64_t length, uint64_t now); /* `length` of all parts together, ns */
void rt_window_answer(struct rt_window *window, uint64_t now, uint64_t rtt);
void rt_window_loss(struct rt_window *window, uint64_t now);

/* All parts in one. min is 0 where nothing was answered. */
struct rt_window_part rt_window_sum(struct rt_window *window, uint64_t now);

#endif
