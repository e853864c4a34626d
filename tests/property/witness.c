/* SPDX-License-Identifier: GPL-2.0-or-later */
/* witness.c - a route is told dead, or there is a packet that it takes: taken out of the packets of its label, and shown to
 * the naive reading; see trial.h. */
#include "compiler/arena.h"
#include "compiler/meaning/meaning.h"
#include "tests/property/trial.h"

static bool is_void(const struct cni_match *m)
{
	return (m->has_from && !m->not_from && cni_ranges_is_empty(&m->from)) ||
	       (m->has_to && !m->not_to && cni_ranges_is_empty(&m->to));
}

static bool is_told_dead(const struct trial *t, const struct cni_route *route)
{
	for (const struct cni_diag *d = t->compiled->diags.first; d; d = d->next)
		if ((d->code == CNI401 || d->code == CNI402 || d->code == CNI404) &&
		    d->span.begin == route->ast->name.span.begin)
			return true;
	return is_void(&route->match);
}

/* Of one family; *found: some packet is the route's. */
static bool route_holds(struct trial *t, struct cni_spaces *s, enum cni_family family, struct cni_space taken,
			const struct cni_route *route, bool *found)
{
	struct cni_header header;
	struct fate fate;

	if (cni_space_is_empty(taken))
		return true;
	*found = true;
	header = cni_space_witness(s, family, taken, NULL, NULL);
	t->packet = packet_of_header(&header);
	fate = naive_fate(t->model, t->device, &t->packet, t->down);
	return fate.route == route || trial_fail(t, PROP_CHECKS, "a packet that route `%s` takes is taken by %s",
						 route->name, fate.route ? fate.route->name : "none");
}

static bool policy_holds(struct trial *t, struct cni_spaces *s, const struct cni_policy *policy)
{
	const struct cni_ranges never = cni_meaning_never(t->arena, t->model);
	struct cni_map maps[CNI_N_FAMILIES];

	t->device = policy->n_devices ? policy->devices[0] : NULL;
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		maps[f] = cni_meaning_routes(s, policy, &never, f);
	for (size_t i = 0; i < policy->n_routes; i++) {
		bool found = false;

		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
			if (!route_holds(t, s, f, cni_map_where(s, maps[f], (unsigned int)i + 1), &policy->routes[i],
					 &found))
				return false;
		if (found == is_told_dead(t, &policy->routes[i]))
			return trial_fail(t, PROP_CHECKS, "route `%s` is %s, and no check says so",
					  policy->routes[i].name, found ? "alive" : "dead");
	}
	return true;
}

bool trial_witnesses(struct trial *t)
{
	struct cni_spaces *s = cni_spaces_new(t->arena, NULL, CNI_DEFAULT_NODES);
	bool holds = true;

	for (size_t p = 0; p < t->model->n_policies && holds; p++)
		holds = policy_holds(t, s, &t->model->policies[p]);
	cni_spaces_free(s);
	return holds;
}
