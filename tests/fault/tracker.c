/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracker.c - see tracker.h. */
#include "tests/fault/tracker.h"

#include "compiler/state/down.h"
#include "runtime/netlink/execute.h"

/* Another's tables, or those of an apply that is under way, are not its business. */
static bool is_its_own(const struct cni_state *policy, const struct cni_step *step)
{
	const struct cni_st_route *route = step->after ? step->after : step->before;

	if (step->object != CNI_ROUTE)
		return false;
	for (size_t i = 0; i < policy->n_all_routes; i++)
		if (policy->all_routes[i].table == route->table)
			return true;
	return route->table == policy->down_table;
}

/* All routes in one go, as they come; others may be at the same ones. */
static void change(struct tracker *t, struct cni_arena *arena, const struct cni_state *from, const struct cni_state *to)
{
	struct rt_execution run = { .nl = t->nl, .keep_going = true };
	const struct cni_plan *plan;
	struct cni_diags diags;

	cni_diags_init(&diags, arena);
	plan = cni_plan(arena, from, to, &diags);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (is_its_own(to, &plan->steps[i]))
			(void)rt_execute(&run, &plan->steps[i], 1);
}

void tracker_come(struct tracker *t, struct rt_netlink *nl, const char *file)
{
	*t = (struct tracker){ .nl = nl, .knows = attempt_new(nl, file, false) };
	if (!t->knows.plan)
		bail_out("the tracker has no plan for %s", file);
	change(t, t->knows.arena, t->knows.plan->observed, t->knows.plan->desired);
}

void tracker_go(struct tracker *t)
{
	attempt_free(&t->knows);
}

void tracker_say(struct tracker *t, unsigned int down)
{
	struct cni_state before = *t->knows.plan->desired, after = before;
	struct cni_arena *arena = cni_arena_new();
	const char **names = cni_new_array(arena, const char *, after.n_tracked);
	size_t n = 0;

	rt_forget_devices(t->nl);
	for (size_t i = 0; i < after.n_tracked; i++)
		if (down & 1u << i)
			names[n++] = after.tracked[i];
	cni_state_follow(arena, &before, router_look(t->nl, arena));
	cni_state_follow_names(arena, &after, names, n);
	change(t, arena, &before, &after);
	cni_arena_free(arena);
}
