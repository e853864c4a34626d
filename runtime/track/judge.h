/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge.h - whether a target is up or down: a state machine that is told of answers, failures and the device, and is
 * given the time. It sends nothing and waits for nothing.
 *
 * An address is down after `down` failures in a row, or while it loses more than `loss` allows, and up again after `up`
 * answers in a row and with less than half that loss. A target is down when a peer is, or when every address beyond the
 * peer is, or when its device cannot carry anything. Two changes are at least `hold` apart, but for the device.
 *
 * One that goes up and down is damped (RFC 2439, 4.2): each change to down adds RT_JUDGE_PENALTY to a figure that halves
 * every ten detections (of `every` × (`down` + `up`)), but at least every RT_JUDGE_HALF_MIN. Above RT_JUDGE_SUPPRESS it
 * stays down until the figure is below RT_JUDGE_REUSE; more than RT_JUDGE_CEILING it never is, so that three halvings
 * after its last fall it may return. */
#ifndef RT_TRACK_JUDGE_H
#define RT_TRACK_JUDGE_H

#include "runtime/track/track.h"
#include "runtime/track/window.h"

#define RT_JUDGE_PENALTY 1000.0
#define RT_JUDGE_SUPPRESS 3000.0
#define RT_JUDGE_REUSE 750.0
#define RT_JUDGE_CEILING 6000.0
#define RT_JUDGE_HALF_MIN UINT64_C(5000000000) /* ns */
#define RT_JUDGE_WINDOW UINT64_C(60000000000) /* ns; where no loss is judged */

struct rt_judge_rules {
	uint64_t every, hold; /* ns */
	unsigned int down, up; /* in a row */
	bool passive; /* what fails was asked because nothing came in */
	unsigned int loss; /* thousandths of a percent; 0: not judged */
	uint64_t window; /* ns */
};

struct rt_judge_aim { /* beside each probe */
	struct rt_window window;
	bool lossy;
};

struct rt_judge {
	struct rt_judge_rules rules;
	struct rt_track_probe *probes; /* the caller's, as `aims`: one each */
	struct rt_judge_aim *aims;
	size_t n_probes;
	enum rt_track_state state;
	enum rt_track_reason reason;
	bool down; /* what the routing is to say: while nothing is known, what it said before */
	bool held;
	enum rt_track_reason link; /* what is wrong with the device; RT_TRACK_START: nothing */
	uint64_t changed; /* when `state` did */
	unsigned int flaps;
	double penalty; /* as of penalty_at */
	uint64_t penalty_at;
	bool damped;
};

/* probes[] have their target and is_peer set. `down`: the routing says so. */
void rt_judge_init(struct rt_judge *judge, bool down, uint64_t now);
/* What is known of the target by another policy, and of those of its addresses that both have. */
void rt_judge_take_over(struct rt_judge *judge, const struct rt_judge *former, uint64_t now);

/* Each of these: true, the state changed. Times never go back. */
bool rt_judge_answer(struct rt_judge *judge, size_t probe, uint64_t now, uint64_t rtt);
bool rt_judge_failure(struct rt_judge *judge, size_t probe, uint64_t now);
bool rt_judge_link(struct rt_judge *judge, enum rt_track_reason wrong, uint64_t now); /* RT_TRACK_START: nothing */
bool rt_judge_look(struct rt_judge *judge, uint64_t now); /* time has passed */

/* Bytes came in, without a question: failures so far are none in a row. */
void rt_judge_heard(struct rt_judge *judge);

/* When rt_judge_look() may find something new; UINT64_MAX: never, by time alone. */
uint64_t rt_judge_due(const struct rt_judge *judge);

/* Fills what of the probes is over a window. */
void rt_judge_figures(struct rt_judge *judge, uint64_t now);

#endif
