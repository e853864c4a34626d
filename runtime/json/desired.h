/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desired.h - a state for other programs: records as the kernel has them, values as people write them, nft rules in
 * nft's words. For reading only: what a snapshot's file holds is written by state_json.h. */
#ifndef RT_DESIRED_H
#define RT_DESIRED_H

#include <jansson.h>

#include "compiler/arena.h"
#include "compiler/state.h"

/* { "links", "addresses", "settings", "rules", "routes", "nft": null or { "table", "counters", "sets", "chains" } },
 * each a list in the order of the state. */
json_t *rt_json_desired(struct cni_arena *arena, const struct cni_state *state);

json_t *rt_json_addr(struct cni_addr addr);
json_t *rt_json_prefix(struct cni_prefix prefix); /* "default" for length 0 */
json_t *rt_json_route(const struct cni_st_route *route);
json_t *rt_json_setting(const struct cni_st_setting *setting);

#endif
