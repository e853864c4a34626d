/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gate.h - the conditions under which a change confirms itself: every tracked target answers, as often in a row as its
 * `track` says, and the way to the caller of the ssh session leaves by the same device as before. That every `expect`
 * holds the compiler has proved already. */
#ifndef RT_CONFIRM_GATE_H
#define RT_CONFIRM_GATE_H

#include "runtime/commands/attempt.h"

struct rt_gate;

/* Before the change. -errno where probes cannot be sent by this process; without a target to track, and outside an ssh
 * session, there is nothing to prove, and the session is told so. */
int rt_gate_new(struct rt_gate **gate, const struct rt_attempt *attempt);
void rt_gate_free(struct rt_gate *gate); /* NULL is allowed, as for the next two */

int rt_gate_fd(const struct rt_gate *gate); /* readable when there is an answer to look at; -1: none */
int rt_gate_next(const struct rt_gate *gate); /* ms until there is something to do; -1: nothing */

/* Reads answers, sends what is due. Whether all holds. */
bool rt_gate_look(struct rt_gate *gate);

/* What does not hold, as CNI724. */
void rt_gate_report(const struct rt_gate *gate, struct cni_diags *diags);

#endif
