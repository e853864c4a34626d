/* SPDX-License-Identifier: GPL-2.0-or-later */
/* track.c - our own probes: that there are some, that they can leave, and that what comes of them can be told apart. */
#include <stdlib.h>

#include "compiler/check/check.h"
#include "compiler/state/down.h"

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

struct named {
	uint32_t metric;
	const struct cni_target *target;
};

static int by_metric(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	return (x->target > y->target) - (x->target < y->target);
}

bool cni_check_track_names(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_model *m = c->model;
	struct named *named = cni_new_array(c->arena, struct named, m->n_targets);
	bool holds = true;
	size_t n = 0;

	(void)s;
	for (size_t i = 0; i < m->n_targets; i++)
		if (m->targets[i].track.mode == CNI_TRACK_ON)
			named[n++] = (struct named){ cni_down_metric(m->targets[i].name), &m->targets[i] };
	if (n)
		qsort(named, n, sizeof(*named), by_metric);
	for (size_t i = 1; i < n; i++) {
		struct cni_diag *d;

		if (named[i].metric != named[i - 1].metric)
			continue;
		d = cni_diag(c->diags, CNI374, named[i].target->decl->name.span,
			     "the kernel would not tell `%s`, when it is down, from `%s`", named[i].target->name,
			     named[i - 1].target->name);
		cni_diag_related(c->diags, d, named[i - 1].target->decl->name.span, "which has the same hash");
		cni_diag_help(c->diags, d, "another name for one of them");
		holds = false;
	}
	return holds;
}
