/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge_test.c - when a target is up and when it is down: in a row, by loss, held, damped, by its device; and what a
 * window keeps. The time is made up: a probe each 100 ms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/track/judge.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define ADDRESSES 3

/* A target, its time, and how often it changed. */
struct bench {
	struct rt_judge judge;
	struct rt_track_probe probes[ADDRESSES];
	struct rt_judge_aim aims[ADDRESSES];
	uint64_t now;
	unsigned int changes;
};

static void begin(struct bench *b, size_t n_peers, size_t n_beyond)
{
	memset(b, 0, sizeof(*b));
	b->now = 1000 * SECOND;
	b->judge = (struct rt_judge){ .rules = { .every = 100 * MS, .down = 3, .up = 5, .window = RT_JUDGE_WINDOW },
				      .probes = b->probes,
				      .aims = b->aims,
				      .n_probes = n_peers + n_beyond };
	for (size_t i = 0; i < b->judge.n_probes; i++)
		b->probes[i] = (struct rt_track_probe){ .target = { CNI_V4, i + 1 }, .is_peer = i < n_peers };
}

static void start(struct bench *b, bool down)
{
	rt_judge_init(&b->judge, down, b->now);
}

/* n probes of one address, each answered or not. */
static void probe(struct bench *b, size_t i, bool answered, int n)
{
	for (; n > 0; n--) {
		b->now += b->judge.rules.every;
		b->changes += answered ? rt_judge_answer(&b->judge, i, b->now, 2 * MS)
				       : rt_judge_failure(&b->judge, i, b->now);
	}
}

static void in_a_row(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 1, 0);
	start(&b, false);
	probe(&b, 0, true, 4);
	assert_int_equal(b.judge.state, RT_TRACK_UNKNOWN);
	probe(&b, 0, true, 1);
	assert_int_equal(b.judge.state, RT_TRACK_UP);
	assert_int_equal(b.judge.flaps, 0); /* as it was routed */
	for (int i = 0; i < 100; i++) {
		probe(&b, 0, false, 2);
		probe(&b, 0, true, 1);
	}
	assert_int_equal(b.judge.state, RT_TRACK_UP);
	probe(&b, 0, false, 3);
	assert_int_equal(b.judge.state, RT_TRACK_DOWN);
	assert_int_equal(b.judge.reason, RT_TRACK_PEER);
	assert_true(b.judge.down);
	for (int i = 0; i < 100; i++) {
		probe(&b, 0, true, 4);
		probe(&b, 0, false, 1);
	}
	assert_int_equal(b.judge.state, RT_TRACK_DOWN);
	probe(&b, 0, true, 5);
	assert_int_equal(b.judge.state, RT_TRACK_UP);
	assert_int_equal(b.judge.reason, RT_TRACK_ANSWERS);
	assert_int_equal(b.changes, 3);
	assert_int_equal(b.judge.flaps, 2);
}

/* What the routing says holds until it is known better. */
static void the_start(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 1, 0);
	start(&b, true);
	probe(&b, 0, true, 4);
	assert_true(b.judge.down);
	probe(&b, 0, true, 1);
	assert_false(b.judge.down);
	assert_int_equal(b.judge.flaps, 1);
	begin(&b, 1, 0);
	start(&b, true);
	probe(&b, 0, false, 3);
	assert_int_equal(b.judge.state, RT_TRACK_DOWN);
	assert_int_equal(b.judge.flaps, 0);
	assert_true(b.judge.penalty < 1);
}

static void two_levels(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 1, 2);
	start(&b, false);
	probe(&b, 0, true, 5);
	assert_int_equal(b.judge.state, RT_TRACK_UNKNOWN); /* nothing is known of what is beyond */
	probe(&b, 1, true, 5);
	assert_int_equal(b.judge.state, RT_TRACK_UP);
	probe(&b, 1, false, 10);
	assert_int_equal(b.judge.state, RT_TRACK_UP); /* of the other nothing is known */
	probe(&b, 2, true, 5);
	probe(&b, 2, false, 3);
	assert_int_equal(b.judge.state, RT_TRACK_DOWN);
	assert_int_equal(b.judge.reason, RT_TRACK_BEYOND);
	probe(&b, 0, true, 50);
	assert_int_equal(b.judge.state, RT_TRACK_DOWN); /* a live peer before a dead data centre */
	probe(&b, 1, true, 5);
	assert_int_equal(b.judge.state, RT_TRACK_UP);
	probe(&b, 0, false, 3);
	assert_int_equal(b.judge.state, RT_TRACK_DOWN);
	assert_int_equal(b.judge.reason, RT_TRACK_PEER);
	/* without a peer among them all are beyond */
	begin(&b, 0, 2);
	start(&b, false);
	probe(&b, 0, false, 3);
	assert_int_equal(b.judge.state, RT_TRACK_UNKNOWN);
	probe(&b, 1, false, 3);
	assert_int_equal(b.judge.state, RT_TRACK_DOWN);
	assert_int_equal(b.judge.reason, RT_TRACK_BEYOND);
}

