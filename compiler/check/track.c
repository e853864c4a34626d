/* SPDX-License-Identifier: GPL-2.0-or-later */
/* track.c - our own probes: that there are some, and that they can leave. */
#include "compiler/check/check.h"

bool cni_check_tunnel_track(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	struct cni_diag *d;

	if (t->track.mode != CNI_TRACK_NONE || t->tunnel.underlay_bgp)
		return true;
	d = cni_diag(c->diags, CNI327, t->decl->name.span, "nothing notices when the far end of `%s` is gone", t->name);
	cni_diag_help(c->diags, d, "track { every 1s; down 3; up 5; }, or `track off;` to do without");
	return false;
}

bool cni_check_track_target(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	bool holds = true;

	for (size_t i = 0; i < t->track.n_targets && t->track.mode == CNI_TRACK_ON; i++) {
		struct cni_addr to = t->track.targets[i];
		const struct cni_iface *iface = &t->iface[to.family];
		struct cni_span span = cni_inner_span(t->decl, "track", "target");
		char text[CNI_ADDR_TEXT];

		if (iface->has_address && cni_addr_equal(iface->address.addr, to))
			cni_diag(c->diags, CNI370, span, "`%s` tracks its own address %s, which always answers",
				 t->name, cni_addr_format(to, text));
		else if (!t->carries[to.family])
			cni_diag(c->diags, CNI373, span, "`%s` tracks %s, but carries no %s: it would be down for ever",
				 t->name, cni_addr_format(to, text), to.family == CNI_V4 ? "IPv4" : "IPv6");
		else
			continue;
		holds = false;
	}
	return holds;
}
