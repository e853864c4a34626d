/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shadow.c - routes that can never match: contradictory, to what is never steered, or taken by earlier routes. */
#include "compiler/check/check.h"
#include "compiler/check/evaluate.h"
#include "compiler/region/index.h"

/* In ranges that are read; CNI403 names both. */
#define ROUTE_WORK (UINT64_C(1) << 22)
#define RUN_WORK (UINT64_C(1) << 27)

#define MAX_NAMED 3 /* routes above that a message points to */

struct takers { /* the routes that took part of a route */
	size_t named[MAX_NAMED];
	size_t n;
	size_t *last; /* of each route: the last one that it took part of, plus 1; NULL: a route may come twice */
	size_t now; /* the route that it is about, plus 1 */
};

struct proof {
	const struct cni_checker *c;
	struct cni_region all[CNI_N_FAMILIES], never[CNI_N_FAMILIES];
	const struct cni_policy *policy;
	struct cni_region *areas[CNI_N_FAMILIES]; /* what each of the policy's routes matches */
	bool *unknown; /* the work for a run was used up before: the areas are empty */
	size_t *taken; /* room for `last` of the takers */
	struct cni_region_index *index[CNI_N_FAMILIES]; /* of those routes above that are not dead */
	uint64_t left; /* of RUN_WORK */
};

enum verdict { ALIVE, DEAD, UNDECIDED };

/* Who takes part of both families is one taker. */
static void add_taker(struct takers *takers, size_t at)
{
	if (takers->last && takers->last[at] == takers->now)
		return;
	if (takers->last)
		takers->last[at] = takers->now;
	if (takers->n < MAX_NAMED)
		takers->named[takers->n] = at;
	takers->n++;
}

/* Whether anything of `region` is left by what is never steered and by the routes above. */
static enum verdict remains(struct proof *p, struct cni_arena *arena, const struct cni_region *region,
			    struct takers *takers, struct cni_work *work)
{
	struct cni_regions left = { 0 };
	size_t n, *above;

	*cni_push(arena, left.items, left.n_items) = *region;
	cni_regions_minus(arena, &left, &p->never[region->family], work);
	if (!left.n_items)
		return DEAD;
	above = cni_region_index_find(p->index[region->family], arena, region, work, &n);
	for (size_t i = 0; i < n && left.n_items && !work->spent; i++)
		if (cni_regions_minus(arena, &left, &p->areas[region->family][above[i]], work))
			add_taker(takers, above[i]);
	return work->spent ? UNDECIDED : left.n_items ? ALIVE : DEAD;
}

/* A single packet that is left, if one is easily found, spares the whole proof; and so does a route that takes such a
 * packet and all the rest. */
static enum verdict judge_family(struct proof *p, struct cni_arena *arena, const struct cni_region *region,
				 struct takers *takers, struct cni_work *work)
{
	for (int last = 0; last < 2; last++) {
		struct cni_region narrow = cni_region_narrow(arena, region, last);
		struct takers of_narrow = { 0 };

		if (remains(p, arena, &narrow, &of_narrow, work) == ALIVE)
			return ALIVE;
		if (of_narrow.n && cni_region_covers(&p->areas[region->family][of_narrow.named[0]], region, work)) {
			add_taker(takers, of_narrow.named[0]);
			return DEAD;
		}
	}
	return remains(p, arena, region, takers, work);
}

static enum verdict judge(struct proof *p, size_t n, struct takers *takers)
{
	uint64_t allowed = p->left < ROUTE_WORK ? p->left : ROUTE_WORK;
	struct cni_work work = { .left = allowed };
	struct cni_arena *arena = cni_arena_new(); /* what a proof builds is large, and of no use afterwards */
	enum verdict verdict = p->unknown[n] ? UNDECIDED : DEAD;

	for (enum cni_family f = 0; f < CNI_N_FAMILIES && verdict == DEAD; f++)
		if (!cni_region_is_empty(&p->areas[f][n]))
			verdict = judge_family(p, arena, &p->areas[f][n], takers, &work);
	p->left -= allowed - work.left;
	cni_arena_free(arena);
	return verdict;
}

static bool covers(const struct proof *p, size_t outer, size_t inner)
{
	struct cni_work work = { .left = ROUTE_WORK };

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (!cni_region_is_empty(&p->areas[f][inner]) &&
		    !cni_region_covers(&p->areas[f][outer], &p->areas[f][inner], &work))
			return false;
	return true;
}

