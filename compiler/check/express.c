/* SPDX-License-Identifier: GPL-2.0-or-later */
/* express.c - what an Express interconnect cannot do, and what it cannot do without. */
#include <string.h>

#include "compiler/check/check.h"

static bool has_vlan(const struct cni_target *t)
{
	return t->link.vlan;
}

static bool has_lacp(const struct cni_target *t)
{
	return t->link.lacp;
}

static bool has_bfd(const struct cni_target *t)
{
	return t->link.bfd || t->link.bgp.bfd;
}

static bool has_ipv6(const struct cni_target *t)
{
	return t->carries[CNI_V6];
}

static bool is_behind_connector(const struct cni_target *t)
{
	return !strcmp(t->link.onramp, "connector");
}

static struct cni_span bfd_span(const struct cni_ast_decl *decl)
{
	return cni_is_written(decl, "bfd") ? cni_field_span(decl, "bfd") : cni_inner_span(decl, "bgp", "bfd");
}

static struct cni_span ipv6_span(const struct cni_ast_decl *decl)
{
	return cni_address_span(decl, cni_is_written(decl, "address") ? "address" : "family", CNI_V6);
}

static struct cni_span vlan_span(const struct cni_ast_decl *decl)
{
	return cni_field_span(decl, "device");
}

static struct cni_span lacp_span(const struct cni_ast_decl *decl)
{
	return cni_field_span(decl, "lacp");
}

static struct cni_span onramp_span(const struct cni_ast_decl *decl)
{
	return cni_field_span(decl, "onramp");
}

static const struct {
	bool (*has)(const struct cni_target *target);
	struct cni_span (*span)(const struct cni_ast_decl *decl);
	enum cni_code code;
	const char *what, *help;
} lacks[] = {
	{ has_vlan, vlan_span, CNI202, "carries no VLAN tag", "leave out `vlan`: the port is yours alone" },
	{ has_lacp, lacp_span, CNI203, "has no LACP", "make a link of each port and share by weight: that is ECMP" },
	{ has_bfd, bfd_span, CNI204, "has no BFD", "`track` finds out what BFD would" },
	{ has_ipv6, ipv6_span, CNI205, "carries no IPv6", "use a tunnel over an internet link for IPv6" },
	{ is_behind_connector, onramp_span, CNI210, "does not go with the Connector",
	  "the Connector goes with kind pni or peering" },
};

bool cni_check_express_lacks(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	bool holds = true;

	for (size_t i = 0; i < sizeof(lacks) / sizeof(*lacks) && cni_is_link(t, CNI_EXPRESS); i++) {
		struct cni_diag *d;

		if (!lacks[i].has(t))
			continue;
		d = cni_diag(c->diags, lacks[i].code, lacks[i].span(t->decl), "`%s` is Express, which %s", t->name,
			     lacks[i].what);
		cni_diag_help(c->diags, d, "%s", lacks[i].help);
		holds = false;
	}
	return holds;
}

bool cni_check_express_bgp(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	struct cni_diag *d;

	if (!cni_is_link(t, CNI_EXPRESS) || !t->link.bgp.present || c->model->profile >= 2026)
		return true;
	d = cni_diag(c->diags, CNI201, cni_field_span(t->decl, "bgp"), "`%s` is Express, which has no BGP", t->name);
	cni_diag_help(c->diags, d, "steer by policy and `track`; where the provider has enabled it: profile 2026;");
	return false;
}

static bool is_peer(const struct cni_target *t, struct cni_addr addr)
{
	return t->iface[addr.family].has_peer && cni_addr_equal(t->iface[addr.family].peer, addr);
}

bool cni_check_express_track(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	struct cni_diag *d;

	if (!cni_is_link(t, CNI_EXPRESS) || t->track.mode == CNI_TRACK_OFF)
		return true;
	if (t->track.mode == CNI_TRACK_NONE) {
		d = cni_diag(c->diags, CNI208, t->decl->name.span, "`%s` is Express and is not tracked", t->name);
		cni_diag_help(c->diags, d, "track { target PEER, ADDRESS-BEYOND; }, or `track off;` to do without");
		return false;
	}
	for (size_t i = 0; i < t->track.n_targets; i++)
		if (!is_peer(t, t->track.targets[i]))
			return true;
	d = cni_diag(c->diags, CNI209, cni_inner_span(t->decl, "track", "target"),
		     "`%s` is tracked at its peer only: a dead data centre behind it is not seen", t->name);
	cni_diag_help(c->diags, d, "add a target beyond the peer");
	return false;
}

bool cni_check_express_health(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	struct cni_diag *d;

	if (!cni_is_link(t, CNI_EXPRESS))
		return true;
	if (t->health.mode == CNI_HEALTH_BI) {
		d = cni_diag(c->diags, CNI207, cni_inner_span(t->decl, "health", "direction"),
			     "bidirectional health checks do not work on Express (`%s`)", t->name);
		cni_diag_help(c->diags, d, "health legacy { target 172.64.240.253; }");
		return false;
	}
	if (cni_is_written(t->decl, "health"))
		return true;
	d = cni_diag(c->diags, CNI215, t->decl->name.span,
		     "answers to the provider's probes of `%s` may leave elsewhere", t->name);
	cni_diag_help(c->diags, d, "health legacy { target 172.64.240.253; }, or `health off;` if there are none");
	return false;
}

bool cni_check_express_tunnel(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target, *link = cni_over_kind(c, t, CNI_EXPRESS);
	struct cni_diag *d;

	if (!link)
		return true;
	d = cni_diag(c->diags, CNI206, cni_word_span(t->decl, "over", link->name, 0),
		     "`%s` is a tunnel over Express, which needs none", t->name);
	cni_diag_help(c->diags, d, "route to `%s` itself, with the full 1500 bytes", link->name);
	if (t->health.mode != CNI_HEALTH_BI)
		return true;
	d = cni_diag(c->diags, CNI207, cni_inner_span(t->decl, "health", "direction"),
		     "bidirectional health checks do not work on Express (`%s` is over `%s`)", t->name, link->name);
	cni_diag_help(c->diags, d, "health legacy { target 172.64.240.253; }");
	return false;
}
