/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shadowed.c - for every route what earlier ones take of it, and what is left: on request, since order is the
 * language's way and nobody's mistake. */
#include "compiler/check/shadow.h"

static double number_of(const struct cni_count *count)
{
	double number = 0;

	for (size_t i = sizeof(count->word) / sizeof(*count->word); i-- > 0;)
		number = number * 0x1p64 + (double)count->word[i];
	return number;
}

/* "12.5% of IPv4: ", and a box of it. */
static void add_share(struct cni_text *text, struct cni_shadow *sh, enum cni_family family, struct cni_space whole,
		      struct cni_space taken)
{
	struct cni_spaces *s = sh->spaces;
	const struct cni_count all = cni_space_count(s, family, whole), part = cni_space_count(s, family, taken);
	const double percent = 100 * number_of(&part) / number_of(&all);
	struct cni_boxes boxes = cni_shadow_boxes(sh, text->arena, family, taken, 1);

	cni_text_puts(text, text->len ? ", and " : "");
	if (percent < 0.1)
		cni_text_puts(text, "less than 0.1%");
	else if (percent > 99.9 && !cni_space_equal(whole, taken))
		cni_text_puts(text, "more than 99.9%");
	else
		cni_text_printf(text, "%.1f%%", percent);
	cni_text_printf(text, " of %s: ", family == CNI_V4 ? "IPv4" : "IPv6");
	for (size_t i = 0; i < boxes.n_items; i++)
		cni_box_print(text, family, &boxes.items[i]);
	cni_text_puts(text, boxes.more ? ", and other packets" : "");
}

static void add_taker(struct cni_shadow *sh, struct cni_diag *d, const struct cni_shadow_cover *cover, size_t at)
{
	const struct cni_shadow_taker *taker = &cover->takers[at];
	const struct cni_space *after = at + 1 < cover->n_takers ? cover->takers[at + 1].before : cover->left;
	const struct cni_route *route = &sh->policy->routes[taker->route];
	struct cni_text text = { .arena = sh->c->arena };

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (!cni_space_equal(taker->before[f], after[f]))
			add_share(&text, sh, f, cover->takers[0].before[f],
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
			 route->name, sh->limits->nodes);
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
	cni_shadow_each(&c, &cni_shadow_usual, tell, diags);
}
