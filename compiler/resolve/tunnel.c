/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tunnel.c - `tunnel`: its ends, the links below it, and what its headers leave of their MTU. */
#include <stdlib.h>

#include "compiler/resolve/resolve.h"

#define ENCAP_LIMIT_NONE 256
#define GRE_WORD 4 /* bytes each of key, checksum and sequence number (RFC 2784, 2890) */
#define ENCAP_LIMIT_OPTION 8 /* a destination options header (RFC 2473, 4.1.1) */

static const struct kind {
	unsigned int overhead; /* bytes of outer headers */
	bool any_family;
	enum cni_family family; /* of the outer packet */
	const char *instead; /* the kind for the other family */
} kind_info[] = {
	[CNI_GRE] = { 20 + 4, false, CNI_V4, "ip6gre" },
	[CNI_IP6GRE] = { 40 + 4, false, CNI_V6, "gre" },
	/* never built, a check refuses it: leaves an MTU for the provider's MSS of 1360 (Cloudflare, mtu-mss) */
	[CNI_IPSEC] = { 100, true, CNI_V4, NULL },
};

static const struct cni_word kinds[] = {
	{ "gre", CNI_GRE },
	{ "ip6gre", CNI_IP6GRE },
	{ "ipsec", CNI_IPSEC },
	{ 0 },
};

static void add_link(struct cni_resolver *r, struct cni_tunnel *tunnel, const struct cni_item *item)
{
	const struct cni_name *name;
	const char *text;

	if (!cni_value_word(r, item, "`over`", &text))
		return;
	name = cni_names_need(r, &r->targets, NULL, CNI103, text, item->use->span);
	if (!name)
		return;
	if (name->index >= r->model->n_links) {
		struct cni_diag *d =
			cni_bad_value(r, CNI138, item, "`%s` is a tunnel: a tunnel runs over links only", text);

		cni_diag_related(r->diags, d, name->span, "declared here");
		return;
	}
	if (!cni_mark(r, name->index)) {
		cni_bad_value(r, CNI139, item, "`%s` stands twice in `over`", text);
		return;
	}
	*cni_push(r->arena, tunnel->over, tunnel->n_over) = name->index;
}

/* `over A then B` */
static void read_over(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		      void *object)
{
	struct cni_draft *draft = object;
	struct cni_item *items;
	size_t n = cni_items(r, field->values, CNI_WORDS, &items);

	(void)row;
	cni_mark_none(r);
	for (size_t i = 0; i < n; i++) {
		if (i % 2 == 0)
			add_link(r, &draft->target.tunnel, &items[i]);
		if (i % 2 && !cni_is_word(&items[i], "then"))
			cni_field_count(r, field, "links in order: `over A then B`");
	}
	if (n && n % 2 == 0)
		cni_field_count(r, field, "a link behind `then`");
}

/* A number, or the one word. */
static bool number_or(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		      const char *word, bool *is_word, uint64_t *value)
{
	struct cni_item item;

	*is_word = false;
	if (!cni_field_one(r, field, &item))
		return false;
	if (item.value->kind == CNI_VALUE_WORD) {
		const struct cni_word words[] = { { word, 0 }, { 0 } };

		*is_word = true;
		return cni_value_choice(r, &item, cni_printf(r->arena, "`%s`", row->name), words, value);
	}
	return cni_value_number(r, &item, cni_printf(r->arena, "`%s`", row->name), CNI124, row->lo, row->hi, value);
}

static void read_ttl(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		     void *object)
{
	struct cni_draft *draft = object;
	bool inherit;
	uint64_t ttl;

	if (number_or(r, row, field, "inherit", &inherit, &ttl))
		draft->target.tunnel.ttl = inherit ? 0 : (unsigned int)ttl;
}

