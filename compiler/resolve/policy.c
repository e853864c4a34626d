/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.c - `policy`: its devices, and its routes in order. */
#include <string.h>

#include "compiler/resolve/resolve.h"

static void read_devices(struct cni_resolver *r, struct cni_policy *policy, bool owns)
{
	struct cni_item *items;
	size_t n = cni_items(r, policy->decl->devices, CNI_COMMAS, &items);

	for (size_t i = 0; i < n; i++) {
		const char *name;

		if (!cni_value_device(r, &items[i], &name))
			continue;
		if (owns)
			cni_names_add(r, &r->devices, (struct cni_ast_word){ items[i].use->span, name }, policy->decl);
		if (!strcmp(name, "local"))
			policy->local = true;
		else
			*cni_push(r->arena, policy->devices, policy->n_devices) = name;
	}
}

static void read_source(struct cni_resolver *r, const struct cni_policy *policy, struct cni_route *route)
{
	const struct cni_ast_value *use = route->ast->source;
	struct cni_item item = { .use = use, .value = use ? cni_deref(r, use) : NULL };

	if (!item.value || !cni_value_addr(r, &item, "`source`", &route->source))
		return;
	route->has_source = true;
	if (!policy->local || policy->n_devices)
		cni_bad_value(r, CNI159, &item,
			      "`source` is for what the router itself sends: policies on `local` alone");
}

static void read_routes(struct cni_resolver *r, struct cni_policy *policy)
{
	struct cni_names names = { .what = "route" };
	bool ends = policy->otherwise != CNI_VERDICT_NONE;
	struct cni_diag *d;

	for (const struct cni_ast_route *a = policy->decl->routes; a; a = a->next) {
		struct cni_route *route = cni_push(r->arena, policy->routes, policy->n_routes);

		route->name = a->name.text;
		route->ast = a;
		cni_names_add(r, &names, a->name, a);
		cni_resolve_match(r, a->matches, &route->match);
		read_source(r, policy, route);
		cni_resolve_path(r, &a->path, &route->path);
		ends |= !a->matches;
	}
	cni_names_seal(r, &names, CNI100, "is declared twice");
	if (ends)
		return;
	d = cni_diag(r->diags, CNI153, policy->decl->name.span, "what shall happen to packets that no route matches?");
	cni_diag_help(r->diags, d,
		      "end it in `else drop;`, `else reject;` or `else main;`, or in a route without a match");
}

void cni_resolve_policies(struct cni_resolver *r)
{
	size_t n = 0;

	r->devices.what = "device";
	for (const struct cni_ast_decl *d = r->ast->decls; d; d = d->next) {
		struct cni_policy policy = { .name = d->name.text, .otherwise = d->otherwise, .decl = d };
		bool owns;

		if (d->kind != CNI_DECL_POLICY)
			continue;
		owns = cni_owns(&r->policies, d);
		read_devices(r, &policy, owns);
		read_routes(r, &policy);
		if (owns)
			r->model->policies[n++] = policy;
	}
	cni_names_seal(r, &r->devices, CNI154, "belongs to a policy already");
}
