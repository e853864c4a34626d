/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status.c - `cnic status`: what is in the kernel now, whatever was applied. */
#include "runtime/commands/status.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/state/down.h"
#include "runtime/commands/change.h"
#include "runtime/commands/revision.h"
#include "runtime/commands/status_track.h"
#include "runtime/commands/status_watch.h"
#include "runtime/confirm/back.h"
#include "runtime/json/status_json.h"

static const char *after_prefix(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) ? NULL : name + len;
}

static void find_table(const struct cni_state *state, struct rt_path_status *path)
{
	for (size_t i = 0; i < state->n_rules; i++) {
		const struct cni_st_rule *rule = &state->rules[i];

		if (!rule->owned || !cni_rule_is_by_mark(rule) || rule->mark >> __builtin_ctz(rule->mask) != path->id)
			continue;
		path->has_table = true;
		path->table = rule->table;
	}
}

static int by_id(const void *x, const void *y)
{
	const struct rt_path_status *a = x, *b = y;

	return (a->id > b->id) - (a->id < b->id);
}

static void collect(struct rt_status *status, struct cni_arena *arena)
{
	for (size_t i = 0; i < status->state->n_counters; i++) {
		const struct cni_st_counter *counter = &status->state->counters[i];
		const char *id = after_prefix(counter->name, "path."), *name = after_prefix(counter->name, "route.");
		const char *dot = name ? strchr(name, '.') : NULL;

		if (id) {
			struct rt_path_status *path = cni_push(arena, status->paths, status->n_paths);

			*path = (struct rt_path_status){ .id = (unsigned int)strtoul(id, NULL, 10),
							 .description = counter->comment ? counter->comment : "",
							 .counter = counter };
			find_table(status->state, path);
		} else if (dot) {
			*cni_push(arena, status->routes, status->n_routes) =
				(struct rt_route_status){ cni_strndup(arena, name, (size_t)(dot - name)), dot + 1,
							  counter };
		}
	}
	if (status->n_paths)
		qsort(status->paths, status->n_paths, sizeof(*status->paths), by_id);
}

/* ---- what is down ---- */

#define RETURN "return " /* every target has a way back: "return cf1", "return isp[eth0 198.51.100.1 6]" */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The kernel keeps what is down by a hash of its name, and all names in what paths are described by. */
static void collect_down(struct rt_status *status, struct cni_arena *arena)
{
	for (size_t i = 0; i < status->n_paths; i++) {
		const char *target = after_prefix(status->paths[i].description, RETURN), *name;

		if (!target)
			continue;
		name = cni_strndup(arena, target, strcspn(target, "[ "));
		if (cni_is_down(status->state, name))
			*cni_push(arena, status->down, status->n_down) = name;
	}
	if (status->n_down)
		qsort(status->down, status->n_down, sizeof(*status->down), by_text);
}

bool rt_path_takes(const struct rt_path_status *path, const char *target)
{
	const size_t len = strlen(target);

	if (after_prefix(path->description, RETURN))
		return false;
	for (const char *at = path->description; (at = strstr(at, target)); at += len)
		if ((at == path->description || at[-1] == ' ') && strchr("[ ,", at[len]))
			return true;
	return false;
}

/* ---- what is there ---- */

static bool owns_something(const struct cni_state *state)
{
	bool any = state->has_table;

	for (size_t i = 0; i < state->n_links; i++)
		any |= state->links[i].owned;
	for (size_t i = 0; i < state->n_rules; i++)
		any |= state->rules[i].owned;
	for (size_t i = 0; i < state->n_routes; i++)
		any |= state->routes[i].owned;
	for (size_t i = 0; i < state->n_addrs; i++)
		any |= state->addrs[i].owned;
	return any;
}

/* ---- what is routed ---- */

bool rt_hop_is_up(const struct cni_st_hop *hop)
{
	return !hop->dead && !hop->linkdown;
}

static bool is_live(const struct cni_st_route *route)
{
	for (size_t i = 0; i < route->n_hops; i++)
		if (rt_hop_is_up(&route->hops[i]))
			return true;
	return route->type != CNI_RT_UNICAST;
}

