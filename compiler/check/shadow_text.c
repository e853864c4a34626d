/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shadow_text.c - who takes something of a route, and what is left of it, in a message; see shadow.h. */
#include "compiler/check/shadow.h"

#define MAX_BOXES 4 /* of a family */
#define MAX_RANGES 6 /* of a field */

void cni_shadow_name(struct cni_shadow *sh, struct cni_diag *d, const struct cni_shadow_cover *cover)
{
	for (size_t i = 0; i < cover->n_takers && i < CNI_SHADOW_NAMED; i++) {
		const struct cni_route *above = &sh->policy->routes[cover->takers[i].route];
		size_t more = cover->n_takers - i - 1;

		if (cover->n_takers == 1)
			cni_diag_related(sh->c->diags, d, above->ast->span, "this matches first");
		else if (i + 1 < CNI_SHADOW_NAMED || !more)
			cni_diag_related(sh->c->diags, d, above->ast->span, "`%s` takes a part", above->name);
		else
			cni_diag_related(sh->c->diags, d, above->ast->span, "`%s` takes a part, and so do %zu more",
					 above->name, more);
	}
}

/* Where packets are never steered, it does not matter what a box says. */
struct cni_boxes cni_shadow_boxes(struct cni_shadow *sh, struct cni_arena *arena, enum cni_family family,
				  struct cni_space space, size_t max)
{
	struct cni_spaces *s = sh->spaces;
	struct cni_space steered = cni_space_not(s, cni_space_ranges(s, family, CNI_FIELD_TO, &sh->never_steered));

	return cni_space_boxes(s, arena, family, cni_space_simplify(s, space, steered), max, MAX_RANGES);
}

void cni_shadow_show(struct cni_shadow *sh, struct cni_diag *d, size_t route,
		     const struct cni_space left[CNI_N_FAMILIES])
{
	const struct cni_span span = sh->policy->routes[route].ast->span;
	struct cni_arena *arena = sh->c->arena;

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		struct cni_boxes boxes = { 0 };

		if (!cni_space_is_empty(left[f]))
			boxes = cni_shadow_boxes(sh, arena, f, left[f], MAX_BOXES);
		for (size_t i = 0; i < boxes.n_items; i++) {
			struct cni_text text = { .arena = arena };

			cni_box_print(&text, f, &boxes.items[i]);
			cni_diag_related(sh->c->diags, d, span, "left of it%s: %s%s", f == CNI_V6 ? ", IPv6" : "",
					 text.data, boxes.more && i + 1 == boxes.n_items ? ", and other packets" : "");
		}
	}
}

const char *cni_shadow_words(struct cni_arena *arena, enum cni_family family, enum cni_view view,
			     struct cni_range6 range)
{
	const struct cni_shadow_view *v = &cni_shadow_views[view];
	const cni_u128 last = ((cni_u128)1 << v->bits) - 1;
	struct cni_range6 proto = { range.lo >> v->bits, range.hi >> v->bits };
	struct cni_range6 value = { range.lo & last, range.hi & last };
	struct cni_box box = { 0 };
	struct cni_text text = { .arena = arena };

	if (!v->bits) {
		box.field[v->field] = (struct cni_box_field){ .items = &range, .n_items = 1 };
	} else {
		box.field[CNI_FIELD_PROTO] = (struct cni_box_field){ .items = &proto, .n_items = 1 };
		if (value.lo || value.hi != last)
			box.field[v->field] = (struct cni_box_field){ .items = &value, .n_items = 1 };
	}
	cni_box_print(&text, family, &box);
	return text.data;
}
