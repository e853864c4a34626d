/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_text.c - the status as tables for a reader; see status.h. */
#include <inttypes.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/emit/describe.h"
#include "runtime/commands/status.h"
#include "runtime/commands/table.h"

#define COLUMNS(columns) .columns = (columns), .n_columns = sizeof(columns) / sizeof(*(columns))

static void add_number(struct rt_table *table, struct cni_arena *arena, uint64_t n)
{
	rt_table_add(table, arena, cni_printf(arena, "%" PRIu64, n));
}

static void add_hops(struct cni_text *out, const struct cni_st_route *route, bool up)
{
	for (size_t i = 0; i < route->n_hops; i++)
		if (rt_hop_is_up(&route->hops[i]) == up)
			cni_text_printf(out, "%s%s", out->len ? ", " : "", route->hops[i].device);
}

/* Where packets of one family go now: "cf2 (down: cf1)", "dropped", "main". */
static const char *now(struct cni_arena *arena, const struct cni_state *state, uint32_t table, enum cni_family family)
{
	const struct cni_st_route *live = rt_live_route(state, table, family);
	struct cni_text down = { .arena = arena }, text = down;

	for (size_t i = 0; i < state->n_routes; i++)
		if (state->routes[i].table == table && state->routes[i].family == family)
			add_hops(&down, &state->routes[i], false);
	if (!live)
		cni_text_puts(&text, "main");
	else if (live->type == CNI_RT_UNICAST)
		add_hops(&text, live, true);
	else
		cni_text_puts(&text, live->type == CNI_RT_UNREACHABLE ? "rejected" : "dropped");
	if (down.len)
		cni_text_printf(&text, " (down: %s)", down.data);
	return text.data;
}

/* "cf2; tracked as down: cf1": what the tracker took out has no route any more. */
static const char *now_all(struct cni_arena *arena, const struct rt_status *status, const struct rt_path_status *path)
{
	struct cni_text text = { .arena = arena };
	const char *v4, *v6;
	size_t n = 0;

	if (!path->has_table)
		return "main";
	v4 = now(arena, status->state, path->table, CNI_V4);
	v6 = now(arena, status->state, path->table, CNI_V6);
	cni_text_puts(&text, v4);
	if (strcmp(v4, v6) != 0)
		cni_text_printf(&text, "; IPv6 %s", v6);
	for (size_t i = 0; i < status->n_down; i++)
		if (rt_path_takes(path, status->down[i]))
			cni_text_printf(&text, "%s%s", n++ ? ", " : "; tracked as down: ", status->down[i]);
	return text.data;
}

static void paths(struct cni_text *out, const struct rt_status *status)
{
	static const struct rt_column columns[] = {
		{ "ID", true }, { "PACKETS", true }, { "BYTES", true }, { "PATH", false }, { "NOW", false }
	};
	struct rt_table table = { COLUMNS(columns) };

	for (size_t i = 0; i < status->n_paths; i++) {
		const struct rt_path_status *path = &status->paths[i];

		add_number(&table, out->arena, path->id);
		add_number(&table, out->arena, path->counter->packets);
		add_number(&table, out->arena, path->counter->bytes);
		rt_table_add(&table, out->arena, path->description);
		rt_table_add(&table, out->arena, now_all(out->arena, status, path));
	}
	rt_table_print(&table, out, "Paths");
}

static void down(struct cni_text *out, const struct rt_status *status)
{
	for (size_t i = 0; i < status->n_down; i++)
		cni_text_printf(out, "%s%s", i ? ", " : "\nDown, as the tracker says: ", status->down[i]);
	cni_text_puts(out, status->n_down ? "\n" : "");
}

static void path_tables(struct cni_text *out, const struct rt_status *status)
{
	for (size_t i = 0; i < status->n_paths; i++) {
		const struct rt_path_status *path = &status->paths[i];

		if (!path->has_table)
			continue;
		cni_text_printf(out, "\nPath %u, table %u\n", path->id, path->table);
		for (size_t r = 0; r < status->state->n_routes; r++) {
			const struct cni_st_route *route = &status->state->routes[r];

			if (route->table != path->table)
				continue;
			cni_text_puts(out, route == rt_live_route(status->state, route->table, route->family) ? "  * "
													      : "    ");
			cni_text_puts(out, route->family == CNI_V6 ? "ipv6 " : "");
			cni_describe_route(out, route);
			cni_text_puts(out, "\n");
		}
	}
}

