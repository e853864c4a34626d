/* SPDX-License-Identifier: GPL-2.0-or-later */
/* saved_state.h - a router as a file says that it was. */
#ifndef RT_SAVED_STATE_H
#define RT_SAVED_STATE_H

#include "compiler/state.h"
#include "runtime/commands/session.h"

/* What `cnic snapshot` wrote; NULL with a diagnostic, which needs a loaded policy. */
const struct cni_state *rt_saved_state(struct rt_session *session, const char *path);

#endif
