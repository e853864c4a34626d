/* SPDX-License-Identifier: GPL-2.0-or-later */
/* supervise.h - a change in a process of its own session, which takes it back unless it is confirmed.
 *
 * The process is forked after the question was answered and before anything is changed. It prints where its caller
 * does, keeps the lock, and heeds neither hang-ups nor the keyboard; SIGTERM means: take it back now, and end. The
 * caller waits for it (or, with --no-wait, for the change alone), asks for the confirmation where there is a terminal
 * to ask on, and may end at any time. Where the process is killed, the caller takes the change back in its place. Where
 * both are, the pending revision on the disk tells of it: `cnic confirm` keeps it while its time lasts and the kernel
 * holds it, and the next apply goes on from what is there. */
#ifndef RT_CONFIRM_SUPERVISE_H
#define RT_CONFIRM_SUPERVISE_H

#include "runtime/commands/attempt.h"

/* Carries the attempt out; its revision is on the disk. `limit`: ms from the change on. RT_OK: it was confirmed (or
 * waits, with --no-wait). The exit status is that of the command, in both processes. */
enum rt_exit rt_supervise(struct rt_attempt *attempt, unsigned int limit);

#endif
