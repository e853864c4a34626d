/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line_diff.h - two texts as a unified diff, as `diff -u` writes it. */
#ifndef RT_LINE_DIFF_H
#define RT_LINE_DIFF_H

#include <stddef.h>

#include "compiler/text.h"

/* Appends what turns `a` into `b`, with three lines of context; nothing if they are equal. The time is bounded:
 * where very many lines differ, the diff is right but need not be the shortest. */
void rt_line_diff(struct cni_text *out, const char *a_name, const char *a, size_t a_len, const char *b_name,
		  const char *b, size_t b_len);

#endif