static void report_dead(struct proof *p, size_t n, const struct takers *takers)
{
	const struct cni_route *route = &p->policy->routes[n], *above;
	struct cni_diags *diags = p->c->diags;
	struct cni_diag *d;

	if (!takers->n) {
		d = cni_diag(diags, CNI404, route->ast->name.span,
			     "route `%s` can never match: what it leads to is never steered", route->name);
		cni_diag_help(diags, d,
			      "lans, the router's own addresses and networks, multicast and link-local go by main");
		return;
	}
	for (size_t i = 0; i < takers->n && i < MAX_NAMED; i++)
		if (takers->n == 1 || covers(p, takers->named[i], n)) {
			above = &p->policy->routes[takers->named[i]];
			d = cni_diag(diags, CNI401, route->ast->name.span,
				     "route `%s` can never match: route `%s` takes all of it", route->name,
				     above->name);
			cni_diag_related(diags, d, above->ast->span, "this matches first");
			return;
		}
	d = cni_diag(diags, CNI401, route->ast->name.span,
		     "route `%s` can never match: %zu routes above take all of it together", route->name, takers->n);
	for (size_t i = 0; i < takers->n && i < MAX_NAMED; i++) {
		above = &p->policy->routes[takers->named[i]];
		cni_diag_related(diags, d, above->ast->span, "`%s` takes a part", above->name);
	}
}

/* A set that came empty from a file is no contradiction. */
static bool is_void(const struct cni_match *m)
{
	return (m->has_from && !m->not_from && cni_ranges_is_empty(&m->from)) ||
	       (m->has_to && !m->not_to && cni_ranges_is_empty(&m->to));
}

static bool check_route(struct proof *p, size_t n)
{
	const struct cni_route *route = &p->policy->routes[n];
	struct takers takers = { .last = p->taken, .now = n + 1 };

	if (!p->unknown[n] && cni_region_is_empty(&p->areas[CNI_V4][n]) && cni_region_is_empty(&p->areas[CNI_V6][n])) {
		if (is_void(&route->match))
			return true;
		cni_diag(p->c->diags, CNI402, route->ast->name.span,
			 "route `%s` can never match: what it asks for contradicts itself", route->name);
		return false;
	}
	switch (judge(p, n, &takers)) {
	case ALIVE:
		return true;
	case UNDECIDED:
		cni_diag(p->c->diags, CNI403, route->ast->name.span,
			 "whether route `%s`%s can ever match was not found out in %llu steps", route->name,
			 p->left ? "" : " or one below", (unsigned long long)(p->left ? ROUTE_WORK : RUN_WORK));
		return true;
	default:
		report_dead(p, n, &takers);
		return false;
	}
}

/* What each route of the policy matches; nothing of it can be found in the index yet. */
static void map_areas(struct proof *p, struct cni_arena *arena)
{
	size_t n = p->policy->n_routes;
	struct cni_work work = { .left = p->left };

	p->unknown = cni_new_array(arena, bool, n);
	p->taken = cni_new_array(arena, size_t, n);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		p->areas[f] = cni_new_array(arena, struct cni_region, n);
		for (size_t i = 0; i < n; i++) {
			p->areas[f][i] = cni_region_of_match(arena, &p->all[f], &p->policy->routes[i].match, &work);
			p->unknown[i] |= work.spent;
			if (work.spent)
				p->areas[f][i] = (struct cni_region){ .family = f };
		}
		p->index[f] = cni_region_index_new(arena, &p->all[f], p->areas[f], n);
	}
	p->left = work.left;
}

static bool check_policy(struct proof *p)
{
	struct cni_arena *arena = cni_arena_new();
	bool holds = true;

	map_areas(p, arena);
	for (size_t n = 0; n < p->policy->n_routes; n++) {
		if (!check_route(p, n))
			holds = false; /* and what it matches is taken before: it takes nothing from those below */
		else
			for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
				cni_region_index_add(p->index[f], n);
		if (!p->left) /* said: "or one below" */
			break;
	}
	cni_arena_free(arena);
	return holds;
}

bool cni_check_dead_routes(const struct cni_checker *c, const struct cni_subject *s)
{
	struct proof p = { .c = c, .left = RUN_WORK };
	struct cni_ranges never = cni_never_steered(c->arena, c->model);
	bool holds = true;

	(void)s;
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		p.all[f] = cni_region_all(c->arena, f);
		p.never[f] = cni_region_to(&p.all[f], &never);
	}
	for (size_t i = 0; i < c->model->n_policies && p.left; i++) {
		p.policy = &c->model->policies[i];
		holds &= check_policy(&p);
	}
	return holds;
}
