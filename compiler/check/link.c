/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link.c - what holds for both kinds of interconnect: device, MTU, addressing, data plane, rate. */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/check.h"

static int by_ifname(const void *a, const void *b)
{
	const struct cni_target *x = *(const struct cni_target *const *)a, *y = *(const struct cni_target *const *)b;
	int order = strcmp(x->ifname, y->ifname);

	return order ? order : x < y ? -1 : x > y;
}

bool cni_check_own_device(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target **list = NULL;
	size_t n = 0;
	bool holds = true;

	(void)s;
	for (size_t i = 0; i < c->model->n_targets; i++)
		if (*c->model->targets[i].ifname)
			*cni_push(c->arena, list, n) = &c->model->targets[i];
	if (n)
		qsort(list, n, sizeof(*list), by_ifname);
	for (size_t i = 1; i < n; i++) {
		const struct cni_target *a = list[i - 1], *b = list[i];
		bool tunnel = b->kind == CNI_TARGET_TUNNEL;
		struct cni_diag *d;

		if (strcmp(a->ifname, b->ifname))
			continue;
		d = cni_diag(c->diags, CNI234, tunnel ? b->decl->name.span : cni_field_span(b->decl, "device"),
			     "`%s` and `%s` are both the device %s", a->name, b->name, b->ifname);
		cni_diag_related(c->diags, d, cni_field_span(a->decl, "device"), "`%s` has it here", a->name);
		holds = false;
	}
	return holds;
}

#define INTERCONNECT_MTU 1500 /* both kinds: network-interconnect, get-started (January 2026) */

bool cni_check_link_mtu(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;

	if (!cni_is_interconnect(t) || t->mtu == INTERCONNECT_MTU || !cni_is_written(t->decl, "mtu"))
		return true;
	if (t->mtu > INTERCONNECT_MTU)
		cni_diag(c->diags, CNI211, cni_field_span(t->decl, "mtu"),
			 "`%s` has mtu %u, but an interconnect carries %u bytes", t->name, t->mtu, INTERCONNECT_MTU);
	else
		cni_diag(c->diags, CNI212, cni_field_span(t->decl, "mtu"),
			 "`%s` has mtu %u, but an interconnect carries %u bytes", t->name, t->mtu, INTERCONNECT_MTU);
	return t->mtu < INTERCONNECT_MTU;
}

bool cni_check_dataplane(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	unsigned int wanted = cni_is_link(t, CNI_EXPRESS) ? 2 : cni_is_link(t, CNI_CLASSIC) ? 1 : 0;

	if (!t->link.dataplane || t->link.dataplane == wanted)
		return true;
	if (wanted)
		cni_diag(c->diags, CNI213, cni_field_span(t->decl, "dataplane"),
			 "`%s` is %s, which is data plane %u, not %u", t->name, wanted == 2 ? "express" : "classic",
			 wanted, t->link.dataplane);
	else
		cni_diag(c->diags, CNI213, cni_field_span(t->decl, "dataplane"),
			 "`%s` is no interconnect: it has no data plane", t->name);
	return false;
}

bool cni_check_link_prefix(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	char text[CNI_ADDR_TEXT];
	bool holds = true;

	for (enum cni_family f = 0; f < CNI_N_FAMILIES && cni_is_interconnect(t); f++) {
		const struct cni_iface *iface = &t->iface[f];

		if (!iface->has_address || iface->address.len == cni_width(f) - 1)
			continue;
		cni_diag(c->diags, CNI214, cni_address_span(t->decl, "address", f),
			 "`%s` has %s, but an interconnect is a /%u", t->name, cni_prefix_format(iface->address, text),
			 cni_width(f) - 1);
		holds = false;
	}
	return holds;
}

#define RATE_LIMIT UINT64_C(1000000000) /* bit/s from the customer to Cloudflare: get-started (January 2026) */

bool cni_check_rate(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;

	if (!cni_is_interconnect(t) || t->link.rate <= RATE_LIMIT)
		return true;
	cni_diag(c->diags, CNI227, cni_field_span(t->decl, "rate"),
		 "of the rate of `%s`, 1 Gbit/s toward Cloudflare is usable %s", t->name,
		 cni_is_link(t, CNI_EXPRESS) ? "on the whole interconnect" : "in each GRE tunnel");
	return false;
}
