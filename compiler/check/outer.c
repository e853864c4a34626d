/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outer.c - the outer packet: that it finds its way, never its own tunnel, and that two tunnels can be told apart. */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/index.h"

static const char *const family_names[CNI_N_FAMILIES] = { "IPv4", "IPv6" };

bool cni_check_over_family(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target;
	bool holds = true;

	for (size_t i = 0; i < t->tunnel.n_over && cni_is_written(t->decl, "local"); i++) {
		const struct cni_target *link = cni_over(c, t, i);
		struct cni_diag *d;

		if (link->carries[t->tunnel.local.family])
			continue;
		d = cni_diag(c->diags, CNI335, cni_word_span(t->decl, "over", link->name, 0),
			     "the outer packets of `%s` are %s, which `%s` does not carry", t->name,
			     family_names[t->tunnel.local.family], link->name);
		cni_diag_related(c->diags, d, cni_field_span(link->decl, "address"), "its address");
		holds = false;
	}
	return holds;
}

bool cni_check_over_bgp(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target, *with = NULL, *without = NULL;
	struct cni_diag *d;

	for (size_t i = 0; i < t->tunnel.n_over; i++) {
		const struct cni_target *link = cni_over(c, t, i);

		if (link->link.bgp.present)
			with = with ? with : link;
		else
			without = without ? without : link;
	}
	if (!with || !without)
		return true;
	d = cni_diag(c->diags, CNI328, cni_field_span(t->decl, "over"),
		     "`%s` has `bgp` and `%s` has none: who writes the routes of `%s`?", with->name, without->name,
		     t->name);
	cni_diag_related(c->diags, d, cni_field_span(with->decl, "bgp"), "a daemon fills the table of outer packets");
	cni_diag_related(c->diags, d, without->decl->name.span, "cnic writes the route by this link");
	return false;
}

bool cni_check_pinned(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target *t = s->target, *owner = NULL;
	struct cni_addr local = t->tunnel.local;
	struct cni_diag *d;

	if (!t->tunnel.local_is_link)
		return true;
	for (size_t i = 0; i < t->tunnel.n_over && !owner; i++) {
		const struct cni_target *link = cni_over(c, t, i);

		if (link->iface[local.family].has_address &&
		    cni_addr_equal(link->iface[local.family].address.addr, local))
			owner = link;
	}
	if (owner && t->tunnel.n_over == 1 && !t->tunnel.underlay_bgp)
		return true;
	if (owner)
		d = cni_diag(c->diags, CNI329, cni_field_span(t->decl, "local"),
			     "`%s` is pinned to `%s`: its end is that link's own address", t->name, owner->name);
	else
		d = cni_diag(c->diags, CNI329, cni_field_span(t->decl, "local"),
			     "`%s` answers at an address of a link that it does not run over", t->name);
	cni_diag_help(c->diags, d, "an address of its own, which is reachable by every link of `over`");
	return false;
}

static int compare_addr(struct cni_addr a, struct cni_addr b)
{
	if (a.family != b.family)
		return a.family < b.family ? -1 : 1;
	return a.v < b.v ? -1 : a.v > b.v;
}

static int compare_ends(const struct cni_tunnel *a, const struct cni_tunnel *b)
{
	int order = compare_addr(a->local, b->local);

	return order ? order : compare_addr(a->remote, b->remote);
}

static int compare_key(const struct cni_tunnel *a, const struct cni_tunnel *b)
{
	if (a->has_key != b->has_key)
		return a->has_key ? 1 : -1;
	return !a->has_key || a->key == b->key ? 0 : a->key < b->key ? -1 : 1;
}

static int by_endpoints(const void *a, const void *b)
{
	const struct cni_target *x = *(const struct cni_target *const *)a, *y = *(const struct cni_target *const *)b;
	int order = compare_ends(&x->tunnel, &y->tunnel);

	order = order ? order : compare_key(&x->tunnel, &y->tunnel);
	return order ? order : x < y ? -1 : x > y;
}

static bool same_over(const struct cni_tunnel *a, const struct cni_tunnel *b)
{
	return a->n_over == b->n_over && (!a->n_over || !memcmp(a->over, b->over, a->n_over * sizeof(*a->over)));
}

static void report_same(const struct cni_checker *c, const struct cni_target *a, const struct cni_target *b)
{
	bool key = a->tunnel.has_key;
	struct cni_diag *d;

	if (key)
		d = cni_diag(c->diags, CNI417, cni_field_span(b->decl, "key"),
			     "GRE key %u is used twice between the same endpoints", b->tunnel.key);
	else
		d = cni_diag(c->diags, CNI417, cni_field_span(b->decl, "remote"),
			     "two GRE tunnels without a key between the same endpoints");
	cni_diag_label(c->diags, d, "also used by `%s`", a->name);
	cni_diag_related(c->diags, d, cni_field_span(a->decl, key ? "key" : "remote"), "first used here");
	cni_diag_help(c->diags, d, "the kernel tells tunnels apart by (local, remote, key)");
}

