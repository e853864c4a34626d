/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seen.c - see seen.h. */
#include "runtime/track/seen.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compiler/arena.h"
#include "runtime/track/aside.h"
#include "runtime/track/door.h"
#include "runtime/track/metrics_file.h"
#include "runtime/track/metrics_http.h"

#define HOOK_TIMEOUT 10000 /* ms */

struct rt_seen {
	struct cni_arena *arena;
	const struct rt_options *options;
	struct cni_diags *diags;
	struct rt_tracker *tracker;
	struct rt_track_listener listener;
	struct rt_track_look look;
	struct rt_track_log log;
	struct rt_track_shown shown;
	/* NULL, or false: there is none */
	struct rt_track_door *door;
	struct rt_metrics_http *http;
	struct rt_metrics_file *file;
	int line; /* to the runner, until it is the aside's; else -1 */
	bool with_runner;
	struct rt_aside aside;
	struct rt_runner_work work;
	const char *words[RT_HOOK_WORDS + 1];
	int file_error; /* of the last write */
};

static struct rt_track_copy *take(void *arg)
{
	struct rt_seen *seen = arg;
	const struct rt_track_view *views;
	const struct rt_track_path *paths;
	size_t n_views = rt_tracker_views(seen->tracker, &views), n_paths = rt_tracker_paths(seen->tracker, &paths);
	struct rt_track_copy *copy = rt_track_copy_new(views, n_views, paths, n_paths);

	rt_tracker_totals(seen->tracker, &copy->totals);
	copy->shown = seen->shown;
	copy->shown.n_unlogged = seen->log.n_dropped;
	copy->shown.n_cut_off = seen->door ? rt_track_door_cut_off(seen->door) : 0;
	return copy;
}

static void happened(const struct rt_track_event *event, void *arg)
{
	const struct rt_hook_news news = rt_hook_news(event);
	struct rt_seen *seen = arg;

	if (seen->with_runner && seen->work.words)
		rt_aside_tell(&seen->aside, &news);
	if (seen->door)
		rt_track_door_event(seen->door, event);
	if (seen->file)
		rt_metrics_file_changed(seen->file);
	rt_track_log_event(&seen->log, event);
}

static void file_written(struct rt_seen *seen, int error)
{
	char text[256];

	rt_metrics_file_written(seen->file);
	if (error && error != seen->file_error) {
		snprintf(text, sizeof(text), "%.150s cannot be written: %s", seen->work.file, strerror(-error));
		rt_track_log_say(&seen->log, text);
	}
	seen->file_error = error;
}

static void heard(const struct rt_runner_message *message, void *arg)
{
	struct rt_seen *seen = arg;

	if (!message) {
		rt_track_log_say(&seen->log, "the process that runs commands and writes metrics was killed: until the "
					     "tracker is started again there are none");
	} else if (message->kind == RT_RUNNER_FILE) {
		file_written(seen, message->error);
	} else if (message->kind == RT_RUNNER_END) {
		seen->shown.n_hooks++;
		seen->shown.n_hooks_failed += message->end.unstarted || message->end.status;
		rt_track_log_hook(&seen->log, &message->end);
	}
}

/* ---- opening ---- */

const char *rt_seen_misused(struct cni_arena *arena, const struct rt_options *options)
{
	struct sockaddr_storage address;
	const char *words[RT_HOOK_WORDS + 1];
	const char *why = options->metrics_listen ? rt_metrics_address(options->metrics_listen, &address) : NULL;

	if (why)
		return cni_printf(arena, "--metrics-listen: '%s': %s", options->metrics_listen, why);
	if (options->on_change && !rt_hook_words(arena, options->on_change, words))
		return cni_printf(arena,
				  "--on-change: '%s' is no command: words, at most %d, with blanks in '...' or \"...\"",
				  options->on_change, RT_HOOK_WORDS);
	return NULL;
}

