/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shown.h - a tracker's knowledge, made up, for the tests of what shows it. */
#ifndef SHOWN_H
#define SHOWN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/arena.h"
#include "runtime/track/copy.h"

static inline struct cni_addr address_of(const char *text)
{
	struct cni_addr addr;

	assert_true(cni_addr_parse(text, strlen(text), &addr));
	return addr;
}

/* Of `n` targets: t0 is up and has lost a quarter, t1 is down and was never answered, and so on. */
static inline struct rt_track_copy *shown(size_t n)
{
	struct cni_arena *arena = cni_arena_new();
	struct rt_track_view *views = cni_new_array(arena, struct rt_track_view, n);
	struct rt_track_path paths[] = { { "t0 then t1 else drop", 1, "t0" }, { "t1 else drop", 2, NULL } };
	struct rt_track_probe probes[] = { { .target = address_of("192.0.2.10"),
					     .is_peer = true,
					     .up = true,
					     .in_a_row = 7,
					     .n_sent = 100,
					     .n_answered = 75,
					     .n_lost = 25,
					     .n_refused = 3,
					     .n_late = 2,
					     .window_sent = 8,
					     .window_lost = 2,
					     .rtt_min = 1000000,
					     .rtt_mean = 1500000,
					     .rtt_max = 2000000000,
					     .rtt_last = 1234567,
					     .jitter = 1 },
					   { .target = address_of("2001:db8::1"),
					     .in_a_row = 3,
					     .n_sent = 3,
					     .n_lost = 3,
					     .window_sent = 3,
					     .window_lost = 3 } };
	struct rt_track_copy *copy;

	for (size_t i = 0; i < n; i++)
		views[i] = (struct rt_track_view){ .name = cni_printf(arena, "t%zu", i),
						   .device = cni_printf(arena, "eth%zu", i),
						   .state = i % 2 ? RT_TRACK_DOWN : RT_TRACK_UP,
						   .reason = i % 2 ? RT_TRACK_PEER : RT_TRACK_ANSWERS,
						   .since = 1772366400, /* 2026-03-01T12:00:00Z */
						   .held = i % 2,
						   .flaps = (unsigned int)i,
						   .probes = i % 2 ? probes + 1 : probes,
						   .n_probes = i % 2 ? 1 : 2 };
	copy = rt_track_copy_new(views, n, paths, 2);
	copy->time_ms = 1772366461007;
	copy->totals = (struct rt_track_totals){ .since = 1772366400,
						 .n_loads = 2,
						 .n_switches = 4,
						 .switch_last = 250000,
						 .switch_max = 800000,
						 .revision = 12 };
	copy->shown = (struct rt_track_shown){ .n_hooks = 5, .n_hooks_failed = 1 };
	cni_arena_free(arena);
	return copy;
}

/* All pieces of it, in the copy's arena; *n is how many there were, *longest the bytes of the longest. */
static inline char *whole(struct rt_track_copy *copy, bool (*more)(struct rt_track_text *text, struct cni_text *out),
			  size_t *n, size_t *longest)
{
	struct rt_track_text text = { .copy = copy };
	struct cni_text all = { .arena = copy->arena }, piece = all;
	bool goes_on;

	*n = *longest = 0;
	do {
		piece.len = 0;
		goes_on = more(&text, &piece);
		cni_text_add(&all, piece.data, piece.len);
		*longest = piece.len > *longest ? piece.len : *longest;
		++*n;
	} while (goes_on);
	return all.data;
}

#endif
