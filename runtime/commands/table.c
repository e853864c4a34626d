/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.c - see table.h. */
#include "runtime/commands/table.h"

#include <string.h>

#include "compiler/arena.h"

void rt_table_add(struct rt_table *table, struct cni_arena *arena, const char *text)
{
	*cni_push(arena, table->cells, table->n_cells) = text;
}

static size_t width_of(const struct rt_table *table, size_t column)
{
	size_t width = strlen(table->columns[column].head);

	for (size_t i = column; i < table->n_cells; i += table->n_columns)
		if (strlen(table->cells[i]) > width)
			width = strlen(table->cells[i]);
	return width;
}

static void print_cell(const struct rt_table *table, struct cni_text *out, size_t column, int width, const char *text)
{
	const char *indent = "  ";

	/* the last one is not filled up: no space ends a line */
	if (table->columns[column].right)
		cni_text_printf(out, "%s%*s", indent, width, text);
	else
		cni_text_printf(out, "%s%-*s", indent, column + 1 < table->n_columns ? width : 0, text);
	if (column + 1 == table->n_columns)
		cni_text_puts(out, "\n");
}

void rt_table_print(const struct rt_table *table, struct cni_text *out, const char *title)
{
	int *widths = cni_new_array(out->arena, int, table->n_columns);

	if (!table->n_cells)
		return;
	cni_text_printf(out, "%s%s\n", out->len ? "\n" : "", title);
	for (size_t c = 0; c < table->n_columns; c++)
		widths[c] = (int)width_of(table, c);
	for (size_t c = 0; c < table->n_columns; c++)
		print_cell(table, out, c, widths[c], table->columns[c].head);
	for (size_t i = 0; i < table->n_cells; i++)
		print_cell(table, out, i % table->n_columns, widths[i % table->n_columns], table->cells[i]);
}
