/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history.h - what `cnic history` adds to the envelope (json/envelope.h):
 *
 *	"folder": where they are kept, or null,
 *	"revisions": [ { "number", "time": "2026-03-01T12:00:00Z", "user", "message": text or null, "digest",
 *	  "removed": whether it is a router without a policy,
 *	  "proven": whether it was proven, before it was sent, to mean what its policy says; "proof_seconds": or null,
 *	  "state": "confirmed", "awaiting" (`cnic confirm`), or "unconfirmed" (being applied, or left by a process that
 *	    was killed),
 *	  "deadline": of an awaiting one, when it will be taken back; or null } ]
 *
 * Newest first, in text as well. */
#ifndef RT_HISTORY_H
#define RT_HISTORY_H

#include <jansson.h>

#include "runtime/store/store.h"

/* Of revisions in ascending order; `awaiting`: the pending one is waited for. Owned by the caller. */
json_t *rt_json_history(struct cni_arena *arena, const struct rt_revision *revisions, size_t n, bool awaiting);
void rt_history_text(struct cni_text *out, const char *folder, const struct rt_revision *revisions, size_t n,
		     bool awaiting);

#endif