static void hold(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 1, 0);
	b.judge.rules.hold = 10 * SECOND;
	start(&b, false);
	probe(&b, 0, true, 5);
	assert_int_equal(b.judge.state, RT_TRACK_UP); /* the first verdict waits for nothing */
	probe(&b, 0, false, 50);
	assert_int_equal(b.judge.state, RT_TRACK_UP);
	assert_true(b.judge.held);
	assert_int_equal(rt_judge_due(&b.judge), b.judge.changed + 10 * SECOND);
	assert_false(rt_judge_look(&b.judge, rt_judge_due(&b.judge) - 1));
	assert_true(rt_judge_look(&b.judge, rt_judge_due(&b.judge)));
	assert_int_equal(b.judge.state, RT_TRACK_DOWN);
	assert_false(b.judge.held);
	assert_true(rt_judge_due(&b.judge) == UINT64_MAX);
	/* what it would have changed for passes: no change is left over */
	b.now = b.judge.changed;
	probe(&b, 0, true, 5);
	assert_true(b.judge.held);
	probe(&b, 0, false, 3);
	assert_false(b.judge.held);
	/* a dead device waits for nothing */
	b.now += 10 * SECOND;
	probe(&b, 0, true, 5);
	assert_int_equal(b.judge.state, RT_TRACK_UP);
	assert_true(rt_judge_link(&b.judge, RT_TRACK_CARRIER, b.now));
	assert_int_equal(b.judge.state, RT_TRACK_DOWN);
}

static void loss(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 1, 0);
	b.judge.rules.loss = 5000; /* 5 % */
	b.judge.rules.window = 20 * SECOND; /* 200 probes: 10 may be lost */
	start(&b, false);
	probe(&b, 0, true, 5);
	for (int i = 0; i < 10; i++) {
		probe(&b, 0, false, 1);
		assert_int_equal(b.judge.state, RT_TRACK_UP);
		probe(&b, 0, true, 9);
	}
	probe(&b, 0, false, 1);
	assert_int_equal(b.judge.state, RT_TRACK_DOWN);
	assert_int_equal(b.judge.reason, RT_TRACK_LOSS);
	probe(&b, 0, true, 90);
	assert_int_equal(b.judge.state, RT_TRACK_DOWN); /* 7 or so, and below 5 it must be */
	probe(&b, 0, true, 110);
	assert_int_equal(b.judge.state, RT_TRACK_UP);
	/* all of it, at the beginning: `down` in a row come first */
	begin(&b, 1, 0);
	b.judge.rules.loss = 1;
	b.judge.rules.window = 10 * SECOND;
	start(&b, false);
	probe(&b, 0, false, 1);
	assert_int_equal(b.judge.state, RT_TRACK_DOWN); /* one of 100 is more than 0.001 % */
}

static void damping(void **state)
{
	struct bench b;
	uint64_t due;

	(void)state;
	begin(&b, 1, 0);
	start(&b, false);
	probe(&b, 0, true, 5);
	for (int i = 0; i < 3; i++) {
		probe(&b, 0, false, 3);
		assert_int_equal(b.judge.state, RT_TRACK_DOWN);
		probe(&b, 0, true, 5);
		assert_int_equal(b.judge.state, RT_TRACK_UP);
	}
	/* the penalty has halved a bit meanwhile: four falls are below 4000, and above 3000 */
	probe(&b, 0, false, 3);
	assert_true(b.judge.damped);
	probe(&b, 0, true, 20);
	assert_int_equal(b.judge.state, RT_TRACK_DOWN);
	assert_true(b.judge.held);
	due = rt_judge_due(&b.judge);
	assert_true(due > b.judge.changed + 2 * 8 * SECOND && due < b.judge.changed + 3 * 8 * SECOND);
	assert_false(rt_judge_look(&b.judge, due - SECOND));
	assert_true(rt_judge_look(&b.judge, due));
	assert_int_equal(b.judge.state, RT_TRACK_UP);
	/* by its device alone, for hours: three halvings at most */
	for (int i = 0; i < 10000; i++) {
		b.now += MS;
		(void)rt_judge_link(&b.judge, RT_TRACK_CARRIER, b.now);
		(void)rt_judge_link(&b.judge, RT_TRACK_START, b.now);
		probe(&b, 0, true, 5);
	}
	assert_true(b.judge.penalty <= RT_JUDGE_CEILING);
	assert_true(rt_judge_due(&b.judge) <= b.judge.penalty_at + 3 * 8 * SECOND + SECOND);
}

static void device(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 1, 1);
	start(&b, false);
	assert_true(rt_judge_link(&b.judge, RT_TRACK_DEVICE, b.now)); /* though nothing was probed */
	assert_int_equal(b.judge.reason, RT_TRACK_DEVICE);
	probe(&b, 0, true, 5); /* of before: not by this device */
	assert_int_equal(b.judge.state, RT_TRACK_DOWN);
	assert_false(rt_judge_link(&b.judge, RT_TRACK_CARRIER, b.now));
	assert_false(rt_judge_link(&b.judge, RT_TRACK_START, b.now));
	probe(&b, 0, true, 5);
	probe(&b, 1, true, 4);
	assert_int_equal(b.judge.state, RT_TRACK_DOWN); /* it has to prove itself, at both levels */
	probe(&b, 1, true, 1);
	assert_int_equal(b.judge.state, RT_TRACK_UP);
}

