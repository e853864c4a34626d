/* SPDX-License-Identifier: GPL-2.0-or-later */
/* twin.h - the classes of a comparison, held against the kernel: each policy lives in a network namespace of its own, and
 * the witness of every class goes through both. */
#ifndef RT_TWIN_H
#define RT_TWIN_H

#include <jansson.h>

#include "compiler/meaning/compare.h"
#include "runtime/commands/session.h"

#define RT_TWIN_CLASSES 1000 /* of a day that are tried */

struct rt_twin_day {
	struct rt_session *session;
	const struct cni_comparison *comparison;
	const struct cni_model *models[2]; /* before, after; NULL: none */
	struct cni_changes *changes; /* of this day: get their notes */
	const char *const *down; /* what is down then */
	size_t n_down;
	json_t *json; /* of the day, with "classes": they get "twin" */
};

/* A line that sums it up, or NULL with CNI790, or with what lowering says of a policy. CNI791 for each answer that the model did not give, CNI792 where some
 * classes were left out. */
const char *rt_twin(const struct rt_twin_day *day);

#endif
