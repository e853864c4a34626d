/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare.c - see compare.h. First where fates differ, by comparing diagrams; then, within that alone, which routes of
 * the two policies meet there. */
#include "compiler/meaning/compare.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"

static const struct cni_model no_model;

/* ---- devices ---- */

static int by_word(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_device(struct cni_comparison *c, const char *device)
{
	const struct cni_policy *before = cni_meaning_policy(c->before, device);
	const struct cni_policy *after = cni_meaning_policy(c->after, device);
	struct cni_device_group *group = NULL;

	for (size_t i = 0; i < c->n_groups && !group; i++)
		if (c->groups[i].before == before && c->groups[i].after == after)
			group = &c->groups[i];
	if (!group) {
		group = cni_push(c->arena, c->groups, c->n_groups);
		group->before = before;
		group->after = after;
	}
	*cni_push(c->arena, group->devices, group->n_devices) = device;
}

static void find_groups(struct cni_comparison *c)
{
	const struct cni_model *models[] = { c->before, c->after };
	const char **devices = NULL;
	size_t n = 0;

	for (size_t m = 0; m < 2; m++)
		for (size_t p = 0; p < models[m]->n_policies; p++) {
			const struct cni_policy *policy = &models[m]->policies[p];

			for (size_t d = 0; d < policy->n_devices; d++)
				*cni_push(c->arena, devices, n) = policy->devices[d];
			if (policy->local)
				*cni_push(c->arena, devices, n) = "local";
		}
	if (n)
		qsort(devices, n, sizeof(*devices), by_word);
	for (size_t i = 0; i < n; i++)
		if (!i || strcmp(devices[i - 1], devices[i]) != 0)
			add_device(c, devices[i]);
}

/* ---- where witnesses are looked for ---- */

struct hinting {
	struct cni_arena *arena;
	struct cni_hints *hints;
};

static void add_hint(struct cni_prefix prefix, void *arg)
{
	struct hinting *h = arg;

	*cni_push(h->arena, h->hints->items, h->hints->n_items) = prefix;
}

static void hint_ranges(struct hinting *h, const struct cni_ranges *ranges)
{
	for (size_t i = 0; i < ranges->n_v4; i++)
		cni_range_to_prefixes((struct cni_addr){ CNI_V4, ranges->v4[i].lo },
				      (struct cni_addr){ CNI_V4, ranges->v4[i].hi }, add_hint, h);
	for (size_t i = 0; i < ranges->n_v6; i++)
		cni_range_to_prefixes((struct cni_addr){ CNI_V6, ranges->v6[i].lo },
				      (struct cni_addr){ CNI_V6, ranges->v6[i].hi }, add_hint, h);
}

/* Sources from the lans, or such as lans have; destinations that stand for somewhere else: RFC 5737, RFC 2544, RFC 3849. */
static void find_hints(struct cni_comparison *c)
{
	static const struct cni_prefix inside[] = {
		{ { CNI_V4, 0xc0a80000 }, 16 },
		{ { CNI_V4, 0x0a000000 }, 8 },
		{ { CNI_V6, (cni_u128)0xfd00000000000000 << 64 }, 64 },
	};
	static const struct cni_prefix elsewhere[] = {
		{ { CNI_V4, 0xcb007100 }, 24 },
		{ { CNI_V4, 0xc6336400 }, 24 },
		{ { CNI_V4, 0xc6120000 }, 15 },
		{ { CNI_V4, 0xc0000200 }, 24 },
		{ { CNI_V6, (cni_u128)0x20010db8ffffffff << 64 }, 64 },
	};
	struct hinting from = { c->arena, &c->from }, to = { c->arena, &c->to };

	for (size_t i = 0; i < c->after->n_lans; i++)
		hint_ranges(&from, &c->after->lans[i].ranges);
	for (size_t i = 0; i < c->before->n_lans; i++)
		hint_ranges(&from, &c->before->lans[i].ranges);
	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++)
		add_hint(inside[i], &from);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
		add_hint(elsewhere[i], &to);
}

/* ---- the comparison ---- */

