/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mtu.c - what fits: a tunnel's MTU within its links', and a segment within the MTU. */
#include "compiler/check/check.h"

#define MTU_LEAST 576 /* terraform provider v5.22.0, cloudflare_magic_wan_gre_tunnel: mtu */
#define MTU_IPV6 1280 /* RFC 8200, 5 */
#define SEED_MSS 1476 /* the provider's page until 2024-08-12 */

static const unsigned int tcp_headers[CNI_N_FAMILIES] = { 40, 60 }; /* RFC 6691 */

bool cni_check_mtu_least(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;

	if (t->mtu >= MTU_LEAST)
		return true;
	cni_diag(c->diags, CNI310, cni_field_span(t->decl, "mtu"), "`%s` has an MTU of %u; %u is the least", t->name,
		 t->mtu, MTU_LEAST);
	return false;
}

bool cni_check_mtu_most(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target, *narrow = NULL;
	unsigned int bytes = cni_tunnel_overhead(&t->tunnel);
	struct cni_diag *d;

	for (size_t i = 0; i < t->tunnel.n_over; i++) {
		const struct cni_target *link = cni_over(c, t, i);

		if (!narrow || link->mtu < narrow->mtu)
			narrow = link;
	}
	/* on purpose larger: then outer packets are fragmented, which `ignore-df` asks for */
	if (!narrow || t->mtu + bytes <= narrow->mtu || t->tunnel.ignore_df)
		return true;
	d = cni_diag(c->diags, CNI311, cni_field_span(t->decl, "mtu"),
		     "an MTU of %u and %u bytes of headers do not fit into the %u of `%s`", t->mtu, bytes, narrow->mtu,
		     narrow->name);
	if (narrow->mtu >= bytes + MTU_LEAST)
		cni_diag_help(c->diags, d, "mtu %u; or leave it out: it is derived", narrow->mtu - bytes);
	return false;
}

bool cni_check_mtu_ipv6(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;

	if (!t->carries[CNI_V6] || t->mtu >= MTU_IPV6)
		return true;
	cni_diag(c->diags, CNI312, cni_field_span(t->decl, "mtu"),
		 "`%s` carries IPv6, which needs an MTU of %u, but has %u", t->name, MTU_IPV6, t->mtu);
	return false;
}

bool cni_check_mss(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	unsigned int mss = t->mss[CNI_V4], fits = t->mtu - tcp_headers[CNI_V4], fits6 = t->mtu - tcp_headers[CNI_V6];
	struct cni_span span = cni_field_span(t->decl, "mss");
	struct cni_diag *d;

	if (t->mss_mode != CNI_MSS_FIXED)
		return true;
	if (mss > fits && mss == SEED_MSS) {
		d = cni_diag(
			c->diags, CNI314, span,
			"`mss 1476` is compiled as written, but 1476 is the tunnel's MTU; the MSS that fits is 1436");
		cni_diag_help(c->diags, d,
			      "corrected on 2024-08-12 (cloudflare-docs PR #16071); 1476 changes nothing on LANs of "
			      "1500 bytes; "
			      "`mss auto` clamps to %u and, for IPv6, %u",
			      fits, fits6);
	} else if (mss > fits) {
		d = cni_diag(c->diags, CNI313, span, "an MSS of %u does not fit into an MTU of %u: %u is the most", mss,
			     t->mtu, fits);
		cni_diag_help(c->diags, d, "mss auto;");
	} else if (t->carries[CNI_V6] && mss > fits6) {
		d = cni_diag(c->diags, CNI315, span,
			     "an MSS of %u fits IPv4, but for IPv6 in an MTU of %u the most is %u", mss, t->mtu, fits6);
		cni_diag_help(c->diags, d, "`mss auto` clamps to %u and, for IPv6, %u", fits, fits6);
	} else {
		return true;
	}
	return false;
}
