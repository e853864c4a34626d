/* SPDX-License-Identifier: GPL-2.0-or-later */
/* checks.c - what the checks say of a policy (its dead routes, and what `expect` evaluates) and what `cnic explain` says of
 * its rules, against the naive reading;
 * see trial.h. */
#include <string.h>

#include "compiler/arena.h"
#include "compiler/check/evaluate.h"
#include "compiler/explain/explain.h"
#include "tests/property/trial.h"

static const struct cni_diag *said_dead(const struct trial *t, const struct cni_route *route)
{
	const struct cni_span span = route->ast->span;

	for (const struct cni_diag *d = t->compiled->diags.first; d; d = d->next)
		if ((d->code == CNI401 || d->code == CNI402) && d->span.begin >= span.begin && d->span.end <= span.end)
			return d;
	return NULL;
}

static bool same_outcome(const struct fate *fate, const struct cni_decision *d)
{
	static const enum cni_verdict verdicts[] = { CNI_VERDICT_MAIN, CNI_VERDICT_DROP, CNI_VERDICT_REJECT,
						     CNI_VERDICT_NONE };

	if (d->asks || d->policy != fate->policy || d->route != fate->route || d->verdict != verdicts[fate->kind] ||
	    (d->verdict == CNI_VERDICT_NONE && d->n_targets != fate->n_shares))
		return false;
	for (size_t i = 0; i < fate->n_shares; i++)
		if (!trial_share_of(fate, d->targets[i]))
			return false;
	return true;
}

/* How a SYN would leave by a target, for the policy. */
static bool leaves_so(const struct trial *t, const struct fate *fate, const struct cni_leaving *l)
{
	const struct fate_share *share = trial_share_of(fate, l->target);
	struct packet syn = t->packet;
	unsigned int mss;

	syn.syn = true;
	syn.mss = UINT16_MAX;
	mss = syn.proto == 6 ? naive_mss(t->model, t->device ? trial_target_of(t->model, t->device) : CNI_NONE,
					 l->target, &syn)
			     : 0;
	return share && share->masquerade == l->masquerades && (mss == UINT16_MAX ? 0 : mss) == l->mss && !l->fault;
}

static bool explains(struct trial *t, const struct fate *fate, const struct cni_packet *packet,
		     const struct cni_decision *decision)
{
	const struct cni_question q = {
		.model = t->model, .iif = t->device, .packet = *packet, .down = t->down, .decision = *decision
	};
	const struct cni_answer answer = cni_answer_of(t->arena, &q, t->compiled->state, cni_question_is_up, &q);

	if (!cni_answer_agrees(&q, &answer))
		return trial_fail(t, PROP_CHECKS, "explain: the rules do otherwise than the policy says");
	if (decision->policy && answer.chosen == CNI_NONE)
		return trial_fail(t, PROP_CHECKS, "explain: of all fields, none says which way is taken");
	for (size_t w = 0; w < answer.n_ways; w++)
		for (size_t i = 0; i < answer.ways[w].n_leaving; i++)
			if (!leaves_so(t, fate, &answer.ways[w].leaving[i]))
				return trial_fail(t, PROP_CHECKS, "explain: another MSS or translation by %s: MSS %u",
						  answer.ways[w].leaving[i].hop->device, answer.ways[w].leaving[i].mss);
	return true;
}

bool trial_checks(struct trial *t, const struct fate *fate)
{
	const struct cni_packet packet = { .known = CNI_HAS_FROM | CNI_HAS_TO | CNI_HAS_PROTO | CNI_HAS_SPORT |
						    CNI_HAS_DPORT | CNI_HAS_DSCP | CNI_HAS_ICMP_TYPE,
					   .from = t->packet.src,
					   .to = t->packet.dst,
					   .proto = t->packet.proto,
					   .sport = t->packet.sport,
					   .dport = t->packet.dport,
					   .dscp = t->packet.dscp,
					   .icmp_type = t->packet.icmp_type };
	const struct cni_ranges never = cni_never_steered(t->arena, t->model);
	const struct cni_decision d =
		cni_evaluate(t->arena, t->model, &never, t->device ? t->device : "local", &packet, t->down);
	char text[FATE_TEXT];

	/* on no wire: only the kernel needs to know what it would do */
	if (!t->packet.dst.v || (t->packet.dst.family == CNI_V4 && t->packet.dst.v >> 24 == 127))
		return true;
	if (fate->route && said_dead(t, fate->route))
		return trial_fail(t, PROP_CHECKS, "route `%s` matches this, and a check says: %s", fate->route->name,
				  said_dead(t, fate->route)->message);
	if (!same_outcome(fate, &d))
		return trial_fail(
			t, PROP_CHECKS, "policy: %s\n  evaluated for `expect`: route %s, verdict %d, %zu targets",
			fate_format(t->model, fate, text), d.route ? d.route->name : "-", (int)d.verdict, d.n_targets);
	return explains(t, fate, &packet, &d);
}
