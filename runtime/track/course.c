/* SPDX-License-Identifier: GPL-2.0-or-later */
/* course.c - see course.h. */
#include "runtime/track/course.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compiler/state/down.h"

#define MS UINT64_C(1000000)
#define SPREAD                                                                                                         \
	0.6180339887498949 /* of the golden ratio: multiples of it fill an interval evenly, however many they are */

/* ---- from a policy ---- */

static int by_name(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

/* Where it is among those that are tracked; SIZE_MAX: it is not. */
static size_t place_of(const struct cni_state *desired, const char *name)
{
	const char **found = desired->n_tracked ? bsearch(name, desired->tracked, desired->n_tracked,
							  sizeof(*desired->tracked), by_name)
						: NULL;

	return found ? (size_t)(found - desired->tracked) : SIZE_MAX;
}

static struct rt_judge_rules rules_of(const struct cni_track *track)
{
	return (struct rt_judge_rules){ .every = track->every * MS,
					.hold = track->hold * MS,
					.down = track->down,
					.up = track->up,
					.passive = track->passive,
					.loss = track->has_loss ? track->loss : 0,
					.window = track->has_loss ? track->loss_over * MS : RT_JUDGE_WINDOW };
}

static bool is_peer(const struct cni_target *target, struct cni_addr addr)
{
	const struct cni_iface *iface = &target->iface[addr.family];

	return iface->has_peer && cni_addr_equal(iface->peer, addr);
}

static void find_watch(struct cni_arena *arena, struct rt_watch *watch, const struct cni_target *target)
{
	struct cni_addr *addrs = NULL;
	size_t n = 0;

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (target->iface[f].has_address)
			*cni_push(arena, addrs, n) = target->iface[f].address.addr;
	*watch = (struct rt_watch){ .name = target->ifname, .addrs = addrs, .n_addrs = n };
}

static void find_targets(struct rt_course *course)
{
	const struct cni_model *model = course->text->model;
	const size_t n = course->desired->n_tracked;
	size_t n_slots = 0;

	course->n_targets = n;
	course->targets = cni_new_array(course->arena, struct rt_target, n);
	course->down = cni_new_array(course->arena, bool, n);
	course->watches = cni_new_array(course->arena, struct rt_watch, n);
	for (size_t i = 0; n && i < model->n_targets; i++) {
		const size_t at = place_of(course->desired, model->targets[i].name);

		if (at == SIZE_MAX)
			continue;
		course->targets[at].target = &model->targets[i];
		course->targets[at].watch = &course->watches[at];
		find_watch(course->arena, &course->watches[at], &model->targets[i]);
		n_slots += model->targets[i].track.n_targets;
	}
	course->slots = cni_new_array(course->arena, struct rt_slot, n_slots);
	course->due = cni_new_array(course->arena, uint64_t, n_slots);
	for (size_t i = 0; i < n; i++) {
		struct rt_target *target = &course->targets[i];
		const struct cni_track *track = &target->target->track;

		target->slots = &course->slots[course->n_slots];
		target->judge =
			(struct rt_judge){ .rules = rules_of(track),
					   .probes = cni_new_array(course->arena, struct rt_track_probe,
								   track->n_targets),
					   .aims = cni_new_array(course->arena, struct rt_judge_aim, track->n_targets),
					   .n_probes = track->n_targets };
		for (size_t j = 0; j < track->n_targets; j++) {
			course->slots[course->n_slots++] = (struct rt_slot){ .target = target, .probe = j };
			target->judge.probes[j].target = track->targets[j];
			target->judge.probes[j].is_peer = is_peer(target->target, track->targets[j]);
		}
	}
}

static struct rt_target *find_former(const struct rt_course *former, const struct cni_target *target)
{
	const size_t at = former ? place_of(former->desired, target->name) : SIZE_MAX;
	struct rt_target *found = at == SIZE_MAX ? NULL : &former->targets[at];

	return found && !strcmp(found->target->ifname, target->ifname) ? found : NULL;
}

static void begin(struct rt_course *course, const struct rt_course *former, const struct cni_state *observed,
		  uint64_t now)
{
	for (size_t i = 0; i < course->n_targets; i++) {
		struct rt_target *target = &course->targets[i];
		const struct rt_target *before = find_former(former, target->target);

		rt_judge_init(&target->judge,
			      cni_is_down_for(observed, course->text->model->options.table, target->target->name), now);
		target->since = time(NULL);
		if (!before)
			continue;
		rt_judge_take_over(&target->judge, &before->judge, now);
		target->since = before->since;
		target->told = before->told;
		target->changed = before->changed;
	}
}

/* The address of a former target, with its open questions; NULL: there is none that goes on. */
static struct rt_aim *take_aim(struct rt_target *former, const struct rt_slot *slot)
{
	const struct rt_track_probe *probe = &slot->target->judge.probes[slot->probe];

	for (size_t i = 0; former && i < former->judge.n_probes; i++) {
		struct rt_aim *aim = former->slots[i].aim;

		if (!aim || !cni_addr_equal(aim->target, probe->target) ||
		    former->judge.rules.every != slot->target->judge.rules.every ||
		    former->target->track.timeout != slot->target->target->track.timeout)
			continue;
		former->slots[i].aim = NULL;
		return aim;
	}
	return NULL;
}

static void aim_at(const struct rt_slot *slot, uint32_t mark)
{
	const struct cni_target *target = slot->target->target;
	const struct cni_iface *iface = &target->iface[slot->aim->target.family];
	struct rt_aim *aim = slot->aim;

	aim->probe = &slot->target->judge.probes[slot->probe];
	aim->owner = (void *)slot;
	aim->mark = mark;
	aim->has_source = true;
	if (target->track.has_source && target->track.source.family == aim->target.family)
		aim->source = target->track.source;
	else if (iface->has_address)
		aim->source = iface->address.addr;
	else
		aim->has_source = false;
}

/* By target: what a packet is marked with to leave by it. */
static uint32_t *return_marks(const struct rt_course *course)
{
	uint32_t *marks = cni_new_array(course->arena, uint32_t, course->n_targets);

	for (size_t i = 0; i < course->desired->n_ways; i++) {
		const struct cni_st_way *way = &course->desired->ways[i];
		const size_t at = way->is_return ? place_of(course->desired, way->targets[0].target) : SIZE_MAX;

		if (at != SIZE_MAX)
			marks[at] = way->mark;
	}
	return marks;
}

static bool find_aims(struct rt_course *course, const struct rt_course *former, struct rt_prober *prober, uint64_t now)
{
	const uint32_t *marks = return_marks(course);

	for (size_t i = 0; i < course->n_slots; i++) {
		struct rt_slot *slot = &course->slots[i];
		const struct rt_target *target = slot->target;
		const double part = SPREAD * (double)i - (double)(uint64_t)(SPREAD * (double)i);

		slot->aim = take_aim(find_former(former, target->target), slot);
		if (!slot->aim)
			slot->aim = rt_prober_add(prober, target->target->track.targets[slot->probe],
						  target->judge.rules.every, target->target->track.timeout * MS);
		if (!slot->aim)
			return false;
		aim_at(slot, course->installed ? marks[target - course->targets] : 0);
		slot->next = course->due[i] = now + (uint64_t)(part * (double)target->judge.rules.every);
	}
	return true;
}

struct rt_course *rt_course_new(struct rt_look *look, struct rt_course *former, struct rt_prober *prober,
				struct rt_links *links, uint64_t now)
{
	struct rt_course *course = cni_new(look->arena, struct rt_course);

	course->arena = look->arena;
	course->desired = look->desired;
	course->installed = look->installed;
	course->text = look->text ? look->text : former->text;
	if (!course->text->model && former) {
		/* what was said to be down of a policy that is gone, perhaps while it went, is so no more */
		course->desired->down_table = former->desired->down_table;
		course->installed = true;
	}
	find_targets(course);
	begin(course, former, look->observed, now);
	if (!find_aims(course, former, prober, now)) {
		for (size_t i = 0; i < course->n_slots; i++)
			rt_prober_remove(prober, course->slots[i].aim);
		return NULL;
	}
	if (course->n_targets)
		course->ways = rt_ways_of(course->arena, course->text->model, course->desired);
	(void)rt_links_watch(links, course->watches, course->n_targets);
	for (size_t i = 0; i < course->n_targets; i++)
		course->down[i] = course->targets[i].judge.down;
	rt_course_follow(course, course->down);
	rt_course_links(course, now);
	if (former && former->text == course->text)
		former->text = NULL;
	look->arena = NULL;
	look->text = NULL;
	return course;
}

void rt_course_free(struct rt_course *course, struct rt_prober *prober)
{
	if (!course)
		return;
	for (size_t i = 0; i < course->n_slots; i++)
		rt_prober_remove(prober, course->slots[i].aim);
	rt_text_of_policy_free(course->text);
	cni_arena_free(course->day);
	cni_arena_free(course->arena);
}

void rt_course_follow(struct rt_course *course, const bool *to)
{
	struct cni_arena *day = cni_arena_new(), *before = course->day;
	const char **names = cni_new_array(day, const char *, course->n_targets);
	size_t n = 0;

	for (size_t i = 0; i < course->n_targets; i++) {
		course->down[i] = to[i];
		if (to[i])
			names[n++] = course->desired->tracked[i];
	}
	cni_state_follow_names(day, course->desired, names, n);
	course->day = day;
	cni_arena_free(before);
}

/* ---- under way ---- */

static void note(struct rt_target *target, bool changed)
{
	if (!changed)
		return;
	target->changed = true;
	target->since = time(NULL);
}

/* Whether a question is to be asked now. Of a passive target not while bytes come in, and not while none go out. */
static bool asks(const struct rt_slot *slot, struct rt_links *links)
{
	struct rt_target *target = slot->target;
	uint64_t in, out;

	if (rt_watch_wrong(target->watch) != RT_TRACK_START)
		return false;
	if (!target->judge.rules.passive || target->judge.state != RT_TRACK_UP) {
		target->has_bytes = false;
		return true;
	}
	if (slot->probe)
		return target->asks; /* as for its first address */
	if (rt_links_bytes(links, target->watch->ifindex, &in, &out))
		return target->asks = true;
	if (target->has_bytes && in != target->in)
		rt_judge_heard(&target->judge);
	target->asks = target->has_bytes && in == target->in && out != target->out;
	target->has_bytes = true;
	target->in = in;
	target->out = out;
	return target->asks;
}

/* Turns that were missed are not made up for. */
static void await_turn(struct rt_slot *slot, uint64_t now)
{
	const uint64_t every = slot->target->judge.rules.every;

	slot->next += every * (1 + (now - slot->next) / every);
}

static void ask(struct rt_slot *slot, struct rt_prober *prober, uint64_t now)
{
	const int rc = rt_prober_send(prober, slot->aim);

	if (rc == -EAGAIN) { /* no fault of the path: soon again, as long as its turn lasts */
		slot->next = now + MS;
		return;
	}
	if (rc)
		note(slot->target, rt_judge_failure(&slot->target->judge, slot->probe, now));
	await_turn(slot, now);
}

static uint64_t turn(struct rt_slot *slot, struct rt_prober *prober, struct rt_links *links, uint64_t now)
{
	uint64_t deadline;

	while (rt_aim_overdue(slot->aim, now))
		note(slot->target, rt_judge_failure(&slot->target->judge, slot->probe, now));
	if (slot->next <= now) {
		if (asks(slot, links))
			ask(slot, prober, now);
		else
			await_turn(slot, now);
	}
	deadline = rt_aim_deadline(slot->aim);
	return deadline < slot->next ? deadline : slot->next;
}

uint64_t rt_course_turn(struct rt_course *course, struct rt_prober *prober, struct rt_links *links, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	/* an answer counts by when it came: what is in the sockets is no loss */
	rt_prober_receive(prober);
	for (size_t i = 0; i < course->n_slots; i++) {
		if (course->due[i] <= now)
			course->due[i] = turn(&course->slots[i], prober, links, now);
		next = course->due[i] < next ? course->due[i] : next;
	}
	for (size_t i = 0; i < course->n_targets; i++) {
		struct rt_judge *judge = &course->targets[i].judge;
		uint64_t due;

		if (!judge->held)
			continue;
		note(&course->targets[i], rt_judge_look(judge, now));
		due = rt_judge_due(judge);
		next = due < next ? due : next;
	}
	return next;
}

void rt_course_answered(struct rt_slot *slot, uint64_t came, uint64_t rtt)
{
	/* what was on its way when the device went is no news of the device as it is */
	if (slot->target->judge.link == RT_TRACK_START)
		note(slot->target, rt_judge_answer(&slot->target->judge, slot->probe, came, rtt));
}

void rt_course_links(struct rt_course *course, uint64_t now)
{
	for (size_t i = 0; i < course->n_targets; i++) {
		struct rt_target *target = &course->targets[i];
		const enum rt_track_reason wrong = rt_watch_wrong(target->watch);

		for (size_t j = 0; j < target->judge.n_probes; j++) {
			target->slots[j].aim->ifindex = target->watch->ifindex;
			if (wrong == RT_TRACK_START && target->judge.link != RT_TRACK_START) {
				target->slots[j].next = now; /* it is back: ask at once */
				course->due[&target->slots[j] - course->slots] = now;
			}
		}
		if (wrong != target->judge.link)
			note(target, rt_judge_link(&target->judge, wrong, now));
	}
}
