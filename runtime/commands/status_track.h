/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_track.h - what `cnic status` tells of tracking: what the tracker says, or that none runs. */
#ifndef RT_STATUS_TRACK_H
#define RT_STATUS_TRACK_H

#include "runtime/commands/session.h"

struct rt_status;

/* Asks the tracker. Adds the key "track" to the session's JSON, a table to its text, and a warning where the policy that
 * this router holds has `track` and no tracker runs:
 *
 *	"track": { "runs": true, and of the state in runtime/track/json.h all but "cnic", "version" and "type" }
 *	"track": { "runs": false, "error": text or null, "tracked": [ names of links and tunnels with `track` ] } */
void rt_status_track(struct rt_session *session, struct rt_status *status);

#endif
