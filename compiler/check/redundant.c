/* SPDX-License-Identifier: GPL-2.0-or-later */
/* redundant.c - what could be left out: sets and services that are there twice, and members that another member of their
 * list holds already. */
#include "compiler/check/check.h"
#include "compiler/check/leaves.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN 8

/* ---- a member within another ---- */

struct literal {
	enum cni_family family;
	struct cni_range6 range;
	const struct cni_item *item;
};

struct inner {
	const struct cni_item *item, *within;
};

struct list {
	const struct cni_checker *c;
	struct cni_arena *arena;
	struct literal *literals;
	size_t n_literals;
	struct inner *found;
	size_t n_found;
};

/* By place; of those that begin at one place the widest first, of equal ones that which is written first. */
static int by_width(const void *a, const void *b)
{
	const struct literal *x = a, *y = b;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (x->range.lo != y->range.lo)
		return x->range.lo < y->range.lo ? -1 : 1;
	if (x->range.hi != y->range.hi)
		return x->range.hi > y->range.hi ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

static void find_within_literals(struct list *list)
{
	const struct literal *widest = NULL;

	if (list->n_literals)
		qsort(list->literals, list->n_literals, sizeof(*list->literals), by_width);
	for (size_t i = 0; i < list->n_literals; i++) {
		const struct literal *l = &list->literals[i];

		if (widest && widest->family == l->family && l->range.hi <= widest->range.hi)
			*cni_push(list->arena, list->found, list->n_found) = (struct inner){ l->item, widest->item };
		else
			widest = l;
	}
}

static bool holds(const struct cni_ranges *ranges, const struct literal *l)
{
	size_t lo = 0, hi = cni_ranges_count(ranges, l->family);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		cni_u128 first = l->family == CNI_V4 ? ranges->v4[mid].lo : ranges->v6[mid].lo;
		cni_u128 last = l->family == CNI_V4 ? ranges->v4[mid].hi : ranges->v6[mid].hi;

		if (l->range.lo > last)
			lo = mid + 1;
		else if (l->range.lo < first)
			hi = mid;
		else
			return l->range.hi <= last;
	}
	return false;
}

static void find_within_others(struct list *list, const struct cni_item *other)
{
	const struct cni_ranges *ranges = other->set   ? &other->set->ranges
					  : other->lan ? &other->lan->ranges
						       : other->value->file;

	for (size_t i = 0; ranges && i < list->n_literals; i++)
		if (holds(ranges, &list->literals[i]))
			*cni_push(list->arena, list->found, list->n_found) =
				(struct inner){ list->literals[i].item, other };
}

static const char *words_of(struct cni_arena *arena, const struct cni_item *item)
{
	const struct cni_ast_value *v = item->value;
	char first[CNI_ADDR_TEXT], last[CNI_ADDR_TEXT];

	switch (v->kind) {
	case CNI_VALUE_PREFIX:
		return cni_strdup(arena, cni_prefix_format(v->prefix, first));
	case CNI_VALUE_RANGE:
		return cni_printf(arena, "%s-%s", cni_addr_format(v->prefix.addr, first),
				  cni_addr_format(v->last, last));
	case CNI_VALUE_ADDR:
		return cni_strdup(arena, cni_addr_format(v->prefix.addr, first));
	case CNI_VALUE_FILE:
		return cni_printf(arena, "file \"%s\"", v->text);
	default:
		return cni_printf(arena, "`%s`", v->text);
	}
}

static int by_place(const void *a, const void *b)
{
	const struct inner *x = a, *y = b;

	return x->item < y->item ? -1 : x->item > y->item;
}

static void report_inner(struct list *list)
{
	struct cni_diags *diags = list->c->diags;
	struct cni_diag *d = NULL;
	size_t n = 0;

	qsort(list->found, list->n_found, sizeof(*list->found), by_place);
	for (size_t i = 0; i < list->n_found; i++)
		if (!i || list->found[i].item != list->found[n - 1].item)
			list->found[n++] = list->found[i];
	for (size_t i = 0; i < n && i < SHOWN; i++) {
		const struct inner *inner = &list->found[i];
		const char *words = words_of(list->arena, inner->item), *within = words_of(list->arena, inner->within);

		if (!d)
			d = n == 1 ? cni_diag(diags, CNI433, inner->item->use->span, "%s is in %s already", words,
					      within)
				   : cni_diag(diags, CNI433, inner->item->use->span,
					      "%zu members of this list are in others already: %s is in %s", n, words,
					      within);
		else
			cni_diag_related(diags, d, inner->item->use->span, "%s is in %s%s", words, within,
					 i + 1 == SHOWN && i + 1 < n ? ", and so on" : "");
		cni_diag_related(diags, d, inner->within->use->span, "%s", within);
	}
}

