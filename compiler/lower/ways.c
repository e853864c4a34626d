/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ways.c - every way that a packet can take, once; and an id for each that stays as long as the way does. */
#include <stdlib.h>
#include <string.h>

#include "compiler/lower/lower_internal.h"
#include "compiler/text.h"

#define KEY_MAX 100 /* nft keeps 128 bytes of a comment */

static const char *const verdict_words[] = { [CNI_VERDICT_NONE] = "",
					     [CNI_VERDICT_MAIN] = "main",
					     [CNI_VERDICT_DROP] = "drop",
					     [CNI_VERDICT_REJECT] = "reject" };

/* A target's next hops are part of what a way is: a way with others, or with those of another family, is another way,
 * in a table of its own. A link shows its device and gateways, "a[eth0 192.0.2.0 6]", where 4 or 6 is a family without
 * one; a tunnel, which never has one, its family if it carries just one, "cf1[4]". */
static void key_target(const struct lower *l, struct cni_text *key, const struct cni_target *target)
{
	const bool is_link = target->kind != CNI_TARGET_TUNNEL;
	struct cni_text hops = { .arena = l->arena };
	char text[CNI_ADDR_TEXT];
	struct cni_st_hop hop;

	if (is_link)
		cni_text_puts(&hops, target->ifname);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (lower_hop(l, target, f, &hop))
			cni_text_printf(&hops, "%s%s", hops.len ? " " : "",
					hop.has_via   ? cni_addr_format(hop.via, text)
					: f == CNI_V4 ? "4"
						      : "6");
	cni_text_puts(key, target->name);
	if (is_link || strcmp(hops.len ? hops.data : "", "4 6") != 0)
		cni_text_printf(key, "[%s]", hops.len ? hops.data : "");
}

const char *lower_target_key(const struct lower *l, const struct cni_target *target)
{
	struct cni_text key = { .arena = l->arena };

	key_target(l, &key, target);
	return key.data;
}

static const char *way_key(const struct lower *l, const struct way *way)
{
	struct cni_text key = { .arena = l->arena };
	char text[CNI_ADDR_TEXT];

	if (way->is_return)
		cni_text_puts(&key, "return ");
	cni_text_puts(&key, verdict_words[way->verdict]);
	if (way->masquerade)
		cni_text_puts(&key, " masquerade");
	for (size_t i = 0; i < way->n_tiers; i++) {
		const struct tier *tier = &way->tiers[i];

		for (size_t j = 0; j < tier->n_members; j++) {
			if (i || j)
				cni_text_puts(&key, j ? ", " : " then ");
			key_target(l, &key, &l->model->targets[tier->members[j].target]);
			if (tier->n_members > 1)
				cni_text_printf(&key, " weight %u", tier->members[j].weight);
			if (tier->members[j].masquerade)
				cni_text_puts(&key, " masquerade");
		}
	}
	if (way->has_source)
		cni_text_printf(&key, " source %s", cni_addr_format(way->source, text));
	if (way->n_tiers && !way->is_return)
		cni_text_printf(&key, " else %s", verdict_words[way->otherwise]);
	if (key.len > KEY_MAX) {
		/* what former.c must know of it comes behind */
		return cni_printf(l->arena, "%.*s... #%08x%s", KEY_MAX - 24, key.data, cni_text_hash(key.data),
				  way->nats ? " translated" : "");
	}
	return key.data;
}

/* Where it is in the index, or would be. */
static size_t slot_of(const struct lower *l, const char *key)
{
	size_t slot = cni_text_hash(key) % l->n_slots;

	while (l->slots[slot] && strcmp(l->ways[l->slots[slot] - 1].key, key) != 0)
		slot = (slot + 1) % l->n_slots;
	return slot;
}

size_t lower_find_way(const struct lower *l, const char *key)
{
	const size_t slot = l->n_slots ? slot_of(l, key) : 0;

	return l->n_slots && l->slots[slot] ? l->slots[slot] - 1 : CNI_NONE;
}

