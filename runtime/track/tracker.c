/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracker.c - the loop: what wakes it, and what is then done; see tracker.h. */
#include "runtime/track/tracker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "runtime/local.h"
#include "runtime/track/tracker_internal.h"

#define LOCK "cnic.track"
#define MS UINT64_C(1000000)

/* ---- changes ---- */

static void end_of_stay(uv_timer_t *timer)
{
	struct rt_tracker *tracker = timer->data;
	const struct rt_failover done = rt_failover_return(tracker->course, tracker->nl);

	rt_tracker_say(tracker, true, "the time of flows on backups is over: %u go back", done.n_flows);
	if (done.error)
		rt_tracker_say(tracker, false, "the kernel refused: %s", done.text);
}

/* At most so long: one that is under way already is not put off. */
static void limit_stay(struct rt_tracker *tracker)
{
	const struct cni_model *model = tracker->course->text->model;

	if (model && model->options.failback == CNI_FAILBACK_DRAIN && !uv_is_active((uv_handle_t *)&tracker->drain))
		(void)uv_timer_start(&tracker->drain, end_of_stay, model->options.drain, 0);
}

static void settle_those(struct rt_tracker *tracker, bool down)
{
	struct rt_course *course = tracker->course;
	const struct rt_failover done =
		down ? rt_failover_down(course, tracker->nl) : rt_failover_up(course, tracker->nl);

	if (done.n_routes || done.n_flows) {
		tracker->totals.n_switches++;
		tracker->totals.switch_last = done.took;
		if (done.took > tracker->totals.switch_max)
			tracker->totals.switch_max = done.took;
	}
	for (size_t i = 0; i < course->n_targets; i++)
		if (course->targets[i].changed && course->targets[i].judge.down == down)
			rt_tracker_tell(tracker, &course->targets[i], &done);
	if (done.stays)
		limit_stay(tracker);
	rt_tracker_doubt(tracker, &done);
}

/* What went down goes first: nothing that comes back can be as urgent. */
void rt_tracker_settle(struct rt_tracker *tracker)
{
	bool any = false;

	for (size_t i = 0; i < tracker->course->n_targets && !any; i++)
		any = tracker->course->targets[i].changed;
	if (!any)
		return;
	settle_those(tracker, true);
	settle_those(tracker, false);
}

/* ---- what wakes the loop ---- */

static void wake_at(struct rt_tracker *tracker, uint64_t due)
{
	const uint64_t ms = due / MS + !!(due % MS); /* of the loop's clock, which is the same one */

	uv_update_time(&tracker->loop);
	if (due == UINT64_MAX)
		(void)uv_timer_stop(&tracker->pulse);
	else
		(void)uv_timer_start(&tracker->pulse, rt_tracker_turn,
				     ms > uv_now(&tracker->loop) ? ms - uv_now(&tracker->loop) : 0, 0);
}

void rt_tracker_turn(uv_timer_t *timer)
{
	struct rt_tracker *tracker = timer->data;
	const uint64_t due = rt_course_turn(tracker->course, tracker->prober, tracker->links, rt_track_now());

	rt_tracker_settle(tracker);
	wake_at(tracker, due);
}

static void answered(struct rt_aim *aim, uint64_t came, uint64_t rtt, void *arg)
{
	(void)came;
	(void)arg;
	rt_course_answered(aim->owner, rt_track_now(), rtt);
}

static void on_answers(uv_poll_t *poll, int status, int events)
{
	struct rt_tracker *tracker = poll->data;

	(void)status;
	(void)events;
	rt_prober_receive(tracker->prober);
	rt_tracker_settle(tracker);
}

void rt_tracker_stop(struct rt_tracker *tracker, int error)
{
	tracker->error = error;
	tracker->ends = true;
	uv_stop(&tracker->loop);
}

static void on_news(uv_poll_t *poll, int status, int events)
{
	struct rt_tracker *tracker = poll->data;
	struct rt_links_news news;
	int rc = rt_links_read(tracker->links, &news);

	(void)status;
	(void)events;
	if (rc) {
		rt_tracker_say(tracker, false, "the kernel tells nothing of devices any more: %s", strerror(-rc));
		rt_tracker_stop(tracker, rc);
		return;
	}
	if (news.links) {
		rt_forget_devices(tracker->nl);
		rt_course_links(tracker->course, rt_track_now());
		rt_tracker_settle(tracker);
		rt_tracker_turn(&tracker->pulse);
	}
	if (news.routes) {
		tracker->routes = true;
		rt_tracker_look_within(tracker, RT_LOOK_SOON);
	}
}

static void on_signal(uv_signal_t *signal, int number)
{
	struct rt_tracker *tracker = signal->data;

	if (number != SIGHUP) {
		rt_tracker_stop(tracker, 0);
		return;
	}
	tracker->files_again = tracker->routes = true;
	rt_tracker_look_within(tracker, 0);
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	(void)sd_notify(0, "WATCHDOG=1");
}

/* ---- beginning and end ---- */

/* One in a namespace. An abstract socket goes with its holder, however that ends. */
static int take_lock(struct rt_tracker *tracker, struct cni_diags *diags)
{
	static const struct cni_span nowhere;
	int rc;

	tracker->lock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = tracker->lock < 0 ? -errno : rt_local_bind(tracker->lock, LOCK);
	if (!rc && listen(tracker->lock, 1))
		rc = -errno;
	if (rc == -EADDRINUSE)
		cni_diag(diags, CNI760, nowhere, "another tracker is at work in this network namespace");
	else if (rc)
		cni_diag(diags, CNI703, nowhere, "the tracker's lock cannot be taken: %s", strerror(-rc));
	return rc;
}

