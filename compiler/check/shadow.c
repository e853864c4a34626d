/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shadow.c - routes that can never match: contradictory, to what is never steered, or taken by earlier routes. */
#include "compiler/check/shadow.h"

#include "compiler/meaning/meaning.h"

/* Large sets are what regions are good at; what falls into many pieces is not. */
const struct cni_shadow_limits cni_shadow_usual = { UINT64_C(1) << 24, UINT64_C(1) << 28, 1024, 1 << 16,
						    CNI_DEFAULT_NODES };

enum verdict { ALIVE, DEAD, UNDECIDED };

/* ---- by regions ---- */

struct cni_regions cni_shadow_left(struct cni_shadow *sh, struct cni_arena *arena, const struct cni_region *region,
				   struct cni_shadow_routes *takers, struct cni_work *work)
{
	struct cni_regions left = { 0 };
	size_t n, *above;

	*cni_push(arena, left.items, left.n_items) = *region;
	cni_regions_minus(arena, &left, &sh->never[region->family], work);
	if (!left.n_items)
		return left;
	above = cni_region_index_find(sh->index[region->family], arena, region, work, &n);
	for (size_t i = 0; i < n && left.n_items && !work->spent; i++) {
		if (cni_regions_minus(arena, &left, &sh->areas[region->family][above[i]], work))
			*cni_push(arena, takers->items, takers->n_items) = above[i];
		work->spent |= left.n_items > sh->limits->pieces;
	}
	return left;
}

/* A single packet that is left, if one is easily found, spares the whole proof; and so does a route that takes such a
 * packet and all the rest. Neither costs so much that it counts. */
static enum verdict judge_by_packet(struct cni_shadow *sh, struct cni_arena *arena, const struct cni_region *region,
				    struct cni_shadow_routes *takers)
{
	struct cni_work work = { .left = sh->limits->proof };

	for (int last = 0; last < 2; last++) {
		struct cni_region narrow = cni_region_narrow(arena, region, last);
		struct cni_shadow_routes of_narrow = { 0 };
		struct cni_regions left = cni_shadow_left(sh, arena, &narrow, &of_narrow, &work);

		if (work.spent)
			return UNDECIDED;
		if (left.n_items)
			return ALIVE;
		if (of_narrow.n_items &&
		    cni_region_covers(&sh->areas[region->family][of_narrow.items[0]], region, &work)) {
			*cni_push(arena, takers->items, takers->n_items) = of_narrow.items[0];
			return DEAD;
		}
	}
	return UNDECIDED;
}

static enum verdict judge_family(struct cni_shadow *sh, struct cni_arena *arena, const struct cni_region *region,
				 struct cni_shadow_routes *takers, struct cni_work *work)
{
	struct cni_regions left = { 0 };
	enum verdict verdict;

	*cni_push(arena, left.items, left.n_items) = *region;
	cni_regions_minus(arena, &left, &sh->never[region->family], &(struct cni_work){ .left = UINT64_MAX });
	if (!left.n_items)
		return DEAD;
	verdict = judge_by_packet(sh, arena, &left.items[0], takers); /* what is never steered cuts one view alone */
	if (verdict != UNDECIDED)
		return verdict;
	left = cni_shadow_left(sh, arena, &left.items[0], takers, work);
	return work->spent ? UNDECIDED : left.n_items ? ALIVE : DEAD;
}

static enum verdict judge_by_regions(struct cni_shadow *sh, struct cni_arena *arena, size_t n,
				     struct cni_shadow_routes *takers)
{
	uint64_t allowed = sh->left < sh->limits->proof ? sh->left : sh->limits->proof;
	struct cni_work work = { .left = allowed };
	enum verdict verdict = DEAD;

	for (enum cni_family f = 0; f < CNI_N_FAMILIES && verdict == DEAD; f++)
		if (!cni_region_is_empty(&sh->areas[f][n]))
			verdict = judge_family(sh, arena, &sh->areas[f][n], takers, &work);
	sh->left -= allowed - work.left;
	cni_shadow_sort(takers);
	return verdict;
}

