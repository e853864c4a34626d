/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attend.c - the caller: waits for the process that makes the change, asks in its place, and takes over from it where
 * it is killed. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/commands/agree.h"
#include "runtime/commands/output.h"
#include "runtime/confirm/waiting.h"
#include "runtime/lock.h"

struct attendance {
	struct rt_supervision *s;
	bool asking; /* the question was put, and standard input is waited for */
	bool waits, keeps, stale;
	enum rt_exit status; /* of --no-wait */
};

static void ask(struct attendance *a)
{
	static const char question[] = "Keep it? [y/N] ";
	const struct rt_options *options = a->s->attempt->session->options;

	a->asking = !options->gate && !options->no_wait && rt_may_ask(options);
	if (a->asking)
		(void)rt_write_all(STDERR_FILENO, question, sizeof(question) - 1);
}

static void pass_on(struct attendance *a)
{
	struct rt_told told = { .word = RT_WORD_NO };
	char line[16];
	ssize_t len = read(STDIN_FILENO, line, sizeof(line) - 1);

	a->asking = false;
	if (len <= 0) /* nobody is there: the time decides */
		return;
	line[len] = '\0';
	if (rt_is_yes(line))
		told.word = RT_WORD_YES;
	(void)send(a->s->line, &told, sizeof(told), MSG_NOSIGNAL);
}

/* False: the other has nothing more to say. */
static bool hear(struct attendance *a)
{
	struct rt_told told;
	ssize_t len = recv(a->s->line, &told, sizeof(told), 0);

	if (len < 0 && errno == EINTR)
		return true;
	if (len != sizeof(told))
		return false;
	switch ((enum rt_word)told.word) {
	case RT_WORD_WAITS:
		a->waits = true;
		a->status = (enum rt_exit)told.status;
		ask(a);
		break;
	case RT_WORD_KEEPS:
		a->keeps = true;
		break;
	case RT_WORD_STALE:
		a->stale = true;
		break;
	default:
		break;
	}
	return !(a->waits && a->s->attempt->session->options->no_wait);
}

/* The other was killed. What it had not decided is taken back. */
static enum rt_exit take_over(struct attendance *a)
{
	struct rt_attempt *attempt = a->s->attempt;
	struct rt_session *session = attempt->session;
	struct rt_netlink *own = NULL, *shared = attempt->nl;
	enum rt_exit status;

	rt_lock_take_over(attempt->lock);
	if (a->keeps) {
		session->applied = session->changed = true;
		/* unless it was killed after that */
		if (!attempt->store || rt_revision_pending(attempt->store))
			rt_attempt_keep(attempt);
		return RT_OK;
	}
	/* what the other had sent may still be answered on the sockets that both have */
	if (rt_netlink_open(&own, session->diags)) {
		cni_diag(session->diags, CNI707, (struct cni_span){ 0 },
			 "the process that was to take the change back was killed, and this one cannot");
		rt_netlink_free(own);
		return RT_BROKEN;
	}
	attempt->nl = own;
	status = rt_way_back_go(&a->s->back, attempt, "the process that makes the change was killed");
	attempt->nl = shared;
	rt_netlink_free(own);
	return status;
}

enum rt_exit rt_attend(struct rt_supervision *s, int pid)
{
	struct attendance a = { .s = s };
	int ended = 0;
	bool more = true;

	while (more) {
		struct pollfd fds[] = { { .fd = s->line, .events = POLLIN },
					{ .fd = a.asking ? STDIN_FILENO : -1, .events = POLLIN } };

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			pass_on(&a);
		if (fds[0].revents)
			more = hear(&a);
	}
	if (a.waits && s->attempt->session->options->no_wait) {
		rt_fall_silent(s->attempt->session, false);
		return a.status;
	}
	while (waitpid(pid, &ended, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(ended))
		return take_over(&a);
	s->attempt->stale = a.stale;
	if (!a.stale)
		rt_fall_silent(s->attempt->session, false);
	return (enum rt_exit)WEXITSTATUS(ended);
}
