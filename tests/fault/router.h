/* SPDX-License-Identifier: GPL-2.0-or-later */
/* router.h - the router under test: a network namespace with the ports that the policies name, and the way from a
 * policy's text to a plan that the program itself takes. */
#ifndef FAULT_ROUTER_H
#define FAULT_ROUTER_H

#include <stdbool.h>

#include "compiler/arena.h"
#include "compiler/plan.h"
#include "runtime/commands/session.h"
#include "runtime/netlink/netlink.h"

/* Ends the program with a line of TAP. */
_Noreturn void bail_out(const char *format, ...) __attribute__((format(printf, 1, 2)));

double seconds(void); /* since some moment */

/* Runs a shell command, and bails out when it fails. */
void shell(const char *command);

/* Goes to a network namespace of its own with ports eth0 to eth3, each with its other end beside it. */
void router_enter(void);

/* One look, plan and all that belongs to it. */
struct attempt {
	struct cni_arena *arena; /* owned */
	struct rt_session *session;
	const struct cni_plan *plan; /* NULL: there is none, and the session says why */
};

/* Plans from what `nl` shows to the policy in `file` (NULL: none). Without `flows` there are none, and conntrack, which
 * takes its time, is not asked. */
struct attempt attempt_new(struct rt_netlink *nl, const char *file, bool flows);
void attempt_free(struct attempt *attempt);

/* The diagnostics as comments of TAP. */
void attempt_print(const struct attempt *attempt);

/* Whatever is there, one clean apply makes it the policy, after that there is nothing to do, and nothing else than in
 * `bare`, which was before any policy, has changed. NULL, or what is not so. */
const char *router_converge(struct rt_netlink *nl, struct cni_arena *arena, const char *file, bool flows,
			    const struct cni_state *bare);

struct cni_state *router_look(struct rt_netlink *nl, struct cni_arena *arena);

#endif
