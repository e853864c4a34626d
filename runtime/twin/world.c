/* SPDX-License-Identifier: GPL-2.0-or-later */
/* world.c - see world.h. */
#include "runtime/twin/world.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 60 /* seconds for asking; building takes as long again at most */

static const struct cni_span nowhere;

/* What the child leaves behind. */
struct legacy {
	bool done;
	char why[512]; /* it is not; "" where it came to no words */
	bool stands_in[RT_TWIN_DEVICE_TYPES];
	struct rt_twin_seen seen[];
};

/* ---- the child ---- */

static bool cannot(struct rt_session *session, const char *what, int error)
{
	cni_diag(session->diags, CNI790, nowhere, "%s: %s", what, strerror(-error));
	return false;
}

static bool enter(struct rt_session *session)
{
	if (!unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET))
		return true;
	return cannot(session, "no network namespace of one's own", -errno);
}

/* So that a marker does not overtake what it marks. */
static void stay_here(void)
{
	const int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return;
	CPU_SET(cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static bool fail_devices(const struct rt_twin_world *world, struct rt_twin_lab *lab)
{
	for (size_t t = 0; world->model && t < world->model->n_targets; t++)
		for (size_t i = 0; i < world->n_down; i++)
			if (!strcmp(world->model->targets[t].name, world->down[i]) &&
			    !rt_twin_fail(lab, world->model->targets[t].ifname))
				return false;
	return true;
}

static bool ask_all(const struct rt_twin_world *world, const struct rt_twin_lab *lab, struct legacy *legacy)
{
	const time_t end = time(NULL) + PATIENCE;
	struct rt_twin_air air;
	int rc = rt_twin_air_open(&air, lab);

	if (rc)
		return cannot(world->session, "raw sockets", rc);
	for (size_t i = 0; !rc && i < world->n_jobs && time(NULL) < end; i++)
		rc = rt_twin_ask(&air, &world->jobs[i], (uint16_t)(i + 1), &legacy->seen[i]);
	rt_twin_air_close(&air);
	return !rc || cannot(world->session, "a packet into the twin", rc);
}

static bool live(const struct rt_twin_world *world, struct legacy *legacy)
{
	struct rt_twin_lab lab = { .session = world->session, .model = world->model, .wanted = world->wanted };
	bool ok;

	for (size_t i = 0; i < world->n_jobs; i++)
		if (strcmp(world->jobs[i].device, "local") != 0)
			*cni_push(world->session->arena, lab.incoming, lab.n_incoming) = world->jobs[i].device;
	if (!enter(world->session))
		return false;
	stay_here();
	if (rt_netlink_open(&lab.nl, world->session->diags))
		return false;
	ok = rt_twin_build(&lab) && fail_devices(world, &lab) && ask_all(world, &lab, legacy);
	memcpy(legacy->stands_in, lab.stands_in, sizeof(lab.stands_in));
	rt_netlink_free(lab.nl);
	return ok;
}

_Noreturn static void be_child(struct rt_twin_world *world, struct legacy *legacy, pid_t parent)
{
	struct cni_diags diags;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1); /* it went before that */
	alarm(2 * PATIENCE);
	cni_diags_init(&diags, world->session->arena);
	world->session->diags = &diags;
	legacy->done = live(world, legacy);
	for (const struct cni_diag *d = diags.first; d && !*legacy->why; d = d->next)
		if (d->severity == CNI_ERROR)
			snprintf(legacy->why, sizeof(legacy->why), "%s%s%s", d->message, d->label ? ": " : "",
				 d->label ? d->label : "");
	_exit(0);
}

/* ---- the parent ---- */

static bool tell(struct rt_twin_world *world, const char *why)
{
	struct cni_diags *diags = world->session->diags;
	struct cni_diag *diag = cni_diag(diags, CNI790, nowhere, "there is no kernel twin: %s", why);

	cni_diag_help(diags, diag,
		      "run it as root, or where users may have namespaces (user.max_user_namespaces), with veth, "
		      "nf_tables and packet sockets; without --twin the diff is the model's");
	return false;
}

bool rt_twin_run(struct rt_twin_world *world)
{
	const size_t size = sizeof(struct legacy) + world->n_jobs * sizeof(struct rt_twin_seen);
	struct legacy *legacy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const pid_t parent = getpid();
	bool ok = false;
	pid_t child;

	if (legacy == MAP_FAILED)
		return tell(world, strerror(errno));
	signal(SIGCHLD, SIG_DFL); /* so that it can be waited for, whatever was inherited */
	child = fork();
	if (!child)
		be_child(world, legacy, parent);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (child > 0 && legacy->done) {
		world->seen = cni_new_array(world->session->arena, struct rt_twin_seen, world->n_jobs);
		memcpy(world->seen, legacy->seen, world->n_jobs * sizeof(*world->seen));
		memcpy(world->stands_in, legacy->stands_in, sizeof(world->stands_in));
		ok = true;
	} else {
		tell(world, child < 0 ? strerror(errno) : *legacy->why ? legacy->why : "it did not come back in time");
	}
	munmap(legacy, size);
	return ok;
}