bool cni_check_endpoints(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_target **list = NULL;
	size_t n = 0;
	bool holds = true;

	(void)s;
	for (size_t i = c->model->n_links; i < c->model->n_targets; i++) {
		const struct cni_target *t = &c->model->targets[i];

		if (cni_is_written(t->decl, "local") && cni_is_written(t->decl, "remote"))
			*cni_push(c->arena, list, n) = t;
	}
	if (n)
		qsort(list, n, sizeof(*list), by_endpoints);
	for (size_t i = 1; i < n; i++) {
		const struct cni_target *a = list[i - 1], *b = list[i];
		struct cni_diag *d;

		if (compare_ends(&a->tunnel, &b->tunnel))
			continue;
		if (!compare_key(&a->tunnel, &b->tunnel)) {
			report_same(c, a, b);
			holds = false;
		} else if (!same_over(&a->tunnel, &b->tunnel)) {
			d = cni_diag(c->diags, CNI330, cni_field_span(b->decl, "over"),
				     "`%s` and `%s` have the same endpoints, but run over different links", a->name,
				     b->name);
			cni_diag_related(c->diags, d, cni_field_span(a->decl, "over"), "`%s` runs over these", a->name);
			cni_diag_help(c->diags, d, "the same `over` for both, or another `local` for one");
			holds = false;
		}
	}
	return holds;
}

/* An address that the router has beside those of its devices: a tunnel's `local`, a legacy health target. */
struct owned {
	struct cni_addr addr;
	const struct cni_target *target;
};

static int by_owned(const void *a, const void *b)
{
	return compare_addr(((const struct owned *)a)->addr, ((const struct owned *)b)->addr);
}

static struct owned *owned_addresses(const struct cni_checker *c, size_t *n)
{
	struct owned *list = NULL;

	*n = 0;
	for (size_t i = 0; i < c->model->n_targets; i++) {
		const struct cni_target *t = &c->model->targets[i];

		if (t->kind == CNI_TARGET_TUNNEL && cni_is_written(t->decl, "local"))
			*cni_push(c->arena, list, *n) = (struct owned){ t->tunnel.local, t };
		if (t->health.mode == CNI_HEALTH_LEGACY && t->health.has_target)
			*cni_push(c->arena, list, *n) = (struct owned){ t->health.target, t };
	}
	if (*n)
		qsort(list, *n, sizeof(*list), by_owned);
	return list;
}

/* `remote` must not be what a tunnel leads to, nor our own; `local` must not be inside a tunnel. */
bool cni_check_outer_addresses(const struct cni_checker *c, const struct cni_subject *s)
{
	struct cni_index index = cni_index_prefixes(c->arena, c->model);
	size_t n_owned;
	const struct owned *all = owned_addresses(c, &n_owned);
	bool holds = true;

	(void)s;
	for (size_t i = c->model->n_links; i < c->model->n_targets; i++) {
		const struct cni_target *t = &c->model->targets[i];
		const struct owned wanted = { .addr = t->tunnel.remote };
		const struct owned *own = n_owned ? bsearch(&wanted, all, n_owned, sizeof(*all), by_owned) : NULL;
		struct cni_addr local = t->tunnel.local, remote = t->tunnel.remote;
		const struct cni_indexed *of_local = cni_index_find(&index, local);
		const struct cni_indexed *of_remote = cni_index_find(&index, remote);
		char text[CNI_ADDR_TEXT];
		struct cni_diag *d = NULL;

		if (!cni_is_written(t->decl, "local") || !cni_is_written(t->decl, "remote"))
			continue;
		if (own ||
		    (of_remote && cni_addr_equal(of_remote->target->iface[remote.family].address.addr, remote))) {
			d = cni_diag(c->diags, CNI333, cni_field_span(t->decl, "remote"),
				     "the remote end %s of `%s` is an address of this router",
				     cni_addr_format(remote, text), t->name);
			cni_diag_related(c->diags, d, (own ? own->target : of_remote->target)->decl->name.span,
					 "it is here");
		} else if (of_remote && of_remote->target->kind == CNI_TARGET_TUNNEL) {
			d = cni_diag(c->diags, CNI331, cni_field_span(t->decl, "remote"),
				     "the remote end %s of `%s` lies inside tunnel `%s`", cni_addr_format(remote, text),
				     t->name, of_remote->target->name);
			cni_diag_related(c->diags, d,
					 cni_address_span(of_remote->target->decl, "address", of_remote->family),
					 "the network inside `%s`", of_remote->target->name);
		} else if (of_local && of_local->target->kind == CNI_TARGET_TUNNEL) {
			d = cni_diag(c->diags, CNI332, cni_field_span(t->decl, "local"),
				     "the local end %s of `%s` lies inside tunnel `%s`", cni_addr_format(local, text),
				     t->name, of_local->target->name);
			cni_diag_related(c->diags, d,
					 cni_address_span(of_local->target->decl, "address", of_local->family),
					 "the network inside `%s`", of_local->target->name);
		}
		holds = holds && !d;
	}
	return holds;
}
