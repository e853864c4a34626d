/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.h - which folder the revisions of the calling thread's network namespace belong in. */
#ifndef RT_PLACE_H
#define RT_PLACE_H

#include "runtime/commands/session.h"

/* Absolute, without a `/` at its end, and need not exist; *path is NULL where the namespace has none. 0, or -errno with
 * CNI713. */
int rt_place(struct rt_session *session, const char **path);

#endif
