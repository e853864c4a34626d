/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect.c - judges each `expect`: see expect.h. */
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/expect_internal.h"
#include "compiler/check/one_packet.h"

struct cni_expects *cni_expects_new(struct cni_arena *arena, const struct cni_model *model)
{
	struct cni_expects *x = cni_new(arena, struct cni_expects);

	x->arena = arena;
	x->model = model;
	x->never = cni_never_steered(arena, model);
	x->down = cni_new_array(arena, bool, model->n_targets + 1);
	return x;
}

void cni_expects_free(struct cni_expects *x)
{
	cni_spaces_free(x->spaces);
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

/* ---- what is asked for ---- */

/* `never` holds whatever else is down: then a path may come to each of its members, and to its end. */
static bool may_come_to(const struct cni_expects *x, const struct cni_expect *e, const struct cni_decision *d,
			enum cni_family family)
{
	const struct cni_path *path = d->route ? &d->route->path : NULL;

	if (e->outcome != CNI_VERDICT_NONE)
		return d->verdict == e->outcome || (path && path->n_members && path->otherwise == e->outcome);
	for (size_t i = 0; path && i < path->n_members; i++)
		if (path->members[i].target == e->target)
			return !x->down[e->target] && x->model->targets[e->target].carries[family];
	return false;
}

bool expect_is_met(const struct cni_expects *x, const struct cni_expect *e, const struct cni_decision *d,
		   enum cni_family family)
{
	if (e->never)
		return !may_come_to(x, e, d, family);
	if (e->outcome != CNI_VERDICT_NONE)
		return d->verdict == e->outcome;
	for (size_t i = 0; i < d->n_targets; i++)
		if (d->targets[i] == e->target)
			return true;
	return false;
}

/* ---- what is reported ---- */

static const char *outcome_text(const struct cni_expects *x, const struct cni_decision *decision)
{
	static const char *const verdicts[] = { "", "main", "drop", "reject" };
	const char *text = "via ";

	if (decision->verdict != CNI_VERDICT_NONE)
		return verdicts[decision->verdict];
	for (size_t i = 0; i < decision->n_targets; i++)
		text = cni_printf(x->arena, "%s%s%s", text, i ? ", " : "",
				  x->model->targets[decision->targets[i]].name);
	return text;
}

/* `such_as` is one of many packets; NULL: there is just one. */
static void report_unmet(const struct cni_expects *x, const struct cni_expect *e, const struct cni_decision *d,
			 const struct cni_header *such_as, struct cni_diags *diags)
{
	const char *outcome = outcome_text(x, d), *which = such_as ? "a packet" : "the packet";
	struct cni_diag *diag = cni_diag(diags, CNI411, e->decl->outcome_span, "this `expect` does not hold: %s %s%s",
					 which, e->never ? "may take that way, now " : "goes ", outcome);
	struct cni_text text = { .arena = x->arena };

	if (such_as) {
		cni_header_print(&text, such_as);
		cni_diag_related(diags, diag, e->decl->span, "such as: on %s %s", e->device, text.data);
	}
	if (d->route)
		cni_diag_related(diags, diag, d->route->ast->name.span, "route `%s` decides: %s", d->route->name,
				 outcome);
	else if (d->never_steered)
		cni_diag_related(
			diags, diag, d->policy->decl->name.span,
			"no policy decides: a lan, the router itself or a network that it is on is never steered");
	else if (d->policy)
		cni_diag_related(diags, diag, d->policy->decl->otherwise_span, "no route matches, `else` decides: %s",
				 outcome);
}

/* A set that came empty from a file is no contradiction: of no packet everything holds. */
static bool is_void(const struct cni_match *m)
{
	return (m->has_from && !m->not_from && cni_ranges_is_empty(&m->from)) ||
	       (m->has_to && !m->not_to && cni_ranges_is_empty(&m->to));
}

static bool report_none(const struct cni_expect *e, struct cni_diags *diags)
{
	if (is_void(&e->match))
		return true;
	cni_diag(diags, CNI415, e->decl->span, "there is no packet such as this `expect` describes");
	return false;
}

/* ---- one expect ---- */

static bool many_hold(struct cni_expects *x, const struct cni_expect *e, struct cni_diags *diags)
{
	struct cni_decision decision;
	struct cni_header such_as;

	switch (expect_prove(x, e, &decision, &such_as)) {
	case PROOF_HOLDS:
		return true;
	case PROOF_EMPTY:
		return report_none(e, diags);
	case PROOF_BREAKS:
		report_unmet(x, e, &decision, &such_as, diags);
		return false;
	default:
		cni_diag_help(diags,
			      cni_diag(diags, CNI412, e->decl->span,
				       "whether this `expect` holds was not found out with diagrams of %u nodes",
				       CNI_DEFAULT_NODES),
			      "ask for fewer packets at a time, or for single ones");
		return false;
	}
}

bool cni_expect_holds(struct cni_expects *x, const struct cni_expect *e, struct cni_diags *diags)
{
	struct cni_decision decision;
	struct cni_packet packet;
	enum cni_match_kind many;
	enum cni_shape shape = cni_one_packet(&e->match, &packet, &many);

	cni_expect_down(x->model, e, x->down);
	if (shape == CNI_NO_PACKET)
		return report_none(e, diags);
	if (shape == CNI_MANY_PACKETS)
		return many_hold(x, e, diags);
	decision = cni_evaluate(x->arena, x->model, &x->never, e->device, &packet, x->down);
	if (decision.asks) /* for what is not said, and so may be anything */
		return many_hold(x, e, diags);
	if (expect_is_met(x, e, &decision, packet.to.family))
		return true;
	report_unmet(x, e, &decision, NULL, diags);
	return false;
}

bool cni_check_expects(const struct cni_checker *c, const struct cni_subject *s)
{
	struct cni_expects *expects = cni_expects_new(c->arena, c->model);
	bool holds = true;

	(void)s;
	for (size_t i = 0; i < c->model->n_expects; i++)
		holds &= cni_expect_holds(expects, &c->model->expects[i], c->diags);
	cni_expects_redundant(expects, c->diags);
	cni_expects_free(expects);
	return holds;
}
