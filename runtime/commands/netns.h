/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netns.h - work in another network namespace. */
#ifndef RT_NETNS_H
#define RT_NETNS_H

#include <stdbool.h>

struct rt_session;

/* `name`: of ip-netns(8), or a path if it holds a `/`. For the whole process; before any socket is opened. False,
 * with the session's failure, if that is not possible. */
bool rt_netns_enter(struct rt_session *session, const char *name);

#endif
