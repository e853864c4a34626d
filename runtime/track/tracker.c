/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracker.c - the loop: what wakes it, and what is then done; see tracker.h. */
#include "runtime/track/tracker.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "runtime/commands/output.h"
#include "runtime/local.h"
#include "runtime/track/course.h"
#include "runtime/track/failover.h"

#define LOCK "cnic.track"
#define MS UINT64_C(1000000)
/* ms until the next look at the policy, and at the routes */
#define LOOK_EACH 3000 /* by itself */
#define LOOK_SOON 20 /* after something was told: more of it may come */
#define LOOK_BUSY 200 /* while somebody changes the network */
#define LOOK_REFUSED 100 /* the first time; twice as long each further one, up to LOOK_EACH */

struct rt_tracker {
	uv_loop_t loop;
	uv_timer_t pulse, look_timer, drain, watchdog;
	uv_poll_t answers[CNI_N_FAMILIES], news;
	uv_signal_t signals[3];
	uv_fs_event_t folder;
	uv_work_t work;
	const struct rt_options *options;
	struct rt_netlink *nl;
	struct rt_prober *prober;
	struct rt_links *links;
	struct rt_course *course;
	struct rt_look look; /* while looks */
	bool looks, look_again; /* another look is wanted when this one is over */
	bool files_again, routes; /* what that one is to do */
	uint64_t look_at; /* ms of the loop; of the timer */
	uint32_t generation, paths; /* as they were found last */
	unsigned int n_refused; /* in a row */
	char failure[512]; /* of the last look: told once */
	const char *folder_path;
	bool watches_folder, ends;
	int lock, error;
	struct rt_track_listener *listeners;
	struct rt_track_totals totals;
	struct cni_arena *shown; /* what views and paths were given out in */
};

/* ---- telling ---- */

/* A reader of our messages that does not read must not hold us up. */
static void say(const struct rt_tracker *tracker, bool detail, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(const struct rt_tracker *tracker, bool detail, const char *format, ...)
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

static void tell(struct rt_tracker *tracker, struct rt_target *target, const struct rt_failover *done)
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

/* ---- looks at the policy ---- */

static void look(uv_timer_t *timer);

static void look_within(struct rt_tracker *tracker, uint64_t ms)
{
	const uint64_t at = uv_now(&tracker->loop) + ms;

	if (tracker->looks) {
		tracker->look_again |= ms < LOOK_EACH;
		return;
	}
	if (uv_is_active((uv_handle_t *)&tracker->look_timer) && tracker->look_at <= at)
		return;
	tracker->look_at = at;
	(void)uv_timer_start(&tracker->look_timer, look, ms, 0);
}

/* Routes that were refused, or not as they were believed to be, are looked at again: at growing distances. */
static void doubt(struct rt_tracker *tracker, const struct rt_failover *done)
{
	uint64_t pause = LOOK_REFUSED;

	if (!done->doubtful)
		return;
	tracker->routes = true;
	for (unsigned int i = 0; i < tracker->n_refused && pause < LOOK_EACH; i++)
		pause *= 2;
	if (done->error) {
		tracker->n_refused++;
		tracker->totals.n_refused++;
		say(tracker, false, "the kernel refused: %s", done->text);
	}
	look_within(tracker, pause < LOOK_EACH ? pause : LOOK_EACH);
}

/* ---- changes ---- */

static void end_of_stay(uv_timer_t *timer)
{
	struct rt_tracker *tracker = timer->data;
	const struct rt_failover done = rt_failover_return(tracker->course, tracker->nl);

	say(tracker, true, "the time of flows on backups is over: %u go back", done.n_flows);
	if (done.error)
		say(tracker, false, "the kernel refused: %s", done.text);
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
			tell(tracker, &course->targets[i], &done);
	if (done.stays)
		limit_stay(tracker);
	doubt(tracker, &done);
}

/* What went down goes first: nothing that comes back can be as urgent. */
static void settle(struct rt_tracker *tracker)
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

static void turn(uv_timer_t *timer);

static void wake_at(struct rt_tracker *tracker, uint64_t due)
{
	const uint64_t ms = due / MS + !!(due % MS); /* of the loop's clock, which is the same one */

	uv_update_time(&tracker->loop);
	if (due == UINT64_MAX)
		(void)uv_timer_stop(&tracker->pulse);
	else
		(void)uv_timer_start(&tracker->pulse, turn,
				     ms > uv_now(&tracker->loop) ? ms - uv_now(&tracker->loop) : 0, 0);
}

static void turn(uv_timer_t *timer)
{
	struct rt_tracker *tracker = timer->data;
	const uint64_t due = rt_course_turn(tracker->course, tracker->prober, tracker->links, rt_track_now());

	settle(tracker);
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
	settle(tracker);
}

static void stop(struct rt_tracker *tracker, int error)
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
		say(tracker, false, "the kernel tells nothing of devices any more: %s", strerror(-rc));
		stop(tracker, rc);
		return;
	}
	if (news.links) {
		rt_forget_devices(tracker->nl);
		rt_course_links(tracker->course, rt_track_now());
		settle(tracker);
		turn(&tracker->pulse);
	}
	if (news.routes) {
		tracker->routes = true;
		look_within(tracker, LOOK_SOON);
	}
}

