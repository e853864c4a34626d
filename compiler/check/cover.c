/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cover.c - what earlier routes take of a route, by packet spaces: exact whatever overlaps; see shadow.h. */
#include "compiler/check/shadow.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/meaning/meaning.h"

const struct cni_shadow_view cni_shadow_views[CNI_N_VIEWS] = {
	[CNI_VIEW_FROM] = { CNI_FIELD_FROM, 0 },    [CNI_VIEW_TO] = { CNI_FIELD_TO, 0 },
	[CNI_VIEW_SPORT] = { CNI_FIELD_SPORT, 16 }, [CNI_VIEW_DPORT] = { CNI_FIELD_DPORT, 16 },
	[CNI_VIEW_TYPE] = { CNI_FIELD_TYPE, 8 },    [CNI_VIEW_DSCP] = { CNI_FIELD_DSCP, 0 },
};

#define LARGE 65536 /* ranges of addresses: a diagram of so many takes a tenth of a second */

static struct cni_spaces *new_spaces(struct cni_shadow *sh, unsigned int nodes)
{
	enum cni_header_field order[CNI_N_FIELDS];

	cni_meaning_order(&sh->c->model, 1, order);
	return cni_spaces_new(sh->c->arena, order, nodes);
}

struct cni_spaces *cni_shadow_spaces(struct cni_shadow *sh)
{
	if (sh->spaces && cni_spaces_failed(sh->spaces)) {
		cni_spaces_free(sh->spaces);
		sh->spaces = NULL;
	}
	if (!sh->spaces)
		sh->spaces = new_spaces(sh, sh->limits->nodes);
	return sh->spaces;
}

bool cni_shadow_is_large(struct cni_shadow *sh, struct cni_arena *arena, size_t route)
{
	const struct cni_shadow_routes above = cni_shadow_above(sh, arena, route);
	size_t n = cni_shadow_addresses(&sh->policy->routes[route].match);

	for (size_t i = 0; i < above.n_items; i++)
		n += cni_shadow_addresses(&sh->policy->routes[above.items[i]].match);
	return n > LARGE;
}

/* ---- values of a view ---- */

/* first..last of a field behind protocols: all of a protocol's, but for the first and the last protocol. */
static struct cni_space of_keys(struct cni_spaces *s, enum cni_header_field field, unsigned int bits, uint32_t lo,
				uint32_t hi)
{
	const uint32_t last = (1u << bits) - 1;
	struct cni_space any = cni_space_none();

	while (lo <= hi) {
		uint32_t proto = lo >> bits, end = proto, until = proto == hi >> bits ? hi & last : last;
		struct cni_space protos, values;

		if (!(lo & last) && until == last) /* whole protocols beside each other are one range of them */
			end = (hi + 1) / (last + 1) - 1;
		protos = cni_space_range(s, CNI_V4, CNI_FIELD_PROTO, proto, end);
		values = cni_space_range(s, CNI_V4, field, lo & last, until);
		any = cni_space_or(s, any, cni_space_and(s, protos, values));
		lo = (end << bits | until) + 1;
	}
	return any;
}

static struct cni_space of_view(struct cni_spaces *s, enum cni_family family, enum cni_view view,
				const struct cni_ranges *ranges)
{
	const struct cni_shadow_view *v = &cni_shadow_views[view];
	struct cni_space any = cni_space_none();

	if (view == CNI_VIEW_FROM || view == CNI_VIEW_TO)
		return cni_space_ranges(s, family, v->field, ranges);
	for (size_t i = 0; i < ranges->n_v4; i++) {
		const struct cni_range4 *r = &ranges->v4[i];

		any = cni_space_or(s, any,
				   v->bits ? of_keys(s, v->field, v->bits, r->lo, r->hi)
					   : cni_space_range(s, CNI_V4, v->field, r->lo, r->hi));
	}
	return any;
}

static bool meets(struct cni_spaces *s, enum cni_family family, struct cni_space space, enum cni_view view,
		  const struct cni_ranges *one)
{
	size_t mark = cni_spaces_mark(s);
	struct cni_space both = cni_space_and(s, space, of_view(s, family, view, one));

	cni_spaces_release(s, mark, -1);
	return !cni_space_is_empty(both);
}

struct cni_ranges cni_shadow_values(struct cni_shadow *sh, struct cni_arena *arena, enum cni_family family,
				    struct cni_space space, enum cni_view view, const struct cni_ranges *asked)
{
	struct cni_ranges met = { 0 };

	if (view == CNI_VIEW_FROM || view == CNI_VIEW_TO)
		return cni_space_values(sh->spaces, arena, family,
					view == CNI_VIEW_FROM ? CNI_FIELD_FROM : CNI_FIELD_TO, space);
	for (size_t i = 0; i < asked->n_v4; i++) {
		struct cni_ranges one = { .v4 = &asked->v4[i], .n_v4 = 1 };

		if (meets(sh->spaces, family, space, view, &one))
			*cni_push(arena, met.v4, met.n_v4) = asked->v4[i];
	}
	return met;
}

/* ---- who takes what ---- */

