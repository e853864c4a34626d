/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stream.c - stream [-v] [-r PACKETS/S] [-n UPDATES] [-g GAP-MS] [-t SECONDS] SPEC TO-SECOND TO-FIRST
 *
 * Sends the stream that SPEC describes, and while it flows runs the shell commands TO-SECOND and TO-FIRST in turn in
 * the router's namespace, GAP-MS apart; without updates it flows for SECONDS. The first policy must be in force.
 * Prints lines of "key value", with -v also a comment for each class. 1: the stream could not be sent. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stream.h"

#define MAX_PACKETS (64u << 20)
#define SETTLE_MS 300 /* for the last packets to arrive */

void die(const char *what)
{
	fprintf(stderr, "stream: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void rest_ms(unsigned int ms)
{
	const struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

/* We are in the router's namespace since open_ports(). */
static int run_command(const char *command)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (!pid) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	return status;
}

static void run_updates(struct stream *s, unsigned int n, unsigned int gap_ms, char *const commands[2])
{
	s->updates = calloc(n + 1, sizeof(*s->updates));
	if (!s->updates)
		die("calloc");
	for (unsigned int i = 0; i < n && s->next < s->max_packets; i++) {
		struct update *update = &s->updates[s->n_updates++];
		uint64_t start;

		rest_ms(gap_ms);
		update->first = s->next;
		start = now_ns();
		s->n_failed += run_command(commands[i % 2]) != 0;
		update->ns = now_ns() - start;
		update->last = s->next;
	}
	rest_ms(gap_ms);
}

static void start(pthread_t *thread, void *(*function)(void *), struct stream *s)
{
	errno = pthread_create(thread, NULL, function, s);
	if (errno)
		die("pthread_create");
}

int main(int argc, char **argv)
{
	static struct stream s = { .rate = 20000, .max_packets = MAX_PACKETS };
	unsigned int n_updates = 0, gap_ms = 100, seconds = 0;
	pthread_t sender, judge;
	bool by_class = false;

	for (int opt; (opt = getopt(argc, argv, "vr:n:g:t:")) != -1;) {
		const unsigned int value = optarg ? (unsigned int)strtoul(optarg, NULL, 10) : 0;

		if (opt == 'v')
			by_class = true;
		else if (opt == 'r')
			s.rate = value;
		else if (opt == 'n')
			n_updates = value;
		else if (opt == 'g')
			gap_ms = value;
		else if (opt == 't')
			seconds = value;
		else
			return 1;
	}
	if (argc - optind != 3) {
		fprintf(stderr, "stream: SPEC TO-SECOND TO-FIRST\n");
		return 1;
	}
	read_spec(&s, argv[optind]);
	s.fate = mmap(NULL, sizeof(*s.fate) * s.max_packets, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s.fate == MAP_FAILED)
		die("mmap");
	open_ports(&s);
	start(&judge, judge_stream, &s);
	start(&sender, send_stream, &s);
	if (seconds)
		rest_ms(seconds * 1000);
	run_updates(&s, n_updates, gap_ms, argv + optind + 1);
	s.stop_sending = true;
	pthread_join(sender, NULL);
	rest_ms(SETTLE_MS);
	s.stop_receiving = true;
	pthread_join(judge, NULL);
	report(&s, by_class);
	return 0;
}
