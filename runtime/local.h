/* SPDX-License-Identifier: GPL-2.0-or-later */
/* local.h - abstract unix sockets: they belong to a network namespace, leave no file, and go with their holder however
 * that ends. Any user can bind a name: who is at the other end has to be looked at. */
#ifndef RT_LOCAL_H
#define RT_LOCAL_H

#include <stdbool.h>
#include <sys/socket.h>

/* `name` is without the NUL that makes it abstract. 0 or -errno. */
int rt_local_bind(int fd, const char *name);
int rt_local_connect(int fd, const char *name);

/* Who is at the other end; of a listening one, who called listen(2) on it last. False: it cannot be known. */
bool rt_local_peer(int fd, struct ucred *peer);
/* Whether what that process says may decide: it is root's, or of this process's user. */
bool rt_local_trusted(const struct ucred *peer);

#endif
