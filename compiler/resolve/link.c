/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link.c - `link`: a physical interconnect or uplink, and what links and tunnels have in common. */
#include <string.h>

#include "compiler/resolve/resolve.h"

#define MSS_MIN 88 /* TCP_MIN_MSS of Linux */
#define TCP_HEADERS_V4 40 /* 20 of IPv4, 20 of TCP, without options (RFC 6691) */
#define TCP_HEADERS_V6 60

/* `mss 1436`, `mss auto`, `mss off` */
void cni_read_mss(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field, void *object)
{
	static const struct cni_word modes[] = { { "auto", CNI_MSS_AUTO }, { "off", CNI_MSS_OFF }, { 0 } };
	struct cni_draft *draft = object;
	struct cni_item item;
	uint64_t value;

	(void)row;
	if (!cni_field_one(r, field, &item))
		return;
	if (item.value->kind == CNI_VALUE_WORD) {
		if (!cni_value_choice(r, &item, "`mss`", modes, &value))
			return;
		draft->target.mss_mode = (enum cni_mss_mode)value;
	} else {
		if (!cni_value_number(r, &item, "`mss`", CNI124, MSS_MIN, UINT16_MAX, &value))
			return;
		draft->target.mss_mode = CNI_MSS_FIXED;
		draft->mss = (unsigned int)value;
	}
	draft->has_mss = true;
}

void cni_finish_mss(struct cni_draft *draft, unsigned int mtu, bool clamp)
{
	static const unsigned int headers[CNI_N_FAMILIES] = { TCP_HEADERS_V4, TCP_HEADERS_V6 };
	struct cni_target *t = &draft->target;

	t->mtu = draft->mtu ? draft->mtu : mtu;
	for (int f = 0; f < CNI_N_FAMILIES; f++) {
		if (t->mss_mode == CNI_MSS_FIXED)
			t->mss[f] = draft->mss;
		else if (t->mss_mode == CNI_MSS_AUTO && (clamp || draft->has_mss) && t->mtu > headers[f])
			t->mss[f] = t->mtu - headers[f];
	}
}

void cni_read_waive(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		    void *object)
{
	static const struct cni_word words[] = {
		{ "backup", offsetof(struct cni_link, waive_backup) },
		{ "policy", offsetof(struct cni_link, waive_policy) },
		{ "ipv6", offsetof(struct cni_link, waive_ipv6) },
		{ 0 },
	};
	struct cni_draft *draft = object;
	struct cni_item *items;
	size_t n = cni_items(r, field->values, CNI_COMMAS, &items);
	uint64_t offset;

	(void)row;
	for (size_t i = 0; i < n; i++)
		if (cni_value_choice(r, &items[i], "`waive`", words, &offset))
			((unsigned char *)&draft->target.link)[offset] = 1;
}

/* `device eth1`, `device "eth1.100"`, `device eth1 vlan 100` */
static void read_device(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
			void *object)
{
	struct cni_draft *draft = object;
	struct cni_link *link = &draft->target.link;
	struct cni_item *items;
	size_t n = cni_items(r, field->values, CNI_WORDS, &items);
	const char *name;
	uint64_t vlan;

	(void)row;
	if ((n != 1 && n != 3) || (n == 3 && !cni_is_word(&items[1], "vlan"))) {
		cni_field_count(r, field, "a device, or `DEVICE vlan NUMBER`");
		return;
	}
	if (!cni_value_device(r, &items[0], &name))
		return;
	link->device = draft->target.ifname = name;
	/* IEEE 802.1Q: 0 is priority only, 4095 is reserved */
	if (n == 1 || !cni_value_number(r, &items[2], "`vlan`", CNI158, 1, 4094, &vlan))
		return;
	link->vlan = (unsigned int)vlan;
	draft->target.ifname = cni_printf(r->arena, "%s.%u", name, link->vlan);
	cni_check_ifname(r, draft->target.ifname, field->span);
}

/* `rate 1000000000` or `rate 1000 mbit` */
static void read_rate(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		      void *object)
{
	static const struct cni_word units[] = {
		{ "bit", 1 }, { "kbit", 1000 }, { "mbit", 1000000 }, { "gbit", 1000000000 }, { 0 },
	};
	struct cni_draft *draft = object;
	struct cni_item *items;
	size_t n = cni_items(r, field->values, CNI_WORDS, &items);
	uint64_t value, unit = 1;

	if (n != 1 && n != 2) {
		cni_field_count(r, field, "a number and its unit: `rate 1000 mbit`");
		return;
	}
	if (n == 2 && !cni_value_choice(r, &items[1], "`rate`", units, &unit))
		return;
	if (cni_value_number(r, &items[0], "`rate`", CNI124, row->lo, row->hi / unit, &value))
		draft->target.link.rate = value * unit;
}