static void read_tos(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		     void *object)
{
	struct cni_draft *draft = object;
	bool inherit;
	uint64_t tos;

	if (!number_or(r, row, field, "inherit", &inherit, &tos))
		return;
	draft->target.tunnel.tos_mode = inherit ? CNI_TOS_INHERIT : CNI_TOS_FIXED;
	draft->target.tunnel.tos = inherit ? 0 : (uint8_t)tos;
}

static void read_encap_limit(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
			     void *object)
{
	struct cni_draft *draft = object;
	bool none;
	uint64_t limit;

	if (number_or(r, row, field, "none", &none, &limit))
		draft->target.tunnel.encap_limit = none ? ENCAP_LIMIT_NONE : (unsigned int)limit;
}

static const struct cni_field rows[] = {
	{ .name = "kind",
	  .read = cni_read_choice,
	  CNI_AT(struct cni_draft, target.tunnel.kind),
	  .has = offsetof(struct cni_draft, has_kind),
	  .words = kinds,
	  .mandatory = true },
	{ .name = "over", .read = read_over, .mandatory = true },
	{ .name = "local",
	  .read = cni_read_addr,
	  CNI_AT(struct cni_draft, target.tunnel.local),
	  .has = offsetof(struct cni_draft, has_local),
	  .mandatory = true },
	{ .name = "remote",
	  .read = cni_read_addr,
	  CNI_AT(struct cni_draft, target.tunnel.remote),
	  .has = offsetof(struct cni_draft, has_remote),
	  .mandatory = true },
	{ .name = "address", .read = cni_read_address },
	{ .name = "family", .read = cni_read_family },
	{ .name = "mtu", .read = cni_read_number, CNI_AT(struct cni_draft, mtu), .lo = 68, .hi = UINT16_MAX },
	{ .name = "mss", .read = cni_read_mss },
	{ .name = "ttl", .read = read_ttl, .lo = 1, .hi = UINT8_MAX },
	{ .name = "tos", .read = read_tos, .lo = 0, .hi = UINT8_MAX },
	{ .name = "key",
	  .read = cni_read_number,
	  CNI_AT(struct cni_draft, target.tunnel.key),
	  .has = offsetof(struct cni_draft, target.tunnel.has_key),
	  .lo = 0,
	  .hi = UINT32_MAX },
	{ .name = "csum", .read = cni_read_flag, CNI_AT(struct cni_draft, target.tunnel.csum), .bare = true },
	{ .name = "seq", .read = cni_read_flag, CNI_AT(struct cni_draft, target.tunnel.seq), .bare = true },
	{ .name = "pmtudisc", .read = cni_read_flag, CNI_AT(struct cni_draft, target.tunnel.pmtudisc) },
	{ .name = "ignore-df", .read = cni_read_flag, CNI_AT(struct cni_draft, target.tunnel.ignore_df) },
	{ .name = "encap-limit", .read = read_encap_limit, .lo = 0, .hi = UINT8_MAX },
	{ .name = "bgp", .read = cni_read_bgp, .block = true },
	{ .name = "health", .read = cni_read_health, .block = true },
	{ .name = "track", .read = cni_read_track, .block = true },
	{ .name = "waive", .read = cni_read_waive },
};
static const struct cni_block block = CNI_BLOCK("tunnel", rows);

static void check_families(struct cni_resolver *r, const struct cni_draft *draft)
{
	const struct cni_tunnel *tunnel = &draft->target.tunnel;
	const struct cni_ast_decl *decl = draft->target.decl;
	const struct kind *kind = &kind_info[tunnel->kind];
	struct cni_diag *d;

	if (!draft->has_local || !draft->has_remote)
		return;
	if (tunnel->local.family != tunnel->remote.family) {
		d = cni_diag(r->diags, CNI137, cni_ast_field_span(decl, "remote"),
			     "`remote` is of the other family than `local`");
		cni_diag_related(r->diags, d, cni_ast_field_span(decl, "local"), "`local`");
	} else if (draft->has_kind && !kind->any_family && tunnel->local.family != kind->family) {
		d = cni_diag(r->diags, CNI137, cni_ast_field_span(decl, "local"),
			     "the ends of this kind of tunnel are %s addresses",
			     kind->family == CNI_V4 ? "IPv4" : "IPv6");
		cni_diag_help(r->diags, d, "`kind %s;` has ends of the other family", kind->instead);
	}
}

