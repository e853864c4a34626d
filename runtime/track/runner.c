/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runner.c - see runner.h. */
#include "runtime/track/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/commands/output.h"

#define LINE_ROOM (4 << 20) /* for a thousand targets that change at once; the kernel may give less */

struct runner {
	const struct rt_runner_work *work;
	struct rt_hooks *hooks;
	int line; /* -1: the tracker has ended */
	struct stat written; /* the file as we left it */
};

static void answer(const struct runner *runner, const struct rt_runner_message *message)
{
	(void)send(runner->line, message, sizeof(*message), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void ended(const struct rt_hook_end *end, void *arg)
{
	answer(arg, &(struct rt_runner_message){ .kind = RT_RUNNER_END, .end = *end });
}

/* ---- the file ---- */

static void write_file(struct runner *runner, size_t len)
{
	struct rt_runner_message done = { .kind = RT_RUNNER_FILE };
	void *data = mmap(NULL, len, PROT_READ, MAP_SHARED, runner->work->memory, 0);
	mode_t mask;

	if (data == MAP_FAILED) {
		done.error = -errno;
	} else {
		mask = umask(022); /* its reader is another user */
		done.error = rt_write_file(runner->work->file, data, len);
		umask(mask);
		munmap(data, len);
		if (!done.error && stat(runner->work->file, &runner->written))
			done.error = -errno;
	}
	answer(runner, &done);
}

/* Unless somebody else's is there by now: the next tracker's. */
static void remove_file(const struct runner *runner)
{
	struct stat st;

	if (runner->written.st_ino && !stat(runner->work->file, &st) && st.st_dev == runner->written.st_dev &&
	    st.st_ino == runner->written.st_ino && S_ISREG(st.st_mode))
		(void)unlink(runner->work->file);
}

/* ---- the loop ---- */

static void hear(struct runner *runner)
{
	struct rt_runner_message message;
	ssize_t len;

	while ((len = recv(runner->line, &message, sizeof(message), MSG_DONTWAIT)) == sizeof(message)) {
		if (message.kind == RT_RUNNER_NEWS && runner->hooks)
			rt_hooks_tell(runner->hooks, &message.news);
		else if (message.kind == RT_RUNNER_FILE && runner->work->file)
			write_file(runner, message.len);
	}
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	remove_file(runner);
	if (runner->hooks)
		rt_hooks_forget(runner->hooks);
	close(runner->line);
	runner->line = -1;
}

static void go_on(struct runner *runner)
{
	bool busy = false;

	do {
		struct pollfd fds[RT_HOOKS_MAX + 1] = { { .fd = runner->line, .events = POLLIN } };
		int ends[RT_HOOKS_MAX], timeout = -1;
		size_t n = runner->hooks ? rt_hooks_wait(runner->hooks, ends, &timeout) : 0;

		for (size_t i = 0; i < n; i++)
			fds[i + 1] = (struct pollfd){ .fd = ends[i], .events = POLLIN };
		(void)poll(fds, n + 1, timeout);
		if (fds[0].revents)
			hear(runner);
		busy = runner->hooks && rt_hooks_go_on(runner->hooks, ended, runner);
	} while (runner->line >= 0 || busy);
}

/* Closes all but the standard ones and these; `other` may be -1. An empty range is refused, which does no harm. */
static void keep(int one, int other)
{
	const unsigned int low = (unsigned int)(other < 0 || one < other ? one : other);
	const unsigned int high = (unsigned int)(one < other ? other : one);

	close_range(STDERR_FILENO + 1, low - 1, 0);
	close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

/* Signals of the terminal and of systemd are the tracker's: this one ends after it. Standard output may be a pipe whose
 * reader waits for its end. */
static void become(const struct rt_runner_work *work, int line)
{
	static const int unheeded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	for (size_t i = 0; i < sizeof(unheeded) / sizeof(*unheeded); i++)
		signal(unheeded[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, "cnic-runner");
	if (getpriority(PRIO_PROCESS, 0) < 0) /* the tracker's urgency is not that of commands */
		(void)setpriority(PRIO_PROCESS, 0, 0);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
	}
	keep(line, work->file ? work->memory : -1);
}

int rt_runner_start(const struct rt_runner_work *work, int *line)
{
	struct runner runner = { .work = work };
	const int room = LINE_ROOM;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		return -errno;
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	pid = fork();
	if (pid < 0) {
		int error = -errno;

		close(pair[0]);
		close(pair[1]);
		return error;
	}
	if (pid) {
		close(pair[1]);
		*line = pair[0];
		return 0;
	}
	become(work, pair[1]);
	runner.line = pair[1];
	if (work->words)
		runner.hooks = rt_hooks_new(work->words, work->timeout);
	go_on(&runner);
	rt_hooks_free(runner.hooks);
	_exit(0);
}
