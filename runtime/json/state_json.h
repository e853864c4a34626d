/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state_json.h - a state as JSON, and back: what `cnic snapshot` writes and `cnic plan --state` reads.
 *
 * {"cnic": "snapshot", "version": 1, "generation": N, "links": […], …}: the lists of struct cni_state, each record an
 * object with the fields of its struct. What is false, zero or not there is left out. The keys of a set's elements
 * are one string of hexadecimal digits, its verdicts [verdict, how many elements in a row have it]. */
#ifndef RT_STATE_JSON_H
#define RT_STATE_JSON_H

#include <jansson.h>

#include "compiler/arena.h"
#include "compiler/diag.h"
#include "compiler/state.h"

/* Owned by the caller; NULL: no memory. */
json_t *rt_state_to_json(const struct cni_state *state);

/* NULL, with a diagnostic (CNI711) that says where in text[0..len) and why, for anything but a whole snapshot: an
 * unknown key, a number out of range, a set whose elements do not fit its key. `name` is what the text is called. */
struct cni_state *rt_state_from_json(struct cni_arena *arena, const char *name, const char *text, size_t len,
				     struct cni_diags *diags);

#endif
