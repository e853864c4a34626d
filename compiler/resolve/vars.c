/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vars.c - `var NAME = VALUE;`, --set NAME=VALUE, and what `$NAME` stands for. */
#include <string.h>

#include "compiler/resolve/resolve.h"

static void declare(struct cni_resolver *r)
{
	r->var_names.what = "variable";
	for (const struct cni_ast_decl *d = r->ast->decls; d; d = d->next)
		if (d->kind == CNI_DECL_VAR)
			cni_names_add(r, &r->var_names, d->name, d);
	cni_names_seal(r, &r->var_names, CNI100, "is declared twice");
	for (const struct cni_ast_decl *d = r->ast->decls; d; d = d->next) {
		if (d->kind != CNI_DECL_VAR || !cni_owns(&r->var_names, d))
			continue;
		cni_names_find(&r->var_names, d->name.text)->index = r->n_vars;
		*cni_push(r->arena, r->vars, r->n_vars) =
			(struct cni_var){ .name = d->name.text, .value = d->values, .decl = d };
	}
}

/* The last setting of a name wins over `var`. A name that no `var` declares needs no default: it is added. */
static void apply_settings(struct cni_resolver *r, const struct cni_setting *settings, size_t n_settings)
{
	for (size_t i = 0; i < n_settings; i++) {
		const struct cni_setting *set = &settings[i];
		struct cni_name *name = cni_names_find(&r->var_names, set->name);

		if (!set->parsed)
			cni_diag(r->diags, CNI113, (struct cni_span){ 0 },
				 "--set %s=%s: `%s` is no value of the language", set->name, set->value, set->value);
		if (!name) {
			cni_names_add(r, &r->var_names, (struct cni_ast_word){ .text = set->name }, set)->index =
				r->n_vars;
			*cni_push(r->arena, r->vars, r->n_vars) = (struct cni_var){ .name = set->name };
			cni_names_seal(r, &r->var_names, 0, NULL); /* so that the next is found; settings are few */
			name = cni_names_find(&r->var_names, set->name);
		}
		r->vars[name->index].value = set->parsed;
	}
}

static void look_into(struct cni_resolver *r, struct cni_nest *nest, const struct cni_ast_value *value);

static void resolve_var(struct cni_resolver *r, size_t index)
{
	struct cni_var *var = &r->vars[index];
	struct cni_nest *nest = &r->var_nest[index];

	if (!var->value) {
		nest->broken = true;
		return;
	}
	look_into(r, nest, var->value);
	if (nest->broken)
		var->value = NULL;
	else if (var->value->kind == CNI_VALUE_VAR)
		var->value = cni_deref(r, var->value);
}

static void look_into(struct cni_resolver *r, struct cni_nest *nest, const struct cni_ast_value *value)
{
	const struct cni_name *name;

	if (value->kind == CNI_VALUE_LIST)
		for (const struct cni_ast_value *v = value->list; v; v = v->next)
			look_into(r, nest, v);
	if (value->kind != CNI_VALUE_VAR)
		return;
	name = cni_names_need(r, &r->var_names, NULL, CNI104, value->text, value->span);
	if (name)
		cni_nest(r, nest, &r->var_nest[name->index], name, "variable", value->span, CNI107, resolve_var);
	else
		nest->broken = true;
}

void cni_resolve_vars(struct cni_resolver *r, const struct cni_setting *settings, size_t n_settings)
{
	declare(r);
	apply_settings(r, settings, n_settings);
	r->var_nest = cni_new_array(r->arena, struct cni_nest, r->n_vars);
	for (size_t i = 0; i < r->n_vars; i++) {
		struct cni_nest root = { 0 };
		const struct cni_name *name = cni_names_find(&r->var_names, r->vars[i].name);

		cni_nest(r, &root, &r->var_nest[i], name, "variable", name->span, CNI107, resolve_var);
	}
}

const struct cni_ast_value *cni_deref(struct cni_resolver *r, const struct cni_ast_value *use)
{
	const struct cni_name *name;

	if (use->kind != CNI_VALUE_VAR)
		return use;
	name = cni_names_need(r, &r->var_names, NULL, CNI104, use->text, use->span);
	if (name)
		r->vars[name->index].used = true;
	if (name && r->vars[name->index].value)
		return r->vars[name->index].value;
	r->n_dropped++;
	return NULL;
}

void cni_report_unused_settings(struct cni_resolver *r)
{
	for (size_t i = 0; i < r->n_vars; i++) {
		struct cni_diag *d;
		const char **list = NULL, *nearest;
		size_t n = 0;

		if (r->vars[i].decl || r->vars[i].used)
			continue;
		d = cni_diag(r->diags, CNI112, (struct cni_span){ 0 }, "--set %s: the policy has no such variable",
			     r->vars[i].name);
		for (size_t j = 0; j < r->n_vars; j++)
			if (r->vars[j].decl)
				*cni_push(r->arena, list, n) = r->vars[j].name;
		*cni_push(r->arena, list, n) = NULL;
		nearest = cni_did_you_mean(r->vars[i].name, list);
		if (nearest)
			cni_diag_help(r->diags, d, "did you mean `%s`?", nearest);
	}
}