static void passive(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 1, 0);
	b.judge.rules.passive = true;
	start(&b, false);
	probe(&b, 0, true, 5);
	for (int i = 0; i < 10; i++) {
		probe(&b, 0, false, 2);
		rt_judge_heard(&b.judge);
	}
	assert_int_equal(b.judge.state, RT_TRACK_UP);
	probe(&b, 0, false, 3);
	assert_int_equal(b.judge.state, RT_TRACK_DOWN);
	assert_int_equal(b.judge.reason, RT_TRACK_SILENT);
}

static void another_policy(void **state)
{
	struct bench b, c;

	(void)state;
	begin(&b, 1, 1);
	start(&b, false);
	probe(&b, 0, true, 5);
	probe(&b, 1, true, 5);
	probe(&b, 0, false, 2);
	begin(&c, 1, 2);
	c.probes[1].target.v = 77; /* new; the one of before is the third */
	c.probes[2].target.v = 2;
	start(&c, false);
	rt_judge_take_over(&c.judge, &b.judge, b.now);
	c.now = b.now;
	assert_int_equal(c.judge.state, RT_TRACK_UP);
	assert_int_equal(c.probes[0].n_lost, 2);
	assert_int_equal(c.probes[1].n_answered, 0);
	assert_int_equal(c.probes[2].n_answered, 5);
	assert_ptr_equal(c.judge.probes, c.probes);
	probe(&c, 0, false, 1);
	assert_int_equal(c.judge.state, RT_TRACK_DOWN); /* two were before */
}

static void figures(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 1, 0);
	start(&b, false);
	for (unsigned int i = 0; i < 100; i++) {
		b.now += 100 * MS;
		(void)rt_judge_answer(&b.judge, 0, b.now, (i % 2 ? 10 : 26) * MS);
	}
	probe(&b, 0, false, 25);
	rt_judge_figures(&b.judge, b.now);
	assert_int_equal(b.probes[0].window_sent, 125);
	assert_int_equal(b.probes[0].window_lost, 25);
	assert_int_equal(b.probes[0].rtt_min, 10 * MS);
	assert_int_equal(b.probes[0].rtt_mean, 18 * MS);
	assert_int_equal(b.probes[0].rtt_max, 26 * MS);
	assert_int_equal(b.probes[0].rtt_last, 10 * MS);
	/* RFC 3550: towards the mean difference, 16 ms */
	assert_true(b.probes[0].jitter > 15 * MS && b.probes[0].jitter <= 16 * MS);
	rt_judge_figures(&b.judge, b.now + 61 * SECOND);
	assert_int_equal(b.probes[0].window_sent, 0);
	assert_int_equal(b.probes[0].rtt_min, 0);
	assert_int_equal(b.probes[0].n_lost, 25);
}

/* Against every result kept, over random ones at random times. */
static void window(void **state)
{
	enum { N = 20000 };
	static uint64_t at[N], rtts[N];
	const uint64_t length = 10 * SECOND;
	struct rt_window w;
	uint64_t now = 7;

	(void)state;
	srand(1);
	rt_window_init(&w, length, now);
	for (int i = 0; i < N; i++) {
		struct rt_window_part sum, whole = { 0 }, sure = { 0 };

		now += (uint64_t)(rand() % 100 ? rand() % 200 : rand() % 30000) * MS;
		at[i] = now;
		rtts[i] = rand() % 4 ? (uint64_t)(rand() % 1000 + 1) : 0;
		if (rtts[i])
			rt_window_answer(&w, now, rtts[i]);
		else
			rt_window_loss(&w, now);
		for (int j = i; j >= 0 && at[j] + length >= now; j--) {
			const bool in = at[j] + length * 19 / 20 >= now;

			whole.n_lost += !rtts[j];
			whole.n_answered += !!rtts[j];
			whole.sum += rtts[j];
			sure.n_lost += in && !rtts[j];
			sure.n_answered += in && rtts[j];
			sure.sum += in ? rtts[j] : 0;
		}
		sum = rt_window_sum(&w, now);
		assert_in_range(sum.n_lost, sure.n_lost, whole.n_lost);
		assert_in_range(sum.n_answered, sure.n_answered, whole.n_answered);
		assert_in_range(sum.sum, sure.sum, whole.sum);
		assert_true(!sum.n_answered || (sum.min && sum.min <= sum.max && sum.max <= 1000));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_a_row), cmocka_unit_test(the_start), cmocka_unit_test(two_levels),
		cmocka_unit_test(hold),	    cmocka_unit_test(loss),	 cmocka_unit_test(damping),
		cmocka_unit_test(device),   cmocka_unit_test(passive),	 cmocka_unit_test(another_policy),
		cmocka_unit_test(figures),  cmocka_unit_test(window),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