static int ascending(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

void cni_shadow_sort(struct cni_shadow_routes *routes)
{
	size_t n = 0;

	if (routes->n_items)
		qsort(routes->items, routes->n_items, sizeof(*routes->items), ascending);
	for (size_t i = 0; i < routes->n_items; i++)
		if (!i || routes->items[i] != routes->items[i - 1])
			routes->items[n++] = routes->items[i];
	routes->n_items = n;
}

struct cni_shadow_routes cni_shadow_above(struct cni_shadow *sh, struct cni_arena *arena, size_t route)
{
	struct cni_work work = { .left = UINT64_MAX };
	struct cni_shadow_routes above = { 0 };

	for (size_t i = 0; !sh->complete && i < route; i++)
		if (!sh->dead[i])
			*cni_push(arena, above.items, above.n_items) = i;
	for (enum cni_family f = 0; sh->complete && f < CNI_N_FAMILIES; f++) {
		size_t n, *found;

		if (cni_region_is_empty(&sh->areas[f][route]))
			continue;
		found = cni_region_index_find(sh->index[f], arena, &sh->areas[f][route], &work, &n);
		for (size_t i = 0; i < n; i++)
			*cni_push(arena, above.items, above.n_items) = found[i];
	}
	cni_shadow_sort(&above);
	return above;
}

/* Takes out what a route matches; the old space stays held, too. */
static struct cni_space without(struct cni_spaces *s, enum cni_family family, struct cni_space space,
				const struct cni_match *match)
{
	size_t mark = cni_spaces_mark(s);
	struct cni_space rest = cni_space_minus(s, space, cni_space_match(s, family, match));

	return (struct cni_space){ cni_spaces_release(s, mark, rest.node) };
}

static bool is_empty(const struct cni_space spaces[CNI_N_FAMILIES])
{
	return cni_space_is_empty(spaces[CNI_V4]) && cni_space_is_empty(spaces[CNI_V6]);
}

struct cni_shadow_cover cni_shadow_cover(struct cni_shadow *sh, struct cni_arena *arena, size_t route,
					 const struct cni_shadow_part *part)
{
	struct cni_spaces *s = cni_shadow_spaces(sh);
	struct cni_shadow_cover cover = { 0 };
	const struct cni_shadow_routes above = cni_shadow_above(sh, arena, route);

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		struct cni_space *left = &cover.left[f];

		*left = cni_space_match(s, f, &sh->policy->routes[route].match);
		if (part)
			*left = cni_space_and(s, *left, of_view(s, f, part->view, &part->ranges[f]));
		cover.matches |= !cni_space_is_empty(*left);
		*left = cni_space_minus(s, *left, cni_space_ranges(s, f, CNI_FIELD_TO, &sh->never_steered));
	}
	cover.steered = !is_empty(cover.left);
	sh->covers -= above.n_items < sh->covers ? above.n_items : sh->covers;
	for (size_t i = 0; i < above.n_items && !is_empty(cover.left) && !cni_spaces_failed(s); i++) {
		struct cni_shadow_taker taker = { .route = above.items[i] };
		bool takes = false;

		memcpy(taker.before, cover.left, sizeof(taker.before));
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
			cover.left[f] = without(s, f, cover.left[f], &sh->policy->routes[taker.route].match);
			takes |= !cni_space_equal(cover.left[f], taker.before[f]);
		}
		if (takes)
			*cni_push(arena, cover.takers, cover.n_takers) = taker;
	}
	cover.failed = cni_spaces_failed(s);
	return cover;
}

static struct cni_space taken_by(struct cni_shadow *sh, enum cni_family family, struct cni_space whole, size_t route)
{
	return cni_space_and(sh->spaces, whole, cni_space_match(sh->spaces, family, &sh->policy->routes[route].match));
}

/* From the last one up: a taker goes when those before it and those that stay behind it take all. */
void cni_shadow_least(struct cni_shadow *sh, struct cni_shadow_cover *cover)
{
	struct cni_spaces *s = sh->spaces;
	struct cni_space behind[CNI_N_FAMILIES] = { cni_space_none(), cni_space_none() };
	size_t n = cover->n_takers;

	for (size_t i = cover->n_takers; i-- > 0 && !cni_spaces_failed(s) && !cover->failed;) {
		const struct cni_shadow_taker taker = cover->takers[i];
		bool needed = false;

		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
			needed |= !cni_space_covers(s, behind[f], taker.before[f]);
		for (enum cni_family f = 0; f < CNI_N_FAMILIES && needed; f++)
			behind[f] =
				cni_space_or(s, behind[f], taken_by(sh, f, cover->takers[0].before[f], taker.route));
		if (needed)
			cover->takers[--n] = taker;
	}
	cover->failed |= cni_spaces_failed(s);
	if (cover->failed)
		return;
	cover->takers += n;
	cover->n_takers -= n;
}

bool *cni_shadow_live(struct cni_shadow *sh)
{
	struct cni_spaces *s;
	bool failed, *live = cni_new_array(sh->c->arena, bool, cni_meaning_n_labels(sh->policy));

	/* a map that is to be had at all is small; a large one takes minutes to fail */
	cni_spaces_free(sh->spaces);
	sh->spaces = NULL;
	s = new_spaces(sh, sh->limits->nodes / 8 + 10000);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES && !cni_spaces_failed(s); f++) {
		const struct cni_map map = cni_meaning_routes(s, sh->policy, &sh->never_steered, f);
		const struct cni_labels labels = cni_map_labels(s, sh->c->arena, map);

		for (size_t i = 0; i < labels.n_items; i++)
			live[labels.items[i]] = true;
	}
	failed = cni_spaces_failed(s);
	cni_spaces_free(s);
	return failed ? NULL : live;
}
