/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices.c - devices, their addresses and their settings. */
#include <string.h>

#include "compiler/lower/lower_internal.h"

static struct cni_st_link *add_link(struct lower *l, const char *name, struct cni_span span)
{
	struct cni_st_link *link = cni_push(l->arena, l->state->links, l->state->n_links);

	link->name = name;
	link->kind = "";
	link->span = span;
	return link;
}

static void add_addr(struct lower *l, const char *device, struct cni_prefix address, struct cni_span span)
{
	*cni_push(l->arena, l->state->addrs, l->state->n_addrs) =
		(struct cni_st_addr){ .device = device, .address = address, .span = span, .owned = true };
}

static struct cni_prefix host_prefix(struct cni_addr addr)
{
	return (struct cni_prefix){ addr, (uint8_t)cni_width(addr.family) };
}

static void set(struct lower *l, const char *device, enum cni_setting_key key, int value, struct cni_span span)
{
	*cni_push(l->arena, l->state->settings, l->state->n_settings) =
		(struct cni_st_setting){ .device = device, .key = key, .span = span, .value = value };
}

/* ---- links and tunnels ---- */

static void vlan_child(struct lower *l, const struct cni_target *t)
{
	struct cni_st_link *dev = add_link(l, t->ifname, cni_ast_field_span(t->decl, "device"));

	dev->owned = true;
	dev->type = CNI_DEV_VLAN;
	dev->kind = "vlan";
	dev->up = true;
	dev->mtu = t->mtu;
	dev->parent = t->link.device;
	dev->vlan = (uint16_t)t->link.vlan;
}

static void tunnel_device(struct lower *l, const struct cni_target *t)
{
	const struct cni_tunnel *tunnel = &t->tunnel;
	struct cni_st_link *dev = add_link(l, t->ifname, t->decl->name.span);

	dev->owned = true;
	dev->type = tunnel->kind == CNI_GRE ? CNI_DEV_GRE : CNI_DEV_IP6GRE;
	dev->kind = tunnel->kind == CNI_GRE ? "gre" : "ip6gre";
	dev->up = true;
	dev->mtu = t->mtu;
	dev->local = tunnel->local;
	dev->remote = tunnel->remote;
	dev->ttl = (uint8_t)tunnel->ttl;
	dev->tos = tunnel->tos_mode == CNI_TOS_INHERIT ? 1 : tunnel->tos;
	dev->has_key = tunnel->has_key;
	dev->key = tunnel->key;
	dev->csum = tunnel->csum;
	dev->seq = tunnel->seq;
	dev->pmtudisc = tunnel->kind == CNI_GRE && tunnel->pmtudisc;
	dev->ignore_df = tunnel->kind == CNI_GRE && tunnel->ignore_df;
	dev->encap_limit = tunnel->kind == CNI_IP6GRE ? (uint16_t)tunnel->encap_limit : 0;
	if (!tunnel->local_is_link)
		add_addr(l, "lo", host_prefix(tunnel->local), cni_ast_field_span(t->decl, "local"));
}

/* ---- settings ---- */

/* Steering by marks is invisible to reverse-path checks, so strict ones drop what comes in by a target
 * (kernel: ip-sysctl, rp_filter). Loose ones still want some route back: without an uplink to the Internet main
 * may have none, so then they are off. The larger of `all` and the device's own value counts. */
static int rp_filter_value(const struct cni_model *m)
{
	if (m->options.rp_filter == CNI_RP_LOOSE)
		return 2;
	for (size_t i = 0; m->options.rp_filter == CNI_RP_AUTO && i < m->n_links; i++)
		if (m->targets[i].link.kind == CNI_INTERNET)
			return 2;
	return 0;
}

static void target_settings(struct lower *l, const struct cni_target *t)
{
	const struct cni_model *m = l->model;
	const struct cni_span span = t->decl->name.span;

	if (m->options.rp_filter != CNI_RP_KEEP) {
		int value = rp_filter_value(m);

		set(l, t->ifname, CNI_SET_RP_FILTER, value, span);
		if (!value)
			set(l, "all", CNI_SET_RP_FILTER, 0, span);
	}
	if (t->kind == CNI_TARGET_LINK) {
		/* a link without carrier gives way to the next (ip-sysctl, ignore_routes_with_linkdown) */
		set(l, t->ifname, CNI_SET_IGNORE_LINKDOWN, 1, span);
		if (t->carries[CNI_V6])
			set(l, t->ifname, CNI_SET_IGNORE_LINKDOWN6, 1, span);
	}
	/* probes of the reply type come in with our own address as their source */
	if (t->health.type == CNI_HEALTH_REPLY)
		set(l, t->ifname, CNI_SET_ACCEPT_LOCAL, 1, cni_ast_field_span(t->decl, "health"));
}

static void namespace_settings(struct lower *l)
{
	for (size_t i = 0; i < l->n_ways; i++)
		for (size_t j = 0; j < l->ways[i].n_tiers; j++)
			if (l->ways[i].tiers[j].n_members > 1) {
				/* shares are by flow, over ports too, not by pair of hosts */
				set(l, "", CNI_SET_MULTIPATH_HASH, 1, l->ways[i].span);
				set(l, "", CNI_SET_MULTIPATH_HASH6, 1, l->ways[i].span);
				return;
			}
}

void lower_devices(struct lower *l)
{
	const struct cni_model *m = l->model;

	for (size_t i = 0; i < m->n_targets; i++) {
		const struct cni_target *t = &m->targets[i];

		if (t->kind == CNI_TARGET_LINK)
			add_link(l, t->link.device, cni_ast_field_span(t->decl, "device"));
	}
	for (size_t i = 0; i < m->n_targets; i++) {
		const struct cni_target *t = &m->targets[i];

		if (t->kind == CNI_TARGET_TUNNEL)
			tunnel_device(l, t);
		else if (t->link.vlan)
			vlan_child(l, t);
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
			if (t->iface[f].has_address)
				add_addr(l, t->ifname, t->iface[f].address, cni_ast_field_span(t->decl, "address"));
		if (t->health.has_target)
			add_addr(l, "lo", host_prefix(t->health.target), cni_ast_field_span(t->decl, "health"));
		target_settings(l, t);
	}
	for (size_t p = 0; p < m->n_policies; p++)
		for (size_t d = 0; d < m->policies[p].n_devices; d++)
			add_link(l, m->policies[p].devices[d], m->policies[p].decl->devices->span);
	namespace_settings(l);
}
