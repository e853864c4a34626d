/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_watch.h - `cnic status --watch [SECONDS]`: the status again and again, until SIGINT or SIGTERM: 0. On a terminal it
 * is drawn in place. With --json: what the tracker says (runtime/track/json.h), a document a line: its state at first and
 * every SECONDS, and each event as it happens; 1 where no tracker runs, or it ends. */
#ifndef RT_STATUS_WATCH_H
#define RT_STATUS_WATCH_H

#include "runtime/commands/session.h"

enum rt_exit rt_status_watch(struct rt_session *session);

/* One look (status.c). */
enum rt_exit rt_status_once(struct rt_session *session);

#endif