static void on_folder(uv_fs_event_t *folder, const char *name, int events, int status)
{
	(void)name;
	(void)events;
	(void)status;
	look_within(folder->data, LOOK_SOON);
}

static void on_signal(uv_signal_t *signal, int number)
{
	struct rt_tracker *tracker = signal->data;

	if (number != SIGHUP) {
		stop(tracker, 0);
		return;
	}
	tracker->files_again = tracker->routes = true;
	look_within(tracker, 0);
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	(void)sd_notify(0, "WATCHDOG=1");
}

/* ---- a look, and what it found ---- */

static void watch_folder(struct rt_tracker *tracker)
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
		say(tracker, false, "%s", failure);
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
		say(tracker, false, "no policy is applied here: there is nothing to track");
	else
		say(tracker, false, "%s%s: %zu target%s, %zu address%s%s", of, number, course->n_targets,
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
			say(tracker, true, "%u routes were put right", mended.n_routes);
		if (!mended.error)
			tracker->n_refused = 0;
		doubt(tracker, &mended);
	}
	found->arena = arena;
	if (rc)
		stop(tracker, rc);
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
	watch_folder(tracker);
	if (new_course) {
		settle(tracker);
		turn(&tracker->pulse);
	}
	look_within(tracker, busy ? LOOK_BUSY : tracker->look_again ? LOOK_SOON : LOOK_EACH);
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

/* Without a policy there is nothing to go on from: what is wrong with it then ends all. */
static int first_look(struct rt_tracker *tracker, struct cni_diags *diags)
{
	int rc = 0;

	tracker->files_again = tracker->routes = true;
	do {
		if (tracker->look.busy)
			uv_sleep(LOOK_BUSY);
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
		rc = first_look(new, diags);
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
	watch_folder(tracker);
	uv_update_time(&tracker->loop);
	look_within(tracker, LOOK_EACH);
	limit_stay(tracker); /* of flows that a tracker before this one left on backups */
	settle(tracker);
	turn(&tracker->pulse);
	(void)sd_notify(0, "READY=1");
}

/* For who looks whether it did well. */
static void tell_counts(struct rt_tracker *tracker)
{
	const struct rt_course *course = tracker->course;
	char text[CNI_ADDR_TEXT];

	for (size_t i = 0; i < course->n_slots; i++) {
		const struct rt_target *target = course->slots[i].target;
		const struct rt_track_probe *probe = &target->judge.probes[course->slots[i].probe];

		say(tracker, true,
		    "%s %s: %" PRIu64 " sent, %" PRIu64 " answered, %" PRIu64 " lost, %" PRIu64 " late, %" PRIu64
		    " refused; %u changes",
		    target->target->name, cni_addr_format(probe->target, text), probe->n_sent, probe->n_answered,
		    probe->n_lost, probe->n_late, probe->n_refused, target->judge.flaps);
	}
	say(tracker, true,
	    "%" PRIu64 " switches, the longest of %" PRIu64 " us; %" PRIu64 " refused; %" PRIu64 " strays",
	    tracker->totals.n_switches, tracker->totals.switch_max / 1000, tracker->totals.n_refused,
	    rt_prober_strays(tracker->prober));
}

int rt_tracker_run(struct rt_tracker *tracker)
{
	start(tracker);
	while (!tracker->ends)
		(void)uv_run(&tracker->loop, UV_RUN_DEFAULT);
	(void)sd_notify(0, "STOPPING=1");
	tell_counts(tracker);
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

/* "cf1 then cf2 else drop" of the counter "path.7". */
static const char *path_name(const struct cni_state *desired, uint32_t mark)
{
	const uint32_t id = mark >> __builtin_ctz(desired->id_mask);
	char name[24];

	snprintf(name, sizeof(name), "path.%u", id);
	for (size_t i = 0; i < desired->n_counters; i++)
		if (!strcmp(desired->counters[i].name, name) && desired->counters[i].comment)
			return desired->counters[i].comment;
	return "";
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
