/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desired.c - devices, addresses, settings and routing as JSON; desired_nft.c has the rest. See desired.h. */
#include "runtime/json/desired.h"

#include "runtime/json/desired_nft.h"
#include "runtime/json/envelope.h"

json_t *rt_json_addr(struct cni_addr addr)
{
	char text[CNI_ADDR_TEXT];

	return json_string(cni_addr_format(addr, text));
}

json_t *rt_json_prefix(struct cni_prefix prefix)
{
	char text[CNI_ADDR_TEXT];

	return json_string(prefix.len ? cni_prefix_format(prefix, text) : "default");
}

static const char *family_name(enum cni_family family)
{
	return family == CNI_V4 ? "ipv4" : "ipv6";
}

static const char *route_type_name(enum cni_route_type type)
{
	static const char *const names[] = { [CNI_RT_UNICAST] = "unicast",
					     [CNI_RT_BLACKHOLE] = "blackhole",
					     [CNI_RT_UNREACHABLE] = "unreachable",
					     [CNI_RT_OTHER] = "other" };

	return names[type];
}

static json_t *number_or(bool is_number, json_int_t number, const char *otherwise)
{
	return is_number ? json_integer(number) : json_string(otherwise);
}

static void tunnel(json_t *json, const struct cni_st_link *link)
{
	json_object_set_new(json, "local", rt_json_addr(link->local));
	json_object_set_new(json, "remote", rt_json_addr(link->remote));
	json_object_set_new(json, "ttl", number_or(link->ttl, link->ttl, "inherit"));
	json_object_set_new(json, "tos", number_or(link->tos != 1, link->tos, "inherit"));
	json_object_set_new(json, "key", link->has_key ? json_integer(link->key) : json_null());
	json_object_set_new(json, "csum", json_boolean(link->csum));
	json_object_set_new(json, "seq", json_boolean(link->seq));
	if (link->type == CNI_DEV_GRE) {
		json_object_set_new(json, "pmtudisc", json_boolean(link->pmtudisc));
		json_object_set_new(json, "ignore_df", json_boolean(link->ignore_df));
	} else {
		json_object_set_new(json, "encap_limit", number_or(link->encap_limit < 256, link->encap_limit, "none"));
	}
}

static json_t *link_json(const struct cni_st_link *link)
{
	json_t *json = json_pack("{s:o, s:b, s:o}", "name", rt_json_text(link->name), "owned", (int)link->owned, "kind",
				 rt_json_text(link->kind));

	if (!link->owned)
		return json; /* it need only be there */
	json_object_set_new(json, "up", json_boolean(link->up));
	json_object_set_new(json, "mtu", json_integer(link->mtu));
	if (link->type == CNI_DEV_GRE || link->type == CNI_DEV_IP6GRE)
		tunnel(json, link);
	if (link->type == CNI_DEV_VLAN) {
		json_object_set_new(json, "parent", rt_json_text(link->parent));
		json_object_set_new(json, "vlan", json_integer(link->vlan));
	}
	return json;
}

static json_t *rule_json(const struct cni_st_rule *rule)
{
	json_t *json = json_object();

	json_object_set_new(json, "family", json_string(family_name(rule->family)));
	json_object_set_new(json, "priority", json_integer(rule->priority));
	json_object_set_new(json, "from", rule->has_from ? rt_json_prefix(rule->from) : json_null());
	json_object_set_new(json, "to", rule->has_to ? rt_json_prefix(rule->to) : json_null());
	json_object_set_new(json, "iif", rt_json_text(rule->iif));
	json_object_set_new(json, "mark", rule->mask ? json_sprintf("0x%08x", rule->mark) : json_null());
	json_object_set_new(json, "mask", rule->mask ? json_sprintf("0x%08x", rule->mask) : json_null());
	json_object_set_new(json, "ipproto", rule->ipproto ? json_integer(rule->ipproto) : json_null());
	json_object_set_new(json, "invert", json_boolean(rule->invert));
	json_object_set_new(json, "jump", rule->jump ? json_integer(rule->jump) : json_null());
	json_object_set_new(json, "table", rule->table ? json_integer(rule->table) : json_null());
	return json;
}

json_t *rt_json_route(const struct cni_st_route *route)
{
	json_t *json = json_object(), *hops = json_array();

	json_object_set_new(json, "table", json_integer(route->table));
	json_object_set_new(json, "family", json_string(family_name(route->family)));
	json_object_set_new(json, "to", rt_json_prefix(route->to));
	json_object_set_new(json, "metric", json_integer(route->metric));
	json_object_set_new(json, "type", json_string(route_type_name(route->type)));
	json_object_set_new(json, "source", route->has_source ? rt_json_addr(route->source) : json_null());
	for (size_t i = 0; i < route->n_hops; i++) {
		const struct cni_st_hop *hop = &route->hops[i];

		json_array_append_new(hops, json_pack("{s:o, s:o, s:i, s:b}", "via",
						      hop->has_via ? rt_json_addr(hop->via) : json_null(), "device",
						      rt_json_text(hop->device), "weight", (int)hop->weight, "onlink",
						      (int)hop->onlink));
	}
	json_object_set_new(json, "hops", hops);
	return json;
}

json_t *rt_json_setting(const struct cni_st_setting *setting)
{
	return json_pack("{s:o, s:s, s:i}", "device", *setting->device ? rt_json_text(setting->device) : json_null(),
			 "name", cni_setting_info[setting->key].name, "value", setting->value);
}

json_t *rt_json_desired(struct cni_arena *arena, const struct cni_state *state)
{
	json_t *links = json_array(), *addrs = json_array(), *settings = json_array(), *rules = json_array(),
	       *routes = json_array();

	for (size_t i = 0; i < state->n_links; i++)
		json_array_append_new(links, link_json(&state->links[i]));
	for (size_t i = 0; i < state->n_addrs; i++) {
		const struct cni_st_addr *addr = &state->addrs[i];
		char text[CNI_ADDR_TEXT];

		json_array_append_new(addrs, json_pack("{s:o, s:s}", "device", rt_json_text(addr->device), "address",
						       cni_prefix_format(addr->address, text)));
	}
	for (size_t i = 0; i < state->n_settings; i++)
		json_array_append_new(settings, rt_json_setting(&state->settings[i]));
	for (size_t i = 0; i < state->n_rules; i++)
		json_array_append_new(rules, rule_json(&state->rules[i]));
	for (size_t i = 0; i < state->n_routes; i++)
		json_array_append_new(routes, rt_json_route(&state->routes[i]));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "links", links, "addresses", addrs, "settings", settings,
			 "rules", rules, "routes", routes, "nft", rt_json_nft(arena, state));
}
