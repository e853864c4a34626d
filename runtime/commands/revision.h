/* SPDX-License-Identifier: GPL-2.0-or-later */
/* revision.h - what the commands that speak of revisions share. */
#ifndef RT_REVISION_H
#define RT_REVISION_H

#include "compiler/model.h"
#include "runtime/commands/session.h"
#include "runtime/store/store.h"

#define RT_NO_STORE "no revisions are kept of this network namespace"

/* Whether the text is a number as revisions have them, in digits alone. */
bool rt_revision_parse(const char *text, unsigned int *number);

/* What the revision, read with its texts, says; *model is NULL where it is a router without a policy. False with a
 * diagnostic. The session keeps the policy. */
bool rt_revision_model(struct rt_session *session, const struct rt_revision *revision, const struct cni_model **model);

/* "2026-03-01T12:00:00Z" of seconds since 1970; "?" of what is no time. */
const char *rt_time_text(struct cni_arena *arena, int64_t time);

#endif
