/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.h - rows in aligned columns. */
#ifndef RT_TABLE_H
#define RT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler/text.h"

struct rt_column {
	const char *head;
	bool right; /* numbers */
};

struct rt_table {
	const struct rt_column *columns;
	size_t n_columns;
	const char **cells; /* row by row */
	size_t n_cells;
};

/* The next cell; `text` must live until the table is printed. */
void rt_table_add(struct rt_table *table, struct cni_arena *arena, const char *text);
/* Heads and rows under a title; nothing for a table without rows. */
void rt_table_print(const struct rt_table *table, struct cni_text *out, const char *title);

#endif
