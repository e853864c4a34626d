/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bgp.c - what BGP for outer packets asks of links and tunnels, so that BIRD can be told (emit/bird.c). */
#include <string.h>

#include "compiler/check/check.h"

bool cni_check_bgp_external(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	struct cni_diag *d;

	if (!t->link.bgp.present || !t->link.bgp.local_as || t->link.bgp.local_as != t->link.bgp.peer_as)
		return true;
	d = cni_diag(c->diags, CNI233, cni_inner_span(t->decl, "bgp", "peer-as"),
		     "AS %u is both ours and the peer's on `%s`", t->link.bgp.peer_as, t->name);
	cni_diag_related(c->diags, d, cni_inner_span(t->decl, "bgp", "local-as"), "ours");
	return false;
}

/* BIRD includes the file: a name with a wildcard is none or several, and it has no escapes. */
bool cni_check_bgp_key(const struct cni_checker *c, const struct cni_subject *s)
{
	const char *path = s->target->link.bgp.md5_file;
	size_t fit = 0;
	struct cni_diag *d;

	if (!path)
		return true;
	while (path[fit] && (unsigned char)path[fit] >= ' ' && !strchr("\"*?[\\\x7f", path[fit]))
		fit++;
	if (*path && !path[fit])
		return true;
	d = cni_diag(c->diags, CNI232, cni_inner_span(s->target->decl, "bgp", "md5"),
		     *path ? "BIRD cannot include a file of this name" : "the name of the key's file is empty");
	cni_diag_help(c->diags, d, "a name without quotes, backslashes, control characters, and any of * ? [");
	return false;
}

/* A session has an address at either end. */
bool cni_check_bgp_ends(const struct cni_checker *c, const struct cni_subject *s)
{
	static const char *const families[CNI_N_FAMILIES] = { "IPv4", "IPv6" };
	const struct cni_target *t = s->target;
	const enum cni_family family = t->tunnel.local.family;
	bool holds = true;

	for (size_t i = 0; i < t->tunnel.n_over && t->tunnel.underlay_bgp && cni_is_written(t->decl, "local"); i++) {
		const struct cni_target *link = cni_over(c, t, i);
		struct cni_diag *d;

		if (link->iface[family].has_address && link->iface[family].has_peer)
			continue;
		d = cni_diag(c->diags, CNI229, cni_field_span(link->decl, "bgp"), "`%s` has no %s %s for the session",
			     link->name, families[family], link->iface[family].has_address ? "peer" : "address");
		cni_diag_help(c->diags, d, "a /31, /30 or /127 in `address`, or `gateway` beside it");
		holds = false;
	}
	return holds;
}

static bool same_order(const struct cni_tunnel *a, const struct cni_tunnel *b)
{
	return a->n_over == b->n_over && !memcmp(a->over, b->over, a->n_over * sizeof(*a->over));
}

/* The first tunnel before `at` that ends at the same address. */
static const struct cni_target *same_local(const struct cni_model *m, size_t at)
{
	for (size_t i = m->n_links; i < at; i++)
		if (m->targets[i].tunnel.underlay_bgp &&
		    cni_addr_equal(m->targets[i].tunnel.local, m->targets[at].tunnel.local))
			return &m->targets[i];
	return NULL;
}

bool cni_check_bgp_order(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_model *m = c->model;
	bool holds = true;

	(void)s;
	for (size_t i = m->n_links; i < m->n_targets; i++) {
		const struct cni_target *t = &m->targets[i], *first;
		struct cni_diag *d;

		first = t->tunnel.underlay_bgp ? same_local(m, i) : NULL;
		if (!first || same_order(&t->tunnel, &first->tunnel))
			continue;
		d = cni_diag(c->diags, CNI336, cni_field_span(t->decl, "over"),
			     "`%s` ends where `%s` does, but prefers other links", t->name, first->name);
		cni_diag_related(c->diags, d, cni_field_span(first->decl, "over"), "the order of `%s`", first->name);
		cni_diag_help(c->diags, d, "the same `over` for both, or another `local` for one");
		holds = false;
	}
	return holds;
}

bool cni_check_bgp_idle(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_model *m = c->model;
	bool *carries = cni_new_array(c->arena, bool, m->n_links + 1);
	bool holds = true;

	(void)s;
	for (size_t i = m->n_links; i < m->n_targets; i++)
		for (size_t o = 0; o < m->targets[i].tunnel.n_over; o++)
			carries[m->targets[i].tunnel.over[o]] = true;
	for (size_t i = 0; i < m->n_links; i++) {
		const struct cni_target *t = &m->targets[i];
		struct cni_diag *d;

		/* CNI222 says so of Classic */
		if (!t->link.bgp.present || carries[i] || t->link.kind == CNI_CLASSIC)
			continue;
		d = cni_diag(c->diags, CNI236, cni_field_span(t->decl, "bgp"),
			     "no tunnel is over `%s`: there is nothing to speak BGP for", t->name);
		cni_diag_help(c->diags, d, "leave it out; it is for the outer packets of tunnels only");
		holds = false;
	}
	return holds;
}
