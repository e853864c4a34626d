/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ast.c - looking into what was written; see ast.h. */
#include "compiler/ast.h"

#include <string.h>

const struct cni_ast_field *cni_ast_field(const struct cni_ast_field *fields, const char *name)
{
	while (fields && strcmp(fields->name.text, name))
		fields = fields->next;
	return fields;
}

struct cni_span cni_ast_field_span(const struct cni_ast_decl *decl, const char *name)
{
	const struct cni_ast_field *f = cni_ast_field(decl->fields, name);

	return f ? f->span : decl->name.span;
}
