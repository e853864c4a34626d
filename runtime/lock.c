/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock.c - bind is the lock, and being connected to its holder is waiting for its end; see lock.h. */
#include "runtime/lock.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "runtime/netlink/netlink.h"

static const char name[] = "\0cnic.lock";

static int bind_or_connect(int fd, int (*call)(int fd, const struct sockaddr *address, socklen_t len))
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, name, sizeof(name) - 1);
	return call(fd, (const struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + sizeof(name) - 1)
		       ? -errno
		       : 0;
}

static int call_bind(int fd, const struct sockaddr *address, socklen_t len)
{
	return bind(fd, address, len);
}

static int call_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	return connect(fd, address, len);
}

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
	rc = bind_or_connect(fd, call_bind);
	if (!rc && listen(fd, 64))
		rc = -errno;
	if (rc)
		close(fd);
	else
		*lock = fd;
	return rc;
}

/* Waits until the holder ends or gives the lock back, at most until `deadline`, and says who it is. The holder never
 * accepts: a connection in its queue ends with its socket. */
static void wait_for_holder(long deadline, struct ucred *holder)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	socklen_t len = sizeof(*holder);
	long left = deadline - now();

	if (fd < 0)
		return;
	if (bind_or_connect(fd, call_connect)) { /* gone again, or too many wait: look again a little later */
		poll(NULL, 0, left > 50 ? 50 : left > 0 ? (int)left : 0);
	} else {
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, holder, &len);
		poll(&poll_fd, 1, left > 0 ? (int)left : 0);
	}
	close(fd);
}

int rt_lock(unsigned int timeout, int *lock, struct cni_diags *diags)
{
	const struct cni_span nowhere = { 0 };
	long deadline = now() + timeout;
	struct ucred holder = { 0 };
	int rc;

	while ((rc = try(lock)) == -EADDRINUSE) {
		wait_for_holder(deadline, &holder);
		if (now() >= deadline)
			break;
	}
	if (rc == -EADDRINUSE)
		rc = try(lock); /* it may have been given back in the last moment */
	if (rc == -EADDRINUSE) {
		struct cni_diag *diag =
			cni_diag(diags, CNI705, nowhere, "process %d of user %u is changing this network",
				 (int)holder.pid, (unsigned int)holder.uid);

		cni_diag_help(diags, diag, "wait for it to end, or give --lock-timeout a longer time");
		return -EWOULDBLOCK;
	}
	if (rc)
		cni_diag(diags, CNI703, nowhere, "the lock cannot be taken: %s", strerror(-rc));
	return rc;
}
