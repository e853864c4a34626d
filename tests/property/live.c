/* SPDX-License-Identifier: GPL-2.0-or-later */
/* live.c - see live.h. */
#include "tests/property/live.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/text.h"

/* ---- chains ---- */

#define FIND(kind, list)                                                                                               \
	static int compare_##kind(const void *a, const void *b)                                                        \
	{                                                                                                              \
		return cni_##kind##_cmp(a, b);                                                                         \
	}                                                                                                              \
	static size_t find_##kind(const struct cni_state *state, const char *name)                                     \
	{                                                                                                              \
		const struct cni_st_##kind key = { .name = name };                                                     \
		const struct cni_st_##kind *at =                                                                       \
			state->n_##list ? bsearch(&key, state->list, state->n_##list, sizeof(key), compare_##kind)     \
					: NULL;                                                                        \
                                                                                                                       \
		return at ? (size_t)(at - state->list) : SIZE_MAX;                                                     \
	}

FIND(chain, chains)
FIND(set, sets)
FIND(counter, counters)

static void walk(struct cni_arena *arena, struct live *live, size_t at);

static void walk_chain(struct cni_arena *arena, struct live *live, const char *name)
{
	const size_t at = find_chain(live->state, name);

	if (at != SIZE_MAX)
		walk(arena, live, at);
}

static bool leads(int32_t verdict)
{
	return verdict == NFT_JUMP || verdict == NFT_GOTO;
}

static void walk_set(struct cni_arena *arena, struct live *live, const char *name)
{
	const size_t at = find_set(live->state, name);
	const struct cni_st_set *set = at == SIZE_MAX ? NULL : &live->state->sets[at];

	if (!set || live->sets[at])
		return;
	live->sets[at] = true;
	for (size_t i = 0; set->map && i < set->n_elems; i++)
		if (leads(set->verdicts[i].code))
			walk_chain(arena, live, set->verdicts[i].chain);
}

static const char *comment_of(const struct cni_state *state, const struct cni_st_rule_nft *rule)
{
	for (size_t i = 0; i < rule->n_exprs; i++)
		if (rule->exprs[i].op == CNI_X_COUNTER && find_counter(state, rule->exprs[i].name) != SIZE_MAX)
			return state->counters[find_counter(state, rule->exprs[i].name)].comment;
	return "";
}

static void add_mark(struct cni_arena *arena, struct live *live, const struct cni_st_rule_nft *rule,
		     const struct cni_expr *bitwise)
{
	struct live_mark mark = { .way = comment_of(live->state, rule) };

	memcpy(&mark.mask, bitwise->a, sizeof(mark.mask));
	memcpy(&mark.value, bitwise->b, sizeof(mark.value));
	mark.mask = ~mark.mask;
	for (size_t i = 0; i < live->n_marks; i++)
		if (live->marks[i].mask == mark.mask && live->marks[i].value == mark.value)
			return;
	*cni_push(arena, live->marks, live->n_marks) = mark;
}

static void walk(struct cni_arena *arena, struct live *live, size_t at)
{
	const struct cni_st_chain *chain = &live->state->chains[at];

	if (live->chains[at])
		return;
	live->chains[at] = true;
	for (size_t r = 0; r < chain->n_rules; r++)
		for (size_t i = 0; i < chain->rules[r].n_exprs; i++) {
			const struct cni_expr *x = &chain->rules[r].exprs[i];

			if (x->op == CNI_X_VERDICT && leads(x->key))
				walk_chain(arena, live, x->name);
			else if (x->op == CNI_X_LOOKUP)
				walk_set(arena, live, x->name);
			else if (x->op == CNI_X_META_SET && x->key == NFT_META_MARK)
				add_mark(arena, live, &chain->rules[r], x - 1);
			else if (x->op == CNI_X_COUNTER && find_counter(live->state, x->name) != SIZE_MAX)
				live->counters[find_counter(live->state, x->name)] = true;
		}
}

struct live live_of(struct cni_arena *arena, const struct cni_state *state, const struct live *wanted)
{
	struct live live = { .state = state,
			     .chains = cni_new_array(arena, bool, state->n_chains + 1),
			     .sets = cni_new_array(arena, bool, state->n_sets + 1),
			     .counters = cni_new_array(arena, bool, state->n_counters + 1) };

	for (size_t i = 0; i < state->n_chains; i++) {
		const struct cni_st_chain *chain = &state->chains[i];
		const bool is_left =
			wanted && chain->type == CNI_HOOK_NAT && find_chain(wanted->state, chain->name) == SIZE_MAX;

		if (chain->type != CNI_HOOK_NONE && chain->n_rules && !is_left)
			walk(arena, &live, i);
	}
	return live;
}

