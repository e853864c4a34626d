/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attempt.h - a change that was agreed to, with all that carrying it out, keeping it and taking it back need. */
#ifndef RT_ATTEMPT_H
#define RT_ATTEMPT_H

#include "compiler/model.h"
#include "compiler/plan.h"
#include "runtime/commands/session.h"
#include "runtime/netlink/netlink.h"
#include "runtime/store/store.h"

struct rt_attempt {
	struct rt_session *session;
	const struct cni_model *model; /* NULL: a router without a policy */
	struct rt_netlink *nl;
	int lock; /* held */
	struct rt_store *store; /* NULL: no revision is kept of it */
	const struct cni_plan *plan; /* that is carried out */
	size_t n_steps; /* of the plan that was shown, which lets go of former paths at once */
	struct rt_proved proved; /* of that plan */
	unsigned int number; /* of the pending revision; 0: none */
	/* what came of carrying it out */
	bool stale; /* what was observed is no longer so: nothing is changed, and another attempt may succeed */
	bool interrupted; /* a signal that ends the program came meanwhile */
};

/* Before anything is changed: its revision to the disk. False with a diagnostic. */
bool rt_attempt_begin(struct rt_attempt *attempt);
/* Applies the plan, and tells what came of it. Where it fails the revision goes, unless the router may hold it: then
 * it stays pending, and the last confirmed one is the way back. */
enum rt_exit rt_attempt_carry_out(struct rt_attempt *attempt);
/* Its revision becomes the last confirmed one; CNI719 where that fails. */
void rt_attempt_keep(struct rt_attempt *attempt);
void rt_attempt_discard(struct rt_attempt *attempt);

#endif
