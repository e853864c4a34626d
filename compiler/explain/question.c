/* SPDX-License-Identifier: GPL-2.0-or-later */
/* question.c - what a policy says of one packet; see explain.h. */
#include <string.h>

#include "compiler/check/expect.h"
#include "compiler/check/one_packet.h"
#include "compiler/explain/explain.h"

static bool is_one_packet(const struct cni_expect *asked, struct cni_packet *packet, struct cni_diags *diags)
{
	enum cni_match_kind many;

	switch (cni_one_packet(&asked->match, packet, &many)) {
	case CNI_MANY_PACKETS:
		cni_diag_help(
			diags,
			cni_diag(diags, CNI414, cni_match_span(asked->decl, many), "this is more than one packet"),
			"name one address, protocol and port each; what decides nothing may be left out");
		return false;
	case CNI_NO_PACKET:
		cni_diag(diags, CNI415, asked->decl->span, "there is no such packet");
		return false;
	default:
		return true;
	}
}

static void report_asks(struct cni_arena *arena, const struct cni_question *q, struct cni_diags *diags)
{
	const char *missing = cni_fields_text(arena, q->decision.asks);
	struct cni_diag *d = cni_diag(diags, CNI413, q->asked->decl->span,
				      "the packet must say %s: the decision depends on it", missing);

	if (q->decision.route)
		cni_diag_related(diags, d, q->decision.route->ast->name.span, "route `%s` looks at it",
				 q->decision.route->name);
}

/* The routes that were asked before the one that decides. */
static size_t n_above(const struct cni_decision *d)
{
	return d->never_steered ? 0 : d->route ? (size_t)(d->route - d->policy->routes) : d->policy->n_routes;
}

struct cni_question *cni_question_new(struct cni_arena *arena, const struct cni_model *model, const bool *down,
				      struct cni_diags *diags)
{
	struct cni_question *q = cni_new(arena, struct cni_question);
	const struct cni_ranges never = cni_never_steered(arena, model);

	q->model = model;
	q->asked = model->packet;
	q->iif = strcmp(q->asked->device, "local") != 0 ? q->asked->device : NULL;
	if (!is_one_packet(q->asked, &q->packet, diags))
		return NULL;
	q->down = cni_new_array(arena, bool, model->n_targets + 1);
	if (down)
		memcpy(q->down, down, model->n_targets * sizeof(*down));
	else
		cni_expect_down(model, q->asked, q->down);
	q->decision = cni_evaluate(arena, model, &never, q->asked->device, &q->packet, q->down);
	if (q->decision.asks) {
		report_asks(arena, q, diags);
		return NULL;
	}
	q->n_near = cni_near(arena, q->decision.policy, n_above(&q->decision), &q->packet, &q->near);
	return q;
}
