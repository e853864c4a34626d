/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lowered.h - from the text of a policy to its desired state, for tests of lowering; include after cmocka.h. */
#ifndef CNI_TEST_LOWERED_H
#define CNI_TEST_LOWERED_H

#include <string.h>

#include "compiler/arena.h"
#include "compiler/lower.h"
#include "grammar/parse.h"

struct lowered {
	struct cni_diags *diags;
	const struct cni_model *model;
	struct cni_state *state;
};

static inline struct lowered lower_with(struct cni_arena *arena, const char *text, const struct cni_prior *prior)
{
	struct cni_sources sources = { 0 };
	struct lowered lowered = { .diags = cni_new(arena, struct cni_diags) };
	struct cni_ast ast = { 0 };
	struct cni_ast_decl **tail = &ast.decls;
	struct cni_model *model;

	cni_diags_init(lowered.diags, arena);
	cni_parse(arena, cni_source_add(arena, &sources, "test.cni", text, strlen(text)), lowered.diags, &tail);
	model = cni_resolve(arena, &ast, NULL, 0, lowered.diags);
	for (struct cni_diag *d = lowered.diags->first; d; d = d->next)
		print_message("# CNI%03d %s\n", (int)d->code, d->message);
	assert_int_equal(lowered.diags->n_errors, 0);
	lowered.model = model;
	lowered.state = cni_lower(arena, model, prior, lowered.diags);
	return lowered;
}

static inline struct lowered lower(struct cni_arena *arena, const char *text, const struct cni_state *observed)
{
	return lower_with(arena, text, &(struct cni_prior){ .observed = observed });
}

#endif
