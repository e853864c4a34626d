/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shadowed.c - for every route what earlier ones take of it, and what is left: on request, since order is the language's
 * way and nobody's mistake. */
#include "compiler/check/shadow.h"

/* "65536 of 2^24 packets", and the first box of them. */
static void add_share(struct cni_text *text, struct cni_spaces *s, enum cni_family family, struct cni_space whole,
		      struct cni_space taken)
{
	const struct cni_count all = cni_space_count(s, family, whole), part = cni_space_count(s, family, taken);
	struct cni_boxes boxes = cni_space_boxes(s, text->arena, family, taken, 1, 2);

	cni_text_puts(text, text->len ? ", and " : "");
	cni_count_print(text, &part);
	cni_text_puts(text, " of ");
	cni_count_print(text, &all);
	cni_text_printf(text, " %s packets: ", family == CNI_V4 ? "IPv4" : "IPv6");
	if (boxes.n_items)
		cni_box_print(text, family, &boxes.items[0]);
	cni_text_puts(text, boxes.more ? ", and others" : "");
}

static void add_taker(struct cni_shadow *sh, struct cni_diag *d, const struct cni_shadow_cover *cover, size_t at)
{
	const struct cni_shadow_taker *taker = &cover->takers[at];
	const struct cni_space *after = at + 1 < cover->n_takers ? cover->takers[at + 1].before : cover->left;
	const struct cni_route *route = &sh->policy->routes[taker->route];
	struct cni_text text = { .arena = sh->c->arena };

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (!cni_space_equal(taker->before[f], after[f]))
			add_share(&text, sh->spaces, f, cover->takers[0].before[f],
				  cni_space_minus(sh->spaces, taker->before[f], after[f]));
	cni_diag_related(sh->c->diags, d, route->ast->span, "`%s` takes %s", route->name, text.data);
}

static void tell(struct cni_shadow *sh, size_t n)
{
	const struct cni_route *route = &sh->policy->routes[n];
	const size_t mark = cni_spaces_mark(cni_shadow_spaces(sh));
	struct cni_arena *arena = cni_arena_new();
	const struct cni_shadow_cover cover = cni_shadow_cover(sh, arena, n, NULL);
	struct cni_diag *d;

	sh->failed = cover.failed;
	if (cover.failed) {
		cni_diag(sh->arg, CNI403, route->ast->name.span,
			 "what routes above take of route `%s` and of those below it was not found out with %u nodes",
			 route->name, CNI_DEFAULT_NODES);
	} else if (cover.n_takers) {
		d = cni_diag(sh->arg, CNI431, route->ast->name.span, "route `%s` loses packets to %zu route%s above",
			     route->name, cover.n_takers, cover.n_takers == 1 ? "" : "s");
		for (size_t i = 0; i < cover.n_takers && i < CNI_SHADOW_NAMED; i++)
			add_taker(sh, d, &cover, i);
		if (cover.n_takers > CNI_SHADOW_NAMED)
			cni_diag_related(sh->c->diags, d,
					 sh->policy->routes[cover.takers[CNI_SHADOW_NAMED].route].ast->span,
					 "this and %zu more take others", cover.n_takers - CNI_SHADOW_NAMED - 1);
		cni_shadow_show(sh, d, n, cover.left);
	}
	cni_spaces_release(sh->spaces, mark, -1);
	cni_arena_free(arena);
}

void cni_check_shadowed(struct cni_arena *arena, const struct cni_model *model, struct cni_diags *diags)
{
	struct cni_diags said; /* what cni_check() has told of dead routes */
	const struct cni_checker c = { arena, model, &said };

	cni_diags_init(&said, arena);
	said.limit = 0;
	cni_shadow_each(&c, tell, diags);
}
