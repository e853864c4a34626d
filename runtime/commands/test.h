/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test.h - the results of a policy's `expect`s, and the forms in which they are reported. */
#ifndef RT_TEST_H
#define RT_TEST_H

#include <jansson.h>

#include "compiler/diag.h"
#include "compiler/text.h"

struct rt_result {
	const char *name; /* the expect's text */
	struct cni_span span;
	bool holds;
	const struct cni_diag *why; /* the first of its diagnostics; NULL where it holds */
};

struct rt_results {
	const struct cni_sources *sources;
	struct rt_result *items; /* in order of declaration */
	size_t n_items, n_failed;
};

void rt_results_text(struct cni_text *out, const struct rt_results *results);
void rt_results_tap(struct cni_text *out, const struct rt_results *results); /* version 13, with YAML */
void rt_results_junit(struct cni_text *out, const struct rt_results *results);
json_t *rt_results_json(const struct rt_results *results);

#endif
