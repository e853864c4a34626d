/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lan.c - `lan`: the networks behind the router. */
#include "compiler/resolve/resolve.h"

struct draft {
	struct cni_lan lan;
	struct cni_gather gather;
};

static void read_device(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
			void *object)
{
	struct draft *draft = object;
	struct cni_item item;

	(void)row;
	if (cni_field_one(r, field, &item))
		cni_value_device(r, &item, &draft->lan.device);
}

static void read_prefix(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
			void *object)
{
	struct draft *draft = object;

	(void)row;
	cni_gather(r, &draft->gather, field->values, CNI_COMMAS);
	draft->lan.ranges = cni_gathered(r, &draft->gather, field->span);
}

static const struct cni_field rows[] = {
	{ .name = "device", .read = read_device },
	{ .name = "prefix", .read = read_prefix, .mandatory = true },
};
static const struct cni_block block = CNI_BLOCK("lan", rows);

void cni_resolve_lans(struct cni_resolver *r)
{
	size_t n = 0;

	for (const struct cni_ast_decl *d = r->ast->decls; d; d = d->next) {
		struct draft draft = { .lan = { .name = d->name.text, .decl = d }, .gather = { .literal = true } };

		if (d->kind != CNI_DECL_LAN)
			continue;
		cni_read_block(r, &block, d->fields, d->name.span, NULL, &draft);
		if (cni_owns(&r->lans, d))
			r->model->lans[n++] = draft.lan;
	}
}