/* ---- by spaces, where regions give up ---- */

/* One by one as long as these are few; then all of the policy, unless that is too much at once. */
static enum verdict judge_by_spaces(struct cni_shadow *sh, struct cni_arena *arena, size_t n)
{
	struct cni_shadow_cover cover;
	size_t mark;

	if (!sh->covers && !sh->live && !sh->entangled) {
		sh->live = cni_shadow_live(sh);
		sh->entangled = !sh->live;
	}
	if (sh->live)
		return sh->live[n + 1] ? ALIVE : DEAD;
	mark = cni_spaces_mark(cni_shadow_spaces(sh));
	cover = cni_shadow_cover(sh, arena, n, NULL);
	cni_spaces_release(sh->spaces, mark, -1);
	sh->failed = cover.failed;
	if (sh->failed)
		return UNDECIDED;
	return cni_space_is_empty(cover.left[CNI_V4]) && cni_space_is_empty(cover.left[CNI_V6]) ? DEAD : ALIVE;
}

static enum verdict judge(struct cni_shadow *sh, struct cni_arena *arena, size_t n, struct cni_shadow_routes *takers)
{
	enum verdict verdict = sh->complete ? judge_by_regions(sh, arena, n, takers) : UNDECIDED;

	return verdict == UNDECIDED ? judge_by_spaces(sh, arena, n) : verdict;
}

/* ---- what is said ---- */

static void report_taken(struct cni_shadow *sh, size_t n, const struct cni_shadow_cover *cover)
{
	const struct cni_route *route = &sh->policy->routes[n];
	struct cni_diags *diags = sh->c->diags;

	cni_shadow_name(sh,
			cover->n_takers == 1
				? cni_diag(diags, CNI401, route->ast->name.span,
					   "route `%s` can never match: route `%s` takes all of it", route->name,
					   sh->policy->routes[cover->takers[0].route].name)
				: cni_diag(diags, CNI401, route->ast->name.span,
					   "route `%s` can never match: %zu routes above take all of it together",
					   route->name, cover->n_takers),
			cover);
}

/* A set that came empty from a file is no contradiction. */
static bool is_void(const struct cni_match *m)
{
	return (m->has_from && !m->not_from && cni_ranges_is_empty(&m->from)) ||
	       (m->has_to && !m->not_to && cni_ranges_is_empty(&m->to));
}

static bool report_contradiction(struct cni_shadow *sh, const struct cni_route *route)
{
	if (is_void(&route->match))
		return false;
	cni_diag(sh->c->diags, CNI402, route->ast->name.span,
		 "route `%s` can never match: what it asks for contradicts itself", route->name);
	return true;
}

static void report_never_steered(struct cni_shadow *sh, const struct cni_route *route)
{
	struct cni_diag *d = cni_diag(sh->c->diags, CNI404, route->ast->name.span,
				      "route `%s` can never match: what it leads to is never steered", route->name);

	cni_diag_help(sh->c->diags, d,
		      "lans, the router's own addresses and networks, multicast, loopback and link-local go by main");
}

/* The fewest that take all, unless it is one, or nobody reads it. True: it is dead. */
static bool report_dead(struct cni_shadow *sh, struct cni_arena *arena, size_t n,
			const struct cni_shadow_routes *takers)
{
	struct cni_shadow_cover cover = { 0 }, found;
	size_t mark;

	for (size_t i = 0; i < takers->n_items; i++)
		cni_push(arena, cover.takers, cover.n_takers)->route = takers->items[i];
	if (cover.n_takers == 1 ||
	    (cover.n_takers && (!cni_diags_keep(sh->c->diags) || cni_shadow_is_large(sh, arena, n)))) {
		report_taken(sh, n, &cover);
		return true;
	}
	mark = cni_spaces_mark(cni_shadow_spaces(sh));
	found = cni_shadow_cover(sh, arena, n, NULL);
	cni_shadow_least(sh, &found);
	cni_spaces_release(sh->spaces, mark, -1);
	if (!found.failed && !found.matches)
		return report_contradiction(sh, &sh->policy->routes[n]);
	if (!found.failed && !found.steered)
		report_never_steered(sh, &sh->policy->routes[n]);
	else
		report_taken(sh, n, found.failed ? &cover : &found);
	return true;
}

