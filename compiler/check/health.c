/* SPDX-License-Identifier: GPL-2.0-or-later */
/* health.c - the far side's probes: what they are answered with, and that each answer knows its way. */
#include <stdlib.h>

#include "compiler/check/check.h"
#include "compiler/check/index.h"

bool cni_check_health_reply(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	struct cni_diag *d;

	if (t->health.mode != CNI_HEALTH_BI || t->health.type != CNI_HEALTH_REPLY)
		return true;
	d = cni_diag(c->diags, CNI352, cni_inner_span(t->decl, "health", "type"),
		     "reply-style probes of `%s` come with our own address as their source", t->name);
	cni_diag_help(c->diags, d, "type request;");
	return false;
}

/* Once: it is about a page, not about a tunnel. */
bool cni_check_health_classic(const struct cni_checker *c, const struct cni_subject *s)
{
	(void)s;
	for (size_t i = c->model->n_links; i < c->model->n_targets; i++) {
		const struct cni_target *t = &c->model->targets[i];

		if (t->health.mode != CNI_HEALTH_BI || !cni_over_kind(c, t, CNI_CLASSIC))
			continue;
		cni_diag(c->diags, CNI357, cni_inner_span(t->decl, "health", "direction"),
			 "bidirectional health checks over Classic: an earlier edition of the page ruled them out");
		return false;
	}
	return true;
}

bool cni_check_health_target(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;

	if (t->health.mode != CNI_HEALTH_BI || !t->health.has_target)
		return true;
	cni_diag(c->diags, CNI358, cni_inner_span(t->decl, "health", "target"),
		 "the target of a bidirectional health check may be ignored");
	return false;
}

static const struct cni_prefix legacy_range = { { CNI_V4, 0xac40f0fc }, 30 }; /* 172.64.240.252 */

bool cni_check_legacy_range(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	char text[CNI_ADDR_TEXT];

	if (t->health.mode != CNI_HEALTH_LEGACY || !t->health.has_target || !cni_toward_cloudflare(c) ||
	    cni_prefix_has(legacy_range, t->health.target))
		return true;
	cni_diag(c->diags, CNI354, cni_inner_span(t->decl, "health", "target"),
		 "the legacy health target %s is outside 172.64.240.252/30", cni_addr_format(t->health.target, text));
	return false;
}

/* The router takes the target for its own, on lo: what is another's on a network of ours would be cut off. */
bool cni_check_legacy_owned(const struct cni_checker *c, const struct cni_subject *s)
{
	struct cni_index index = cni_index_prefixes(c->arena, c->model);
	bool holds = true;

	(void)s;
	for (size_t i = 0; i < c->model->n_targets; i++) {
		const struct cni_target *t = &c->model->targets[i];
		struct cni_addr target = t->health.target;
		const struct cni_indexed *in;
		char text[CNI_ADDR_TEXT];
		struct cni_diag *d;

		if (t->health.mode != CNI_HEALTH_LEGACY || !t->health.has_target)
			continue;
		in = cni_index_find(&index, target);
		if (!in || cni_addr_equal(in->target->iface[target.family].address.addr, target))
			continue;
		d = cni_diag(c->diags, CNI355, cni_inner_span(t->decl, "health", "target"),
			     "the legacy health target %s is another's on the network of `%s`",
			     cni_addr_format(target, text), in->target->name);
		cni_diag_related(c->diags, d, cni_address_span(in->target->decl, "address", in->family), "the network");
		cni_diag_help(c->diags, d, "one of 172.64.240.252/30, which this router then owns");
		holds = false;
	}
	return holds;
}

bool cni_check_legacy_needed(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	bool needed = t->kind == CNI_TARGET_LINK ? cni_is_link(t, CNI_EXPRESS) : !!cni_over_kind(c, t, CNI_EXPRESS);
	struct cni_diag *d;

	if (t->health.mode != CNI_HEALTH_LEGACY || !t->health.has_target || needed)
		return true;
	d = cni_diag(c->diags, CNI356, cni_field_span(t->decl, "health"),
		     "`%s` is not Express: it can do without the legacy health checks", t->name);
	cni_diag_help(c->diags, d,
		      t->kind == CNI_TARGET_LINK ? "health of the tunnel over it"
						 : "health { direction bidirectional; type request; }");
	return false;
}

static int by_target(const void *a, const void *b)
{
	const struct cni_target *x = *(const struct cni_target *const *)a, *y = *(const struct cni_target *const *)b;
	struct cni_addr i = x->health.target, j = y->health.target;

	if (i.family != j.family)
		return i.family < j.family ? -1 : 1;
	return i.v != j.v ? (i.v < j.v ? -1 : 1) : x < y ? -1 : x > y;
}

/* The answer's way is found by its source: the target that was probed. */
bool cni_check_target_shared(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target **list = NULL;
	size_t n = 0;
	bool holds = true;

	(void)s;
	for (size_t i = 0; i < c->model->n_targets; i++) {
		const struct cni_target *t = &c->model->targets[i];

		if (t->health.has_target && t->health.mode == CNI_HEALTH_LEGACY)
			*cni_push(c->arena, list, n) = t;
	}
	if (n)
		qsort(list, n, sizeof(*list), by_target);
	for (size_t i = 1; i < n; i++) {
		char text[CNI_ADDR_TEXT];
		struct cni_diag *d;

		if (!cni_addr_equal(list[i - 1]->health.target, list[i]->health.target))
			continue;
		d = cni_diag(c->diags, CNI353, cni_inner_span(list[i]->decl, "health", "target"),
			     "`%s` and `%s` share the health target %s", list[i - 1]->name, list[i]->name,
			     cni_addr_format(list[i]->health.target, text));
		cni_diag_related(c->diags, d, cni_inner_span(list[i - 1]->decl, "health", "target"),
				 "the target of `%s`", list[i - 1]->name);
		cni_diag_help(c->diags, d, "172.64.240.252/30 has four addresses: one for each");
		holds = false;
	}
	return holds;
}
