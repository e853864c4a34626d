/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tunnel.c - a tunnel's kind, name and header: what the kernel takes and what the provider understands. */
#include <string.h>

#include "compiler/check/check.h"

bool cni_check_ipsec(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target, *link = cni_over_kind(c, t, CNI_CLASSIC);
	struct cni_diag *d;

	if (t->tunnel.kind != CNI_IPSEC)
		return true;
	link = link ? link : cni_over_kind(c, t, CNI_EXPRESS);
	if (link)
		d = cni_diag(c->diags, CNI301, cni_field_span(t->decl, "kind"),
			     "`%s` is IPsec over the interconnect `%s`, which takes GRE only", t->name, link->name);
	else
		d = cni_diag(c->diags, CNI302, cni_field_span(t->decl, "kind"), "cnic makes no IPsec tunnels");
	cni_diag_help(c->diags, d, "kind gre;");
	return false;
}

/* Devices that the kernel's modules make by themselves, and words of sysctl and `policy … on`. */
static const struct {
	const char *name, *whose;
} reserved[] = {
	{ "gre0", "the fallback device of module ip_gre" },
	{ "gretap0", "the fallback device of module ip_gre" },
	{ "erspan0", "the fallback device of module ip_gre" },
	{ "ip6gre0", "the fallback device of module ip6_gre" },
	{ "ip6tnl0", "the fallback device of module ip6_tunnel" },
	{ "tunl0", "the fallback device of module ipip" },
	{ "sit0", "the fallback device of module sit" },
	{ "ip_vti0", "the fallback device of module ip_vti" },
	{ "ip6_vti0", "the fallback device of module ip6_vti" },
	{ "lo", "the loopback device" },
	{ "all", "the entry of /proc/sys/net/ipv4/conf for all devices" },
	{ "default", "the entry of /proc/sys/net/ipv4/conf for new devices" },
	{ "local", "the router itself, in `policy … on local`" },
};

bool cni_check_tunnel_name(const struct cni_checker *c, const struct cni_subject *s)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (!strcmp(s->target->name, reserved[i].name)) {
			cni_diag(c->diags, CNI304, s->target->decl->name.span,
				 "`%s` cannot be a tunnel's name: it is %s", s->target->name, reserved[i].whose);
			return false;
		}
	return true;
}

bool cni_check_inner_bgp(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target, *link;
	struct cni_diag *d;

	if (!t->tunnel.bgp)
		return true;
	link = cni_over_kind(c, t, CNI_CLASSIC);
	if (!link && c->model->profile < 2026)
		link = cni_over_kind(c, t, CNI_EXPRESS);
	if (link) {
		d = cni_diag(c->diags, CNI307, cni_field_span(t->decl, "bgp"),
			     "no BGP inside a tunnel over `%s`, which is %s", link->name,
			     cni_is_link(link, CNI_CLASSIC) ? "Classic" : "Express");
		cni_diag_help(c->diags, d, "steer by policy; `bgp` in the link `%s` is for the outer packet",
			      link->name);
	} else {
		d = cni_diag(c->diags, CNI308, cni_field_span(t->decl, "bgp"),
			     "`bgp` inside `%s` has no effect: cnic sets up BGP for the outer packet only", t->name);
		cni_diag_help(c->diags, d, "leave it out here; a daemon may speak BGP over the tunnel on its own");
	}
	return false;
}

bool cni_check_gre_options(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_tunnel *tunnel = &s->target->tunnel;
	const struct {
		const char *field;
		bool on;
	} options[] = { { "key", tunnel->has_key }, { "csum", tunnel->csum }, { "seq", tunnel->seq } };
	bool holds = true;

	for (size_t i = 0; i < sizeof(options) / sizeof(*options) && cni_toward_cloudflare(c); i++) {
		struct cni_diag *d;

		if (!options[i].on)
			continue;
		d = cni_diag(c->diags, CNI317, cni_field_span(s->target->decl, options[i].field),
			     "Cloudflare's end of a GRE tunnel has no `%s`", options[i].field);
		cni_diag_help(c->diags, d, "leave it out; for another provider: options { provider other; }");
		holds = false;
	}
	return holds;
}