size_t lower_put_way(struct lower *l, struct way way)
{
	*cni_push(l->arena, l->ways, l->n_ways) = way;
	if (2 * l->n_ways > l->n_slots) {
		l->n_slots = l->n_slots ? 2 * l->n_slots : 64;
		l->slots = cni_new_array(l->arena, size_t, l->n_slots);
		for (size_t i = 0; i + 1 < l->n_ways; i++)
			l->slots[slot_of(l, l->ways[i].key)] = i + 1;
	}
	l->slots[slot_of(l, way.key)] = l->n_ways;
	return l->n_ways - 1;
}

size_t lower_add_way(struct lower *l, struct way way)
{
	size_t found;

	way.key = way_key(l, &way);
	found = lower_find_way(l, way.key);
	return found != CNI_NONE ? found : lower_put_way(l, way);
}

static struct cni_member *copy_members(struct lower *l, const struct cni_path *path, size_t without)
{
	struct cni_member *members = cni_new_array(l->arena, struct cni_member, path->n_members);
	size_t n = 0;

	for (size_t i = 0; i < path->n_members; i++)
		if (i != without)
			members[n++] = path->members[i];
	return members;
}

static void add_index(struct lower *l, struct ways *ways, struct way way)
{
	size_t at = lower_add_way(l, way);

	*cni_push(l->arena, ways->index, ways->n_index) = at;
}

static void path_ways(struct lower *l, const struct cni_path *path, const struct cni_route *route, struct cni_span span,
		      struct ways *ways)
{
	struct way way = { .verdict = path->verdict,
			   .masquerade = path->masquerade,
			   .otherwise = path->otherwise,
			   .has_source = route && route->has_source,
			   .nats = path->masquerade || (route && route->has_source),
			   .span = span };

	if (way.has_source)
		way.source = route->source;
	for (size_t i = 0; i < path->n_members; i++)
		way.nats |= path->members[i].masquerade;
	if (path->verdict == CNI_VERDICT_DROP)
		return;
	if (path->verdict != CNI_VERDICT_NONE) {
		add_index(l, ways, way);
	} else if (!path->weighted || path->n_members == 1) {
		way.tiers = cni_new_array(l->arena, struct tier, path->n_members);
		way.n_tiers = path->n_members;
		for (size_t i = 0; i < path->n_members; i++)
			way.tiers[i] = (struct tier){ &path->members[i], 1 };
		add_index(l, ways, way);
	} else {
		for (size_t i = 0; i < path->n_members; i++) {
			way.tiers = cni_new_array(l->arena, struct tier, 2);
			way.n_tiers = 2;
			way.tiers[0] = (struct tier){ &path->members[i], 1 };
			way.tiers[1] = (struct tier){ copy_members(l, path, i), path->n_members - 1 };
			add_index(l, ways, way);
		}
	}
}

static void collect(struct lower *l)
{
	const struct cni_model *m = l->model;

	l->routes = cni_new_array(l->arena, struct ways *, m->n_policies);
	for (size_t p = 0; p < m->n_policies; p++) {
		const struct cni_policy *policy = &m->policies[p];
		const struct cni_path otherwise = { .verdict = policy->otherwise };

		l->routes[p] = cni_new_array(l->arena, struct ways, policy->n_routes + 1);
		for (size_t r = 0; r < policy->n_routes; r++)
			path_ways(l, &policy->routes[r].path, &policy->routes[r], policy->routes[r].ast->path.span,
				  &l->routes[p][r]);
		if (policy->otherwise != CNI_VERDICT_NONE)
			path_ways(l, &otherwise, NULL, policy->decl->otherwise_span, &l->routes[p][policy->n_routes]);
	}
	l->returns = cni_new_array(l->arena, size_t, m->n_targets);
	for (size_t t = 0; t < m->n_targets; t++) {
		struct cni_member *member = cni_new(l->arena, struct cni_member);
		struct tier *tier = cni_new(l->arena, struct tier);

		*member = (struct cni_member){ .target = t, .weight = 1 };
		*tier = (struct tier){ member, 1 };
		l->returns[t] = lower_add_way(l, (struct way){ .is_return = true,
							       .otherwise = CNI_VERDICT_DROP,
							       .tiers = tier,
							       .n_tiers = 1,
							       .span = m->targets[t].decl->name.span });
	}
	lower_pinned_ways(l);
}

