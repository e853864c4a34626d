/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook.h - commands that are run when a target's state changes (--on-change), in the runner's process (runner.h).
 *
 * A command is run without a shell: the words of --on-change, with the variables of its caller's environment and
 *	CNIC_TARGET	the link or tunnel
 *	CNIC_STATE, CNIC_BEFORE, CNIC_REASON	words of track.h
 *	CNIC_TIME	of the change: RFC 3339, UTC
 * Its input is empty, and its output goes to standard error. For each target one runs at a time, and of what changes
 * meanwhile the last state is told; RT_HOOKS_MAX run at a time in all. One that takes longer than it may is killed, with
 * all of its process group. */
#ifndef RT_TRACK_HOOK_H
#define RT_TRACK_HOOK_H

#include "compiler/arena.h"
#include "runtime/track/log.h"

#define RT_HOOKS_MAX 16
#define RT_HOOK_WORDS 64

/* What a command is told. */
struct rt_hook_news {
	char target[RT_TRACK_NAME], state[RT_TRACK_WORD], before[RT_TRACK_WORD], reason[RT_TRACK_WORD];
	int64_t time_ms;
};

struct rt_hook_news rt_hook_news(const struct rt_track_event *event);

/* Cuts a command into words at blanks; '...' and "..." hold blanks, and nothing else is special. `words` ends in a NULL,
 * and is in `arena`. False: no word, more than RT_HOOK_WORDS, or a quote that is not closed. */
bool rt_hook_words(struct cni_arena *arena, const char *command, const char *words[RT_HOOK_WORDS + 1]);

struct rt_hooks; /* those that run, and those that are to */

/* `timeout`: ms. What is pointed to stays the caller's. */
struct rt_hooks *rt_hooks_new(const char *const *words, unsigned int timeout);
void rt_hooks_free(struct rt_hooks *hooks); /* leaves what runs alone; NULL is allowed */

void rt_hooks_tell(struct rt_hooks *hooks, const struct rt_hook_news *news);
/* What was told, and is not begun, is not begun any more. */
void rt_hooks_forget(struct rt_hooks *hooks);

/* For poll(2): descriptors that are readable when a command ends, at most RT_HOOKS_MAX; how long until there is something
 * to do, in ms, in *timeout: -1, nothing is expected. */
size_t rt_hooks_wait(const struct rt_hooks *hooks, int fds[RT_HOOKS_MAX], int *timeout);
/* Begins, kills, and takes note of ends, each of which is told to `ended`. False: nothing runs. */
bool rt_hooks_go_on(struct rt_hooks *hooks, void (*ended)(const struct rt_hook_end *end, void *arg), void *arg);

#endif
