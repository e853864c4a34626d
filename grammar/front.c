/* SPDX-License-Identifier: GPL-2.0-or-later */
/* front.c - one parse from start to end; see parse.h. (Not parse.c: make would build that from parse.y.) */
#include "grammar/front.h"

#include "grammar/parse.h"
#include "parse.tab.h"

static void parse(struct cni_front *front)
{
	if (front->source->len > CNI_TEXT_MAX) {
		struct cni_span start = { front->source->base, front->source->base + 1 };

		cni_mistake(front, CNI19, start, "%s has %zu bytes; a policy has %u at most", front->source->name,
			    front->source->len, CNI_TEXT_MAX);
		return;
	}
	front->scanner = cni_scan_open(front);
	cni_yyparse(front); /* what it returns says no more than the diagnostics do */
}

void cni_parse(struct cni_arena *arena, const struct cni_source *source, struct cni_diags *diags,
	       struct cni_ast_decl ***tail)
{
	struct cni_front *front = cni_new(arena, struct cni_front);

	front->arena = arena;
	front->source = source;
	front->diags = diags;
	front->start = TOKEN_A_TEXT;
	front->tail = tail;
	parse(front);
}

/* For what the command line says. */
static struct cni_front *parse_one(struct cni_arena *arena, const struct cni_source *source, struct cni_diags *diags,
				   int start)
{
	struct cni_front *front = cni_new(arena, struct cni_front);

	front->arena = arena;
	front->source = source;
	front->diags = diags;
	front->start = start;
	front->one_value = true;
	parse(front);
	return front;
}

struct cni_ast_value *cni_parse_value(struct cni_arena *arena, const struct cni_source *source, struct cni_diags *diags)
{
	const struct cni_front *front = parse_one(arena, source, diags, TOKEN_A_VALUE);

	return front->n_mistakes ? NULL : front->value;
}

struct cni_ast_decl *cni_parse_packet(struct cni_arena *arena, const struct cni_source *source, struct cni_diags *diags)
{
	const struct cni_front *front = parse_one(arena, source, diags, TOKEN_A_PACKET);

	return front->n_mistakes ? NULL : front->packet;
}
