/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arrival.c - new flows of one device, and the marks that they leave with. */
#include "compiler/proof/proving.h"

#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "compiler/lower.h"

static const char *const family_names[CNI_N_FAMILIES] = { "IPv4", "IPv6" };

/* A mark alone, of what may have left more. */
static struct classes only_mark(struct machine *m, unsigned int label, void *arg)
{
	const struct outcome from = m->outcomes[label];
	struct outcome to;

	(void)arg;
	memset(&to, 0, sizeof(to));
	to.kind = from.kind;
	to.marks.mark = from.marks.mark;
	to.marks.untracked = from.marks.untracked;
	return classes_plain(cni_map_all(m->spaces, machine_outcome(m, &to)));
}

static struct classes marks_of(struct proving *p, struct classes outcomes)
{
	return machine_bind(&p->machine, outcomes, only_mark, NULL);
}

struct classes proof_marked(struct proving *p, enum outcome_kind kind, uint32_t mark)
{
	struct outcome to;

	memset(&to, 0, sizeof(to));
	to.kind = kind;
	to.marks.mark = kind == OUT_ACCEPT ? mark | p->sent.foreign : 0;
	return classes_plain(cni_map_all(p->spaces, machine_outcome(&p->machine, &to)));
}

struct classes arrival_run(struct arrival *a, uint32_t ct_mark, uint32_t status, bool reply, uint32_t fib_type)
{
	struct proving *p = a->p;

	p->machine.now = (struct surroundings){ .family = a->claim.family,
						.iif = a->claim.device,
						.reply = reply,
						.ct_status = status,
						.fib_type = fib_type };
	return machine_hook(&p->machine, a->claim.device ? NF_INET_PRE_ROUTING : NF_INET_LOCAL_OUT,
			    (struct marks){ .mark = p->sent.foreign, .ct_mark = ct_mark | p->sent.foreign });
}

static struct leaf *find_leaf(struct arrival *a, const struct marks *marks)
{
	for (size_t i = 0; i < a->n_leaves; i++)
		if (a->leaves[i].marks.ct_mark == marks->ct_mark && a->leaves[i].marks.mark == marks->mark)
			return &a->leaves[i];
	return NULL;
}

/* Without a note later packets would not stay. */
static void check_note(struct arrival *a, const struct marks *marks)
{
	struct proving *p = a->p;
	const uint32_t id_mask = cni_id_mask(p->model->options.mark_mask);

	if (!(marks->mark & id_mask) || !((marks->mark ^ marks->ct_mark) & id_mask) || marks->untracked ||
	    proof_is_over(p))
		return;
	p->proof.answer = CNI_REFUTED;
	p->proof.example = (struct cni_counterexample){
		.what = a->claim.what,
		.where = a->claim.device ? cni_printf(p->texts.arena, "on %s", a->claim.device)
					 : "from the router itself",
		.packet = "",
		.should = cni_printf(p->texts.arena, "with path %u noted in its mark", marks->mark & id_mask),
		.is = cni_printf(p->texts.arena, "with %u", marks->ct_mark & id_mask),
	};
}

static void add_leaf(struct arrival *a, unsigned int label, bool translates)
{
	const struct outcome outcome = a->p->machine.outcomes[label];
	struct leaf *leaf;

	if (outcome.kind == OUT_CHOICE) {
		add_leaf(a, outcome.below, translates);
		add_leaf(a, outcome.other, translates);
		return;
	}
	if (outcome.kind != OUT_ACCEPT)
		return;
	check_note(a, &outcome.marks);
	if (!(outcome.marks.ct_mark & ~a->p->sent.foreign))
		return;
	leaf = find_leaf(a, &outcome.marks);
	if (!leaf) {
		leaf = cni_push(a->p->texts.arena, a->leaves, a->n_leaves);
		*leaf = (struct leaf){ outcome.marks, false };
	}
	leaf->translates |= translates;
}

