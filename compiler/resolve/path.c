/* SPDX-License-Identifier: GPL-2.0-or-later */
/* path.c - the way of a route: targets in order or by weight, and what happens when none is up. */
#include "compiler/resolve/resolve.h"

#define WEIGHT_MAX 256 /* of a next hop: the kernel keeps weight - 1 in 8 bits (struct rtnexthop, rtnh_hops) */

static void read_weight(struct cni_resolver *r, const struct cni_ast_member *ast, struct cni_path *path,
			struct cni_member *member)
{
	struct cni_item item = { .use = ast->weight, .value = cni_deref(r, ast->weight) };
	uint64_t weight;

	if (!path->weighted && path->n_members > 1)
		return; /* in an ordered path: reported by read_order() */
	if (item.value && cni_value_number(r, &item, "`weight`", CNI157, 1, WEIGHT_MAX, &weight) && path->weighted)
		member->weight = (unsigned int)weight;
}

/* Ordered or weighted, but not both. */
static void read_order(struct cni_resolver *r, const struct cni_ast_path *ast, struct cni_path *path)
{
	const struct cni_ast_member *then = NULL, *comma = NULL, *weight = NULL;
	struct cni_diag *d;

	for (const struct cni_ast_member *m = ast->members; m; m = m->next) {
		if (m != ast->members && m->then && !then)
			then = m;
		if (m != ast->members && !m->then && !comma)
			comma = m;
		if (m->weight && !weight)
			weight = m;
	}
	path->weighted = comma && !then;
	if (then && comma) {
		d = cni_diag(r->diags, CNI150, comma->span, "`then` and a comma in one path");
		cni_diag_related(r->diags, d, then->span, "`then`");
		cni_diag_help(r->diags, d, "targets are either in order (`A then B`) or shared by weight (`A, B`)");
	} else if (then && weight) {
		d = cni_diag(r->diags, CNI151, weight->weight->span, "a weight in an ordered path");
		cni_diag_help(r->diags, d,
			      "`then` takes the next target only when this is down; to share write a comma");
	}
}

static void read_members(struct cni_resolver *r, const struct cni_ast_path *ast, struct cni_path *path)
{
	bool several = ast->members && ast->members->next;

	cni_mark_none(r);
	for (const struct cni_ast_member *m = ast->members; m; m = m->next) {
		const struct cni_name *name =
			cni_names_need(r, &r->targets, NULL, CNI103, m->target.text, m->target.span);
		struct cni_member member = { .weight = 1, .masquerade = m->masquerade };

		if (m->weight && (path->weighted || !several))
			read_weight(r, m, path, &member);
		if (!name)
			continue;
		if (!cni_mark(r, name->index)) {
			cni_diag(r->diags, CNI156, m->target.span, "`%s` stands twice in this path", m->target.text);
			continue;
		}
		member.target = name->index;
		r->model->targets[name->index].used = true;
		*cni_push(r->arena, path->members, path->n_members) = member;
	}
}

void cni_resolve_path(struct cni_resolver *r, const struct cni_ast_path *ast, struct cni_path *path)
{
	struct cni_diag *d;

	path->verdict = ast->verdict;
	path->masquerade = ast->masquerade;
	path->otherwise = ast->otherwise;
	if (ast->verdict != CNI_VERDICT_NONE) {
		path->otherwise = CNI_VERDICT_NONE; /* the grammar knows no `else` there */
		return;
	}
	read_order(r, ast, path);
	read_members(r, ast, path);
	if (ast->otherwise != CNI_VERDICT_NONE)
		return;
	d = cni_diag(r->diags, CNI152, ast->span, "what shall happen when this path is down?");
	cni_diag_help(r->diags, d, "add `else drop`, `else reject` (fail-closed) or `else main` (fail-open)");
	path->otherwise = CNI_VERDICT_DROP;
}
