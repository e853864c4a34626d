/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse_fuzz.c - libFuzzer target for all that reads text: a policy through parser, resolver, checks and lowering,
 * its layout, a value and a packet of the command line, and a prefix file. */
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/lower.h"
#include "compiler/model.h"
#include "compiler/text.h"
#include "grammar/parse.h"

static const struct cni_source *source(struct cni_arena *arena, struct cni_sources *sources, const char *text,
				       size_t len)
{
	return cni_source_add(arena, sources, "fuzz.cni", text, len);
}

static void compile(struct cni_arena *arena, const char *text, size_t len)
{
	struct cni_sources sources = { 0 };
	struct cni_ast ast = { 0 };
	struct cni_ast_decl **tail = &ast.decls;
	const struct cni_model *model;
	const struct cni_prior prior = { 0 };
	struct cni_diags diags;

	cni_diags_init(&diags, arena);
	cni_parse(arena, source(arena, &sources, text, len), &diags, &tail);
	for (const struct cni_diag *d = diags.first; d; d = d->next)
		if (d->span.begin > d->span.end || d->span.end > len + 1 || !d->span.begin)
			abort(); /* a place outside the text */
	for (struct cni_ast_decl **d = &ast.decls; *d;) /* the loader's business */
		if ((*d)->kind == CNI_DECL_INCLUDE)
			*d = (*d)->next;
		else
			d = &(*d)->next;
	if (diags.n_errors)
		return;
	model = cni_resolve(arena, &ast, NULL, 0, &diags);
	cni_check(arena, model, &diags);
	if (!diags.n_errors)
		cni_lower(arena, model, &prior, &diags);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The same text but for white space. */
static bool same_text(const char *a, size_t n, const char *b, size_t m)
{
	size_t i = 0, j = 0;

	for (;; i++, j++) {
		while (i < n && is_blank(a[i]))
			i++;
		while (j < m && is_blank(b[j]))
			j++;
		if (i == n || j == m)
			return i == n && j == m;
		if (a[i] != b[j])
			return false;
	}
}

static void format(struct cni_arena *arena, const char *text, size_t len)
{
	struct cni_text once = { .arena = arena }, twice = once;
	struct cni_sources sources = { 0 };
	struct cni_diags diags;

	cni_diags_init(&diags, arena);
	cni_text_puts(&once, "");
	cni_text_puts(&twice, "");
	if (!cni_format(arena, source(arena, &sources, text, len), &diags, &once))
		return;
	if (!same_text(text, len, once.data, once.len))
		abort(); /* the layout has changed the text */
	if (!cni_format(arena, source(arena, &sources, once.data, once.len), &diags, &twice))
		abort(); /* the layout does not parse */
	if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)
		abort(); /* the layout of a layout is another */
}

static void read_others(struct cni_arena *arena, const char *text, size_t len)
{
	struct cni_sources sources = { 0 };
	const struct cni_source *s = source(arena, &sources, text, len);
	const struct cni_ranges *ranges;
	struct cni_diags diags;

	cni_diags_init(&diags, arena);
	if (!cni_parse_value(arena, s, &diags) && !diags.n_errors)
		abort(); /* no value, and no word about it */
	cni_diags_init(&diags, arena);
	if (!cni_parse_packet(arena, s, &diags) && !diags.n_errors)
		abort(); /* no packet, and no word about it */
	cni_diags_init(&diags, arena);
	ranges = cni_parse_prefixes(arena, s, &diags);
	for (size_t i = 1; i < ranges->n_v4; i++)
		if ((uint64_t)ranges->v4[i - 1].hi + 1 >= ranges->v4[i].lo)
			abort(); /* not canonical */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_arena *arena = cni_arena_new();

	compile(arena, (const char *)data, size);
	format(arena, (const char *)data, size);
	read_others(arena, (const char *)data, size);
	cni_arena_free(arena);
	return 0;
}