static int by_addr(const void *a, const void *b)
{
	const struct cni_addr *x = a, *y = b;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return x->v < y->v ? -1 : x->v > y->v;
}

static void index_link_addrs(struct cni_resolver *r)
{
	for (size_t i = 0; i < r->model->n_links; i++)
		for (int f = 0; f < CNI_N_FAMILIES; f++)
			if (r->model->targets[i].iface[f].has_address)
				*cni_push(r->arena, r->link_addrs, r->n_link_addrs) =
					r->model->targets[i].iface[f].address.addr;
	if (r->n_link_addrs)
		qsort(r->link_addrs, r->n_link_addrs, sizeof(*r->link_addrs), by_addr);
}

unsigned int cni_tunnel_overhead(const struct cni_tunnel *tunnel)
{
	unsigned int overhead = kind_info[tunnel->kind].overhead;

	overhead += GRE_WORD * ((unsigned int)tunnel->has_key + tunnel->csum + tunnel->seq);
	if (tunnel->kind == CNI_IP6GRE && tunnel->encap_limit != ENCAP_LIMIT_NONE)
		overhead += ENCAP_LIMIT_OPTION;
	return overhead;
}

static unsigned int mtu_left(const struct cni_model *model, const struct cni_tunnel *tunnel)
{
	unsigned int mtu = tunnel->n_over ? UINT16_MAX : CNI_LINK_MTU, overhead = cni_tunnel_overhead(tunnel);

	for (size_t i = 0; i < tunnel->n_over; i++)
		if (model->targets[tunnel->over[i]].mtu < mtu)
			mtu = model->targets[tunnel->over[i]].mtu;
	return mtu > overhead ? mtu - overhead : 0;
}

static struct cni_target resolve_tunnel(struct cni_resolver *r, const struct cni_ast_decl *decl)
{
	struct cni_draft draft = { .target = { .kind = CNI_TARGET_TUNNEL, .name = decl->name.text, .decl = decl } };
	struct cni_target *t = &draft.target;
	struct cni_tunnel *tunnel = &t->tunnel;

	t->ifname = t->name;
	t->link.device = t->link.onramp = "";
	tunnel->ttl = 64; /* Cloudflare, configure-tunnels; the kernel's own default is to inherit */
	tunnel->pmtudisc = true;
	tunnel->encap_limit = ENCAP_LIMIT_NONE;
	cni_check_ifname(r, t->name, decl->name.span);
	cni_read_block(r, &block, decl->fields, decl->name.span, NULL, &draft);
	check_families(r, &draft);
	tunnel->local_is_link = r->n_link_addrs && bsearch(&tunnel->local, r->link_addrs, r->n_link_addrs,
							   sizeof(*r->link_addrs), by_addr);
	tunnel->underlay_bgp = tunnel->n_over > 0;
	for (size_t i = 0; i < tunnel->n_over; i++)
		tunnel->underlay_bgp &= r->model->targets[tunnel->over[i]].link.bgp.present;
	cni_finish_address(r, &draft);
	cni_finish_mss(&draft, mtu_left(r->model, tunnel), true);
	cni_finish_track(r, t);
	return *t;
}

void cni_resolve_tunnels(struct cni_resolver *r)
{
	size_t n = r->model->n_links;

	index_link_addrs(r);
	for (const struct cni_ast_decl *d = r->ast->decls; d; d = d->next) {
		struct cni_target target;

		if (d->kind != CNI_DECL_TUNNEL)
			continue;
		target = resolve_tunnel(r, d);
		if (cni_owns(&r->targets, d))
			r->model->targets[n++] = target;
	}
}
