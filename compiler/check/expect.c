/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect.c - proves each `expect` that speaks of one packet, and says what is missing from one that does not. */
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/expect.h"
#include "compiler/check/one_packet.h"

/* The one packet that an expect speaks of; false (reported) when it is not one. */
static bool read_packet(const struct cni_checker *c, const struct cni_expect *e, struct cni_packet *packet)
{
	enum cni_match_kind many;
	struct cni_diag *d;

	switch (cni_one_packet(&e->match, packet, &many)) {
	case CNI_MANY_PACKETS:
		d = cni_diag(c->diags, CNI412, cni_match_span(e->decl, many),
			     "this `expect` speaks of more than one packet");
		cni_diag_help(c->diags, d,
			      "only single packets can be proven so far: one address, protocol and port each");
		return false;
	case CNI_NO_PACKET:
		cni_diag(c->diags, CNI415, e->decl->span, "there is no packet such as this `expect` describes");
		return false;
	default:
		return true;
	}
}

void cni_expect_down(const struct cni_model *m, const struct cni_expect *e, bool *down)
{
	memset(down, 0, m->n_targets * sizeof(*down));
	for (size_t i = 0; i < e->n_down; i++)
		down[e->down[i]] = true;
	for (size_t i = m->n_links; i < m->n_targets && e->n_down; i++) {
		bool all = m->targets[i].tunnel.n_over > 0;

		for (size_t o = 0; o < m->targets[i].tunnel.n_over; o++)
			all &= down[m->targets[i].tunnel.over[o]];
		down[i] |= all;
	}
}

/* `never via X` holds whatever else is down: no route that decides may name X, unless X is said to be down. */
static bool may_take(const struct cni_checker *c, const struct cni_expect *e, const struct cni_decision *decision,
		     const bool *down)
{
	const struct cni_path *path = decision->route ? &decision->route->path : NULL;
	enum cni_family family = e->match.has_to && e->match.to.n_v6 ? CNI_V6 : CNI_V4;

	for (size_t i = 0; path && i < path->n_members; i++)
		if (path->members[i].target == e->target)
			return !down[e->target] && c->model->targets[e->target].carries[family];
	return false;
}

static bool is_met(const struct cni_checker *c, const struct cni_expect *e, const struct cni_decision *decision,
		   const bool *down)
{
	if (e->outcome != CNI_VERDICT_NONE)
		return (decision->verdict == e->outcome) != e->never;
	if (e->never)
		return !may_take(c, e, decision, down);
	for (size_t i = 0; i < decision->n_targets; i++)
		if (decision->targets[i] == e->target)
			return true;
	return false;
}

static const char *outcome_text(const struct cni_checker *c, const struct cni_decision *decision)
{
	static const char *const verdicts[] = { "", "main", "drop", "reject" };
	const char *text = "via ";

	if (decision->verdict != CNI_VERDICT_NONE)
		return verdicts[decision->verdict];
	for (size_t i = 0; i < decision->n_targets; i++)
		text = cni_printf(c->arena, "%s%s%s", text, i ? ", " : "",
				  c->model->targets[decision->targets[i]].name);
	return text;
}

static void report_unmet(const struct cni_checker *c, const struct cni_expect *e, const struct cni_decision *decision)
{
	const char *outcome = outcome_text(c, decision);
	struct cni_diag *d = cni_diag(c->diags, CNI411, e->decl->outcome_span, "this `expect` does not hold: %s%s",
				      e->never ? "the packet may take that way, now " : "the packet goes ", outcome);

	if (decision->route)
		cni_diag_related(c->diags, d, decision->route->ast->name.span, "route `%s` decides: %s",
				 decision->route->name, outcome);
	else if (decision->never_steered)
		cni_diag_related(
			c->diags, d, decision->policy->decl->name.span,
			"no policy decides: a lan, the router itself or a network that it is on is never steered");
	else if (decision->policy)
		cni_diag_related(c->diags, d, decision->policy->decl->otherwise_span,
				 "no route matches, `else` decides: %s", outcome);
}

static void report_asks(const struct cni_checker *c, const struct cni_expect *e, const struct cni_decision *decision)
{
	struct cni_diag *d;

	d = cni_diag(c->diags, CNI413, e->decl->span, "this `expect` must say %s: the decision depends on it",
		     cni_fields_text(c->arena, decision->asks));
	if (decision->route)
		cni_diag_related(c->diags, d, decision->route->ast->name.span, "route `%s` looks at it",
				 decision->route->name);
}

bool cni_expect_holds(struct cni_arena *arena, const struct cni_model *model, const struct cni_ranges *never,
		      const struct cni_expect *expect, struct cni_diags *diags)
{
	const struct cni_checker c = { arena, model, diags };
	bool *down = cni_new_array(arena, bool, model->n_targets + 1);
	struct cni_decision decision;
	struct cni_packet packet;

	if (!read_packet(&c, expect, &packet))
		return false;
	cni_expect_down(model, expect, down);
	decision = cni_evaluate(arena, model, never, expect->device, &packet, down);
	if (decision.asks)
		report_asks(&c, expect, &decision);
	else if (!is_met(&c, expect, &decision, down))
		report_unmet(&c, expect, &decision);
	else
		return true;
	return false;
}

bool cni_check_expects(const struct cni_checker *c, const struct cni_subject *s)
{
	struct cni_ranges never = cni_never_steered(c->arena, c->model);
	bool holds = true;

	(void)s;
	for (size_t i = 0; i < c->model->n_expects; i++)
		holds &= cni_expect_holds(c->arena, c->model, &never, &c->model->expects[i], c->diags);
	return holds;
}