unsigned int lower_counter_id(const char *name)
{
	char *end;
	unsigned long id;

	if (strncmp(name, "path.", 5))
		return 0;
	id = strtoul(name + 5, &end, 10);
	return *end || id > UINT16_MAX ? 0 : (unsigned int)id;
}

enum taken { FREE, HAS_ROUTES, HAS_RULE, TAKEN };

/* What an apply that was killed left behind: rules and routes of paths that have no counter yet, or no longer. Packets
 * would meet them until they are collected, after the flip. */
static void take_left_over(const struct lower *l, enum taken *taken, unsigned int max)
{
	const uint32_t first = l->model->options.table;

	for (size_t i = 0; i < l->observed->n_routes; i++)
		if (l->observed->routes[i].owned && l->observed->routes[i].table - first <= max)
			taken[l->observed->routes[i].table - first] = HAS_ROUTES;
	for (size_t i = 0; i < l->observed->n_rules; i++)
		if (l->observed->rules[i].owned && l->observed->rules[i].table - first <= max)
			taken[l->observed->rules[i].table - first] = HAS_RULE;
}

static unsigned int next_id(enum taken *taken, unsigned int max)
{
	/* a narrow mask may have no others left */
	for (enum taken worst = FREE; worst < TAKEN; worst++)
		for (unsigned int id = 1; id <= max; id++)
			if (taken[id] <= worst) {
				taken[id] = TAKEN;
				return id;
			}
	return 0;
}

static bool give_ids(struct lower *l)
{
	const unsigned int max = GONE_ID(l) - 1;
	enum taken *taken = cni_new_array(l->arena, enum taken, max + 1);

	/* without the table no packet is marked: what is left of its routing serves again */
	if (l->observed && l->observed->has_table)
		take_left_over(l, taken, max);
	/* ids that are in use stay with their way; those of ways that go are free only after they are gone */
	for (size_t i = 0; l->observed && i < l->observed->n_counters; i++) {
		const struct cni_st_counter *c = &l->observed->counters[i];
		unsigned int id = lower_counter_id(c->name);
		size_t way;

		if (!id || id > max)
			continue;
		taken[id] = TAKEN;
		way = c->comment ? lower_find_way(l, c->comment) : CNI_NONE;
		if (way != CNI_NONE && !l->ways[way].id)
			l->ways[way].id = id;
	}
	for (size_t w = 0; w < l->n_ways; w++) {
		if (l->ways[w].id)
			continue;
		l->ways[w].id = next_id(taken, max);
		l->ways[w].is_new = true;
		if (!l->ways[w].id) {
			cni_diag_help(l->diags,
				      cni_diag(l->diags, CNI501, l->ways[w].span,
					       "the policy has %zu paths, and mark-mask 0x%08x has room for %u",
					       l->n_ways, l->mask, max),
				      "a mask of %u bits or more, or fewer paths",
				      EPOCH_BITS + 32 - (unsigned int)__builtin_clz((unsigned int)l->n_ways));
			return false;
		}
	}
	return true;
}

/* Every rule of ours comes before main's. */
static bool priorities_fit(struct lower *l)
{
	for (size_t w = 0; w < l->n_ways; w++) {
		const uint32_t priority = lower_priority(l->model->options.rule_priority, l->ways[w].id);

		if (priority >= MAIN_PRIORITY) {
			cni_diag(l->diags, CNI504, l->ways[w].span,
				 "this path's rule would have priority %u, behind main's %u", priority, MAIN_PRIORITY);
			return false;
		}
	}
	return true;
}

bool lower_ways(struct lower *l)
{
	collect(l);
	if (!give_ids(l) || !priorities_fit(l))
		return false;
	lower_former_ways(l);
	return true;
}