static void devices(struct cni_text *out, const struct rt_status *status)
{
	static const struct rt_column columns[] = { { "NAME", false },	    { "KIND", false },	  { "STATE", false },
						    { "MTU", true },	    { "RX", true },	  { "RX BYTES", true },
						    { "TX", true },	    { "TX BYTES", true }, { "TX ERR", true },
						    { "FROM -> TO", false } };
	struct rt_table table = { COLUMNS(columns) };
	char local[CNI_ADDR_TEXT], remote[CNI_ADDR_TEXT];

	for (size_t i = 0; i < status->state->n_links; i++) {
		const struct cni_st_link *link = &status->state->links[i];
		const char *ends;

		if (!link->owned)
			continue;
		if (link->type == CNI_DEV_VLAN)
			ends = cni_printf(out->arena, "%s vlan %u", link->parent ? link->parent : "?", link->vlan);
		else
			ends = cni_printf(out->arena, "%s -> %s", cni_addr_format(link->local, local),
					  cni_addr_format(link->remote, remote));
		rt_table_add(&table, out->arena, link->name);
		rt_table_add(&table, out->arena, link->kind);
		rt_table_add(&table, out->arena, rt_link_condition(link));
		add_number(&table, out->arena, link->mtu);
		add_number(&table, out->arena, link->rx_packets);
		add_number(&table, out->arena, link->rx_bytes);
		add_number(&table, out->arena, link->tx_packets);
		add_number(&table, out->arena, link->tx_bytes);
		add_number(&table, out->arena, link->tx_errors);
		rt_table_add(&table, out->arena, ends);
	}
	rt_table_print(&table, out, "Tunnels and VLANs");
}

static void routes(struct cni_text *out, const struct rt_status *status)
{
	static const struct rt_column columns[] = {
		{ "POLICY", false }, { "ROUTE", false }, { "PACKETS", true }, { "BYTES", true }
	};
	struct rt_table table = { COLUMNS(columns) };

	for (size_t i = 0; i < status->n_routes; i++) {
		const struct rt_route_status *route = &status->routes[i];

		rt_table_add(&table, out->arena, route->policy);
		rt_table_add(&table, out->arena, route->route);
		add_number(&table, out->arena, route->counter->packets);
		add_number(&table, out->arena, route->counter->bytes);
	}
	rt_table_print(&table, out, "Routes (flows and packets that were classified)");
}

static void settings(struct cni_text *out, const struct rt_status *status)
{
	static const struct rt_column columns[] = {
		{ "SETTING", false }, { "DEVICE", false }, { "NOW", true }, { "BEFORE CNIC", true }
	};
	struct rt_table table = { COLUMNS(columns) };

	for (size_t i = 0; i < status->state->n_settings; i++) {
		const struct cni_st_setting *setting = &status->state->settings[i];

		if (!setting->has_former)
			continue;
		rt_table_add(&table, out->arena, cni_setting_info[setting->key].name);
		rt_table_add(&table, out->arena, *setting->device ? setting->device : "-");
		rt_table_add(&table, out->arena, cni_printf(out->arena, "%d", setting->value));
		rt_table_add(&table, out->arena, cni_printf(out->arena, "%d", setting->former));
	}
	rt_table_print(&table, out, "Settings");
}

/* Whether the next apply must read the large sets again. */
static void seal(struct cni_text *out, const struct cni_state *state)
{
	if (state->sealed && state->sealed == state->generation)
		cni_text_printf(out, "\nnftables: nothing has changed since the last apply (generation %u)\n",
				state->generation);
	else if (state->sealed)
		cni_text_printf(out, "\nnftables: changed by someone since the last apply (generation %u, now %u)\n",
				state->sealed, state->generation);
}

void rt_status_text(struct cni_text *out, const struct rt_status *status, bool verbose)
{
	if (!status->installed) {
		cni_text_puts(out, "no policy is installed\n");
		return;
	}
	paths(out, status);
	down(out, status);
	if (verbose)
		path_tables(out, status);
	devices(out, status);
	routes(out, status);
	settings(out, status);
	seal(out, status->state);
}
