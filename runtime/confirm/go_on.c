/* SPDX-License-Identifier: GPL-2.0-or-later */
/* go_on.c - the process that makes the change, awaits the word, and keeps the change or takes it back. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "runtime/commands/revision.h"
#include "runtime/confirm/waiting.h"

struct watch {
	int timer; /* of CLOCK_BOOTTIME: the time that a machine sleeps counts */
	int ending; /* SIGTERM */
};

struct word {
	bool keep;
	const char *why; /* not */
};

static void send_word(const struct rt_supervision *s, enum rt_word word, enum rt_exit status)
{
	const struct rt_told told = { (uint8_t)word, (uint8_t)status };

	if (s->line >= 0)
		(void)send(s->line, &told, sizeof(told), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- the wait ---- */

static void watch_end(struct watch *watch)
{
	if (watch->timer >= 0)
		close(watch->timer);
	if (watch->ending >= 0)
		close(watch->ending);
}

static int watch_begin(struct watch *watch, unsigned int limit)
{
	const struct itimerspec at = { .it_value = { .tv_sec = limit / 1000, .tv_nsec = limit % 1000 * 1000000L } };
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	watch->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	watch->ending = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
	if (watch->timer < 0 || watch->ending < 0 || timerfd_settime(watch->timer, 0, &at, NULL))
		return -errno;
	return 0;
}

/* What the caller passed on, of the one that it asked. False: nothing. */
static bool hear_caller(struct rt_supervision *s, struct word *word)
{
	struct rt_told told;
	ssize_t len = recv(s->line, &told, sizeof(told), MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (len != sizeof(told)) {
		close(s->line);
		s->line = -1;
		return false;
	}
	*word = (struct word){ told.word == RT_WORD_YES, "it was refused" };
	return true;
}

static bool hear_door(struct rt_supervision *s, struct word *word)
{
	enum rt_wish wish = rt_door_look(&s->door);

	*word = (struct word){ wish == RT_WISH_KEEP, "it was refused" };
	return wish != RT_WISH_NONE;
}

static struct word await(struct rt_supervision *s, const struct watch *watch)
{
	const char *late = cni_printf(s->attempt->session->arena, "not confirmed within %g s", s->limit / 1000.0);
	struct word word = { false, NULL };

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = watch->timer, .events = POLLIN },	 { .fd = watch->ending, .events = POLLIN },
			{ .fd = s->door.any, .events = POLLIN },	 { .fd = s->line, .events = POLLIN },
			{ .fd = rt_gate_fd(s->gate), .events = POLLIN },
		};

		if (poll(fds, sizeof(fds) / sizeof(*fds), rt_gate_next(s->gate)) < 0 && errno != EINTR)
			return (struct word){ false, "the wait failed" };
		if (fds[0].revents)
			return (struct word){ false, late };
		if (fds[1].revents)
			return (struct word){ false, "ended by SIGTERM" };
		if ((fds[2].revents && hear_door(s, &word)) || (fds[3].revents && hear_caller(s, &word)))
			return word;
		if (s->gate && rt_gate_look(s->gate))
			return (struct word){ true, NULL };
	}
}

/* ---- what is said ---- */

static int64_t deadline_of(unsigned int limit)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec + (now.tv_nsec / 1000000 + limit) / 1000;
}

static void tell(struct rt_session *session, unsigned int number, unsigned int limit, int64_t deadline)
{
	json_t *revision = number ? json_integer(number) : json_null();

	if (number)
		rt_session_json(session, "revision", json_integer(number));
	rt_session_json(
		session, "awaits",
		json_pack("{s:o, s:s}", "revision", revision, "deadline", rt_time_text(session->arena, deadline)));
	rt_say(session, "%s is applied; `cnic confirm` within %g s, or the former policy comes back",
	       number ? cni_printf(session->arena, "revision %u", number) : "the change", limit / 1000.0);
}

/* All that is to be said has been: from here on the caller's terminal or pipe is left alone, so that whoever waits for
 * its end need not wait for this process. */
static void detach(struct rt_supervision *s)
{
	struct rt_session *session = s->attempt->session;
	enum rt_exit status = rt_session_end(session, RT_OK);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	rt_fall_silent(session, true);
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
	send_word(s, RT_WORD_WAITS, status);
}

/* ---- all ---- */

static enum rt_exit finish(struct rt_supervision *s, struct word word)
{
	struct rt_attempt *attempt = s->attempt;
	enum rt_exit status;

	if (word.keep) {
		send_word(s, RT_WORD_KEEPS, RT_OK);
		rt_attempt_keep(attempt);
		rt_door_answer(&s->door, RT_WIRE_KEPT);
		return RT_OK;
	}
	if (s->gate)
		rt_gate_report(s->gate, attempt->session->diags);
	status = rt_way_back_go(&s->back, attempt, word.why);
	rt_door_answer(&s->door, status == RT_REVERTED ? RT_WIRE_REVERTED : RT_WIRE_BROKEN);
	return status;
}

static enum rt_exit wait_and_finish(struct rt_supervision *s)
{
	struct rt_attempt *attempt = s->attempt;
	struct rt_session *session = attempt->session;
	struct watch watch = { -1, -1 };
	int64_t deadline = deadline_of(s->limit);
	struct word word = { false, "ended by SIGTERM" };
	int rc = watch_begin(&watch, s->limit);

	if (!rc)
		rc = rt_door_listen(&s->door);
	if (attempt->number)
		(void)rt_revision_await(attempt->store, deadline);
	if (rc) {
		word.why = "the wait failed";
	} else if (!attempt->interrupted) {
		tell(session, attempt->number, s->limit, deadline);
		if (session->options->no_wait)
			detach(s);
		else
			send_word(s, RT_WORD_WAITS, RT_OK);
		word = await(s, &watch);
	}
	watch_end(&watch);
	return finish(s, word);
}

enum rt_exit rt_go_on(struct rt_supervision *s)
{
	struct rt_attempt *attempt = s->attempt;
	enum rt_exit status = rt_attempt_carry_out(attempt);

	if (attempt->stale) {
		/* the caller makes another plan, and asks again */
		attempt->stale = false;
		send_word(s, RT_WORD_STALE, status);
		rt_fall_silent(attempt->session, false);
		return status;
	}
	/* nobody could be asked about what cannot be seen; what hid it may be over by now */
	if (status == RT_BROKEN)
		return rt_way_back_go(&s->back, attempt, "what the router holds could not be verified");
	return status == RT_OK ? wait_and_finish(s) : status;
}