static void warn(struct rt_seen *seen, int rc, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void warn(struct rt_seen *seen, int rc, const char *format, ...)
{
	va_list args;

	if (!rc)
		return;
	va_start(args, format);
	cni_diag(seen->diags, CNI780, (struct cni_span){ 0 }, "%s: %s", cni_vprintf(seen->arena, format, args),
		 strerror(-rc));
	va_end(args);
}

static void start_runner(struct rt_seen *seen)
{
	const struct rt_options *options = seen->options;
	int rc = 0;

	if (!options->on_change && !options->metrics_file)
		return;
	if (options->on_change && rt_hook_words(seen->arena, options->on_change, seen->words))
		seen->work.words = seen->words;
	seen->work.timeout = options->hook_timeout ? options->hook_timeout : HOOK_TIMEOUT;
	seen->work.file = options->metrics_file;
	if (seen->work.file)
		seen->work.memory = memfd_create("cnic-metrics", MFD_CLOEXEC);
	if (seen->work.file && seen->work.memory < 0)
		rc = -errno;
	if (!rc)
		rc = rt_runner_start(&seen->work, &seen->line);
	warn(seen, rc, "the process for commands and metrics");
}

static void open_runner(struct rt_seen *seen)
{
	uv_loop_t *loop = rt_tracker_loop(seen->tracker);
	int rc;

	if (seen->line < 0)
		return;
	rc = rt_aside_open(&seen->aside, loop, seen->line, heard, seen);
	seen->line = -1;
	seen->with_runner = !rc;
	warn(seen, rc, "the process for commands and metrics");
	if (!rc && seen->work.file)
		seen->file = rt_metrics_file_open(loop, &seen->aside, seen->work.memory, &seen->look);
}

static void open_door(struct rt_seen *seen)
{
	const char *path, *unreadable;
	int rc = rt_track_door_path(seen->arena, &path, &unreadable);

	warn(seen, rc, "%s", unreadable);
	if (!rc && !path)
		cni_diag(seen->diags, CNI780, (struct cni_span){ 0 },
			 "this network namespace has no name: `cnic status` cannot ask this tracker");
	if (!path)
		return;
	rc = rt_track_door_open(&seen->door, rt_tracker_loop(seen->tracker), path, &seen->look);
	warn(seen, rc, "the socket %s", path);
}

static void open_http(struct rt_seen *seen, const char *at)
{
	struct sockaddr_storage address;
	int rc = -EINVAL;

	if (!rt_metrics_address(at, &address))
		rc = rt_metrics_http_open(&seen->http, rt_tracker_loop(seen->tracker), &address, &seen->look);
	warn(seen, rc, "metrics at %s", at);
}

struct rt_seen *rt_seen_new(const struct rt_options *options, struct cni_diags *diags)
{
	struct cni_arena *arena = cni_arena_new();
	struct rt_seen *seen = cni_new(arena, struct rt_seen);

	*seen = (struct rt_seen){ .arena = arena,
				  .options = options,
				  .diags = diags,
				  .log = { .journal = -1, .syslog = -1 },
				  .work.memory = -1,
				  .line = -1 };
	start_runner(seen);
	return seen;
}

void rt_seen_open(struct rt_seen *seen, struct rt_tracker *tracker)
{
	const struct rt_options *options = seen->options;

	seen->tracker = tracker;
	seen->listener = (struct rt_track_listener){ .event = happened, .arg = seen };
	seen->look = (struct rt_track_look){ .take = take, .arg = seen };
	warn(seen, rt_track_log_open(&seen->log, options->syslog, options->verbose, options->quiet), "logs");
	open_runner(seen);
	open_door(seen);
	if (options->metrics_listen)
		open_http(seen, options->metrics_listen);
	rt_tracker_listen(tracker, &seen->listener);
}

void rt_seen_close(struct rt_seen *seen)
{
	if (seen->file)
		rt_metrics_file_close(seen->file);
	if (seen->with_runner)
		rt_aside_close(&seen->aside);
	if (seen->http)
		rt_metrics_http_close(seen->http);
	if (seen->door)
		rt_track_door_close(seen->door);
}

void rt_seen_free(struct rt_seen *seen)
{
	rt_metrics_file_free(seen->file);
	rt_metrics_http_free(seen->http);
	rt_track_door_free(seen->door);
	rt_track_log_close(&seen->log);
	if (seen->line >= 0)
		close(seen->line);
	if (seen->work.memory >= 0)
		close(seen->work.memory);
	cni_arena_free(seen->arena);
}