static bool same_chain(const struct cni_st_chain *a, const struct cni_st_chain *b)
{
	return (a->rules == b->rules && a->n_rules == b->n_rules) || cni_chain_same(a, b);
}

static bool same_set(const struct cni_st_set *a, const struct cni_st_set *b)
{
	return (a->keys == b->keys && a->n_elems == b->n_elems) || cni_set_same(a, b);
}

#define COMPARE(kind, list, same)                                                                                      \
	for (size_t i = 0, j = 0;; i++, j++) {                                                                         \
		while (i < a->state->n_##list && !a->list[i])                                                          \
			i++;                                                                                           \
		while (j < b->state->n_##list && !b->list[j])                                                          \
			j++;                                                                                           \
		if (i == a->state->n_##list && j == b->state->n_##list)                                                \
			break;                                                                                         \
		if (i == a->state->n_##list || j == b->state->n_##list ||                                              \
		    strcmp(a->state->list[i].name, b->state->list[j].name) ||                                          \
		    !same(&a->state->list[i], &b->state->list[j]))                                                     \
			return cni_printf(arena, #kind " %s, should be %s",                                            \
					  i < a->state->n_##list ? a->state->list[i].name : "(none)",                  \
					  j < b->state->n_##list ? b->state->list[j].name : "(none)");                 \
	}

const char *live_difference(struct cni_arena *arena, const struct live *a, const struct live *b)
{
	COMPARE(chain, chains, same_chain)
	COMPARE(set, sets, same_set)
	COMPARE(counter, counters, cni_counter_same)
	return NULL;
}

/* ---- routes ---- */

static struct cni_addr far_away(enum cni_family family)
{
	return family == CNI_V4 ? (struct cni_addr){ CNI_V4, 0x0b162c37 }
				: (struct cni_addr){ CNI_V6, (cni_u128)0x2a0b << 112 | 0x37 };
}

static void probe_source(struct cni_arena *arena, struct probes *probes, const struct cni_state *state,
			 const struct cni_st_rule *rule)
{
	struct probe probe = { .family = rule->family,
			       .src = rule->from.addr,
			       .dst = far_away(rule->family),
			       .proto = rule->ipproto ? rule->ipproto : 17 };

	*cni_push(arena, probes->items, probes->n_items) = probe;
	probe.proto = rule->ipproto ? rule->ipproto : IPPROTO_GRE;
	for (size_t i = 0; i < state->n_links; i++) {
		const struct cni_st_link *link = &state->links[i];

		if (!link->owned || link->type == CNI_DEV_VLAN || !cni_addr_equal(link->local, probe.src))
			continue;
		probe.dst = link->remote;
		*cni_push(arena, probes->items, probes->n_items) = probe;
	}
}

struct probes live_probes(struct cni_arena *arena, const struct live *live)
{
	struct probes probes = { 0 };

	for (size_t i = 0; i < live->n_marks; i++)
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
			struct probe *probe = cni_push(arena, probes.items, probes.n_items);

			*probe = (struct probe){ .family = f,
						 .mark = live->marks[i].value,
						 .way = live->marks[i].way,
						 .dst = far_away(f),
						 .proto = 17 };
			probe->src = probe->dst;
			probe->src.v ^= 1;
		}
	for (size_t i = 0; i < live->state->n_rules; i++)
		if (live->state->rules[i].owned && live->state->rules[i].has_from)
			probe_source(arena, &probes, live->state, &live->state->rules[i]);
	return probes;
}

bool probe_matches(const struct probe *probe, const struct cni_st_rule *rule)
{
	const bool fits = (!rule->has_from || cni_prefix_has(rule->from, probe->src)) &&
			  (!rule->has_to || cni_prefix_has(rule->to, probe->dst)) &&
			  ((probe->mark ^ rule->mark) & rule->mask) == 0 &&
			  (!rule->ipproto || rule->ipproto == probe->proto);

	return rule->family == probe->family && !rule->other && !rule->iif && fits != rule->invert;
}

static bool same_way(const struct cni_st_route *a, const struct cni_st_route *b)
{
	return a->family == b->family && cni_route_same(a, b);
}

static bool is_before(const struct cni_st_route *a, const struct cni_st_route *b)
{
	return a->to.len != b->to.len ? a->to.len > b->to.len : a->metric < b->metric;
}

/* False: the table is closed. */
static bool add_table(struct cni_arena *arena, const struct cni_state *state, struct course *course, uint32_t table,
		      const struct probe *probe)
{
	const struct cni_st_route *last = NULL;

	for (;;) {
		const struct cni_st_route *best = NULL;
		bool known = false;

		for (size_t i = 0; i < state->n_routes; i++) {
			const struct cni_st_route *route = &state->routes[i];

			if (route->table == table && route->family == probe->family &&
			    cni_prefix_has(route->to, probe->dst) && (!last || is_before(last, route)) &&
			    (!best || is_before(route, best)))
				best = route;
		}
		if (!best)
			return true;
		last = best;
		/* met again, it is as useless as before */
		for (size_t i = 0; i < course->n_routes; i++)
			known |= same_way(course->routes[i], best);
		if (!known)
			*cni_push(arena, course->routes, course->n_routes) = best;
		if (best->type != CNI_RT_UNICAST)
			return false;
	}
}

/* Whether any rule stands where another goes on: without one, the kernel goes on behind that other. */
static bool is_resolved(const struct cni_state *state, const struct cni_st_rule *from)
{
	for (size_t i = 0; from->jump && i < state->n_rules; i++)
		if (state->rules[i].family == from->family && state->rules[i].priority == from->jump)
			return true;
	return false;
}

static uint64_t place_of(const struct cni_st_rule *rule)
{
	return (uint64_t)rule->priority << 32 | rule->span.begin;
}

static const struct cni_st_rule *next_rule(const struct cni_state *state, const struct probe *probe,
					   const struct cni_st_rule *last)
{
	const uint64_t from = !last ? 0 : is_resolved(state, last) ? (uint64_t)last->jump << 32 : place_of(last) + 1;
	const struct cni_st_rule *best = NULL;

	for (size_t i = 0; i < state->n_rules; i++) {
		const struct cni_st_rule *rule = &state->rules[i];

		if (probe_matches(probe, rule) && place_of(rule) >= from && (!best || place_of(rule) < place_of(best)))
			best = rule;
	}
	return best;
}

struct course probe_course(struct cni_arena *arena, const struct cni_state *state, const struct probe *probe)
{
	struct course course = { 0 };

	for (const struct cni_st_rule *rule = next_rule(state, probe, NULL); rule; rule = next_rule(state, probe, rule))
		if (rule->table && !add_table(arena, state, &course, rule->table, probe))
			break;
	return course;
}

static bool is_over(const struct cni_st_route *route, const char *const *devices)
{
	for (; devices && *devices; devices++)
		for (size_t i = 0; i < route->n_hops; i++)
			if (!strcmp(route->hops[i].device, *devices))
				return true;
	return false;
}

bool course_same(const struct course *a, const struct course *b, const char *const *but)
{
	for (size_t i = 0, j = 0;; i++, j++) {
		while (i < a->n_routes && is_over(a->routes[i], but))
			i++;
		while (j < b->n_routes && is_over(b->routes[j], but))
			j++;
		if (i == a->n_routes || j == b->n_routes)
			return i == a->n_routes && j == b->n_routes;
		if (!same_way(a->routes[i], b->routes[j]))
			return false;
	}
}

bool course_has(const struct course *whole, const struct course *part)
{
	size_t n = 0;

	for (size_t i = 0; i < whole->n_routes && n < part->n_routes; i++)
		n += same_way(whole->routes[i], part->routes[n]);
	return n == part->n_routes;
}

bool course_within(const struct course *course, const struct course *a, const struct course *b)
{
	for (size_t i = 0; i < course->n_routes; i++) {
		const struct course one = { &course->routes[i], 1 };

		if (!course_has(a, &one) && !course_has(b, &one))
			return false;
	}
	return true;
}

const char *course_format(struct cni_arena *arena, const struct probe *probe, const struct course *course)
{
	static const char *const words[] = { "via", "blackhole", "unreachable", "other" };
	struct cni_text text = { .arena = arena };
	char from[CNI_ADDR_TEXT], to[CNI_ADDR_TEXT];

	cni_text_printf(&text, "%s%smark 0x%x from %s to %s:", probe->way ? probe->way : "", probe->way ? ", " : "",
			probe->mark, cni_addr_format(probe->src, from), cni_addr_format(probe->dst, to));
	for (size_t i = 0; i < course->n_routes; i++) {
		const struct cni_st_route *route = course->routes[i];

		cni_text_printf(&text, "%s table %u metric %u %s", i ? ", then" : "", route->table, route->metric,
				words[route->type]);
		for (size_t h = 0; h < route->n_hops; h++)
			cni_text_printf(&text, " %s%s%s", route->hops[h].device, route->hops[h].has_via ? "@" : "",
					route->hops[h].has_via ? cni_addr_format(route->hops[h].via, to) : "");
	}
	return text.data;
}
