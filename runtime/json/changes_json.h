/* SPDX-License-Identifier: GPL-2.0-or-later */
/* changes_json.h - the classes of packets whose fate changes, as JSON. */
#ifndef RT_CHANGES_JSON_H
#define RT_CHANGES_JSON_H

#include <jansson.h>

#include "compiler/meaning/compare.h"
#include "compiler/source.h"

/* [ { "devices", "family": 4|6, "before", "after": FATE, "loses_last_path", "traits": [ { "member", "trait", "before",
 * "after" } ], "boxes": [ { "text", FIELD: { "not", "ranges": [ [lo, hi] ], "more" } } ], "more_boxes", "packets", "sources", "destinations": decimal
 * texts, "witness": { "text", FIELD: … }, "lines": [ { "before", "after": { "name", "file", "line", … } } ] } ]
 *
 * FATE: { "text", "verdict", "weighted", "members": [ { "name", "weight", "masquerade", TRAIT: text } ] }. Addresses are
 * texts, other fields numbers; a field that a box does not limit is not there. */
json_t *rt_json_changes(const struct cni_comparison *c, const struct cni_changes *changes,
			const struct cni_sources *before, const struct cni_sources *after);

#endif
