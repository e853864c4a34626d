/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shadow.c - routes that can never match: contradictory, to what is never steered, or taken by earlier routes. */
#include "compiler/check/check.h"
#include "compiler/check/evaluate.h"
#include "compiler/check/region.h"

/* In ranges that are read; CNI403 names both. */
#define ROUTE_WORK (UINT64_C(1) << 22)
#define RUN_WORK (UINT64_C(1) << 27)

#define MAX_NAMED 3 /* routes above that a message points to */

struct area { /* what a route matches */
	struct cni_region region[CNI_N_FAMILIES];
	bool unknown; /* the work for a run was used up before */
};

struct takers { /* the routes that took part of a route */
	const struct cni_route *named[MAX_NAMED];
	size_t n;
};

struct proof {
	const struct cni_checker *c;
	struct cni_region all[CNI_N_FAMILIES], never[CNI_N_FAMILIES];
	const struct cni_policy *policy;
	struct area *areas; /* of the policy's routes */
	uint64_t left; /* of RUN_WORK */
};

enum verdict { ALIVE, DEAD, UNDECIDED };

/* Whether anything of `region` is left by what is never steered and by the routes before `n`. */
static enum verdict remains(struct proof *p, struct cni_arena *arena, const struct cni_region *region, size_t n,
			    struct takers *takers, struct cni_work *work)
{
	struct cni_regions left = { 0 };

	*cni_push(arena, left.items, left.n_items) = *region;
	cni_regions_minus(arena, &left, &p->never[region->family], work);
	for (size_t i = 0; i < n && left.n_items && !work->spent; i++) {
		if (p->areas[i].unknown || !cni_regions_minus(arena, &left, &p->areas[i].region[region->family], work))
			continue;
		if (takers->n < MAX_NAMED)
			takers->named[takers->n] = &p->policy->routes[i];
		takers->n++;
	}
	return work->spent ? UNDECIDED : left.n_items ? ALIVE : DEAD;
}

/* A single packet that is left, if one is easily found, spares the whole proof. */
static enum verdict judge_family(struct proof *p, struct cni_arena *arena, const struct cni_region *region, size_t n,
				 struct takers *takers, struct cni_work *work)
{
	for (int last = 0; last < 2; last++) {
		struct cni_region narrow = cni_region_narrow(arena, region, last);
		struct takers unused = { 0 };

		if (remains(p, arena, &narrow, n, &unused, work) == ALIVE)
			return ALIVE;
	}
	return remains(p, arena, region, n, takers, work);
}

static enum verdict judge(struct proof *p, size_t n, struct takers *takers)
{
	uint64_t allowed = p->left < ROUTE_WORK ? p->left : ROUTE_WORK;
	struct cni_work work = { .left = allowed };
	struct cni_arena *arena = cni_arena_new(); /* what a proof builds is large, and of no use afterwards */
	enum verdict verdict = p->areas[n].unknown ? UNDECIDED : DEAD;

	for (enum cni_family f = 0; f < CNI_N_FAMILIES && verdict == DEAD; f++)
		if (!cni_region_is_empty(&p->areas[n].region[f]))
			verdict = judge_family(p, arena, &p->areas[n].region[f], n, takers, &work);
	p->left -= allowed - work.left;
	cni_arena_free(arena);
	return verdict;
}

static bool covers(const struct area *outer, const struct area *inner)
{
	struct cni_work work = { .left = ROUTE_WORK };

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (!cni_region_is_empty(&inner->region[f]) &&
		    !cni_region_covers(&outer->region[f], &inner->region[f], &work))
			return false;
	return true;
}

static void report_dead(struct proof *p, size_t n, const struct takers *takers)
{
	const struct cni_route *route = &p->policy->routes[n];
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
		if (takers->n == 1 || covers(&p->areas[takers->named[i] - p->policy->routes], &p->areas[n])) {
			d = cni_diag(diags, CNI401, route->ast->name.span,
				     "route `%s` can never match: route `%s` takes all of it", route->name,
				     takers->named[i]->name);
			cni_diag_related(diags, d, takers->named[i]->ast->span, "this matches first");
			return;
		}
	d = cni_diag(diags, CNI401, route->ast->name.span,
		     "route `%s` can never match: %zu routes above take all of it together", route->name, takers->n);
	for (size_t i = 0; i < takers->n && i < MAX_NAMED; i++)
		cni_diag_related(diags, d, takers->named[i]->ast->span, "`%s` takes a part", takers->named[i]->name);
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
	struct takers takers = { 0 };

	if (!p->areas[n].unknown && cni_region_is_empty(&p->areas[n].region[CNI_V4]) &&
	    cni_region_is_empty(&p->areas[n].region[CNI_V6])) {
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

static void map_areas(struct proof *p)
{
	struct cni_work work = { .left = p->left };

	p->areas = cni_new_array(p->c->arena, struct area, p->policy->n_routes);
	for (size_t i = 0; i < p->policy->n_routes; i++) {
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
			p->areas[i].region[f] =
				cni_region_of_match(p->c->arena, &p->all[f], &p->policy->routes[i].match, &work);
		p->areas[i].unknown = work.spent;
	}
	p->left = work.left;
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
		map_areas(&p);
		for (size_t r = 0; r < p.policy->n_routes; r++) {
			holds &= check_route(&p, r);
			if (!p.left) /* said: "or one below" */
				break;
		}
	}
	return holds;
}
