/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook.c - see hook.h. */
#include "runtime/track/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compiler/arena.h"

/* One target's. */
struct job {
	struct job *next; /* in the order in which they are to be begun */
	struct rt_hook_news news; /* of the one that runs */
	struct rt_hook_news latest; /* that is known: to be told next, if it `waits` */
	bool waits, timed_out;
	pid_t pid; /* 0: none runs */
	int pidfd;
	int64_t deadline; /* ms of CLOCK_MONOTONIC */
};

struct rt_hooks {
	const char *const *words;
	unsigned int timeout;
	struct job *first, **last;
	size_t n_running;
};

/* ---- words ---- */

bool rt_hook_words(struct cni_arena *arena, const char *command, const char *words[RT_HOOK_WORDS + 1])
{
	size_t n = 0;

	for (const char *p = command; *(p += strspn(p, " \t\n"));) {
		char *word = cni_alloc(arena, strlen(p) + 1), *end = word;

		while (*p && !strchr(" \t\n", *p)) {
			const char quote = *p == '\'' || *p == '"' ? *p++ : '\0';
			size_t len = quote ? strcspn(p, (char[]){ quote, '\0' }) : strcspn(p, " \t\n'\"");

			if (quote && !p[len])
				return false;
			end = mempcpy(end, p, len);
			p += len + (quote != '\0');
		}
		if (n == RT_HOOK_WORDS)
			return false;
		words[n++] = word;
	}
	words[n] = NULL;
	return n;
}

/* ---- the queue ---- */

struct rt_hook_news rt_hook_news(const struct rt_track_event *event)
{
	struct rt_hook_news news = { .time_ms = event->time_ms };

	snprintf(news.target, sizeof(news.target), "%s", event->target->name);
	snprintf(news.state, sizeof(news.state), "%s", rt_track_state_words[event->target->state]);
	snprintf(news.before, sizeof(news.before), "%s", rt_track_state_words[event->before]);
	snprintf(news.reason, sizeof(news.reason), "%s", rt_track_reason_words[event->target->reason]);
	return news;
}

struct rt_hooks *rt_hooks_new(const char *const *words, unsigned int timeout)
{
	struct rt_hooks *hooks = calloc(1, sizeof(*hooks));

	if (!hooks)
		abort();
	*hooks = (struct rt_hooks){ .words = words, .timeout = timeout, .last = &hooks->first };
	return hooks;
}

void rt_hooks_free(struct rt_hooks *hooks)
{
	if (!hooks)
		return;
	for (struct job *job = hooks->first, *next; job; job = next) {
		next = job->next;
		if (job->pid)
			close(job->pidfd);
		free(job);
	}
	free(hooks);
}

static void append(struct rt_hooks *hooks, struct job *job)
{
	job->next = NULL;
	*hooks->last = job;
	hooks->last = &job->next;
}

void rt_hooks_tell(struct rt_hooks *hooks, const struct rt_hook_news *news)
{
	struct job *job = hooks->first;

	while (job && strcmp(job->latest.target, news->target))
		job = job->next;
	if (!job) {
		job = calloc(1, sizeof(*job));
		if (!job)
			abort();
		append(hooks, job);
	}
	job->latest = *news;
	job->waits = true;
}

void rt_hooks_forget(struct rt_hooks *hooks)
{
	for (struct job *job = hooks->first; job; job = job->next)
		job->waits = false;
}

/* ---- running ---- */

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *time_text(int64_t ms, char text[64])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm utc;
	size_t len = gmtime_r(&seconds, &utc) ? strftime(text, 64, "%Y-%m-%dT%H:%M:%S", &utc) : 0;

	snprintf(text + len, 64 - len, ".%03dZ", (int)(ms % 1000));
	return text;
}

/* The caller's variables, but those of our names, then ours. In `arena`. */
static char **environment(struct cni_arena *arena, const struct rt_hook_news *news)
{
	char text[64], *const own[] = { cni_printf(arena, "CNIC_TARGET=%s", news->target),
					cni_printf(arena, "CNIC_STATE=%s", news->state),
					cni_printf(arena, "CNIC_BEFORE=%s", news->before),
					cni_printf(arena, "CNIC_REASON=%s", news->reason),
					cni_printf(arena, "CNIC_TIME=%s", time_text(news->time_ms, text)) };
	const size_t n_own = sizeof(own) / sizeof(*own);
	char **all = NULL;
	size_t n = 0;

	for (char **var = environ; *var; var++) {
		bool is_own = false;

		for (size_t i = 0; i < n_own; i++)
			is_own |= !strncmp(*var, own[i], strcspn(own[i], "=") + 1);
		if (!is_own)
			*cni_push(arena, all, n) = *var;
	}
	for (size_t i = 0; i < n_own; i++)
		*cni_push(arena, all, n) = own[i];
	*cni_push(arena, all, n) = NULL;
	return all;
}