bool cni_check_ttl(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	struct cni_diag *d;

	if (t->tunnel.ttl)
		return true;
	d = cni_diag(c->diags, CNI318, cni_field_span(t->decl, "ttl"),
		     "the outer packets of `%s` inherit the inner packet's TTL", t->name);
	cni_diag_help(c->diags, d, "ttl 64;");
	return false;
}

bool cni_check_ignore_df(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	struct cni_diag *d;

	if (!t->tunnel.ignore_df || !t->tunnel.pmtudisc)
		return true;
	d = cni_diag(c->diags, CNI319, cni_field_span(t->decl, "ignore-df"),
		     "`ignore-df` needs `pmtudisc off`: the kernel refuses it otherwise");
	cni_diag_help(c->diags, d, "pmtudisc off;");
	return false;
}

bool cni_check_ip6gre(const struct cni_checker *c, const struct cni_subject *s)
{
	if (s->target->tunnel.kind != CNI_IP6GRE || !cni_toward_cloudflare(c))
		return true;
	cni_diag(c->diags, CNI320, cni_field_span(s->target->decl, "kind"),
		 "Cloudflare's tunnel endpoints are documented as IPv4 addresses only");
	return false;
}

static bool hides_dscp(const struct cni_target *t)
{
	return t->kind == CNI_TARGET_TUNNEL && t->tunnel.tos_mode != CNI_TOS_INHERIT && !cni_is_written(t->decl, "tos");
}

/* Once for a policy: at its first route that asks for a DSCP. */
static bool report_tos(const struct cni_checker *c, const struct cni_policy *policy)
{
	for (size_t r = 0; r < policy->n_routes; r++) {
		const struct cni_route *route = &policy->routes[r];

		for (size_t i = 0; route->match.has_dscp && i < route->path.n_members; i++) {
			const struct cni_target *t = &c->model->targets[route->path.members[i].target];
			struct cni_diag *d;

			if (!hides_dscp(t))
				continue;
			d = cni_diag(c->diags, CNI340, cni_member_span(route, i),
				     "route `%s` matches DSCP, but the outer packets of `%s` do not carry it",
				     route->name, t->name);
			cni_diag_help(c->diags, d, "`tos inherit;` in the tunnel, or `tos 0;` to leave it so");
			return true;
		}
	}
	return false;
}

bool cni_check_tos(const struct cni_checker *c, const struct cni_subject *s)
{
	bool holds = true;

	(void)s;
	for (size_t p = 0; p < c->model->n_policies; p++)
		holds = !report_tos(c, &c->model->policies[p]) && holds;
	return holds;
}

static const struct cni_prefix inner_ranges[] = {
	{ { CNI_V4, 0x0a000000 }, 8 }, /* RFC 1918 */
	{ { CNI_V4, 0xac100000 }, 12 },
	{ { CNI_V4, 0xc0a80000 }, 16 },
	{ { CNI_V4, 0xa9fef000 }, 20 }, /* 169.254.240.0: configure-tunnels */
};

bool cni_check_inner_range(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	struct cni_addr ours = t->iface[CNI_V4].address.addr;
	char text[CNI_ADDR_TEXT];
	struct cni_diag *d;

	if (!t->iface[CNI_V4].has_address || !cni_toward_cloudflare(c))
		return true;
	for (size_t i = 0; i < sizeof(inner_ranges) / sizeof(*inner_ranges); i++)
		if (cni_prefix_has(inner_ranges[i], ours))
			return true;
	d = cni_diag(c->diags, CNI321, cni_address_span(t->decl, "address", CNI_V4),
		     "the inner address %s of `%s` is none that Cloudflare takes", cni_addr_format(ours, text),
		     t->name);
	cni_diag_help(c->diags, d, "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 169.254.240.0/20");
	return false;
}

bool cni_check_inner_length(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	const struct cni_iface *iface = &t->iface[CNI_V4];
	char ours[CNI_ADDR_TEXT], theirs[CNI_ADDR_TEXT];

	if (!iface->has_address || !iface->has_peer || iface->address.len != 30)
		return true;
	cni_diag(c->diags, CNI322, cni_address_span(t->decl, "address", CNI_V4),
		 "`%s` has a /30 (%s here, %s at the far end); a /31 is preferred", t->name,
		 cni_addr_format(iface->address.addr, ours), cni_addr_format(iface->peer, theirs));
	return false;
}
