/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracker_look.c - when the tracker looks at its policy and at the routes, and what it does with what it finds. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "runtime/track/tracker_internal.h"

/* ---- looks at the policy ---- */

static void look(uv_timer_t *timer);

void rt_tracker_look_within(struct rt_tracker *tracker, uint64_t ms)
{
	const uint64_t at = uv_now(&tracker->loop) + ms;

	if (tracker->looks) {
		tracker->look_again |= ms < RT_LOOK_EACH;
		return;
	}
	if (uv_is_active((uv_handle_t *)&tracker->look_timer) && tracker->look_at <= at)
		return;
	tracker->look_at = at;
	(void)uv_timer_start(&tracker->look_timer, look, ms, 0);
}

void rt_tracker_doubt(struct rt_tracker *tracker, const struct rt_failover *done)
{
	uint64_t pause = RT_LOOK_REFUSED;

	if (!done->doubtful)
		return;
	tracker->routes = true;
	for (unsigned int i = 0; i < tracker->n_refused && pause < RT_LOOK_EACH; i++)
		pause *= 2;
	tracker->n_refused++;
	if (done->error) {
		tracker->totals.n_refused++;
		if (strcmp(done->text, tracker->refused) != 0)
			rt_tracker_say(tracker, false, "the kernel refused: %s", done->text);
		snprintf(tracker->refused, sizeof(tracker->refused), "%s", done->text);
	}
	rt_tracker_look_within(tracker, pause < RT_LOOK_EACH ? pause : RT_LOOK_EACH);
}

/* ---- a look, and what it found ---- */

static void on_folder(uv_fs_event_t *folder, const char *name, int events, int status)
{
	(void)name;
	(void)events;
	(void)status;
	rt_tracker_look_within(folder->data, RT_LOOK_SOON);
}

void rt_tracker_watch_folder(struct rt_tracker *tracker)
{
	if (tracker->folder_path && !tracker->watches_folder)
		tracker->watches_folder = !uv_fs_event_start(&tracker->folder, on_folder, tracker->folder_path, 0);
}

static void ask_look(struct rt_tracker *tracker)
{
	tracker->look = (struct rt_look){ .options = tracker->options,
					  .known = tracker->course ? tracker->course->text : NULL,
					  .generation = tracker->generation,
					  .paths = tracker->paths,
					  .again = tracker->files_again,
					  .routes = tracker->routes,
					  .lock = -1 };
	tracker->files_again = tracker->routes = false;
}

static void tell_failure(struct rt_tracker *tracker, const char *failure)
{
	if (failure && strncmp(failure, tracker->failure, sizeof(tracker->failure) - 1) != 0)
		rt_tracker_say(tracker, false, "%s", failure);
	snprintf(tracker->failure, sizeof(tracker->failure), "%s", failure ? failure : "");
	tracker->totals.n_load_errors += !!failure;
}

static void tell_policy(struct rt_tracker *tracker)
{
	const struct rt_course *course = tracker->course;
	const char *of = course->text->revision ? "revision " : "the policy";
	char number[16] = "";

	if (course->text->revision)
		snprintf(number, sizeof(number), "%u", course->text->revision);
	if (!course->text->model)
		rt_tracker_say(tracker, false, "no policy is applied here: there is nothing to track");
	else
		rt_tracker_say(tracker, false, "%s%s: %zu target%s, %zu address%s%s", of, number, course->n_targets,
			       course->n_targets == 1 ? "" : "s", course->n_slots, course->n_slots == 1 ? "" : "es",
			       course->installed ? "" : "; it is not what the kernel holds: probed, but not acted on");
	(void)sd_notifyf(0, "STATUS=%zu targets, %zu addresses%s", course->n_targets, course->n_slots,
			 course->installed ? "" : "; the policy is not applied");
}

static int take_course(struct rt_tracker *tracker)
{
	struct rt_course *former = tracker->course;
	const bool told = former && former->text == tracker->look.known && !tracker->look.text &&
			  former->installed == tracker->look.installed;

	tracker->course = rt_course_new(&tracker->look, former, tracker->prober, tracker->links, rt_track_now());
	if (!tracker->course) {
		tracker->course = former;
		return -ENOMEM;
	}
	rt_course_free(former, tracker->prober);
	tracker->totals.n_loads++;
	tracker->totals.revision = tracker->course->text->revision;
	if (!told)
		tell_policy(tracker);
	return 0;
}

/* The lock, if it is held, goes with the look, when the routes are right. */
static void take_look(struct rt_tracker *tracker)
{
	struct rt_look *found = &tracker->look;
	struct rt_failover mended = { 0 };
	/* both are parts of the look's arena, which a new course takes over */
	const struct cni_state *observed = found->observed;
	struct cni_arena *arena = found->desired ? NULL : found->arena;
	int rc = 0;

	tell_failure(tracker, found->failure);
	tracker->generation = found->generation;
	tracker->paths = found->paths;
	if (found->desired)
		rc = take_course(tracker);
	if (!rc && observed) {
		rt_forget_devices(tracker->nl);
		mended = rt_failover_mend(tracker->course, tracker->nl, observed);
		if (mended.n_routes)
			rt_tracker_say(tracker, true, "%u routes were put right", mended.n_routes);
		if (!mended.doubtful) {
			tracker->n_refused = 0;
			*tracker->refused = '\0';
		}
		rt_tracker_doubt(tracker, &mended);
	}
	found->arena = arena;
	if (rc)
		rt_tracker_stop(tracker, rc);
}

static void work(uv_work_t *request)
{
	struct rt_tracker *tracker = request->data;

	rt_look(&tracker->look);
}

static void after_work(uv_work_t *request, int status)
{
	struct rt_tracker *tracker = request->data;
	const bool busy = tracker->look.busy, new_course = tracker->look.desired;

	tracker->looks = false;
	if (status || tracker->ends) {
		rt_text_of_policy_free(tracker->look.text);
		rt_look_free(&tracker->look);
		return;
	}
	tracker->routes |= busy && tracker->look.routes;
	tracker->files_again |= tracker->look.again && tracker->look.failure;
	take_look(tracker);
	rt_look_free(&tracker->look);
	rt_tracker_watch_folder(tracker);
	if (new_course) {
		rt_tracker_settle(tracker);
		rt_tracker_turn(&tracker->pulse);
	}
	rt_tracker_look_within(tracker, busy ? RT_LOOK_BUSY : tracker->look_again ? RT_LOOK_SOON : RT_LOOK_EACH);
	tracker->look_again = false;
}

static void look(uv_timer_t *timer)
{
	struct rt_tracker *tracker = timer->data;

	ask_look(tracker);
	tracker->looks = true;
	if (uv_queue_work(&tracker->loop, &tracker->work, work, after_work))
		tracker->looks = false;
}

/* Without a policy there is nothing to go on from: what is wrong with it then ends all. */
int rt_tracker_first_look(struct rt_tracker *tracker, struct cni_diags *diags)
{
	int rc = 0;

	tracker->files_again = tracker->routes = true;
	do {
		if (tracker->look.busy)
			uv_sleep(RT_LOOK_BUSY);
		rt_look_free(&tracker->look);
		ask_look(tracker);
		tracker->look.again = tracker->look.routes = true;
		rt_look(&tracker->look);
	} while (tracker->look.busy);
	if (!tracker->look.desired) {
		cni_diag(diags, CNI762, (struct cni_span){ 0 }, "%s",
			 tracker->look.failure ? tracker->look.failure : "");
		rc = -EINVAL;
	} else {
		take_look(tracker);
		rc = tracker->error;
	}
	rt_look_free(&tracker->look);
	return rc;
}