static void report_unknown(struct cni_shadow *sh, const struct cni_route *route)
{
	cni_diag(sh->c->diags, CNI403, route->ast->name.span,
		 "whether route `%s` or one below can ever match was not found out with %u nodes", route->name,
		 sh->limits->nodes);
}

/* True: it is dead. What a proof builds is large, and of no use afterwards: it is made in `scratch`. */
static bool check_route(struct cni_shadow *sh, struct cni_arena *scratch, size_t n)
{
	const struct cni_route *route = &sh->policy->routes[n];
	struct cni_shadow_routes takers = { 0 };
	bool dead = false;

	if (sh->complete && cni_region_is_empty(&sh->areas[CNI_V4][n]) && cni_region_is_empty(&sh->areas[CNI_V6][n]))
		return report_contradiction(sh, route);
	switch (judge(sh, scratch, n, &takers)) {
	case ALIVE:
		break;
	case DEAD:
		dead = report_dead(sh, scratch, n, &takers);
		break;
	case UNDECIDED:
		report_unknown(sh, route);
		break;
	}
	cni_arena_clear(scratch);
	return dead;
}

/* ---- a policy, a model ---- */

/* What each route of the policy matches; nothing of it can be found in the index yet. */
static void map_areas(struct cni_shadow *sh, struct cni_arena *arena)
{
	size_t n = sh->policy->n_routes;
	struct cni_work work = { .left = sh->left };

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		sh->areas[f] = cni_new_array(arena, struct cni_region, n);
		for (size_t i = 0; i < n; i++) {
			sh->areas[f][i] = cni_region_of_match(arena, &sh->all[f], &sh->policy->routes[i].match, &work);
			if (work.spent)
				sh->areas[f][i] = (struct cni_region){ .family = f };
		}
		sh->index[f] = cni_region_index_new(arena, &sh->all[f], sh->areas[f], n);
	}
	sh->left = work.left;
	sh->complete = !work.spent;
}

static void check_policy(struct cni_shadow *sh, cni_shadow_living *living)
{
	struct cni_arena *arena = cni_arena_new(), *scratch = cni_arena_new();

	sh->dead = cni_new_array(arena, bool, sh->policy->n_routes);
	sh->live = NULL;
	sh->entangled = false;
	map_areas(sh, arena);
	for (size_t n = 0; n < sh->policy->n_routes && !sh->failed; n++) {
		/* what a dead one matches is taken before: it takes nothing from those below */
		sh->dead[n] = check_route(sh, scratch, n);
		if (sh->dead[n] || sh->failed)
			continue;
		living(sh, n);
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
			cni_region_index_add(sh->index[f], n);
	}
	cni_arena_free(scratch);
	cni_arena_free(arena);
}

void cni_shadow_each(const struct cni_checker *c, const struct cni_shadow_limits *limits, cni_shadow_living *living,
		     void *arg)
{
	struct cni_shadow sh = { .c = c,
				 .limits = limits,
				 .left = limits->run,
				 .part_left = limits->run,
				 .covers = limits->covers,
				 .arg = arg };

	sh.never_steered = cni_meaning_never(c->arena, c->model);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		sh.all[f] = cni_region_all(c->arena, f);
		sh.never[f] = cni_region_to(&sh.all[f], &sh.never_steered);
	}
	for (size_t i = 0; i < c->model->n_policies && !sh.failed; i++) {
		sh.policy = &c->model->policies[i];
		check_policy(&sh, living);
	}
	cni_spaces_free(sh.spaces);
}

bool cni_check_dead_routes(const struct cni_checker *c, const struct cni_subject *s)
{
	size_t before = c->diags->n_warnings;

	(void)s;
	cni_shadow_each(c, &cni_shadow_usual, cni_shadow_members, NULL);
	return c->diags->n_warnings == before;
}
