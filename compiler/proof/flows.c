/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flows.c - packets of flows that are known: of this policy, of another epoch, or answers. */
#include "compiler/proof/proving.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "compiler/lower.h"

#define MAX_STALE 16 /* paths of a device whose flows are followed into another epoch: each costs a classification */

/* Later packets of a flow, whether somebody translates it or not. By its mark all of them stay. Where they are classified
 * again, those that come to the mark by their fields do, by the same hash. */
static void prove_known(struct arrival *a, const struct leaf *leaf, uint32_t status)
{
	struct proving *p = a->p;
	const bool by_mark = p->model->options.known_flows == CNI_KNOWN_BY_MARK;

	arrival_compare(a, "a known flow", by_mark ? a->tracked : arrival_packets(a, leaf),
			arrival_run(a, leaf->marks.ct_mark, status, false, RTN_UNICAST),
			by_mark || leaf->translates ? proof_marked(p, OUT_ACCEPT, leaf->marks.mark) : a->marks);
}

/* The same path in another epoch, as a conntrack mark. */
static uint32_t in_other_epoch(const struct cni_model *model, uint32_t ct_mark)
{
	const uint32_t id_mask = cni_id_mask(model->options.mark_mask), bit = id_mask + (id_mask & -id_mask);
	const uint32_t epoch = ct_mark & (7 * bit);

	return (ct_mark & id_mask) | (epoch == bit ? 2 * bit : bit);
}

/* A flow that is not translated, of another epoch or of none: is classified again, but where its new route would translate
 * it, which cannot begin in its midst, it `stays`. */
void prove_stale(struct arrival *a, const char *what, uint32_t ct_mark, struct classes stays)
{
	const struct classes is = arrival_run(a, ct_mark, CONFIRMED, false, RTN_UNICAST);

	if (!cni_space_is_empty(a->translated))
		arrival_compare(a, what, a->translated, is, stays);
	arrival_compare(a, what, cni_space_not(a->p->spaces, a->translated), is, a->marks);
}

/* One that is: its translation holds it. */
static void prove_held(struct arrival *a, const struct leaf *leaf, uint32_t ct_mark)
{
	arrival_compare(a, "a translated flow of another epoch", a->steered,
			arrival_run(a, ct_mark, CONFIRMED | TRANSLATED, false, RTN_UNICAST),
			leaf->translates ? proof_marked(a->p, OUT_ACCEPT, leaf->marks.mark) : a->marks);
}

/* Whether a flow's mark is another than `arg` behind the hook. */
static struct classes is_remarked(struct machine *m, unsigned int label, void *arg)
{
	const struct outcome from = m->outcomes[label];
	struct outcome to;

	memset(&to, 0, sizeof(to));
	to.kind = from.kind == OUT_ACCEPT && from.marks.ct_mark != *(const uint32_t *)arg ? OUT_RETURN : OUT_ACCEPT;
	return classes_plain(cni_map_all(m->spaces, machine_outcome(m, &to)));
}

static struct classes accepted(struct proving *p)
{
	struct outcome outcome;

	memset(&outcome, 0, sizeof(outcome));
	outcome.kind = OUT_ACCEPT;
	return classes_plain(cni_map_all(p->spaces, machine_outcome(&p->machine, &outcome)));
}

/* What comes the other way is classified by itself, and leaves the flow's mark as it is. */
void prove_reply(struct arrival *a, const struct leaf *leaf, uint32_t status)
{
	struct proving *p = a->p;
	const struct classes is = arrival_run(a, leaf->marks.ct_mark, status, true, RTN_UNICAST);
	uint32_t mark = leaf->marks.ct_mark;

	arrival_compare(a, "a reply", a->tracked, is, a->marks);
	arrival_compare(a, "a flow's mark at a reply", a->tracked, machine_bind(&p->machine, is, is_remarked, &mark),
			accepted(p));
}

void prove_flows(struct arrival *a)
{
	struct proving *p = a->p;
	const uint32_t gone = in_other_epoch(p->model, cni_id_mask(p->model->options.mark_mask));

	for (size_t i = 0; i < a->n_leaves && !proof_is_over(p); i++) {
		prove_known(a, &a->leaves[i], CONFIRMED);
		prove_known(a, &a->leaves[i], CONFIRMED | TRANSLATED);
	}
	p->proof.n_paths += a->n_leaves;
	prove_stale(a, "a flow from before the policy", 0, proof_marked(p, OUT_ACCEPT, 0));
	if (a->n_leaves)
		prove_stale(a, "a flow whose path is gone", gone, proof_marked(p, OUT_DROP, 0));
	for (size_t i = 0; i < a->n_leaves && i < MAX_STALE && !proof_is_over(p); i++) {
		const uint32_t ct_mark = in_other_epoch(p->model, a->leaves[i].marks.ct_mark);

		prove_stale(a, "a flow of another epoch", ct_mark,
			    proof_marked(p, OUT_ACCEPT, a->leaves[i].marks.mark));
		prove_held(a, &a->leaves[i], ct_mark);
		prove_reply(a, &a->leaves[i], CONFIRMED);
		prove_reply(a, &a->leaves[i], CONFIRMED | TRANSLATED);
	}
}

/* The router knows addresses of its own that the policy does not. */
void prove_local_addresses(struct arrival *a)
{
	static const uint32_t types[] = { RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		arrival_compare(a, "a packet to the router", a->tracked, arrival_run(a, 0, 0, false, types[i]),
				proof_marked(a->p, OUT_ACCEPT, 0));
}

/* What came in by a target and now begins here, is a flow of this policy; it was none whose translation could begin. */
void prove_moved(struct arrival *a, const uint32_t *returns)
{
	struct proving *p = a->p;

	for (size_t t = 0; t < p->model->n_targets && t < MAX_STALE && !proof_is_over(p); t++)
		if (returns[t])
			prove_stale(a, "a flow that came in by a target", returns[t], proof_marked(p, OUT_DROP, 0));
}
