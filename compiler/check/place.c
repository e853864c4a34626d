/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.c - where a check points, and what many checks ask; see check.h. */
#include <string.h>

#include "compiler/check/check.h"

/* A field's values; of a block, or where there are none, its name. */
static struct cni_span field_span(const struct cni_ast_field *field)
{
	struct cni_span span = { 0 };

	for (const struct cni_ast_value *v = field->has_block ? NULL : field->values; v; v = v->next)
		span = cni_span_join(span, v->span);
	return cni_span_is_set(span) ? span : field->name.span;
}

struct cni_span cni_field_span(const struct cni_ast_decl *decl, const char *name)
{
	const struct cni_ast_field *field = cni_ast_field(decl->fields, name);

	return field ? field_span(field) : decl->name.span;
}

struct cni_span cni_inner_span(const struct cni_ast_decl *decl, const char *outer, const char *inner)
{
	const struct cni_ast_field *field = cni_ast_field(decl->fields, outer);
	const struct cni_ast_field *in = field ? cni_ast_field(field->block, inner) : NULL;

	return in ? field_span(in) : cni_field_span(decl, outer);
}

bool cni_is_written(const struct cni_ast_decl *decl, const char *field)
{
	return cni_ast_field(decl->fields, field);
}

struct cni_span cni_word_span(const struct cni_ast_decl *decl, const char *field, const char *word, size_t n)
{
	const struct cni_ast_field *f = cni_ast_field(decl->fields, field);

	for (const struct cni_ast_value *v = f ? f->values : NULL; v; v = v->next)
		if ((v->kind == CNI_VALUE_WORD || v->kind == CNI_VALUE_STRING) && !strcmp(v->text, word) && !n--)
			return v->span;
	return cni_field_span(decl, field);
}

struct cni_span cni_address_span(const struct cni_ast_decl *decl, const char *field, enum cni_family family)
{
	const struct cni_ast_field *f = cni_ast_field(decl->fields, field);

	for (const struct cni_ast_value *v = f ? f->values : NULL; v; v = v->next)
		if ((v->kind == CNI_VALUE_ADDR || v->kind == CNI_VALUE_PREFIX) && v->prefix.addr.family == family)
			return v->span;
	return cni_field_span(decl, field);
}

struct cni_span cni_member_span(const struct cni_route *route, size_t n)
{
	const struct cni_ast_member *m = route->ast->path.members;

	while (m && n--)
		m = m->next;
	return m ? m->span : route->ast->path.span;
}

const struct cni_target *cni_over(const struct cni_checker *c, const struct cni_target *tunnel, size_t n)
{
	return &c->model->targets[tunnel->tunnel.over[n]];
}

const struct cni_target *cni_over_kind(const struct cni_checker *c, const struct cni_target *tunnel,
				       enum cni_link_kind kind)
{
	for (size_t i = 0; i < tunnel->tunnel.n_over; i++) {
		const struct cni_target *link = cni_over(c, tunnel, i);

		if (cni_is_link(link, kind))
			return link;
	}
	return NULL;
}
