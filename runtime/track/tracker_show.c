/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracker_show.c - what the tracker tells: lines, events, views, paths and totals. */
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/commands/output.h"
#include "runtime/track/tracker_internal.h"

/* ---- telling ---- */

void rt_tracker_say(const struct rt_tracker *tracker, bool detail, const char *format, ...)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[1024] = "cnic: ";
	va_list args;
	size_t len;

	if (tracker->options->quiet || (detail && !tracker->options->verbose))
		return;
	va_start(args, format);
	vsnprintf(line + 6, sizeof(line) - 7, format, args);
	va_end(args);
	len = strlen(line);
	if (line[len - 1] != '\n')
		line[len++] = '\n';
	if (poll(&fd, 1, 0) == 1 && fd.revents & POLLOUT)
		(void)rt_write_all(STDERR_FILENO, line, len);
}

void rt_tracker_listen(struct rt_tracker *tracker, struct rt_track_listener *listener)
{
	listener->next = tracker->listeners;
	tracker->listeners = listener;
}

static struct rt_track_view view_of(struct rt_target *target)
{
	return (struct rt_track_view){ .name = target->target->name,
				       .device = target->target->ifname,
				       .state = target->judge.state,
				       .reason = target->judge.reason,
				       .since = target->since,
				       .held = target->judge.held,
				       .flaps = target->judge.flaps,
				       .probes = target->judge.probes,
				       .n_probes = target->judge.n_probes };
}

void rt_tracker_tell(struct rt_tracker *tracker, struct rt_target *target, const struct rt_failover *done)
{
	const struct rt_track_view view = view_of(target);
	struct rt_track_event event = { .target = &view, .before = target->told };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	event.time_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	event.took = done->n_routes ? done->took : 0;
	event.n_routes = done->n_routes;
	event.n_flows = done->n_flows;
	event.error = done->error;
	rt_judge_figures(&target->judge, rt_track_now());
	target->told = target->judge.state;
	target->changed = false;
	for (struct rt_track_listener *l = tracker->listeners; l; l = l->next)
		l->event(&event, l->arg);
}

void rt_tracker_tell_counts(struct rt_tracker *tracker)
{
	const struct rt_course *course = tracker->course;
	char text[CNI_ADDR_TEXT];

	for (size_t i = 0; i < course->n_slots; i++) {
		const struct rt_target *target = course->slots[i].target;
		const struct rt_track_probe *probe = &target->judge.probes[course->slots[i].probe];

		rt_tracker_say(tracker, true,
			       "%s %s: %" PRIu64 " sent, %" PRIu64 " answered, %" PRIu64 " lost, %" PRIu64
			       " late, %" PRIu64 " refused; %u changes",
			       target->target->name, cni_addr_format(probe->target, text), probe->n_sent,
			       probe->n_answered, probe->n_lost, probe->n_late, probe->n_refused, target->judge.flaps);
	}
	rt_tracker_say(tracker, true,
		       "%" PRIu64 " switches, the longest of %" PRIu64 " us; %" PRIu64 " refused; %" PRIu64 " strays",
		       tracker->totals.n_switches, tracker->totals.switch_max / 1000, tracker->totals.n_refused,
		       rt_prober_strays(tracker->prober));
}

/* ---- what is asked of it ---- */

static struct cni_arena *show_anew(struct rt_tracker *tracker)
{
	cni_arena_free(tracker->shown);
	return tracker->shown = cni_arena_new();
}

size_t rt_tracker_views(struct rt_tracker *tracker, const struct rt_track_view **views)
{
	struct rt_course *course = tracker->course;
	struct rt_track_view *all = cni_new_array(show_anew(tracker), struct rt_track_view, course->n_targets);

	for (size_t i = 0; i < course->n_targets; i++) {
		rt_judge_figures(&course->targets[i].judge, rt_track_now());
		all[i] = view_of(&course->targets[i]);
	}
	*views = all;
	return course->n_targets;
}

static int counter_named(const void *name, const void *counter)
{
	return strcmp(name, ((const struct cni_st_counter *)counter)->name);
}

/* "cf1 then cf2 else drop" of the counter "path.7". */
static const char *path_name(const struct cni_state *desired, uint32_t mark)
{
	const struct cni_st_counter *counter;
	char name[24];

	snprintf(name, sizeof(name), "path.%u", mark >> __builtin_ctz(desired->id_mask));
	counter = bsearch(name, desired->counters, desired->n_counters, sizeof(*counter), counter_named);
	return counter && counter->comment ? counter->comment : "";
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct rt_track_path *)a)->name, ((const struct rt_track_path *)b)->name);
}

/* The first that is up of the tier that carries it, by IPv4 if it carries that. */
static const char *active_target(const struct rt_course *course, size_t way)
{
	const struct cni_st_way *w = &course->desired->ways[way];

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		size_t only;
		const unsigned int tier = rt_way_tier(&course->ways, way, f, course->down, &only);

		for (size_t i = 0; tier != UINT_MAX && i < w->n_targets; i++) {
			const size_t tracked = course->ways.places[way][i].tracked;

			if (w->targets[i].tier == tier && w->targets[i].carries[f] &&
			    (tracked == SIZE_MAX || !course->down[tracked]))
				return w->targets[i].target;
		}
	}
	return NULL;
}

size_t rt_tracker_paths(struct rt_tracker *tracker, const struct rt_track_path **paths)
{
	const struct rt_course *course = tracker->course;
	struct rt_track_path *all = NULL;
	size_t n = 0;

	for (size_t i = 0; course->ways.desired && i < course->desired->n_ways; i++) {
		const struct cni_st_way *way = &course->desired->ways[i];

		if (!way->is_return && !way->is_pinned)
			*cni_push(tracker->shown, all, n) =
				(struct rt_track_path){ path_name(course->desired, way->mark), way->mark,
							active_target(course, i) };
	}
	if (n)
		qsort(all, n, sizeof(*all), by_name);
	*paths = all;
	return n;
}

void rt_tracker_totals(const struct rt_tracker *tracker, struct rt_track_totals *totals)
{
	*totals = tracker->totals;
	totals->n_strays = rt_prober_strays(tracker->prober);
}
