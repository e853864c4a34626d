/* SPDX-License-Identifier: GPL-2.0-or-later */
/* address.c - addresses that no host can have, placeholders, and addresses that stand in each other's way. */
#include "compiler/check/check.h"
#include "compiler/check/index.h"

struct block {
	struct cni_prefix prefix;
	const char *what;
	bool endpoint; /* only as an end of a tunnel, or a health target of ours */
};

#define V4(a, b, c, d)                                                                                                 \
	{                                                                                                              \
		CNI_V4, (cni_u128)(a) << 24 | (b) << 16 | (c) << 8 | (d)                                               \
	}
#define V6(top)                                                                                                        \
	{                                                                                                              \
		CNI_V6, (cni_u128)(top) << 112                                                                         \
	}

static const struct block no_host[] = {
	{ { V4(0, 0, 0, 0), 8 }, "\"this network\", RFC 1122", false },
	{ { V4(127, 0, 0, 0), 8 }, "loopback, RFC 1122", false },
	{ { V4(224, 0, 0, 0), 4 }, "multicast, RFC 5771", false },
	{ { V4(240, 0, 0, 0), 4 }, "reserved, RFC 1112", false },
	{ { V6(0), 127 }, "unspecified or loopback, RFC 4291", false },
	{ { V6(0xff00), 8 }, "multicast, RFC 4291", false },
	{ { V6(0xfe80), 10 }, "link-local, RFC 4291: no route leads to it", true },
};

/* What people write until they know better. */
static const struct cni_addr placeholders[] = {
	V4(1, 2, 3, 4),
	V4(4, 3, 2, 1),
	V4(11, 22, 33, 44),
	V4(12, 34, 56, 78),
};

/* Every address that a target is made of, with its place. */
struct role {
	struct cni_addr addr;
	struct cni_span span;
	bool endpoint;
};

#define MAX_ROLES 8

static size_t roles_of(const struct cni_target *t, struct role roles[MAX_ROLES])
{
	size_t n = 0;

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		const struct cni_iface *iface = &t->iface[f];

		if (iface->has_address)
			roles[n++] =
				(struct role){ iface->address.addr, cni_address_span(t->decl, "address", f), false };
		if (iface->has_peer)
			roles[n++] = (struct role){ iface->peer, cni_address_span(t->decl, "gateway", f), false };
	}
	if (t->kind == CNI_TARGET_TUNNEL && cni_is_written(t->decl, "local"))
		roles[n++] = (struct role){ t->tunnel.local, cni_field_span(t->decl, "local"), true };
	if (t->kind == CNI_TARGET_TUNNEL && cni_is_written(t->decl, "remote"))
		roles[n++] = (struct role){ t->tunnel.remote, cni_field_span(t->decl, "remote"), true };
	if (t->health.mode == CNI_HEALTH_LEGACY && t->health.has_target)
		roles[n++] = (struct role){ t->health.target, cni_inner_span(t->decl, "health", "target"), true };
	return n;
}

bool cni_check_host_addresses(const struct cni_checker *c, const struct cni_subject *s)
{
	struct role roles[MAX_ROLES];
	size_t n = roles_of(s->target, roles);
	char text[CNI_ADDR_TEXT];

	for (size_t i = 0; i < n; i++)
		for (size_t b = 0; b < sizeof(no_host) / sizeof(*no_host); b++) {
			if (!cni_prefix_has(no_host[b].prefix, roles[i].addr) ||
			    (no_host[b].endpoint && !roles[i].endpoint))
				continue;
			cni_diag(c->diags, CNI230, roles[i].span, "no host can have the address %s (%s)",
				 cni_addr_format(roles[i].addr, text), no_host[b].what);
			return false; /* its peer, derived from it, says nothing more */
		}
	return true;
}

bool cni_check_placeholders(const struct cni_checker *c, const struct cni_subject *s)
{
	struct role roles[MAX_ROLES];
	size_t n = roles_of(s->target, roles);
	char text[CNI_ADDR_TEXT];
	bool holds = true;

	for (size_t i = 0; i < n; i++)
		for (size_t p = 0; p < sizeof(placeholders) / sizeof(*placeholders); p++) {
			if (!cni_addr_equal(placeholders[p], roles[i].addr))
				continue;
			cni_diag(c->diags, CNI231, roles[i].span, "%s of `%s` looks like a placeholder",
				 cni_addr_format(roles[i].addr, text), s->target->name);
			holds = false;
		}
	return holds;
}

bool cni_check_own_prefix(const struct cni_checker *c, const struct cni_subject *s)
{
	struct cni_index index = cni_index_prefixes(c->arena, c->model);
	const struct cni_indexed *widest = NULL; /* of those so far, the one that ends last */
	bool holds = true;

	(void)s;
	for (size_t i = 0; i < index.n_items; i++) {
		const struct cni_indexed *item = &index.items[i];

		if (widest && widest->family == item->family && item->first.v <= widest->last.v) {
			const struct cni_target *a = widest->target, *b = item->target, *later = a > b ? a : b;
			const struct cni_target *earlier = later == a ? b : a;
			char text[CNI_ADDR_TEXT];
			struct cni_diag *d =
				cni_diag(c->diags, CNI235, cni_address_span(later->decl, "address", item->family),
					 "%s of `%s` overlaps the network of `%s`",
					 cni_prefix_format(later->iface[item->family].address, text), later->name,
					 earlier->name);

			cni_diag_related(c->diags, d, cni_address_span(earlier->decl, "address", item->family),
					 "`%s` has %s", earlier->name,
					 cni_prefix_format(earlier->iface[item->family].address, text));
			holds = false;
		}
		if (!widest || widest->family != item->family || item->last.v > widest->last.v)
			widest = item;
	}
	return holds;
}

/* A peer or far end within a lan: the policy would take it for a network behind the router. */
static bool within_lan(const struct cni_checker *c, const struct cni_ranges *lans, const struct cni_target *t,
		       struct cni_addr addr, struct cni_span span, const char *what)
{
	char text[CNI_ADDR_TEXT];

	if (!cni_ranges_has(lans, addr))
		return false;
	for (size_t i = 0; i < c->model->n_lans; i++) {
		const struct cni_lan *lan = &c->model->lans[i];

		if (cni_ranges_has(&lan->ranges, addr)) {
			struct cni_diag *d = cni_diag(c->diags, CNI239, span, "the %s %s of `%s` lies in lan `%s`",
						      what, cni_addr_format(addr, text), t->name, lan->name);

			cni_diag_related(c->diags, d, cni_field_span(lan->decl, "prefix"), "the lan's prefixes");
			break;
		}
	}
	return true;
}

bool cni_check_lan_apart(const struct cni_checker *c, const struct cni_subject *s)
{
	struct cni_ranges lans = { 0 };
	bool holds = true;

	(void)s;
	for (size_t i = 0; i < c->model->n_lans; i++)
		cni_ranges_add_all(c->arena, &lans, &c->model->lans[i].ranges);
	cni_ranges_normalise(&lans);
	for (size_t i = 0; i < c->model->n_targets; i++) {
		const struct cni_target *t = &c->model->targets[i];

		if (t->kind == CNI_TARGET_TUNNEL && cni_is_written(t->decl, "remote") &&
		    within_lan(c, &lans, t, t->tunnel.remote, cni_field_span(t->decl, "remote"), "remote end"))
			holds = false;
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
			if (t->iface[f].has_peer &&
			    within_lan(c, &lans, t, t->iface[f].peer, cni_address_span(t->decl, "address", f), "peer"))
				holds = false;
	}
	return holds;
}
