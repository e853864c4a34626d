/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_json.c - see status_json.h. */
#include "runtime/json/status_json.h"

#include "runtime/json/desired.h"
#include "runtime/json/envelope.h"

static json_t *path_routes(const struct cni_state *state, const struct rt_path_status *path)
{
	json_t *list = json_array();

	for (size_t i = 0; path->has_table && i < state->n_routes; i++) {
		const struct cni_st_route *route = &state->routes[i];
		json_t *json, *hop;
		size_t h;

		if (route->table != path->table)
			continue;
		json = rt_json_route(route);
		json_object_set_new(json, "live",
				    json_boolean(route == rt_live_route(state, route->table, route->family)));
		json_array_foreach(json_object_get(json, "hops"), h, hop)
		{
			json_object_set_new(hop, "linkdown", json_boolean(route->hops[h].linkdown));
			json_object_set_new(hop, "dead", json_boolean(route->hops[h].dead));
		}
		json_array_append_new(list, json);
	}
	return list;
}

static json_t *paths(const struct rt_status *status)
{
	json_t *list = json_array();

	for (size_t i = 0; i < status->n_paths; i++) {
		const struct rt_path_status *path = &status->paths[i];

		json_array_append_new(list, json_pack("{s:I, s:o, s:I, s:I, s:o, s:o}", "id", (json_int_t)path->id,
						      "description", rt_json_text(path->description), "packets",
						      (json_int_t)path->counter->packets, "bytes",
						      (json_int_t)path->counter->bytes, "table",
						      path->has_table ? json_integer(path->table) : json_null(),
						      "routes", path_routes(status->state, path)));
	}
	return list;
}

static json_t *traffic(uint64_t packets, uint64_t bytes, uint64_t errors)
{
	return json_pack("{s:I, s:I, s:I}", "packets", (json_int_t)packets, "bytes", (json_int_t)bytes, "errors",
			 (json_int_t)errors);
}

static json_t *tunnels(const struct cni_state *state)
{
	json_t *list = json_array();

	for (size_t i = 0; i < state->n_links; i++) {
		const struct cni_st_link *link = &state->links[i];
		bool is_vlan = link->type == CNI_DEV_VLAN;
		json_t *json;

		if (!link->owned)
			continue;
		json = json_pack("{s:o, s:o, s:s, s:I}", "name", rt_json_text(link->name), "kind",
				 rt_json_text(link->kind), "state", rt_link_condition(link), "mtu",
				 (json_int_t)link->mtu);
		json_object_set_new(json, "local", is_vlan ? json_null() : rt_json_addr(link->local));
		json_object_set_new(json, "remote", is_vlan ? json_null() : rt_json_addr(link->remote));
		json_object_set_new(json, "parent", is_vlan ? rt_json_text(link->parent) : json_null());
		json_object_set_new(json, "vlan", is_vlan ? json_integer(link->vlan) : json_null());
		json_object_set_new(json, "rx", traffic(link->rx_packets, link->rx_bytes, link->rx_errors));
		json_object_set_new(json, "tx", traffic(link->tx_packets, link->tx_bytes, link->tx_errors));
		json_array_append_new(list, json);
	}
	return list;
}

static json_t *routes(const struct rt_status *status)
{
	json_t *list = json_array();

	for (size_t i = 0; i < status->n_routes; i++) {
		const struct rt_route_status *route = &status->routes[i];

		json_array_append_new(list, json_pack("{s:o, s:o, s:I, s:I}", "policy", rt_json_text(route->policy),
						      "route", rt_json_text(route->route), "packets",
						      (json_int_t)route->counter->packets, "bytes",
						      (json_int_t)route->counter->bytes));
	}
	return list;
}

static json_t *settings(const struct cni_state *state)
{
	json_t *list = json_array();

	for (size_t i = 0; i < state->n_settings; i++) {
		const struct cni_st_setting *setting = &state->settings[i];
		json_t *json;

		if (!setting->has_former)
			continue;
		json = rt_json_setting(setting);
		json_object_set_new(json, "former", json_integer(setting->former));
		json_array_append_new(list, json);
	}
	return list;
}

void rt_json_status(json_t *envelope, const struct rt_status *status)
{
	const struct cni_state *state = status->state;
	json_t *warnings = json_array(), *down = json_array();

	for (size_t i = 0; i < status->n_warnings; i++)
		json_array_append_new(warnings, rt_json_text(status->warnings[i]));
	for (size_t i = 0; i < status->n_down; i++)
		json_array_append_new(down, rt_json_text(status->down[i]));
	json_object_set_new(envelope, "installed", json_boolean(status->installed));
	json_object_set_new(envelope, "paths", paths(status));
	json_object_set_new(envelope, "down", down);
	json_object_set_new(envelope, "tunnels", tunnels(state));
	json_object_set_new(envelope, "routes", routes(status));
	json_object_set_new(envelope, "settings", settings(state));
	json_object_set_new(envelope, "forwarding",
			    json_pack("{s:b, s:b}", "ipv4", (int)state->has_forwarding[CNI_V4], "ipv6",
				      (int)state->has_forwarding[CNI_V6]));
	json_object_set_new(envelope, "nft",
			    json_pack("{s:I, s:o}", "generation", (json_int_t)state->generation, "sealed",
				      state->sealed ? json_integer(state->sealed) : json_null()));
	json_object_set_new(envelope, "warnings", warnings);
}
