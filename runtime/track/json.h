/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json.h - tracking for other programs, version 1. One document a line:
 *
 *	{ "cnic": "track", "version": 1, "type": "state", "time", "started": TIME,
 *	  "policy": { "revision": number or null, "loads", "errors" },
 *	  "switches": { "count", "refused", "last_seconds", "max_seconds": null where there was none },
 *	  "targets": [ { "name", "device", "state": "unknown|up|down", "reason", "since": TIME, "held": bool, "changes",
 *	    "probes": [ { "address", "peer": bool, "up": bool, "in_a_row", "sent", "answered", "lost", "refused", "late",
 *	      "window": { "sent", "lost", "loss_ratio" }, "rtt_min_seconds", "rtt_mean_seconds", "rtt_max_seconds",
 *	      "rtt_last_seconds", "jitter_seconds" } ] } ],
 *	  "paths": [ { "path", "mark", "active": name or null } ],
 *	  "hooks": { "run", "failed" } }
 *
 *	{ "cnic": "track", "version": 1, "type": "event", "time", "target", "device", "before", "state", "reason",
 *	  "held", "switch_seconds", "routes", "flows", "error": text or null }
 *
 *	{ "cnic": "track", "version": 1, "type": "error", "error": text }
 *
 * Times are RFC 3339 in UTC, durations are seconds; what is not known, such as a round trip where nothing was answered,
 * is null. "reason": "start|answers|peer|beyond|loss|silent|carrier|device|address" (track.h). "revision" is null where the
 * tracker follows files. Keys may be added to version 1, never taken away. */
#ifndef RT_TRACK_JSON_H
#define RT_TRACK_JSON_H

#include <jansson.h>

#include "runtime/track/copy.h"

#define RT_TRACK_JSON_VERSION 1

/* The next piece of the state; the last ends in a newline. */
bool rt_track_json_more(struct rt_track_text *text, struct cni_text *out);

/* With a newline. */
void rt_track_json_event(struct cni_text *out, const struct rt_track_event *event);
void rt_track_json_error(struct cni_text *out, const char *error);

#endif