static int open_prober(struct rt_tracker *tracker, struct cni_diags *diags)
{
	int rc = rt_prober_new(&tracker->prober, answered, tracker);

	if (rc)
		cni_diag(diags, CNI761, (struct cni_span){ 0 }, "no ICMP can be sent: %s", strerror(-rc));
	return rc;
}

static int open_links(struct rt_tracker *tracker, struct cni_diags *diags)
{
	int rc = rt_netlink_open_silent(&tracker->nl, diags);

	if (rc)
		return rc;
	rc = rt_links_new(&tracker->links, tracker->nl);
	if (rc)
		cni_diag(diags, CNI703, (struct cni_span){ 0 }, "no news of devices can be had: %s", strerror(-rc));
	return rc;
}

static void init_handles(struct rt_tracker *tracker)
{
	uv_timer_t *timers[] = { &tracker->pulse, &tracker->look_timer, &tracker->drain, &tracker->watchdog };

	for (size_t i = 0; i < sizeof(timers) / sizeof(*timers); i++) {
		(void)uv_timer_init(&tracker->loop, timers[i]);
		timers[i]->data = tracker;
	}
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (rt_prober_fd(tracker->prober, f) >= 0) {
			(void)uv_poll_init(&tracker->loop, &tracker->answers[f], rt_prober_fd(tracker->prober, f));
			tracker->answers[f].data = tracker;
		}
	(void)uv_poll_init(&tracker->loop, &tracker->news, rt_links_fd(tracker->links));
	(void)uv_fs_event_init(&tracker->loop, &tracker->folder);
	tracker->news.data = tracker->folder.data = tracker->work.data = tracker;
	for (size_t i = 0; i < sizeof(tracker->signals) / sizeof(*tracker->signals); i++) {
		(void)uv_signal_init(&tracker->loop, &tracker->signals[i]);
		tracker->signals[i].data = tracker;
	}
}

int rt_tracker_open(struct rt_tracker **tracker, const struct rt_options *options, struct cni_diags *diags)
{
	struct rt_tracker *new = calloc(1, sizeof(*new));
	int rc;

	*tracker = NULL;
	if (!new)
		return -ENOMEM;
	new->options = options;
	new->lock = new->look.lock = -1;
	new->totals.since = time(NULL);
	new->shown = cni_arena_new();
	new->folder_path = rt_look_folder(new->shown, options);
	if (new->folder_path)
		new->folder_path = strdup(new->folder_path);
	rc = uv_loop_init(&new->loop);
	if (rc) {
		free(new);
		return rc;
	}
	rc = take_lock(new, diags);
	if (!rc)
		rc = open_prober(new, diags);
	if (!rc)
		rc = open_links(new, diags);
	if (!rc) {
		init_handles(new);
		rc = rt_tracker_first_look(new, diags);
	}
	if (rc)
		rt_tracker_free(new);
	else
		*tracker = new;
	return rc;
}

static void start(struct rt_tracker *tracker)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	uint64_t watchdog = 0;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		(void)uv_signal_start(&tracker->signals[i], on_signal, numbers[i]);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (tracker->answers[f].data)
			(void)uv_poll_start(&tracker->answers[f], UV_READABLE, on_answers);
	(void)uv_poll_start(&tracker->news, UV_READABLE, on_news);
	if (sd_watchdog_enabled(0, &watchdog) > 0)
		(void)uv_timer_start(&tracker->watchdog, on_watchdog, 0, watchdog / 2000); /* us: twice in its time */
	rt_tracker_watch_folder(tracker);
	uv_update_time(&tracker->loop);
	rt_tracker_look_within(tracker, RT_LOOK_EACH);
	limit_stay(tracker); /* of flows that a tracker before this one left on backups */
	rt_tracker_settle(tracker);
	rt_tracker_turn(&tracker->pulse);
	(void)sd_notify(0, "READY=1");
}

int rt_tracker_run(struct rt_tracker *tracker)
{
	start(tracker);
	while (!tracker->ends)
		(void)uv_run(&tracker->loop, UV_RUN_DEFAULT);
	(void)sd_notify(0, "STOPPING=1");
	rt_tracker_tell_counts(tracker);
	return tracker->error;
}

static void close_handle(uv_handle_t *handle)
{
	if (handle->data && !uv_is_closing(handle))
		uv_close(handle, NULL);
}

void rt_tracker_free(struct rt_tracker *tracker)
{
	if (!tracker)
		return;
	tracker->ends = true;
	close_handle((uv_handle_t *)&tracker->pulse);
	close_handle((uv_handle_t *)&tracker->look_timer);
	close_handle((uv_handle_t *)&tracker->drain);
	close_handle((uv_handle_t *)&tracker->watchdog);
	close_handle((uv_handle_t *)&tracker->news);
	close_handle((uv_handle_t *)&tracker->folder);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		close_handle((uv_handle_t *)&tracker->answers[f]);
	for (size_t i = 0; i < sizeof(tracker->signals) / sizeof(*tracker->signals); i++)
		close_handle((uv_handle_t *)&tracker->signals[i]);
	(void)uv_run(&tracker->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&tracker->loop);
	rt_look_free(&tracker->look);
	rt_course_free(tracker->course, tracker->prober);
	rt_prober_free(tracker->prober);
	rt_links_free(tracker->links);
	rt_netlink_free(tracker->nl);
	cni_arena_free(tracker->shown);
	if (tracker->lock >= 0)
		close(tracker->lock);
	free((char *)tracker->folder_path);
	free(tracker);
}

uv_loop_t *rt_tracker_loop(struct rt_tracker *tracker)
{
	return &tracker->loop;
}
