/* SPDX-License-Identifier: GPL-2.0-or-later */
/* classic.c - what a Classic interconnect asks for: GRE and nothing else, its BGP, and IPv6's exception. */
#include "compiler/check/check.h"

#define CLOUDFLARE_AS 13335

bool cni_check_classic_plain(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_path *path = &s->route->path;
	bool holds = true;

	for (size_t i = 0; i < path->n_members; i++) {
		const struct cni_target *t = &c->model->targets[path->members[i].target];
		struct cni_diag *d;

		if (!cni_is_link(t, CNI_CLASSIC))
			continue;
		d = cni_diag(c->diags, CNI221, cni_member_span(s->route, i),
			     "`%s` is Classic, which takes GRE only, no plain IP", t->name);
		cni_diag_help(c->diags, d, "make a tunnel over `%s` and route to that", t->name);
		holds = false;
	}
	return holds;
}

bool cni_check_peer_as(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;

	if (!cni_is_interconnect(t) || !cni_toward_cloudflare(c) || !t->link.bgp.present || !t->link.bgp.peer_as ||
	    t->link.bgp.peer_as == CLOUDFLARE_AS)
		return true;
	cni_diag(c->diags, CNI225, cni_inner_span(t->decl, "bgp", "peer-as"), "Cloudflare's AS is %u, not %u",
		 CLOUDFLARE_AS, t->link.bgp.peer_as);
	return false;
}

bool cni_check_bgp_kind(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;

	if (!cni_is_link(t, CNI_INTERNET) || !t->link.bgp.present)
		return true;
	cni_diag(c->diags, CNI226, cni_field_span(t->decl, "bgp"),
		 "`%s` is an internet link: `bgp` belongs to interconnects", t->name);
	return false;
}

bool cni_check_classic_bfd(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	bool in_bgp = t->link.bgp.bfd;

	if (!cni_is_link(t, CNI_CLASSIC) || !(t->link.bfd || in_bgp))
		return true;
	cni_diag(c->diags, CNI228, in_bgp ? cni_inner_span(t->decl, "bgp", "bfd") : cni_field_span(t->decl, "bfd"),
		 "BFD on `%s` does not make tunnels fail over any sooner", t->name);
	return false;
}

/* Once: it is about the account, not about a link. */
bool cni_check_ipv6_account(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *interconnect = NULL;

	(void)s;
	for (size_t i = 0; i < c->model->n_links && !interconnect; i++)
		if (cni_is_interconnect(&c->model->targets[i]) && !c->model->targets[i].link.waive_ipv6)
			interconnect = &c->model->targets[i];
	for (size_t i = c->model->n_links; i < c->model->n_targets && interconnect && cni_toward_cloudflare(c); i++) {
		const struct cni_target *t = &c->model->targets[i];
		struct cni_diag *d;

		if (!t->carries[CNI_V6] || t->link.waive_ipv6)
			continue;
		d = cni_diag(c->diags, CNI224, cni_address_span(t->decl, "address", CNI_V6),
			     "`%s` carries IPv6: an account with an interconnect may not have it", t->name);
		cni_diag_related(c->diags, d, interconnect->decl->name.span, "the interconnect");
		cni_diag_help(c->diags, d, "ask the provider; `waive ipv6;` in the interconnect when it is settled");
		return false;
	}
	return true;
}
