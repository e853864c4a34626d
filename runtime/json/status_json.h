/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_json.h - the status for other programs, as keys of the envelope:
 *
 *	"installed": bool,
 *	"paths": [ { "id", "description", "packets", "bytes", "table": number or null,
 *	    "routes": [ { …, "live": bool, "hops": [ { …, "linkdown", "dead" } ] } ] } ],
 *	"tunnels": [ { "name", "kind", "state": "up|down|no carrier", "mtu", "local", "remote", "parent", "vlan",
 *	    "rx": { "packets", "bytes", "errors" }, "tx": { … } } ],
 *	"routes": [ { "policy", "route", "packets", "bytes" } ],
 *	"settings": [ { "device", "name", "value", "former" } ],
 *	"forwarding": { "ipv4", "ipv6" }, "warnings": [ text ],
 *	"track": see runtime/commands/status_track.h,
 *	"awaits": { "revision", "deadline" } or null: what goes back by itself unless it is confirmed */
#ifndef RT_STATUS_JSON_H
#define RT_STATUS_JSON_H

#include <jansson.h>

#include "runtime/commands/status.h"

void rt_json_status(json_t *envelope, const struct rt_status *status);

#endif
