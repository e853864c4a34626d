/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge.c - see judge.h. */
#include "runtime/track/judge.h"

#include <math.h>

#define ALL_LOST 100000u /* thousandths of a percent */
#define DETECTIONS 10 /* until a penalty is half */

/* ---- one address ---- */

/* Of all that the window would hold, so that a few probes at the beginning are not all there is; and one that was lossy
 * is so until it loses less than half. */
static void judge_loss(const struct rt_judge_rules *rules, struct rt_judge_aim *aim, uint64_t now)
{
	const struct rt_window_part sum = rt_window_sum(&aim->window, now);
	const uint64_t sent = (uint64_t)sum.n_answered + sum.n_lost, whole = rules->window / rules->every;
	const uint64_t allowed = rules->loss * (sent > whole ? sent : whole);
	const uint64_t lost = (uint64_t)sum.n_lost * ALL_LOST;

	aim->lossy = rules->loss && (lost > allowed || (aim->lossy && 2 * lost >= allowed));
}

static void judge_probe(struct rt_judge *judge, size_t i, bool answered, uint64_t now)
{
	struct rt_track_probe *probe = &judge->probes[i];
	struct rt_judge_aim *aim = &judge->aims[i];

	probe->in_a_row = probe->up == answered ? probe->in_a_row + 1 : 1;
	probe->up = answered;
	if (judge->rules.loss || aim->lossy)
		judge_loss(&judge->rules, aim, now);
	if (aim->lossy || (!answered && probe->in_a_row >= judge->rules.down))
		probe->state = RT_TRACK_DOWN;
	else if (answered && probe->in_a_row >= judge->rules.up)
		probe->state = RT_TRACK_UP;
}

/* ---- the target ---- */

static enum rt_track_state verdict(const struct rt_judge *judge, enum rt_track_reason *reason)
{
	size_t n_beyond = 0, n_down = 0, n_lossy = 0;
	bool unknown = false, any_up = false;

	*reason = judge->link;
	if (judge->link != RT_TRACK_START)
		return RT_TRACK_DOWN;
	for (size_t i = 0; i < judge->n_probes; i++) {
		const struct rt_track_probe *probe = &judge->probes[i];
		const bool down = probe->state == RT_TRACK_DOWN;

		if (down && probe->is_peer) {
			*reason = judge->aims[i].lossy	 ? RT_TRACK_LOSS
				  : judge->rules.passive ? RT_TRACK_SILENT
							 : RT_TRACK_PEER;
			return RT_TRACK_DOWN;
		}
		n_beyond += !probe->is_peer;
		n_down += down;
		n_lossy += down && judge->aims[i].lossy;
		any_up |= !probe->is_peer && probe->state == RT_TRACK_UP;
		unknown |= probe->is_peer && probe->state == RT_TRACK_UNKNOWN;
	}
	if (n_beyond && n_down == n_beyond) {
		*reason = n_lossy == n_down ? RT_TRACK_LOSS : judge->rules.passive ? RT_TRACK_SILENT : RT_TRACK_BEYOND;
		return RT_TRACK_DOWN;
	}
	*reason = RT_TRACK_ANSWERS;
	return unknown || (n_beyond && !any_up) ? RT_TRACK_UNKNOWN : RT_TRACK_UP;
}

static double half_life(const struct rt_judge_rules *rules)
{
	const uint64_t detections = DETECTIONS * rules->every * (rules->down + rules->up);

	return (double)(detections > RT_JUDGE_HALF_MIN ? detections : RT_JUDGE_HALF_MIN);
}

static double penalty(const struct rt_judge *judge, uint64_t now)
{
	return judge->penalty * exp2(-(double)(now - judge->penalty_at) / half_life(&judge->rules));
}

static bool may_change(struct rt_judge *judge, enum rt_track_state to, uint64_t now)
{
	if (judge->damped && penalty(judge, now) < RT_JUDGE_REUSE)
		judge->damped = false;
	if (judge->state == RT_TRACK_UNKNOWN || (to == RT_TRACK_DOWN && judge->link != RT_TRACK_START))
		return true;
	return now - judge->changed >= judge->rules.hold && !(to == RT_TRACK_UP && judge->damped);
}

static void change(struct rt_judge *judge, enum rt_track_state to, enum rt_track_reason reason, uint64_t now)
{
	/* to learn that it is as the routing had it is no change of it */
	if (judge->down != (to == RT_TRACK_DOWN))
		judge->flaps++;
	if (to == RT_TRACK_DOWN && !judge->down) {
		judge->penalty = fmin(penalty(judge, now) + RT_JUDGE_PENALTY, RT_JUDGE_CEILING);
		judge->penalty_at = now;
		judge->damped |= judge->penalty > RT_JUDGE_SUPPRESS;
	}
	judge->down = to == RT_TRACK_DOWN;
	judge->state = to;
	judge->reason = reason;
	judge->changed = now;
}