/* In a process group of its own, with no signal ignored or blocked. 0 or errno. */
static int spawn(const struct rt_hooks *hooks, const struct rt_hook_news *news, pid_t *pid)
{
	struct cni_arena *arena = cni_arena_new();
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	error = posix_spawnp(pid, hooks->words[0], &files, &attributes, (char *const *)hooks->words,
			     environment(arena, news));
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	cni_arena_free(arena);
	return error;
}

/* 0 or errno. */
static int begin(struct rt_hooks *hooks, struct job *job)
{
	int error;

	job->news = job->latest;
	job->waits = job->timed_out = false;
	error = spawn(hooks, &job->news, &job->pid);
	if (!error) {
		job->pidfd = pidfd_open(job->pid, 0);
		job->deadline = now() + hooks->timeout;
		hooks->n_running++;
		if (job->pidfd >= 0)
			return 0;
		/* Linux below 5.3, or no descriptor is left: what cannot be watched must not stay */
		error = errno;
		kill(-job->pid, SIGKILL);
		waitpid(job->pid, NULL, 0);
		hooks->n_running--;
	}
	job->pid = 0;
	return error;
}

static struct rt_hook_end end_of(const struct job *job, int status)
{
	struct rt_hook_end end = { .status = status, .timed_out = job->timed_out };

	memcpy(end.target, job->news.target, sizeof(end.target));
	memcpy(end.state, job->news.state, sizeof(end.state));
	return end;
}

/* One that runs: whether it has ended, or took too long. */
static void look(struct rt_hooks *hooks, struct job *job, void (*ended)(const struct rt_hook_end *end, void *arg),
		 void *arg)
{
	int status;

	if (waitpid(job->pid, &status, WNOHANG) == job->pid) {
		const struct rt_hook_end end = end_of(job, status);

		close(job->pidfd);
		job->pid = 0;
		hooks->n_running--;
		ended(&end, arg);
	} else if (!job->timed_out && now() >= job->deadline) {
		kill(-job->pid, SIGKILL);
		job->timed_out = true;
	}
}

bool rt_hooks_go_on(struct rt_hooks *hooks, void (*ended)(const struct rt_hook_end *end, void *arg), void *arg)
{
	struct job *job, *next, *begun = NULL;

	for (job = hooks->first; job; job = job->next)
		if (job->pid)
			look(hooks, job, ended, arg);
	job = hooks->first;
	hooks->first = NULL;
	hooks->last = &hooks->first;
	for (; job; job = next) {
		next = job->next;
		if (!job->pid && job->waits && hooks->n_running < RT_HOOKS_MAX) {
			int error = begin(hooks, job);

			if (error) {
				struct rt_hook_end end = end_of(job, error);

				end.unstarted = true;
				ended(&end, arg);
			}
			/* behind the others: one target that flaps does not keep them out */
			job->next = begun;
			begun = job;
		} else if (job->pid || job->waits) {
			append(hooks, job);
		} else {
			free(job);
		}
	}
	for (; begun; begun = next) {
		next = begun->next;
		append(hooks, begun);
	}
	return hooks->n_running;
}

size_t rt_hooks_wait(const struct rt_hooks *hooks, int fds[RT_HOOKS_MAX], int *timeout)
{
	int64_t until = INT64_MAX;
	size_t n = 0;

	for (const struct job *job = hooks->first; job; job = job->next) {
		if (job->pid)
			fds[n++] = job->pidfd;
		if (job->pid && !job->timed_out && job->deadline < until)
			until = job->deadline;
		if (!job->pid && job->waits && hooks->n_running < RT_HOOKS_MAX)
			until = 0;
	}
	until -= until == INT64_MAX ? 0 : now();
	*timeout = until == INT64_MAX ? -1 : until < 0 ? 0 : (int)until;
	return n;
}
