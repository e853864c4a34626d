/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fields.c - reads the fields of a block by a table: one row a word, unknown and repeated words are mistakes. */
#include <assert.h>
#include <string.h>

#include "compiler/resolve/resolve.h"

static const struct cni_word on_off[] = { { "off", 0 }, { "on", 1 }, { 0 } };

static void unknown(struct cni_resolver *r, const struct cni_block *block, const struct cni_ast_field *field)
{
	struct cni_diag *d =
		cni_diag(r->diags, CNI120, field->name.span, "this %s has no `%s`", block->what, field->name.text);
	const char *words[CNI_BLOCK_MAX + 1] = { 0 }, *nearest, *all = NULL;

	for (size_t i = 0; i < block->n_rows; i++) {
		words[i] = block->rows[i].name;
		all = all ? cni_printf(r->arena, "%s, %s", all, words[i]) : words[i];
	}
	nearest = cni_did_you_mean(field->name.text, words);
	if (nearest)
		cni_diag_help(r->diags, d, "did you mean `%s`?", nearest);
	else
		cni_diag_help(r->diags, d, "it has: %s", all);
}

static void read_field(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		       void *object)
{
	r->n_before = r->diags->n_errors + r->n_dropped;
	if (field->has_block && !row->block)
		cni_diag(r->diags, CNI128, field->span, "`%s` takes no block", row->name);
	else if (!field->has_block && !field->values && !row->bare)
		cni_field_count(r, field, row->block ? "a block" : "a value");
	else
		row->read(r, row, field, object);
}

void cni_read_block(struct cni_resolver *r, const struct cni_block *block, const struct cni_ast_field *fields,
		    struct cni_span owner, const struct cni_ast_field **seen, void *object)
{
	const struct cni_ast_field *here[CNI_BLOCK_MAX] = { 0 };

	assert(block->n_rows <= CNI_BLOCK_MAX);
	seen = seen ? seen : here;
	for (const struct cni_ast_field *f = fields; f; f = f->next) {
		size_t i = 0;

		while (i < block->n_rows && strcmp(block->rows[i].name, f->name.text))
			i++;
		if (i == block->n_rows) {
			unknown(r, block, f);
			continue;
		}
		if (seen[i]) {
			struct cni_diag *d =
				cni_diag(r->diags, CNI121, f->name.span, "`%s` is given twice", f->name.text);

			cni_diag_related(r->diags, d, seen[i]->name.span, "first given here");
			continue;
		}
		seen[i] = f;
		read_field(r, &block->rows[i], f, object);
	}
	for (size_t i = 0; i < block->n_rows; i++)
		if (block->rows[i].mandatory && !seen[i])
			cni_diag(r->diags, CNI122, owner, "this %s needs `%s`", block->what, block->rows[i].name);
}

void cni_field_store(const struct cni_field *row, void *object, uint64_t value)
{
	unsigned char *at = (unsigned char *)object + row->offset;
	uint32_t v32 = (uint32_t)value;
	uint16_t v16 = (uint16_t)value;
	uint8_t v8 = (uint8_t)value;

	if (row->size == sizeof(value))
		memcpy(at, &value, sizeof(value));
	else if (row->size == sizeof(v32))
		memcpy(at, &v32, sizeof(v32));
	else if (row->size == sizeof(v16))
		memcpy(at, &v16, sizeof(v16));
	else
		memcpy(at, &v8, sizeof(v8));
	if (row->has)
		((unsigned char *)object)[row->has] = 1;
}

void cni_field_count(struct cni_resolver *r, const struct cni_ast_field *field, const char *wanted)
{
	if (r->diags->n_errors + r->n_dropped == r->n_before)
		cni_diag(r->diags, CNI126, field->span, "`%s` takes %s", field->name.text, wanted);
}

bool cni_field_one(struct cni_resolver *r, const struct cni_ast_field *field, struct cni_item *item)
{
	struct cni_item *items;
	size_t n = cni_items(r, field->values, CNI_ANY, &items);

	/* a value that could not be read has been reported, and is left out of the list */
	if (n == 1 && field->values && !field->values->next) {
		*item = items[0];
		return true;
	}
	if (n || !field->values || field->values->next)
		cni_field_count(r, field, "exactly one value");
	return false;
}

static const char *quoted(struct cni_resolver *r, const struct cni_field *row)
{
	return cni_printf(r->arena, "`%s`", row->name);
}

void cni_read_number(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		     void *object)
{
	struct cni_item item;
	uint64_t value;

	if (cni_field_one(r, field, &item) &&
	    cni_value_number(r, &item, quoted(r, row), row->range, row->lo, row->hi, &value))
		cni_field_store(row, object, value);
}

void cni_read_duration(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		       void *object)
{
	struct cni_item item;
	uint64_t value;

	if (cni_field_one(r, field, &item) && cni_value_duration(r, &item, quoted(r, row), row->lo, row->hi, &value))
		cni_field_store(row, object, value);
}

void cni_read_choice(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		     void *object)
{
	struct cni_item item;
	uint64_t value;

	if (cni_field_one(r, field, &item) && cni_value_choice(r, &item, quoted(r, row), row->words, &value))
		cni_field_store(row, object, value);
}

void cni_read_flag(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field, void *object)
{
	struct cni_item item;
	uint64_t value = 1;

	if (!field->values ||
	    (cni_field_one(r, field, &item) && cni_value_choice(r, &item, quoted(r, row), on_off, &value)))
		cni_field_store(row, object, value);
}

void cni_read_addr(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field, void *object)
{
	struct cni_item item;
	struct cni_addr addr;

	if (!cni_field_one(r, field, &item) || !cni_value_addr(r, &item, quoted(r, row), &addr))
		return;
	memcpy((unsigned char *)object + row->offset, &addr, sizeof(addr));
	if (row->has)
		((unsigned char *)object)[row->has] = 1;
}
