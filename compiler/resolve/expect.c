/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect.c - `expect`: what the policy must do with a packet, and on which day. */
#include "compiler/resolve/resolve.h"

static size_t find_target(struct cni_resolver *r, const char *text, struct cni_span span)
{
	const struct cni_name *name = cni_names_need(r, &r->targets, NULL, CNI103, text, span);

	return name ? name->index : CNI_NONE;
}

static void read_device(struct cni_resolver *r, struct cni_expect *expect)
{
	struct cni_item *items;
	size_t n = cni_items(r, expect->decl->devices, CNI_COMMAS, &items);

	for (size_t i = 0; i < n; i++) {
		const char *name;

		if (!cni_value_device(r, &items[i], &name))
			continue;
		expect->device = name;
		if (cni_names_find(&r->devices, name))
			continue;
		r->devices.what = "device of a policy";
		cni_names_need(r, &r->devices, NULL, CNI155, name, items[i].use->span);
	}
}

static void read_down(struct cni_resolver *r, struct cni_expect *expect)
{
	struct cni_item *items;
	size_t n = cni_items(r, expect->decl->down, CNI_COMMAS, &items);

	for (size_t i = 0; i < n; i++) {
		const char *text;
		size_t target;

		if (!cni_value_word(r, &items[i], "`when`", &text))
			continue;
		target = find_target(r, text, items[i].use->span);
		if (target != CNI_NONE)
			*cni_push(r->arena, expect->down, expect->n_down) = target;
	}
}

void cni_resolve_expects(struct cni_resolver *r)
{
	for (const struct cni_ast_decl *d = r->ast->decls; d; d = d->next) {
		struct cni_expect expect = { .device = "", .never = d->negated, .outcome = d->outcome, .decl = d };
		struct cni_expect *kept;

		if (d->kind != CNI_DECL_EXPECT && d->kind != CNI_DECL_PACKET)
			continue;
		expect.target = CNI_NONE;
		read_device(r, &expect);
		cni_resolve_match(r, d->matches, &expect.match);
		read_down(r, &expect);
		if (d->kind == CNI_DECL_EXPECT && d->outcome == CNI_VERDICT_NONE)
			expect.target = find_target(r, d->target.text, d->target.span);
		kept = d->kind == CNI_DECL_EXPECT ? cni_push(r->arena, r->model->expects, r->model->n_expects)
						  : cni_new(r->arena, struct cni_expect);
		*kept = expect;
		if (d->kind == CNI_DECL_PACKET)
			r->model->packet = kept;
	}
}