static bool check_list(const struct cni_checker *c, const struct cni_items *items)
{
	struct list list = { .c = c };
	bool holds = true;

	if (items->n_items < 2)
		return true;
	list.arena = cni_arena_new();
	for (size_t i = 0; i < items->n_items; i++) {
		struct literal l = { .item = &items->items[i] };

		if (cni_value_range(l.item->value, &l.family, &l.range))
			*cni_push(list.arena, list.literals, list.n_literals) = l;
	}
	find_within_literals(&list);
	for (size_t i = 0; list.n_literals && i < items->n_items; i++)
		find_within_others(&list, &items->items[i]);
	if (list.n_found) {
		report_inner(&list);
		holds = false;
	}
	cni_arena_free(list.arena);
	return holds;
}

bool cni_check_inner_members(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_model *m = c->model;
	bool holds = true;

	(void)s;
	for (size_t i = 0; i < m->n_sets; i++)
		holds &= check_list(c, &m->sets[i].written);
	for (size_t p = 0; p < m->n_policies; p++)
		for (size_t r = 0; r < m->policies[p].n_routes; r++) {
			holds &= check_list(c, &m->policies[p].routes[r].match.from_written);
			holds &= check_list(c, &m->policies[p].routes[r].match.to_written);
		}
	return holds;
}

/* ---- sets and services as a whole ---- */

/* What both are, for these checks. */
struct named {
	const char *what, *name;
	struct cni_span span;
	const void *parts[2]; /* what it holds */
	size_t sizes[2]; /* in bytes */
	bool alias; /* another name for one that it names */
};

static struct named *all_named(const struct cni_checker *c, size_t *n)
{
	const struct cni_model *m = c->model;
	struct named *all = cni_new_array(c->arena, struct named, m->n_sets + m->n_services);

	*n = 0;
	for (size_t i = 0; i < m->n_sets; i++) {
		const struct cni_set *set = &m->sets[i];
		const struct cni_ranges *r = &set->ranges;

		all[(*n)++] = (struct named){ "set",
					      set->name,
					      set->decl->name.span,
					      { r->v4, r->v6 },
					      { r->n_v4 * sizeof(*r->v4), r->n_v6 * sizeof(*r->v6) },
					      set->written.n_items == 1 &&
						      (set->written.items->set || set->written.items->lan) };
	}
	for (size_t i = 0; i < m->n_services; i++) {
		const struct cni_service *service = &m->services[i];
		const struct cni_ast_ports *ports = service->decl->service;

		all[(*n)++] = (struct named){ "service",
					      service->name,
					      service->decl->name.span,
					      { service->ports.items, NULL },
					      { service->ports.n_items * sizeof(*service->ports.items), 0 },
					      ports && !ports->protocol.text && !ports->next };
	}
	return all;
}

static int compare_parts(const struct named *x, const struct named *y)
{
	int order = strcmp(x->what, y->what);

	for (size_t i = 0; i < 2 && !order; i++)
		order = x->sizes[i] < y->sizes[i] ? -1 : x->sizes[i] > y->sizes[i];
	for (size_t i = 0; i < 2 && !order; i++)
		order = !x->sizes[i] || x->parts[i] == y->parts[i] ? 0 : memcmp(x->parts[i], y->parts[i], x->sizes[i]);
	return order;
}

static int by_parts(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = compare_parts(x, y);

	return order ? order : x->span.begin < y->span.begin ? -1 : x->span.begin > y->span.begin;
}

static void report_same(const struct cni_checker *c, struct named *all, size_t n)
{
	const struct named *first = NULL;

	if (n)
		qsort(all, n, sizeof(*all), by_parts);
	for (size_t i = 0; i < n; i++) {
		struct cni_diag *d;

		if (all[i].alias || !(all[i].sizes[0] + all[i].sizes[1]))
			continue;
		if (!first || compare_parts(first, &all[i])) {
			first = &all[i];
			continue;
		}
		d = cni_diag(c->diags, CNI434, all[i].span, "%s `%s` holds what `%s` holds", all[i].what, all[i].name,
			     first->name);
		cni_diag_related(c->diags, d, first->span, "`%s`", first->name);
	}
}

bool cni_check_definitions(const struct cni_checker *c, const struct cni_subject *s)
{
	size_t n;
	struct named *all = all_named(c, &n);

	(void)s;
	report_same(c, all, n);
	return true;
}
