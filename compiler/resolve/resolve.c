/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve.c - from ast to model: the order of the work. Names first, then what depends on nothing, then the rest. */
#include "compiler/resolve/resolve.h"

#define BUDGET (UINT64_C(1) << 29) /* bytes for the members of sets and lists: see CNI114 */
#define SUGGEST_BUDGET 1000000 /* comparisons of names, about 0.2 us each */

/* Which name space a declaration belongs to, by its kind; NULL: none, or one of its own (vars.c). */
static struct cni_names *space(struct cni_resolver *r, enum cni_decl_kind kind)
{
	struct cni_names *const spaces[] = {
		[CNI_DECL_DEFINE] = &r->sets,  [CNI_DECL_SERVICE] = &r->services, [CNI_DECL_LAN] = &r->lans,
		[CNI_DECL_LINK] = &r->targets, [CNI_DECL_TUNNEL] = &r->targets,	  [CNI_DECL_POLICY] = &r->policies,
		[CNI_DECL_INCLUDE] = NULL,     [CNI_DECL_EXPECT] = NULL,	  [CNI_DECL_PROFILE] = NULL,
		[CNI_DECL_OPTIONS] = NULL,     [CNI_DECL_PACKET] = NULL,	  [CNI_DECL_VAR] = NULL,
	};

	return spaces[kind];
}

/* Gives every declaration of this kind that owns its name the next index. */
static void number(struct cni_resolver *r, enum cni_decl_kind kind, size_t *n)
{
	struct cni_names *names = space(r, kind);

	for (const struct cni_ast_decl *d = r->ast->decls; d; d = d->next)
		if (d->kind == kind && cni_owns(names, d))
			cni_names_find(names, d->name.text)->index = (*n)++;
}

static void declare_names(struct cni_resolver *r)
{
	struct cni_names *const all[] = { &r->sets, &r->services, &r->lans, &r->targets, &r->policies };
	struct cni_model *m = r->model;

	r->sets.what = "set";
	r->services.what = "service";
	r->lans.what = "lan";
	r->targets.what = "link or tunnel";
	r->policies.what = "policy";
	for (const struct cni_ast_decl *d = r->ast->decls; d; d = d->next)
		if (space(r, d->kind))
			cni_names_add(r, space(r, d->kind), d->name, d);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		cni_names_seal(r, all[i], CNI100, "is declared twice");
	number(r, CNI_DECL_DEFINE, &m->n_sets);
	number(r, CNI_DECL_SERVICE, &m->n_services);
	number(r, CNI_DECL_LAN, &m->n_lans);
	number(r, CNI_DECL_LINK, &m->n_links);
	m->n_targets = m->n_links;
	number(r, CNI_DECL_TUNNEL, &m->n_targets);
	number(r, CNI_DECL_POLICY, &m->n_policies);
}

static void make_room(struct cni_resolver *r)
{
	struct cni_model *m = r->model;

	m->sets = cni_new_array(r->arena, struct cni_set, m->n_sets);
	m->services = cni_new_array(r->arena, struct cni_service, m->n_services);
	m->lans = cni_new_array(r->arena, struct cni_lan, m->n_lans);
	m->targets = cni_new_array(r->arena, struct cni_target, m->n_targets);
	m->policies = cni_new_array(r->arena, struct cni_policy, m->n_policies);
	r->set_nest = cni_new_array(r->arena, struct cni_nest, m->n_sets);
	r->service_nest = cni_new_array(r->arena, struct cni_nest, m->n_services);
	r->marks = cni_new_array(r->arena, size_t, m->n_targets);
}

/* Sets and services are resolved when first named, so their declarations are put in their places before. */
static void place_definitions(struct cni_resolver *r)
{
	size_t n_sets = 0, n_services = 0;

	for (const struct cni_ast_decl *d = r->ast->decls; d; d = d->next) {
		if (d->kind == CNI_DECL_DEFINE && cni_owns(&r->sets, d))
			r->model->sets[n_sets++] = (struct cni_set){ .name = d->name.text, .decl = d };
		if (d->kind == CNI_DECL_SERVICE && cni_owns(&r->services, d))
			r->model->services[n_services++] = (struct cni_service){ .name = d->name.text, .decl = d };
	}
}

struct cni_model *cni_resolve(struct cni_arena *arena, const struct cni_ast *ast, const struct cni_setting *settings,
			      size_t n_settings, struct cni_diags *diags)
{
	struct cni_resolver *r = cni_new(arena, struct cni_resolver);

	r->arena = arena;
	r->diags = diags;
	r->ast = ast;
	r->model = cni_new(arena, struct cni_model);
	r->budget = BUDGET;
	r->suggest_budget = SUGGEST_BUDGET;
	declare_names(r);
	make_room(r);
	place_definitions(r);
	cni_resolve_vars(r, settings, n_settings);
	cni_resolve_options(r);
	cni_resolve_lans(r);
	cni_resolve_sets(r);
	cni_resolve_services(r);
	cni_resolve_links(r);
	cni_resolve_tunnels(r);
	cni_resolve_policies(r);
	cni_resolve_expects(r);
	cni_report_unused_settings(r);
	return r->model;
}
