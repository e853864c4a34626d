/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route.c - a route's path: what its targets can carry and where masquerading is allowed. */
#include "compiler/check/check.h"

bool cni_check_masquerade(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_path *path = &s->route->path;
	bool holds = true;

	for (size_t i = 0; i < path->n_members; i++) {
		const struct cni_target *t = &c->model->targets[path->members[i].target];
		struct cni_diag *d;

		if (!path->members[i].masquerade || cni_is_link(t, CNI_INTERNET))
			continue;
		d = cni_diag(c->diags, CNI407, cni_member_span(s->route, i),
			     "`masquerade` on `%s`, which is no internet link", t->name);
		cni_diag_help(c->diags, d, "`masquerade` goes with links of kind internet and with `via main`");
		holds = false;
	}
	return holds;
}

static const char *const family_names[CNI_N_FAMILIES] = { "IPv4", "IPv6" };

/* Whether no packet of this family can match: addresses of the other one only, or its ICMP. */
static bool excludes(const struct cni_match *match, enum cni_family family)
{
	bool from = match->has_from && !match->not_from, to = match->has_to && !match->not_to;

	if ((from && !cni_ranges_count(&match->from, family)) || (to && !cni_ranges_count(&match->to, family)))
		return true;
	for (size_t i = 0; i < match->n_icmp; i++)
		if (!match->icmp[i].negated && match->icmp[i].family != family)
			return true;
	return false;
}

/* Whether the match names this family: addresses of it, or its ICMP. Whoever matches any packet names none. */
static bool names(const struct cni_match *match, enum cni_family family)
{
	bool named = (match->has_from && !match->not_from) || (match->has_to && !match->not_to);

	for (size_t i = 0; i < match->n_icmp; i++)
		named |= !match->icmp[i].negated;
	return named && !excludes(match, family);
}

bool cni_check_family(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_path *path = &s->route->path;
	bool holds = true;

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		if (!names(&s->route->match, f))
			continue;
		for (size_t i = 0; i < path->n_members; i++) {
			const struct cni_target *t = &c->model->targets[path->members[i].target];

			if (t->carries[f])
				continue;
			cni_diag(c->diags, CNI410, cni_member_span(s->route, i),
				 "`%s` has no %s address: for %s packets of route `%s` it is down", t->name,
				 family_names[f], family_names[f], s->route->name);
			holds = false;
		}
	}
	return holds;
}

bool cni_check_source(const struct cni_checker *c, const struct cni_subject *s)
{
	const struct cni_route *route = s->route;
	enum cni_family other = route->source.family == CNI_V4 ? CNI_V6 : CNI_V4;

	if (!route->has_source || !excludes(&route->match, route->source.family))
		return true;
	cni_diag(c->diags, CNI405, route->ast->source->span,
		 "route `%s` takes %s packets only: this `source` is of none", route->name, family_names[other]);
	return false;
}
