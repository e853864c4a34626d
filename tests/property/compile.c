/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile.c - from a text in memory to model and state; see compare.h. */
#include "tests/property/compare.h"

#include <string.h>

#include "compiler/arena.h"
#include "compiler/emit/emit.h"
#include "compiler/lower.h"
#include "grammar/parse.h"

/* Any path may still have flows: those of the tests do. */
static bool in_use(void *arg, uint32_t mask, uint32_t mark)
{
	(void)arg;
	return mask && mark;
}

struct cni_prior prior_of_text(const char *text, const struct cni_state *observed)
{
	/* sets this small are rarely cut: most policies are compiled with less room in a piece, as their length says */
	static const size_t shard_max[] = { 0, 1, 2, 3, 5 }, map_min[] = { 0, 1, 2, 3 };

	return (struct cni_prior){ .observed = observed,
				   .in_use = in_use,
				   .map_min = map_min[strlen(text) / 5 % 4],
				   .skip_min = strlen(text) / 25 % 4,
				   .shard_max = shard_max[strlen(text) % 5] };
}

struct compiled check_text(struct cni_arena *arena, const char *text)
{
	struct compiled c = { 0 };
	struct cni_ast ast = { 0 };
	struct cni_ast_decl **tail = &ast.decls;
	const struct cni_source *source = cni_source_add(arena, &c.sources, "random.cni", text, strlen(text));
	struct cni_model *model;

	cni_diags_init(&c.diags, arena);
	cni_parse(arena, source, &c.diags, &tail);
	if (c.diags.n_errors)
		return c;
	model = cni_resolve(arena, &ast, NULL, 0, &c.diags);
	cni_check(arena, model, &c.diags);
	if (!c.diags.n_errors)
		c.model = model;
	return c;
}

struct compiled compile_text(struct cni_arena *arena, const char *text, const struct cni_state *observed)
{
	const struct cni_prior prior = prior_of_text(text, observed);
	struct compiled c = check_text(arena, text);

	if (c.model)
		c.state = cni_lower(arena, c.model, &prior, &c.diags);
	if (c.diags.n_errors)
		c.model = NULL;
	return c;
}

const char *compiled_diags(struct cni_arena *arena, const struct compiled *compiled)
{
	struct cni_text out = { .arena = arena };

	cni_text_puts(&out, "");
	cni_emit_diags(&out, &compiled->diags, &compiled->sources, false);
	return out.data;
}
