/* SPDX-License-Identifier: GPL-2.0-or-later */
/* world.h - a policy in a throw-away network namespace, and packets through it. */
#ifndef RT_TWIN_WORLD_H
#define RT_TWIN_WORLD_H

#include "compiler/model.h"
#include "runtime/commands/session.h"
#include "runtime/twin/air.h"

struct rt_twin_world {
	/* from the caller */
	struct rt_session *session;
	const struct cni_model *model; /* NULL: a router without a policy */
	const struct cni_state *wanted; /* what it becomes on any router; NULL without a model */
	const char *const *down; /* links and tunnels that have failed: by name, those of them that the model has */
	size_t n_down;
	const struct rt_twin_job *jobs;
	size_t n_jobs; /* 65,535 at most, which is how many tags there are */
	/* what came of it */
	struct rt_twin_seen *seen; /* by job; UNTRIED: there was no time */
	bool stands_in[RT_TWIN_DEVICE_TYPES];
};

/* In a child process, which is the only one to enter the namespace, and goes with this one. False with CNI790. */
bool rt_twin_run(struct rt_twin_world *world);

#endif
