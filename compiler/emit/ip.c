/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ip.c - devices, addresses, rules, routes and settings as commands of iproute2 and sysctl. */
#include <string.h>

#include "compiler/emit/describe.h"
#include "compiler/emit/emit.h"

static void puts_addr(struct cni_text *out, const char *before, struct cni_addr addr)
{
	char text[CNI_ADDR_TEXT];

	cni_text_printf(out, " %s %s", before, cni_addr_format(addr, text));
}

static void puts_prefix(struct cni_text *out, struct cni_prefix prefix)
{
	char text[CNI_ADDR_TEXT];

	cni_text_puts(out, prefix.len ? cni_prefix_format(prefix, text) : "default");
}

/* What a device of each type is made with. */

static void tunnel(struct cni_text *out, const struct cni_st_link *link)
{
	puts_addr(out, "local", link->local);
	puts_addr(out, "remote", link->remote);
	if (link->ttl)
		cni_text_printf(out, " ttl %u", link->ttl);
	else
		cni_text_puts(out, " ttl inherit");
	if (link->tos == 1)
		cni_text_puts(out, " tos inherit");
	else if (link->tos)
		cni_text_printf(out, " tos 0x%02x", link->tos);
	if (link->has_key)
		cni_text_printf(out, " key %u", link->key);
	cni_text_puts(out, link->csum ? " csum" : "");
	cni_text_puts(out, link->seq ? " seq" : "");
}

static void gre(struct cni_text *out, const struct cni_st_link *link)
{
	tunnel(out, link);
	cni_text_puts(out, link->pmtudisc ? "" : " nopmtudisc");
	cni_text_puts(out, link->ignore_df ? " ignore-df" : "");
}

static void ip6gre(struct cni_text *out, const struct cni_st_link *link)
{
	tunnel(out, link);
	if (link->encap_limit > UINT8_MAX)
		cni_text_puts(out, " encaplimit none");
	else
		cni_text_printf(out, " encaplimit %u", link->encap_limit);
}

static void vlan(struct cni_text *out, const struct cni_st_link *link)
{
	cni_text_printf(out, " id %u", link->vlan);
}

static void (*const details[])(struct cni_text *, const struct cni_st_link *) = {
	[CNI_DEV_GRE] = gre,
	[CNI_DEV_IP6GRE] = ip6gre,
	[CNI_DEV_VLAN] = vlan,
};

void cni_describe_link(struct cni_text *out, const struct cni_st_link *link)
{
	cni_text_puts(out, link->name);
	if (link->mtu)
		cni_text_printf(out, " mtu %u", link->mtu);
	cni_text_printf(out, "%s group %u type %s", link->up ? " up" : "", CNI_GROUP, link->kind);
	if (link->type != CNI_DEV_OTHER)
		details[link->type](out, link);
}

void cni_describe_addr(struct cni_text *out, const struct cni_st_addr *addr)
{
	char text[CNI_ADDR_TEXT];

	cni_text_printf(out, "%s dev %s", cni_prefix_format(addr->address, text), addr->device);
}

void cni_describe_rule(struct cni_text *out, const struct cni_st_rule *rule)
{
	cni_text_printf(out, "priority %u%s", rule->priority, rule->invert ? " not" : "");
	if (rule->has_from) {
		cni_text_puts(out, " from ");
		puts_prefix(out, rule->from);
	}
	if (rule->has_to) {
		cni_text_puts(out, " to ");
		puts_prefix(out, rule->to);
	}
	if (rule->iif)
		cni_text_printf(out, " iif %s", rule->iif);
	if (rule->mask)
		cni_text_printf(out, " fwmark 0x%x/0x%x", rule->mark, rule->mask);
	if (rule->ipproto)
		cni_text_printf(out, " ipproto %u", rule->ipproto);
	if (rule->jump)
		cni_text_printf(out, " goto %u", rule->jump);
	else if (rule->table)
		cni_text_printf(out, " lookup %u", rule->table);
	else
		cni_text_puts(out, " nop");
	cni_text_printf(out, " protocol %u", CNI_PROTO);
}

static void hop(struct cni_text *out, const struct cni_st_hop *h, enum cni_family family)
{
	if (h->has_via)
		puts_addr(out, h->via.family == family ? "via" : "via inet6", h->via);
	if (h->device)
		cni_text_printf(out, " dev %s", h->device);
}

