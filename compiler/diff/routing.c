/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routing.c - steps for rules and routes. */
#include "compiler/diff/diff.h"

/* Whether packets that a rule of ours leads by their source would meet this one as well: it takes them over as soon as
 * it is there, and the tunnel that sends them may have to change first. */
static bool takes_over(const struct diff *d, const struct cni_st_rule *rule)
{
	for (size_t i = 0; rule->has_from && i < d->observed->n_rules; i++) {
		const struct cni_st_rule *other = &d->observed->rules[i];

		if (other->owned && other->has_from && other->family == rule->family &&
		    cni_prefix_equal(other->from, rule->from))
			return true;
	}
	return false;
}

void diff_rule(struct diff *d, const struct cni_st_rule *before, const struct cni_st_rule *after)
{
	if (!before && after->owned && takes_over(d, after))
		diff_step(d, CNI_IN_PLACE, P_RULE, CNI_RULE, CNI_ADD, NULL, after, after->span,
			  cni_printf(d->arena, "outer packets and answers go by table %u at once", after->table));
	else if (!before && after->owned)
		diff_step(d, CNI_EXPAND, X_RULE, CNI_RULE, CNI_ADD, NULL, after, after->span, NULL);
	/* one with a selector that cnic never writes was made by hand, whatever its protocol says */
	if (!after && before->owned && !before->other)
		diff_step(d, CNI_CONTRACT, C_RULE, CNI_RULE, CNI_DELETE, before, NULL, before->span, NULL);
}

/* Whether a route goes with something that stands below it: for a moving address, which is IPv4, only those of IPv4. */
static bool over_remade(const struct diff *d, const struct cni_st_route *route)
{
	for (size_t i = 0; route && i < route->n_hops; i++) {
		enum remake how = route->hops[i].device ? diff_remade(d, route->hops[i].device) : REMAKE_NOT;

		if (how > REMAKE_ADDRESS || (how == REMAKE_ADDRESS && route->family == CNI_V4))
			return true;
	}
	return false;
}

/* Whether packets are looked up in this table now. */
static bool is_live(const struct cni_state *observed, uint32_t table)
{
	for (size_t i = 0; i < observed->n_rules; i++)
		if (observed->rules[i].table == table)
			return true;
	return false;
}

static void report_foreign(struct diff *d, const struct cni_st_route *foreign, const struct cni_st_route *ours)
{
	char to[CNI_ADDR_TEXT];
	struct cni_diag *diag =
		cni_diag(d->diags, CNI553, ours->span, "table %u has a route to %s with metric %u that is not cnic's%s",
			 foreign->table, cni_prefix_format(foreign->to, to), foreign->metric,
			 foreign->metric < ours->metric ? ", and comes before cnic's own" : "");

	cni_diag_help(d->diags, diag, "remove it, or choose other tables with options { table }");
}

static bool fills_table(const struct cni_state *desired, const struct cni_st_route *route)
{
	for (size_t i = 0; i < desired->n_rules; i++)
		if (cni_rule_fills(&desired->rules[i]) && desired->rules[i].table == route->table &&
		    desired->rules[i].family == route->family)
			return true;
	for (size_t i = 0; i < desired->n_routes; i++)
		if (cni_route_fills(&desired->routes[i]) && desired->routes[i].table == route->table &&
		    desired->routes[i].family == route->family)
			return true;
	return false;
}

/* A wanted route that packets would not meet for the foreign one. NULL: none, or the foreign one is itself wanted. */
static const struct cni_st_route *find_outranked(const struct diff *d, const struct cni_st_route *foreign)
{
	const struct cni_st_route *found = NULL;

	for (size_t i = 0; i < d->desired->n_routes; i++) {
		const struct cni_st_route *want = &d->desired->routes[i];

		if (want->table != foreign->table || want->family != foreign->family ||
		    want->metric < foreign->metric || !cni_prefix_equal(want->to, foreign->to))
			continue;
		if (want->metric == foreign->metric && cni_route_same(want, foreign))
			return NULL;
		found = found ? found : want;
	}
	return found && fills_table(d->desired, foreign) ? found : NULL;
}

static void look_at_foreign(struct diff *d, const struct cni_st_route *foreign)
{
	const struct cni_st_route *ours = find_outranked(d, foreign);

	if (ours)
		report_foreign(d, foreign, ours);
}

void diff_route(struct diff *d, const struct cni_st_route *before, const struct cni_st_route *after)
{
	/* of a type that cnic never makes: by someone else's hand, whatever its protocol says */
	bool has = before && before->owned && before->type != CNI_RT_OTHER, want = after && after->owned;
	bool off = over_remade(d, before), on = over_remade(d, after);
	bool live = want && is_live(d->observed, after->table);
	const char *disturbs =
		live && before ? cni_printf(d->arena, "what table %u routes takes the new way at once", after->table)
			       : NULL;

	if (want && before && !has) {
		if (!cni_route_same(before, after))
			report_foreign(d, before, after);
		return;
	}
	if (before && !has)
		look_at_foreign(d, before);
	if (!want && (after || !has))
		return;
	if (has && want && !(off && on)) {
		unsigned int rank = off ? P_ROUTE_OFF : P_ROUTE;

		if (cni_route_same(before, after))
			return;
		if (live || on || off)
			diff_step(d, CNI_IN_PLACE, rank, CNI_ROUTE, CNI_CHANGE, before, after, after->span, disturbs);
		else
			diff_step(d, CNI_EXPAND, X_ROUTE, CNI_ROUTE, CNI_CHANGE, before, after, after->span, NULL);
		return;
	}
	if (has)
		diff_step(d, off ? CNI_IN_PLACE : CNI_CONTRACT, off ? P_ROUTE_OFF : C_ROUTE, CNI_ROUTE, CNI_DELETE,
			  before, NULL, before->span, NULL);
	if (want)
		diff_step(d, on || live ? CNI_IN_PLACE : CNI_EXPAND, on || live ? P_ROUTE : X_ROUTE, CNI_ROUTE, CNI_ADD,
			  NULL, after, after->span, NULL);
}
