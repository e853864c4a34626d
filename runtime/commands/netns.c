/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netns.c - see netns.h. */
#include "runtime/commands/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "runtime/commands/session.h"

#define NETNS_FOLDER "/var/run/netns/" /* ip-netns(8) */

bool rt_netns_enter(struct rt_session *session, const char *name)
{
	const char *path = strchr(name, '/') ? name : cni_printf(session->arena, NETNS_FOLDER "%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		error = errno;
	if (fd >= 0)
		close(fd);
	if (error == EPERM)
		rt_fail(session, "network namespace '%s': entering it needs CAP_SYS_ADMIN", name);
	else if (error == EINVAL)
		rt_fail(session, "network namespace '%s': %s is none", name, path);
	else if (error)
		rt_fail(session, "network namespace '%s': %s: %s", name, path, strerror(error));
	return !error;
}