static void read_onramp(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
			void *object)
{
	static const struct cni_word onramps[] = {
		{ "router", CNI_ONRAMP_ROUTER },
		{ "connector", CNI_ONRAMP_CONNECTOR },
		{ 0 },
	};
	struct cni_draft *draft = object;
	struct cni_item item;
	uint64_t onramp;

	(void)row;
	if (cni_field_one(r, field, &item) && cni_value_choice(r, &item, "`onramp`", onramps, &onramp))
		draft->target.link.onramp = onramps[onramp].name;
}

/* `dataplane 1` or `dataplane v1` */
static void read_dataplane(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
			   void *object)
{
	static const struct cni_word planes[] = { { "v1", 1 }, { "v2", 2 }, { 0 } };
	struct cni_item item;
	uint64_t plane;

	if (!cni_field_one(r, field, &item))
		return;
	if (item.value->kind == CNI_VALUE_WORD ? cni_value_choice(r, &item, "`dataplane`", planes, &plane)
					       : cni_value_number(r, &item, "`dataplane`", CNI124, 1, 2, &plane))
		cni_field_store(row, object, plane);
}

static const struct cni_word kinds[] = {
	{ "express", CNI_EXPRESS }, { "classic", CNI_CLASSIC },	  { "pni", CNI_PNI },
	{ "peering", CNI_PEERING }, { "internet", CNI_INTERNET }, { 0 },
};

static const struct cni_field rows[] = {
	{ .name = "kind",
	  .read = cni_read_choice,
	  CNI_AT(struct cni_draft, target.link.kind),
	  .words = kinds,
	  .mandatory = true },
	{ .name = "device", .read = read_device, .mandatory = true },
	{ .name = "address", .read = cni_read_address },
	{ .name = "gateway", .read = cni_read_gateway },
	{ .name = "family", .read = cni_read_family },
	{ .name = "mtu", .read = cni_read_number, CNI_AT(struct cni_draft, mtu), .lo = 68, .hi = UINT16_MAX },
	{ .name = "mss", .read = cni_read_mss },
	{ .name = "bgp", .read = cni_read_bgp, .block = true },
	{ .name = "health", .read = cni_read_health, .block = true },
	{ .name = "track", .read = cni_read_track, .block = true },
	{ .name = "lacp", .read = cni_read_flag, CNI_AT(struct cni_draft, target.link.lacp) },
	{ .name = "bfd", .read = cni_read_flag, CNI_AT(struct cni_draft, target.link.bfd) },
	{ .name = "onramp", .read = read_onramp },
	{ .name = "dataplane", .read = read_dataplane, CNI_AT(struct cni_draft, target.link.dataplane) },
	{ .name = "rate", .read = read_rate, .lo = 1, .hi = INT64_MAX },
	{ .name = "waive", .read = cni_read_waive },
};
static const struct cni_block block = CNI_BLOCK("link", rows);

static struct cni_target resolve_link(struct cni_resolver *r, const struct cni_ast_decl *decl)
{
	struct cni_draft draft = { .target = { .kind = CNI_TARGET_LINK, .name = decl->name.text, .decl = decl } };
	struct cni_target *t = &draft.target;

	t->ifname = t->link.device = ""; /* where `device` is missing or wrong */
	t->link.kind = CNI_INTERNET; /* where `kind` is: of this one the provider asks nothing */
	t->link.onramp = "router";
	cni_read_block(r, &block, decl->fields, decl->name.span, NULL, &draft);
	cni_finish_address(r, &draft);
	cni_finish_mss(&draft, CNI_LINK_MTU, false);
	cni_finish_track(r, t);
	return *t;
}

void cni_resolve_links(struct cni_resolver *r)
{
	size_t n = 0;

	for (const struct cni_ast_decl *d = r->ast->decls; d; d = d->next) {
		struct cni_target target;

		if (d->kind != CNI_DECL_LINK)
			continue;
		target = resolve_link(r, d);
		if (cni_owns(&r->targets, d))
			r->model->targets[n++] = target;
	}
}
