/* SPDX-License-Identifier: GPL-2.0-or-later */
/* supervise.c - what is made ready before the change, and the fork; see supervise.h. */
#include "runtime/confirm/supervise.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/confirm/waiting.h"
#include "runtime/lock.h"

void rt_fall_silent(struct rt_session *session, bool printed)
{
	struct rt_session *aside = rt_session_aside(session);

	aside->policy = session->policy;
	aside->sources = session->sources;
	if (!printed)
		json_decref(session->json);
	*session = *aside;
}

static enum rt_exit cannot(struct rt_attempt *attempt, const char *what, int error)
{
	struct rt_session *session = attempt->session;

	cni_diag(session->diags, CNI703, (struct cni_span){ 0 }, "no waiting for a confirmation: %s: %s", what,
		 strerror(error));
	rt_attempt_discard(attempt);
	return RT_ERROR;
}

/* Ends with the signals of the terminal and of the caller's end out of the way; SIGTERM waits to be read. */
static void become_independent(void)
{
	static const int unheeded[] = { SIGHUP, SIGINT, SIGQUIT };

	setsid();
	for (size_t i = 0; i < sizeof(unheeded) / sizeof(*unheeded); i++)
		signal(unheeded[i], SIG_IGN);
}

static enum rt_exit part(struct rt_supervision *s)
{
	sigset_t endings, former;
	int line[2], pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line))
		return cannot(s->attempt, "a pair of sockets", errno);
	signal(SIGCHLD, SIG_DFL); /* so that the end of the other can be waited for, whatever was inherited */
	sigemptyset(&endings);
	sigaddset(&endings, SIGHUP);
	sigaddset(&endings, SIGINT);
	sigaddset(&endings, SIGQUIT);
	sigaddset(&endings, SIGTERM);
	sigprocmask(SIG_BLOCK, &endings, &former);
	pid = fork();
	if (pid < 0) {
		int error = errno;

		sigprocmask(SIG_SETMASK, &former, NULL);
		close(line[0]);
		close(line[1]);
		return cannot(s->attempt, "a process", error);
	}
	s->line = line[!pid];
	close(line[!!pid]);
	if (!pid) {
		become_independent();
		rt_lock_take_over(s->attempt->lock);
		return rt_go_on(s);
	}
	sigprocmask(SIG_SETMASK, &former, NULL);
	rt_door_close(&s->door);
	return rt_attend(s, pid);
}

enum rt_exit rt_supervise(struct rt_attempt *attempt, unsigned int limit)
{
	struct rt_supervision s = { .attempt = attempt, .limit = limit, .line = -1 };
	int rc = rt_door_open(&s.door);
	enum rt_exit status;

	if (rc)
		return cannot(attempt, "the socket for it", -rc);
	s.door.revision = attempt->number;
	if (attempt->session->options->gate) {
		rc = rt_gate_new(&s.gate, attempt);
		if (rc) {
			rt_door_close(&s.door);
			return cannot(attempt, "probing", -rc);
		}
	}
	rt_way_back_find(&s.back, attempt);
	status = part(&s);
	if (s.line >= 0)
		close(s.line);
	rt_way_back_end(&s.back);
	rt_gate_free(s.gate);
	rt_door_close(&s.door);
	return status;
}