struct cni_comparison *cni_comparison_new(struct cni_arena *arena, const struct cni_model *before,
					  const struct cni_model *after, unsigned int max_nodes)
{
	struct cni_comparison *c = cni_new(arena, struct cni_comparison);
	enum cni_header_field order[CNI_N_FIELDS];
	struct cni_ranges never[2];

	c->arena = c->fates.arena = arena;
	c->before = before ? before : &no_model;
	c->after = after ? after : &no_model;
	cni_meaning_order((const struct cni_model *const[]){ c->before, c->after }, 2, order);
	c->spaces = cni_spaces_new(arena, order, max_nodes);
	find_groups(c);
	find_hints(c);
	never[0] = cni_meaning_never(arena, c->before);
	never[1] = cni_meaning_never(arena, c->after);
	c->maps = cni_new_array(arena, struct cni_route_maps, c->n_groups);
	for (size_t g = 0; g < c->n_groups; g++)
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
			c->maps[g].before[f] = cni_meaning_routes(c->spaces, c->groups[g].before, &never[0], f);
			c->maps[g].after[f] = cni_meaning_routes(c->spaces, c->groups[g].after, &never[1], f);
		}
	return c;
}

void cni_comparison_free(struct cni_comparison *c)
{
	if (c)
		cni_spaces_free(c->spaces);
}

static const bool *down_of(struct cni_arena *arena, const struct cni_model *model, const char *const *names, size_t n)
{
	bool *down = cni_new_array(arena, bool, model->n_targets + 1);

	for (size_t t = 0; t < model->n_targets; t++)
		for (size_t i = 0; i < n; i++)
			down[t] |= !strcmp(model->targets[t].name, names[i]);
	return down;
}

/* ---- classes ---- */

/* Within one group and family; label 0 is "the same", label 1 + i is changes[begin + i]. */
struct sorting {
	struct cni_comparison *c;
	struct cni_changes *changes;
	size_t begin;
	const struct cni_device_group *group;
	enum cni_family family;
	const unsigned int *before, *after; /* fates of labels */
};

static unsigned int class_of(unsigned int x, unsigned int y, void *arg)
{
	struct sorting *s = arg;
	struct cni_change *change = NULL;
	size_t i;

	if (s->before[x] == s->after[y])
		return 0;
	for (i = s->begin; i < s->changes->n_items && !change; i++)
		if (s->changes->items[i].before == s->before[x] && s->changes->items[i].after == s->after[y])
			change = &s->changes->items[i];
	if (!change) {
		change = cni_push(s->c->arena, s->changes->items, s->changes->n_items);
		i = s->changes->n_items;
		*change = (struct cni_change){
			.group = s->group, .family = s->family, .before = s->before[x], .after = s->after[y]
		};
	}
	*cni_push(s->c->arena, change->lines, change->n_lines) = (struct cni_deciding){ x, y };
	return (unsigned int)(i - s->begin);
}

static int by_line(const void *a, const void *b)
{
	const struct cni_deciding *x = a, *y = b;

	if (x->before != y->before)
		return x->before < y->before ? -1 : 1;
	return (x->after > y->after) - (x->after < y->after);
}

static int by_first_line(const void *a, const void *b)
{
	const struct cni_change *x = a, *y = b;

	return by_line(x->lines, y->lines);
}

static bool leads_somewhere(const struct cni_fate *fate)
{
	bool leads = !fate->n_members && fate->verdict == CNI_VERDICT_MAIN;

	for (size_t i = 0; i < fate->n_members; i++)
		leads |= !fate->members[i].cut_off;
	return leads;
}

/* What readers want to know of a class. */
static void describe(struct cni_comparison *c, struct cni_change *change, struct cni_space where,
		     struct cni_space steered, const struct cni_map *before, const struct cni_map *after)
{
	const struct cni_fate *old = &c->fates.items[change->before], *new = &c->fates.items[change->after];
	struct cni_spaces *s = c->spaces;

	qsort(change->lines, change->n_lines, sizeof(*change->lines), by_line);
	change->loses = old->n_members && leads_somewhere(old) && !leads_somewhere(new);
	change->packets = cni_space_count(s, change->family, where);
	change->sources = cni_space_count_field(s, change->family, CNI_FIELD_FROM, where);
	change->destinations = cni_space_count_field(s, change->family, CNI_FIELD_TO, where);
	change->boxes = cni_space_boxes(s, c->arena, change->family, cni_space_simplify(s, where, steered),
					CNI_MAX_BOXES, CNI_MAX_RANGES);
	change->witness = cni_space_witness(s, change->family, where, &c->from, &c->to);
	change->witness_line = (struct cni_deciding){ cni_map_label(s, *before, &change->witness),
						      cni_map_label(s, *after, &change->witness) };
}