void cni_describe_route(struct cni_text *out, const struct cni_st_route *route)
{
	static const char *const types[] = { [CNI_RT_UNICAST] = "",
					     [CNI_RT_BLACKHOLE] = "blackhole ",
					     [CNI_RT_UNREACHABLE] = "unreachable ",
					     [CNI_RT_OTHER] = "" };

	cni_text_puts(out, types[route->type]);
	puts_prefix(out, route->to);
	if (route->n_hops == 1) {
		hop(out, route->hops, route->family);
		cni_text_puts(out, route->hops->onlink ? " onlink" : "");
	}
	cni_text_printf(out, " table %u proto %u metric %u", route->table, CNI_PROTO, route->metric);
	if (route->has_source)
		puts_addr(out, "src", route->source);
	for (size_t i = 0; route->n_hops > 1 && i < route->n_hops; i++) {
		cni_text_puts(out, " nexthop");
		hop(out, &route->hops[i], route->family);
		cni_text_printf(out, " weight %u%s", route->hops[i].weight, route->hops[i].onlink ? " onlink" : "");
	}
}

/* ---- as commands ---- */

void cni_emit_link(struct cni_text *out, const struct cni_st_link *link)
{
	if (!link->owned) {
		cni_text_printf(out, "link show dev %s", link->name);
		return;
	}
	cni_text_puts(out, "link add ");
	if (link->type == CNI_DEV_VLAN)
		cni_text_printf(out, "link %s ", link->parent);
	cni_text_puts(out, "name ");
	cni_describe_link(out, link);
}

void cni_emit_addr(struct cni_text *out, const struct cni_st_addr *addr)
{
	cni_text_puts(out, "addr add ");
	cni_describe_addr(out, addr);
}

void cni_emit_rule(struct cni_text *out, const struct cni_st_rule *rule)
{
	cni_text_puts(out, rule->family == CNI_V6 ? "-6 rule add " : "rule add ");
	cni_describe_rule(out, rule);
}

void cni_emit_route(struct cni_text *out, const struct cni_st_route *route)
{
	cni_text_puts(out, route->family == CNI_V6 ? "-6 route add " : "route add ");
	cni_describe_route(out, route);
}

/* With slashes where the device's name has a dot, which sysctl would take for one of its own. */
void cni_emit_setting(struct cni_text *out, const struct cni_st_setting *setting)
{
	const char *device = setting->device, *path = cni_setting_info[setting->key].path;
	const char *at = strstr(path, "%s");
	char slash = strchr(device, '.') ? '/' : '.';

	cni_text_printf(out, "sysctl -w net%c", slash);
	for (const char *p = path; *p; p++)
		if (p == at) {
			cni_text_puts(out, device);
			p++;
		} else {
			cni_text_add(out, *p == '/' ? &slash : p, 1);
		}
	cni_text_printf(out, "=%d", setting->value);
}

/* ---- the whole script ---- */

#define EACH(list, kind)                                                                                               \
	for (size_t i = 0; i < state->n_##list; i++) {                                                                 \
		if (!state->list[i].owned)                                                                             \
			continue;                                                                                      \
		cni_text_puts(out, "ip ");                                                                             \
		cni_emit_##kind(out, &state->list[i]);                                                                 \
		cni_text_puts(out, "\n");                                                                              \
	}

static void links(struct cni_text *out, const struct cni_state *state, bool vlans)
{
	for (size_t i = 0; i < state->n_links; i++) {
		const struct cni_st_link *link = &state->links[i];

		if (!link->owned || (link->type == CNI_DEV_VLAN) != vlans)
			continue;
		cni_text_puts(out, "ip ");
		cni_emit_link(out, link);
		cni_text_puts(out, "\n");
	}
}

void cni_emit_ip(struct cni_text *out, const struct cni_state *state)
{
	for (size_t i = 0; i < state->n_links; i++)
		if (!state->links[i].owned)
			cni_text_printf(out, "# device %s must be there\n", state->links[i].name);
	links(out, state, true);
	links(out, state, false);
	for (size_t i = 0; i < state->n_settings; i++) {
		cni_emit_setting(out, &state->settings[i]);
		cni_text_puts(out, "\n");
	}
	EACH(addrs, addr)
	EACH(routes, route)
	EACH(rules, rule)
}