/* The labels that a class comes to for packets of `where`. */
static struct cni_labels labels_of(struct proving *p, struct cni_map of, const struct class_pair *pair,
				   struct cni_space where)
{
	const struct cni_map then = pair->then_a, others = cni_map_all(p->spaces, CNI_MAX_LABEL);
	struct cni_labels labels = classes_labels(&p->machine.classing, then);

	if (labels.n_items > 1) {
		where = cni_space_and(p->spaces, where, cni_map_where(p->spaces, of, pair->a));
		labels = cni_map_labels(p->spaces, p->texts.arena, cni_map_ite(p->spaces, where, then, others));
		labels.n_items -= labels.items[labels.n_items - 1] == CNI_MAX_LABEL;
	}
	return labels;
}

/* What new flows of `where` come to. */
static void add_leaves(struct arrival *a, struct cni_space where, bool translates)
{
	struct proving *p = a->p;
	const struct classes any = classes_plain(cni_map_all(p->spaces, 0));
	const struct class_pair *pairs;
	size_t n;

	if (proof_is_over(p))
		return;
	pairs = classes_meet(&p->machine.classing, &a->outcomes, &any, where, &n);
	for (size_t i = 0; i < n; i++) {
		const struct cni_labels labels = labels_of(p, a->outcomes.of, &pairs[i], where);

		for (size_t j = 0; j < labels.n_items; j++)
			add_leaf(a, labels.items[j], translates);
	}
}

static bool comes_to(const struct machine *m, unsigned int label, const struct marks *marks)
{
	const struct outcome *outcome = &m->outcomes[label];

	if (outcome->kind == OUT_CHOICE)
		return comes_to(m, outcome->below, marks) || comes_to(m, outcome->other, marks);
	return outcome->kind == OUT_ACCEPT && outcome->marks.ct_mark == marks->ct_mark &&
	       outcome->marks.mark == marks->mark;
}

/* Packets of new flows that come to it, by some hash at least. */
struct cni_space arrival_packets(struct arrival *a, const struct leaf *leaf)
{
	struct proving *p = a->p;
	const struct cni_map outcomes = classes_flat(&p->machine.classing, &a->outcomes);
	const struct cni_labels labels = classes_labels(&p->machine.classing, outcomes);
	unsigned int *is = cni_new_array(p->texts.arena, unsigned int, p->machine.n_outcomes);

	for (size_t i = 0; i < labels.n_items; i++)
		is[labels.items[i]] = comes_to(&p->machine, labels.items[i], &leaf->marks);
	return cni_map_where(p->spaces, cni_map_relabel(p->spaces, outcomes, is, p->machine.n_outcomes), 1);
}

void arrival_compare(struct arrival *a, const char *what, struct cni_space domain, struct classes is,
		     struct classes should)
{
	struct claim claim = a->claim;

	claim.what = what;
	claim.domain = cni_space_and(a->p->spaces, claim.domain, domain);
	claim.tell = proof_tell_outcome;
	claim.by_routes = false;
	proof_compare(a->p, &claim, marks_of(a->p, is), should);
}

struct arrival arrival_of(struct proving *p, enum cni_family family, const char *device)
{
	struct arrival a = { .p = p,
			     .claim = { cni_printf(p->texts.arena, "a new flow of %s", family_names[family]), device,
					family, cni_space_not(p->spaces, meant_own(&p->meant, family)), proof_tell_text,
					true } };
	const struct classes is = sent_map(&p->sent, family, device, &a.outcomes);

	/* by addresses of the router itself no packet comes in, and what it sends from them has ways of its own */
	if (!device)
		a.claim.domain = cni_space_minus(p->spaces, a.claim.domain, meant_outer(&p->meant, family));
	proof_compare(p, &a.claim, is, meant_map(&p->meant, family, device));
	a.marks = marks_of(p, a.outcomes);
	a.tracked = cni_space_not(p->spaces, meant_untracked(&p->meant, family, device));
	a.steered = cni_space_and(p->spaces, a.tracked, meant_steered(&p->meant, family));
	a.translated = cni_space_and(p->spaces, a.steered, meant_translated(&p->meant, family, device));
	add_leaves(&a, cni_space_all(), false);
	add_leaves(&a, a.translated, true);
	return a;
}
