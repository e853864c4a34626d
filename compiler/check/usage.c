/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usage.c - interconnects, tunnels, sets and services that nothing leads to, and interconnects without an alternative. */
#include "compiler/check/check.h"

static void report_unused(const struct cni_checker *c, const struct cni_target *t, bool tunnelled)
{
	bool classic = cni_is_link(t, CNI_CLASSIC);
	struct cni_diag *d;

	if (t->kind == CNI_TARGET_TUNNEL) {
		d = cni_diag(c->diags, CNI325, t->decl->name.span, "no route leads to tunnel `%s`", t->name);
		cni_diag_help(c->diags, d, "a route `via %s` in a policy, or `waive policy;` in the tunnel", t->name);
	} else if (classic && !tunnelled) {
		d = cni_diag(c->diags, CNI222, t->decl->name.span, "`%s` is Classic, and no tunnel is over it",
			     t->name);
		cni_diag_help(c->diags, d, "tunnel NAME { kind gre; over %s; … }, or `waive policy;` in the link",
			      t->name);
	} else {
		d = cni_diag(c->diags, CNI220, t->decl->name.span, "no route leads to `%s`%s", t->name,
			     classic ? " by a tunnel over it" : "");
		cni_diag_help(c->diags, d, "a route `via %s` in a policy, or `waive policy;` in the link",
			      classic ? "a tunnel over it" : t->name);
	}
}

/* Whether it is said of an interconnect below already. */
static bool over_unused(const struct cni_model *m, const struct cni_target *tunnel, const bool *used)
{
	for (size_t o = 0; o < tunnel->tunnel.n_over; o++) {
		size_t link = tunnel->tunnel.over[o];

		if (cni_is_interconnect(&m->targets[link]) && !used[link])
			return true;
	}
	return false;
}

/* A link is used by its own routes and by those of tunnels over it. */
bool cni_check_used(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_model *m = c->model;
	bool *tunnelled = cni_new_array(c->arena, bool, m->n_links + 1);
	bool *used = cni_new_array(c->arena, bool, m->n_links + 1);
	bool holds = true;

	(void)s;
	for (size_t i = m->n_links; i < m->n_targets; i++)
		for (size_t o = 0; o < m->targets[i].tunnel.n_over; o++) {
			size_t link = m->targets[i].tunnel.over[o];

			tunnelled[link] = true;
			used[link] |= m->targets[i].used || m->targets[link].used;
		}
	for (size_t i = 0; i < m->n_targets; i++) {
		const struct cni_target *t = &m->targets[i];
		bool link = t->kind == CNI_TARGET_LINK;

		if (t->used || t->link.waive_policy || (link && (used[i] || !cni_is_interconnect(t))))
			continue;
		if (!link && over_unused(m, t, used))
			continue;
		report_unused(c, t, link && tunnelled[i]);
		holds = false;
	}
	return holds;
}

bool cni_check_backup(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *alone = NULL;
	struct cni_diag *d;

	(void)s;
	for (size_t i = 0; i < c->model->n_links; i++) {
		const struct cni_target *t = &c->model->targets[i];

		if (cni_is_link(t, CNI_INTERNET))
			return true;
		if (!alone && cni_is_interconnect(t) && !t->link.waive_backup)
			alone = t;
	}
	if (!alone)
		return true;
	d = cni_diag(c->diags, CNI223, alone->decl->name.span, "`%s` has no internet link beside it as a backup",
		     alone->name);
	cni_diag_help(c->diags, d, "a link of kind internet, or `waive backup;` if that is not this router's business");
	return false;
}

static void report_unnamed(const struct cni_checker *c, const char *what, const struct cni_ast_decl *decl)
{
	if (!decl->included)
		cni_diag(c->diags, CNI406, decl->name.span, "nothing names the %s `%s`", what, decl->name.text);
}

bool cni_check_named(const struct cni_checker *c, const struct cni_subject *s)
{
	(void)s;
	for (size_t i = 0; i < c->model->n_sets; i++)
		if (!c->model->sets[i].used)
			report_unnamed(c, "set", c->model->sets[i].decl);
	for (size_t i = 0; i < c->model->n_services; i++)
		if (!c->model->services[i].used)
			report_unnamed(c, "service", c->model->services[i].decl);
	return true;
}
