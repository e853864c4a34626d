/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_watch.c - see status_watch.h. */
#include "runtime/commands/status_watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "runtime/commands/output.h"
#include "runtime/commands/revision.h"
#include "runtime/track/ask.h"

#define INTERVAL 2000 /* ms */
#define SHORTEST 100 /* ms: a look reads all of the kernel's routes */

/* ANSI X3.64: home; erase to the end of the line, and of the screen. Unlike a clear before, it does not flicker. */
#define HOME "\033[H"
#define END_OF_LINE "\033[K"
#define END_OF_SCREEN "\033[J"

struct watch {
	struct rt_session *session;
	struct rt_options options; /* of what is shown at a time */
	int signals;
	long interval; /* ms */
};

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until `until`, at most; until `fd` can be read, unless it is -1. False: a signal says that it is the end. */
static bool wait_for(const struct watch *watch, int fd, long until)
{
	struct pollfd fds[] = { { .fd = watch->signals, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
	long left = until - now();

	(void)poll(fds, 2, left < 0 ? 0 : (int)left);
	return !fds[0].revents;
}

/* ---- again and again ---- */

/* What a look says on standard error belongs on the screen. */
static void add_warnings(struct cni_text *out, const json_t *look)
{
	const json_t *warnings = json_object_get(look, "warnings"), *warning;
	const json_t *awaits = json_object_get(look, "awaits");
	size_t i;

	json_array_foreach(warnings, i, warning) cni_text_printf(out, "warning: %s\n", json_string_value(warning));
	if (json_is_object(awaits))
		cni_text_printf(out, "revision %d awaits `cnic confirm` until %s\n",
				(int)json_integer_value(json_object_get(awaits, "revision")),
				json_string_value(json_object_get(awaits, "deadline")));
}

/* As much of it as the screen has lines for. */
static void draw_in_place(struct cni_text *out)
{
	struct cni_text drawn = { .arena = out->arena };
	struct winsize screen = { 0 };
	unsigned int left = ioctl(STDOUT_FILENO, TIOCGWINSZ, &screen) || !screen.ws_row ? UINT_MAX : screen.ws_row - 1u;

	cni_text_puts(&drawn, HOME);
	for (const char *line = out->data, *end; *line && left--; line = end + 1) {
		end = strchrnul(line, '\n');
		cni_text_add(&drawn, line, (size_t)(end - line));
		cni_text_puts(&drawn, END_OF_LINE "\n");
		if (!*end)
			break;
	}
	cni_text_puts(&drawn, END_OF_SCREEN);
	*out = drawn;
}

static enum rt_exit look_once(const struct watch *watch, bool in_place)
{
	struct cni_arena *arena = cni_arena_new();
	struct rt_session *look = rt_session_new(arena, &watch->options);
	struct cni_text status = { .arena = arena };
	enum rt_exit rc = rt_status_once(look);

	if (rc == RT_OK) {
		cni_text_printf(&status, "%s\n", rt_time_text(arena, time(NULL)));
		add_warnings(&status, look->json);
		cni_text_printf(&status, "\n%s%s", look->out.data, in_place ? "" : "\n");
		look->out = status;
		if (in_place)
			draw_in_place(&look->out);
	}
	rc = rt_session_end(look, rc);
	cni_arena_free(arena);
	return rc;
}

static enum rt_exit watch_status(const struct watch *watch)
{
	bool in_place = !watch->options.output && isatty(STDOUT_FILENO);
	enum rt_exit rc;
	long next;

	do {
		next = now() + watch->interval;
		rc = look_once(watch, in_place);
	} while (rc == RT_OK && wait_for(watch, -1, next));
	return rc;
}

/* ---- each event ---- */

static bool print(struct rt_session *session, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9));
	int rc = text ? rt_write_all(STDOUT_FILENO, text, strlen(text)) : -ENOMEM;

	if (!rc)
		rc = rt_write_all(STDOUT_FILENO, "\n", 1);
	free(text);
	if (rc)
		rt_fail(session, "cannot write standard output: %s", strerror(-rc));
	return !rc;
}

static enum rt_exit lost(struct rt_session *session, int rc)
{
	if (rc == -ENOENT)
		return rt_fail(session, "no tracker runs in this network namespace: cnic track");
	if (rc == -ECONNRESET || rc == -EPIPE)
		return rt_fail(session, "the tracker has ended, or this reader was too slow for it");
	return rt_fail(session, "the tracker cannot be asked: %s",
		       rc == -EPROTO ? "it is of another version" : strerror(-rc));
}

static enum rt_exit stream_events(const struct watch *watch)
{
	struct rt_session *session = watch->session;
	struct rt_track_stream stream;
	long next = 0; /* state */
	int rc = rt_track_stream_open(&stream, session->arena);
	bool on = !rc;

	if (!rc)
		rc = rt_track_stream_watch(&stream);
	while (on && (!rc || rc == -EAGAIN)) {
		json_t *json = NULL;
		const char *type;

		rc = rt_track_stream_next(&stream, &json);
		if (rc == -EAGAIN)
			on = wait_for(watch, stream.fd, now() + INTERVAL);
		if (rc)
			continue;
		type = json_string_value(json_object_get(json, "type"));
		if (strcmp(type, "state") || now() >= next)
			on = print(session, json) && wait_for(watch, -1, 0);
		if (!strcmp(type, "state") && now() >= next)
			next = now() + watch->interval;
		json_decref(json);
	}
	rt_track_stream_close(&stream);
	if (session->failure)
		return RT_ERROR;
	return rc && rc != -EAGAIN ? lost(session, rc) : RT_OK;
}

/* ---- the command ---- */

/* "2", "0.5", or a time as options have it. */
static bool seconds(const char *text, long *interval)
{
	unsigned int ms;
	char *end;
	double n = strtod(text, &end);

	if (rt_duration(text, &ms))
		n = ms;
	else if (!*end && end != text && n > 0 && n <= 86400)
		n *= 1000;
	else
		return false;
	*interval = (long)n;
	return *interval >= SHORTEST;
}

enum rt_exit rt_status_watch(struct rt_session *session)
{
	struct rt_options *silent = cni_new(session->arena, struct rt_options);
	struct watch watch = { .session = session, .options = *session->options, .interval = INTERVAL };
	bool json = session->options->json;
	sigset_t ends;
	enum rt_exit rc;

	/* what is shown is shown at once: nothing is left for the end */
	*silent = *session->options;
	silent->json = false;
	silent->output = NULL;
	session->options = silent;
	watch.options.quiet = true;
	if (silent->n_operands && !seconds(silent->operands[0], &watch.interval)) {
		rt_fail(session, "status --watch: '%s' is no number of seconds from 0.1 to 86400", silent->operands[0]);
		return RT_USAGE;
	}
	if (json && watch.options.output) {
		rt_fail(session, "status --watch --json: it goes to standard output alone");
		return RT_USAGE;
	}
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	watch.signals = signalfd(-1, &ends, SFD_CLOEXEC);
	if (watch.signals < 0)
		return rt_fail(session, "a descriptor for signals: %s", strerror(errno));
	rc = json ? stream_events(&watch) : watch_status(&watch);
	close(watch.signals);
	return rc;
}