bool rt_judge_look(struct rt_judge *judge, uint64_t now)
{
	enum rt_track_reason reason;
	const enum rt_track_state to = verdict(judge, &reason);

	judge->held = false;
	if (to == RT_TRACK_UNKNOWN || to == judge->state)
		return false;
	judge->held = !may_change(judge, to, now);
	if (judge->held)
		return false;
	change(judge, to, reason, now);
	return true;
}

uint64_t rt_judge_due(const struct rt_judge *judge)
{
	uint64_t due = judge->changed + judge->rules.hold;

	if (!judge->held)
		return UINT64_MAX;
	if (judge->damped && judge->penalty > RT_JUDGE_REUSE) {
		const double wait = half_life(&judge->rules) * log2(judge->penalty / RT_JUDGE_REUSE);
		const uint64_t reuse = judge->penalty_at + (uint64_t)wait + 1;

		due = reuse > due ? reuse : due;
	}
	return due;
}

/* ---- what it is told ---- */

bool rt_judge_answer(struct rt_judge *judge, size_t probe, uint64_t now, uint64_t rtt)
{
	struct rt_track_probe *p = &judge->probes[probe];
	const uint64_t differs = rtt > p->rtt_last ? rtt - p->rtt_last : p->rtt_last - rtt;

	if (p->rtt_last)
		p->jitter = (uint64_t)((int64_t)p->jitter + ((int64_t)differs - (int64_t)p->jitter) / 16);
	p->rtt_last = rtt;
	p->n_answered++;
	rt_window_answer(&judge->aims[probe].window, now, rtt);
	judge_probe(judge, probe, true, now);
	return rt_judge_look(judge, now);
}

bool rt_judge_failure(struct rt_judge *judge, size_t probe, uint64_t now)
{
	judge->probes[probe].n_lost++;
	rt_window_loss(&judge->aims[probe].window, now);
	judge_probe(judge, probe, false, now);
	return rt_judge_look(judge, now);
}

/* What comes back has to prove itself. */
bool rt_judge_link(struct rt_judge *judge, enum rt_track_reason wrong, uint64_t now)
{
	for (size_t i = 0; wrong != RT_TRACK_START && i < judge->n_probes; i++) {
		judge->probes[i].state = RT_TRACK_DOWN;
		judge->probes[i].up = false;
		judge->probes[i].in_a_row = 0;
	}
	judge->link = wrong;
	return rt_judge_look(judge, now);
}

void rt_judge_heard(struct rt_judge *judge)
{
	for (size_t i = 0; i < judge->n_probes; i++)
		if (!judge->probes[i].up)
			judge->probes[i].in_a_row = 0;
}

/* ---- beginnings, and figures ---- */

void rt_judge_init(struct rt_judge *judge, bool down, uint64_t now)
{
	judge->state = RT_TRACK_UNKNOWN;
	judge->reason = judge->link = RT_TRACK_START;
	judge->down = down;
	judge->changed = judge->penalty_at = now;
	for (size_t i = 0; i < judge->n_probes; i++)
		rt_window_init(&judge->aims[i].window, judge->rules.window, now);
}

void rt_judge_take_over(struct rt_judge *judge, const struct rt_judge *former, uint64_t now)
{
	const struct rt_judge own = *judge;
	bool is_peer;

	*judge = *former;
	judge->rules = own.rules;
	judge->probes = own.probes;
	judge->aims = own.aims;
	judge->n_probes = own.n_probes;
	judge->penalty = fmin(penalty(former, now), RT_JUDGE_CEILING);
	judge->penalty_at = now;
	for (size_t i = 0; i < judge->n_probes; i++)
		for (size_t j = 0; j < former->n_probes; j++) {
			if (!cni_addr_equal(judge->probes[i].target, former->probes[j].target))
				continue;
			is_peer = judge->probes[i].is_peer;
			judge->probes[i] = former->probes[j];
			judge->probes[i].is_peer = is_peer;
			judge->aims[i] = former->aims[j];
			if (own.rules.window != former->rules.window)
				rt_window_init(&judge->aims[i].window, own.rules.window, now);
		}
}

void rt_judge_figures(struct rt_judge *judge, uint64_t now)
{
	for (size_t i = 0; i < judge->n_probes; i++) {
		const struct rt_window_part sum = rt_window_sum(&judge->aims[i].window, now);
		struct rt_track_probe *probe = &judge->probes[i];

		probe->window_sent = sum.n_answered + sum.n_lost;
		probe->window_lost = sum.n_lost;
		probe->rtt_min = sum.min;
		probe->rtt_max = sum.max;
		probe->rtt_mean = sum.n_answered ? sum.sum / sum.n_answered : 0;
	}
}
