/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock.c - bind is the lock, and being connected to its holder is waiting for its end; see lock.h. */
#include "runtime/lock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "runtime/confirm/confirm.h"
#include "runtime/local.h"

#define NAME "cnic.lock"
#define WAITING_MAX 1024
#define GRACE 500 /* ms: a holder takes the lock a moment before it can be asked who it is */

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 0: the lock is ours, in *lock. -EADDRINUSE: somebody else's. */
static int try(int *lock)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	rc = rt_local_bind(fd, NAME);
	if (!rc && listen(fd, WAITING_MAX))
		rc = -errno;
	if (rc)
		close(fd);
	else
		*lock = fd;
	return rc;
}

void rt_lock_take_over(int lock)
{
	/* those who connect are shown who called this last */
	(void)listen(lock, WAITING_MAX);
}

/* Waits until the holder ends or gives the lock back, at most until `deadline`, and says who it is. The holder never
 * accepts: a connection in its queue ends with its socket. */
static void wait_for_holder(long deadline, struct ucred *holder)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	long left = deadline - now();

	if (fd < 0)
		return;
	if (rt_local_connect(fd, NAME)) { /* gone again, or too many wait: look again a little later */
		poll(NULL, 0, left > 50 ? 50 : left > 1 ? (int)left : 1);
	} else {
		(void)rt_local_peer(fd, holder);
		poll(&poll_fd, 1, left > 0 ? (int)left : 0);
	}
	close(fd);
}

static void name_holder(struct cni_diags *diags, const struct ucred *holder)
{
	const struct cni_span nowhere = { 0 };
	unsigned int revision;
	struct cni_diag *diag;
	int pid;

	if (!rt_confirm_waits(&pid, &revision)) {
		diag = cni_diag(diags, CNI705, nowhere, "process %d of user %u is changing this network",
				(int)holder->pid, (unsigned int)holder->uid);
		cni_diag_help(diags, diag, "wait for it to end, or give --lock-timeout a longer time");
		return;
	}
	if (revision)
		diag = cni_diag(diags, CNI705, nowhere, "process %d awaits the confirmation of revision %u", pid,
				revision);
	else
		diag = cni_diag(diags, CNI705, nowhere, "process %d awaits the confirmation of its change", pid);
	cni_diag_help(diags, diag, "keep it with `cnic confirm`, or take it back with `cnic rollback`");
}

int rt_lock(unsigned int timeout, int *lock, struct cni_diags *diags)
{
	long deadline = now() + timeout;
	struct ucred holder = { 0 };
	int rc;

	while ((rc = try(lock)) == -EADDRINUSE) {
		wait_for_holder(deadline, &holder);
		if (now() >= deadline + (holder.pid ? 0 : GRACE))
			break;
	}
	if (rc == -EADDRINUSE)
		rc = try(lock); /* it may have been given back in the last moment */
	if (rc == -EADDRINUSE) {
		name_holder(diags, &holder);
		return -EWOULDBLOCK;
	}
	if (rc)
		cni_diag(diags, CNI703, (struct cni_span){ 0 }, "the lock cannot be taken: %s", strerror(-rc));
	return rc;
}
