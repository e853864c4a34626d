/* SPDX-License-Identifier: GPL-2.0-or-later */
/* claim.c - what is held against what; and, where they differ, a packet that shows it. */
#include "compiler/proof/proving.h"

#include "compiler/meaning/hints.h"
#include "compiler/meaning/meaning.h"

bool proof_is_late(const struct proving *p)
{
	return p->limits->is_late && p->limits->is_late(p->limits->arg);
}

bool proof_is_over(const struct proving *p)
{
	return proof_is_late(p) || p->proof.answer != CNI_PROVEN || p->d.error || cni_spaces_failed(p->spaces);
}

/* One that a reader of the policy knows. */
static struct cni_header packet_of(struct proving *p, enum cni_family family, struct cni_space where)
{
	struct cni_hints from = { 0 }, to = { 0 };

	cni_hints_from(p->texts.arena, &p->model, 1, &from);
	cni_hints_to(p->texts.arena, &to);
	return cni_space_witness(p->spaces, family, where, &from, &to);
}

/* By what the policy decides about the packet: not of what the router sends for itself. */
static void tell_line(struct proving *p, const struct claim *claim, const struct cni_header *packet)
{
	struct cni_counterexample *x = &p->proof.example;
	const struct cni_policy *policy = meant_policy(p->model, claim->device);
	const unsigned int label = claim->by_routes ? meant_label(&p->meant, claim->device, packet) : CNI_LABEL_NEVER;

	if (label == CNI_LABEL_NEVER)
		return;
	x->line = cni_meaning_name(p->texts.arena, policy, label);
	x->span = cni_meaning_span(policy, label);
}

static void refute(struct proving *p, const struct claim *claim, struct cni_space where, struct cni_map is,
		   struct cni_map should)
{
	const struct cni_pairs pairs = cni_map_pairs(p->spaces, p->texts.arena, is, should, where);
	const struct cni_pair *pair = pairs.items;
	struct cni_text text = { .arena = p->texts.arena };
	struct cni_header packet;

	while (pair < pairs.items + pairs.n_items && pair->a == pair->b)
		pair++;
	if (pair == pairs.items + pairs.n_items)
		return;
	where = cni_space_and(p->spaces, where, cni_map_where(p->spaces, is, pair->a));
	where = cni_space_and(p->spaces, where, cni_map_where(p->spaces, should, pair->b));
	if (cni_spaces_failed(p->spaces))
		return;
	packet = packet_of(p, claim->family, where);
	cni_header_print(&text, &packet);
	p->proof.answer = CNI_REFUTED;
	p->proof.example =
		(struct cni_counterexample){ .what = claim->what,
					     .where = claim->device ? cni_printf(p->texts.arena, "on %s", claim->device)
								    : "from the router itself",
					     .packet = text.data,
					     .should = claim->tell(p, pair->b),
					     .is = claim->tell(p, pair->a) };
	tell_line(p, claim, &packet);
}

const char *proof_tell_text(struct proving *p, unsigned int label)
{
	return p->texts.items[label];
}

const char *proof_tell_outcome(struct proving *p, unsigned int label)
{
	const struct outcome *o = &p->machine.outcomes[label];

	switch (o->kind) {
	case OUT_ACCEPT:
		return cni_printf(p->texts.arena, "mark 0x%x, flow's mark 0x%x", o->marks.mark, o->marks.ct_mark);
	case OUT_CHOICE:
		return "by hash";
	default:
		return o->kind == OUT_DROP ? "drop" : o->kind == OUT_REJECT ? "reject" : "translated";
	}
}

/* Class by class: where the two of a pair come to the same anyway, there is nothing to ask of packets. */
void proof_compare(struct proving *p, const struct claim *claim, struct classes is, struct classes should)
{
	const struct class_pair *pairs;
	size_t n;

	if (proof_is_over(p))
		return;
	p->proof.n_maps++;
	pairs = classes_meet(&p->machine.classing, &is, &should, claim->domain, &n);
	for (size_t i = 0; i < n && !proof_is_over(p); i++) {
		struct cni_space where;

		if (pairs[i].then_a.node == pairs[i].then_b.node)
			continue;
		where = cni_space_and(p->spaces, claim->domain, cni_map_where(p->spaces, is.of, pairs[i].a));
		where = cni_space_and(p->spaces, where, cni_map_where(p->spaces, should.of, pairs[i].b));
		refute(p, claim, where, pairs[i].then_a, pairs[i].then_b);
	}
}
