/* SPDX-License-Identifier: GPL-2.0-or-later */
/* document.h - a saved plan as JSON, and back; only saved_plan.c uses it. */
#ifndef RT_SAVED_DOCUMENT_H
#define RT_SAVED_DOCUMENT_H

#include <jansson.h>

#include "compiler/arena.h"
#include "runtime/saved_plan/digest.h"

struct rt_saved_plan {
	const char *directory; /* absolute: where the paths begin */
	const char **operands, **sets; /* as they were given */
	size_t n_operands, n_sets;
	struct rt_saved_text {
		const char *path; /* as it was opened */
		size_t size;
		const char *digest;
	} * texts; /* all that the policy was read from */
	size_t n_texts;
	const char *state, *steps; /* digests */
	const char **lines; /* of each step: "add route default …", in their order; for a reader */
	size_t n_lines;
};

/* The line of a step of json/plan_json.h. NULL: it is none. */
const char *rt_saved_line(struct cni_arena *arena, const json_t *step);

/* `plan` is taken over, `lines` is not written. NULL: no memory, or a text that is no UTF-8. */
json_t *rt_saved_write(const struct rt_saved_plan *saved, json_t *plan);

/* NULL, or what is wrong with the document. What is read lives in `arena`. */
const char *rt_saved_read(struct cni_arena *arena, const json_t *document, struct rt_saved_plan *saved);

#endif
