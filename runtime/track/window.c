/* SPDX-License-Identifier: GPL-2.0-or-later */
/* window.c - a ring of parts; see window.h. */
#include "runtime/track/window.h"

#include <string.h>

void rt_window_init(struct rt_window *window, uint64_t length, uint64_t now)
{
	memset(window, 0, sizeof(*window));
	window->length = length < RT_WINDOW_PARTS ? 1 : length / RT_WINDOW_PARTS;
	window->number = now / window->length;
}

/* The part of this moment, those between it and the last one emptied. */
static struct rt_window_part *part_of(struct rt_window *window, uint64_t now)
{
	const uint64_t number = now / window->length;

	for (int i = 0; i < RT_WINDOW_PARTS && window->number < number; i++) {
		window->number =
			number - window->number > RT_WINDOW_PARTS ? number - RT_WINDOW_PARTS + 1 : window->number + 1;
		window->parts[window->number % RT_WINDOW_PARTS] = (struct rt_window_part){ 0 };
	}
	return &window->parts[window->number % RT_WINDOW_PARTS];
}

void rt_window_answer(struct rt_window *window, uint64_t now, uint64_t rtt)
{
	struct rt_window_part *part = part_of(window, now);

	part->min = part->n_answered && part->min < rtt ? part->min : rtt;
	part->max = part->max > rtt ? part->max : rtt;
	part->sum += rtt;
	part->n_answered++;
}

void rt_window_loss(struct rt_window *window, uint64_t now)
{
	part_of(window, now)->n_lost++;
}

struct rt_window_part rt_window_sum(struct rt_window *window, uint64_t now)
{
	struct rt_window_part all = { 0 };

	(void)part_of(window, now);
	for (int i = 0; i < RT_WINDOW_PARTS; i++) {
		const struct rt_window_part *part = &window->parts[i];

		if (part->n_answered && (!all.n_answered || part->min < all.min))
			all.min = part->min;
		all.max = part->max > all.max ? part->max : all.max;
		all.sum += part->sum;
		all.n_answered += part->n_answered;
		all.n_lost += part->n_lost;
	}
	return all;
}
