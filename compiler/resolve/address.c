/* SPDX-License-Identifier: GPL-2.0-or-later */
/* address.c - `address`, `gateway` and `family` of a link or tunnel: whom it faces, and what it carries. */
#include "compiler/resolve/resolve.h"

static const char *const family_names[CNI_N_FAMILIES] = { "IPv4", "IPv6" };
static const struct cni_word families[] = { { "ipv4", CNI_V4 }, { "ipv6", CNI_V6 }, { 0 } };

/* The network itself and its broadcast address are no host's (RFC 1812, 4.2.3.1; RFC 3021 frees those of a /31). */
static bool is_host(struct cni_prefix p)
{
	bool reserves = p.addr.family == CNI_V4 && p.len < 31;

	return !reserves || (p.addr.v != cni_prefix_first(p).v && p.addr.v != cni_prefix_last(p).v);
}

static void take_prefix(struct cni_resolver *r, struct cni_draft *draft, const struct cni_item *item)
{
	struct cni_prefix p = item->value->prefix;
	struct cni_iface *iface = &draft->target.iface[p.addr.family];
	char text[CNI_ADDR_TEXT];

	if (iface->has_address) {
		cni_bad_value(r, CNI135, item, "a second %s address", family_names[p.addr.family]);
		return;
	}
	if (!is_host(p))
		cni_bad_value(r, CNI133, item, "%s is the network's own or its broadcast address, and no host's",
			      cni_prefix_format(p, text));
	iface->has_address = true;
	iface->address = p;
}

static void no_address(struct cni_resolver *r, const struct cni_item *item, bool tunnel)
{
	static const char *const words[] = { "dhcp", NULL };
	struct cni_diag *d =
		cni_wrong_kind(r, item, "`address`",
			       tunnel ? "addresses with their prefix length (`10.0.0.1/31`)"
				      : "addresses with their prefix length (`192.0.2.11/31`), or `dhcp` alone");

	if (!tunnel && item->value->kind == CNI_VALUE_WORD && !cni_is_word(item, words[0]) &&
	    cni_did_you_mean(item->value->text, words))
		cni_diag_help(r->diags, d, "did you mean `%s`?", words[0]);
}

void cni_read_address(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		      void *object)
{
	struct cni_draft *draft = object;
	struct cni_item *items;
	size_t n = cni_items(r, field->values, CNI_COMMAS, &items);
	bool tunnel = draft->target.kind == CNI_TARGET_TUNNEL;

	(void)row;
	draft->has_address = true;
	if (n == 1 && !tunnel && cni_is_word(&items[0], "dhcp")) {
		draft->target.link.dhcp = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (items[i].value->kind == CNI_VALUE_PREFIX)
			take_prefix(r, draft, &items[i]);
		else
			no_address(r, &items[i], tunnel);
	}
}

void cni_read_gateway(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		      void *object)
{
	struct cni_draft *draft = object;
	struct cni_item *items;
	size_t n = cni_items(r, field->values, CNI_COMMAS, &items);
	struct cni_addr addr;

	(void)row;
	draft->gateway_span = field->span;
	for (size_t i = 0; i < n; i++) {
		if (!cni_value_addr(r, &items[i], "`gateway`", &addr))
			continue;
		if (draft->has_gateway[addr.family])
			cni_bad_value(r, CNI135, &items[i], "a second %s gateway", family_names[addr.family]);
		draft->has_gateway[addr.family] = true;
		draft->gateway[addr.family] = addr;
	}
}

void cni_read_family(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		     void *object)
{
	struct cni_draft *draft = object;
	struct cni_item *items;
	size_t n = cni_items(r, field->values, CNI_COMMAS, &items);
	uint64_t family;

	(void)row;
	draft->has_families = true;
	for (size_t i = 0; i < n; i++)
		if (cni_value_choice(r, &items[i], "`family`", families, &family))
			draft->families[family] = true;
}

static bool is_link_local(struct cni_addr addr)
{
	return addr.family == CNI_V6 && addr.v >> 118 == 0xfe80 >> 6; /* fe80::/10 */
}

static void check_gateway(struct cni_resolver *r, const struct cni_draft *draft, enum cni_family family)
{
	const struct cni_iface *iface = &draft->target.iface[family];
	struct cni_addr gateway = draft->gateway[family];
	char text[CNI_ADDR_TEXT], prefix[CNI_ADDR_TEXT];
	bool within;

	if (!iface->has_address) {
		if (!draft->target.carries[family])
			cni_diag(r->diags, CNI136, draft->gateway_span,
				 "a gateway of %s, but the link has no %s address", family_names[family],
				 family_names[family]);
		return;
	}
	within = cni_prefix_has(iface->address, gateway) && !cni_addr_equal(iface->address.addr, gateway);
	if (!within && !is_link_local(gateway))
		cni_diag(r->diags, CNI136, draft->gateway_span, "the gateway %s is no other host of %s",
			 cni_addr_format(gateway, text), cni_prefix_format(iface->address, prefix));
}

static void find_peer(struct cni_resolver *r, struct cni_draft *draft, enum cni_family family)
{
	struct cni_iface *iface = &draft->target.iface[family];
	bool tunnel = draft->target.kind == CNI_TARGET_TUNNEL;
	char text[CNI_ADDR_TEXT];
	struct cni_diag *d;

	if (draft->has_gateway[family]) {
		iface->has_peer = true;
		iface->peer = draft->gateway[family];
		check_gateway(r, draft, family);
		return;
	}
	if (!iface->has_address)
		return;
	iface->has_peer = cni_prefix_peer(iface->address, &iface->peer);
	if (iface->has_peer || !is_host(iface->address))
		return;
	d = cni_diag(r->diags, CNI134, cni_ast_field_span(draft->target.decl, "address"),
		     "%s does not tell the other end: it is no /31, /30 or /127",
		     cni_prefix_format(iface->address, text));
	cni_diag_help(r->diags, d,
		      tunnel ? "give our address and the prefix length that both ends share"
			     : "name it: `gateway ADDRESS;`");
}

void cni_finish_address(struct cni_resolver *r, struct cni_draft *draft)
{
	struct cni_target *t = &draft->target;
	bool link = t->kind == CNI_TARGET_LINK;

	if (link && !draft->has_address)
		t->link.dhcp = true;
	for (int f = 0; f < CNI_N_FAMILIES; f++)
		t->carries[f] = t->iface[f].has_address || draft->families[f];
	/* DHCP is of IPv4; without any `address`, `family` alone decides if it is there */
	if (link && t->link.dhcp && (draft->has_address || !draft->has_families))
		t->carries[CNI_V4] = true;
	for (int f = 0; f < CNI_N_FAMILIES; f++)
		find_peer(r, draft, (enum cni_family)f);
}
