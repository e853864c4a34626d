/* SPDX-License-Identifier: GPL-2.0-or-later */
/* local.c - see local.h. */
#include "runtime/local.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* The address of `name`; returns its length. */
static socklen_t address_of(const char *name, struct sockaddr_un *address)
{
	size_t len = strnlen(name, sizeof(address->sun_path) - 1);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path + 1, name, len);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
}

int rt_local_bind(int fd, const char *name)
{
	struct sockaddr_un address;
	socklen_t len = address_of(name, &address);

	return bind(fd, (const struct sockaddr *)&address, len) ? -errno : 0;
}

int rt_local_connect(int fd, const char *name)
{
	struct sockaddr_un address;
	socklen_t len = address_of(name, &address);

	return connect(fd, (const struct sockaddr *)&address, len) ? -errno : 0;
}

bool rt_local_peer(int fd, struct ucred *peer)
{
	socklen_t len = sizeof(*peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len);
}

bool rt_local_trusted(const struct ucred *peer)
{
	return !peer->uid || peer->uid == geteuid();
}
