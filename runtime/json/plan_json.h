/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_json.h - a plan for other programs:
 *
 *	{ "steps": [ { "phase": "expand|in-place|flip|contract", "op": "add|change|replace|delete",
 *	    "object": "link|setting|address|rule|route|table|counter|set|chain|base-chain", "text", "before", "after",
 *	    "disturbs", "file", "line" } ],
 *	  "summary": { "add", "change", "replace", "delete" } }
 *
 * "before" and "after" are in the words of ip and nft, null where the object is absent; "text" is one line that says
 * which object it is. Elements of sets are counted, not listed. */
#ifndef RT_PLAN_JSON_H
#define RT_PLAN_JSON_H

#include <jansson.h>

#include "compiler/plan.h"

json_t *rt_json_plan(struct cni_arena *arena, const struct cni_plan *plan, const struct cni_sources *sources);

const char *rt_phase_name(enum cni_phase phase);
const char *rt_object_name(enum cni_object object);
/* One line for the object itself; a chain's rules follow, one a line. NULL gives null. */
json_t *rt_json_side(struct cni_arena *arena, enum cni_object object, const void *record,
		     const struct cni_state *state);

#endif
