/* SPDX-License-Identifier: GPL-2.0-or-later */
/* measure.c - `measure SECONDS OUTPUT COMMAND...`: runs a command with its standard output in a file, ends it when it
 * takes longer, and prints its status, wall, user and system time in seconds, and its peak memory in kilobytes.
 *
 * status: as of a shell; `late` when it took too long. Small, because a process counts what it was before exec as well. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void run(char **command, const char *output, const sigset_t *mask)
{
	int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
		execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

/* Waits for the child's end, for too long, or for a signal that ends this program. */
static int wait_for(pid_t pid, const sigset_t *set, long limit)
{
	const struct timespec timeout = { .tv_sec = limit };
	int sig = sigtimedwait(set, NULL, &timeout);

	if (sig != SIGCHLD)
		kill(-pid, SIGKILL);
	return sig;
}

int main(int argc, char **argv)
{
	sigset_t set, former;
	struct rusage usage;
	double start;
	int status, sig;
	pid_t pid;

	if (argc < 4) {
		fputs("usage: measure SECONDS OUTPUT COMMAND...\n", stderr);
		return 64;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &former);
	start = now();
	pid = fork();
	if (pid == 0)
		run(argv + 3, argv[2], &former);
	if (pid < 0)
		return 1;
	setpgid(pid, pid); /* whichever of the two is first */
	sig = wait_for(pid, &set, atol(argv[1]));
	if (wait4(pid, &status, 0, &usage) < 0)
		return 1;
	if (sig > 0 && sig != SIGCHLD)
		return 128 + sig;
	if (sig < 0)
		puts("status late");
	else
		printf("status %d\n", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	printf("wall %f\nuser %f\nsystem %f\nmemory %ld\n", now() - start, seconds(usage.ru_utime),
	       seconds(usage.ru_stime), usage.ru_maxrss);
	return 0;
}