static void compare(struct sorting *sorting, struct cni_map before, struct cni_map after)
{
	struct cni_comparison *c = sorting->c;
	struct cni_spaces *s = c->spaces;
	const size_t mark = cni_spaces_mark(s);
	struct cni_map old = cni_map_relabel(s, before, sorting->before, cni_meaning_n_labels(sorting->group->before));
	struct cni_map new = cni_map_relabel(s, after, sorting->after, cni_meaning_n_labels(sorting->group->after));
	struct cni_space differ = cni_map_differ(s, old, new);
	struct cni_map never = cni_map_all(s, CNI_LABEL_NEVER), classes;
	struct cni_space steered = cni_space_not(s, cni_space_and(s, cni_map_where(s, before, CNI_LABEL_NEVER),
								  cni_map_where(s, after, CNI_LABEL_NEVER)));

	/* what is the same on both sides is out of sight: label 0 has the fate of main in both policies */
	classes = cni_map_join(s, cni_map_ite(s, differ, before, never), cni_map_ite(s, differ, after, never), class_of,
			       sorting);
	for (size_t i = sorting->begin; i < sorting->changes->n_items && !cni_spaces_failed(s); i++)
		describe(c, &sorting->changes->items[i],
			 cni_map_where(s, classes, (unsigned int)(i - sorting->begin + 1)), steered, &before, &after);
	cni_spaces_release(s, mark, -1);
	if (!cni_spaces_failed(s) && sorting->changes->n_items > sorting->begin)
		qsort(sorting->changes->items + sorting->begin, sorting->changes->n_items - sorting->begin,
		      sizeof(*sorting->changes->items), by_first_line);
}

struct cni_changes cni_comparison_on(struct cni_comparison *c, const char *const *down, size_t n_down)
{
	const bool *down_before = down_of(c->arena, c->before, down, n_down);
	const bool *down_after = down_of(c->arena, c->after, down, n_down);
	struct cni_changes changes = { .fates = cni_new_array(c->arena, struct cni_day_fates, c->n_groups) };

	for (size_t g = 0; g < c->n_groups; g++)
		for (enum cni_family f = 0; f < CNI_N_FAMILIES && !cni_spaces_failed(c->spaces); f++) {
			const struct cni_device_group *group = &c->groups[g];
			struct sorting sorting = { c, &changes, changes.n_items, group, f, NULL, NULL };

			sorting.before = cni_meaning_fates(&c->fates, c->before, group->before, f, down_before);
			sorting.after = cni_meaning_fates(&c->fates, c->after, group->after, f, down_after);
			changes.fates[g].before[f] = sorting.before;
			changes.fates[g].after[f] = sorting.after;
			compare(&sorting, c->maps[g].before[f], c->maps[g].after[f]);
		}
	changes.failed = cni_spaces_failed(c->spaces);
	return changes;
}

size_t cni_changes_find(const struct cni_comparison *c, const struct cni_changes *changes,
			const struct cni_device_group *group, const struct cni_header *packet)
{
	const size_t g = (size_t)(group - c->groups);
	const enum cni_family f = packet->family;
	const unsigned int before = changes->fates[g].before[f][cni_map_label(c->spaces, c->maps[g].before[f], packet)];
	const unsigned int after = changes->fates[g].after[f][cni_map_label(c->spaces, c->maps[g].after[f], packet)];

	for (size_t i = 0; i < changes->n_items; i++) {
		const struct cni_change *change = &changes->items[i];

		if (change->group == group && change->family == f && change->before == before && change->after == after)
			return i;
	}
	return CNI_NONE;
}

/* ---- why not ---- */

const char *cni_never_reason(struct cni_arena *arena, const struct cni_model *model, struct cni_addr to,
			     struct cni_span *span)
{
	for (size_t i = 0; i < model->n_lans; i++)
		if (cni_ranges_has(&model->lans[i].ranges, to)) {
			*span = model->lans[i].decl->name.span;
			return cni_printf(arena, "lan %s", model->lans[i].name);
		}
	for (size_t i = 0; i < model->n_targets; i++) {
		const struct cni_target *t = &model->targets[i];
		const struct cni_iface *iface = &t->iface[to.family];

		if ((iface->has_address && cni_prefix_has(iface->address, to)) ||
		    (iface->has_peer && cni_addr_equal(iface->peer, to)) ||
		    (t->kind == CNI_TARGET_TUNNEL && cni_addr_equal(t->tunnel.local, to)) ||
		    (t->health.has_target && cni_addr_equal(t->health.target, to))) {
			*span = t->decl->name.span;
			return cni_printf(arena, "an address on %s", t->name);
		}
	}
	*span = (struct cni_span){ 0 };
	return "";
}