const struct cni_st_route *rt_live_route(const struct cni_state *state, uint32_t table, enum cni_family family)
{
	const struct cni_st_route *best = NULL;

	for (size_t i = 0; i < state->n_routes; i++) {
		const struct cni_st_route *route = &state->routes[i];

		if (route->table == table && route->family == family && !route->to.len && is_live(route) &&
		    (!best || route->metric < best->metric))
			best = route;
	}
	return best;
}

const char *rt_link_condition(const struct cni_st_link *link)
{
	return !link->up ? "down" : link->carrier ? "up" : "no carrier";
}

/* ---- what cannot work ---- */

static bool steers(const struct cni_state *state, enum cni_family family)
{
	for (size_t i = 0; i < state->n_routes; i++)
		if (state->routes[i].owned && state->routes[i].family == family &&
		    state->routes[i].type == CNI_RT_UNICAST)
			return true;
	return false;
}

static void warn(struct rt_status *status, struct cni_arena *arena)
{
	static const char *const switches[] = {
		[CNI_V4] = "net.ipv4.ip_forward", [CNI_V6] = "net.ipv6.conf.all.forwarding"
	};

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (steers(status->state, f) && !status->state->has_forwarding[f])
			*cni_push(arena, status->warnings, status->n_warnings) =
				cni_printf(arena, "%s is 0: nothing is forwarded over IPv%c", switches[f],
					   f == CNI_V4 ? '4' : '6');
	for (size_t i = 0; i < status->n_paths; i++) {
		const struct rt_path_status *path = &status->paths[i];

		if (!path->has_table && !after_prefix(path->description, "main"))
			*cni_push(arena, status->warnings, status->n_warnings) =
				cni_printf(arena, "path %u (%s) has lost its ip rules: apply the policy again",
					   path->id, path->description);
	}
}

struct rt_status rt_status_of(struct cni_arena *arena, const struct cni_state *state)
{
	struct rt_status status = { .state = state, .installed = owns_something(state) };

	collect(&status, arena);
	collect_down(&status, arena);
	warn(&status, arena);
	return status;
}

/* What cannot be read of the revisions is `cnic history`'s to tell. */
static void tell_awaited(struct rt_session *session)
{
	struct rt_session *aside = rt_session_aside(session);
	const struct rt_revision *pending = NULL;
	struct rt_store *store = NULL;
	const char *deadline;

	if (!rt_store_open(aside, &store) && store)
		pending = rt_revision_pending(store);
	cni_diags_init(aside->diags, session->arena);
	(void)rt_session_end(aside, RT_OK);
	if (!pending || !pending->deadline) {
		rt_session_json(session, "awaits", json_null());
		return;
	}
	deadline = rt_time_text(session->arena, pending->deadline);
	rt_session_json(session, "awaits",
			json_pack("{s:i, s:s}", "revision", (int)pending->number, "deadline", deadline));
	rt_say(session, "revision %u awaits `cnic confirm` until %s", pending->number, deadline);
}

enum rt_exit rt_status_once(struct rt_session *session)
{
	rt_auto_netlink struct rt_netlink *nl = NULL;
	const struct cni_state *state = rt_observe(session, &nl, &(struct rt_trust){ .seal = true });
	struct rt_status status;

	if (!state)
		return RT_ERROR;
	status = rt_status_of(session->arena, state);
	/* who watches sees on a short screen what moves */
	if (session->options->watch)
		rt_status_track(session, &status);
	rt_status_text(&session->out, &status, session->options->verbose);
	if (!session->options->watch)
		rt_status_track(session, &status);
	rt_json_status(session->json, &status);
	tell_awaited(session);
	for (size_t i = 0; i < status.n_warnings; i++)
		rt_say(session, "warning: %s", status.warnings[i]);
	return RT_OK;
}

enum rt_exit rt_status(struct rt_session *session)
{
	if (session->options->watch)
		return rt_status_watch(session);
	if (!session->options->n_operands)
		return rt_status_once(session);
	rt_fail(session, "status: '%s' is one too many without --watch", session->options->operands[0]);
	return RT_USAGE;
}
