/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prove.c - what is compared with what; see proof.h. */
#include "compiler/proof/proof.h"

#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/check/evaluate.h"
#include "compiler/lower.h"
#include "compiler/meaning/hints.h"
#include "compiler/meaning/meaning.h"
#include "compiler/proof/fate.h"
#include "compiler/state/down.h"

#define CONFIRMED 0x08 /* IPS_CONFIRMED, IPS_SRC_NAT: linux/nf_conntrack_common.h */
#define TRANSLATED 0x10
#define MAX_STALE 16 /* paths of a device whose flows are followed into another epoch: each costs a classification */
#define NOBODYS "(nobodys)" /* a device that no policy names */

struct proving {
	struct decoder d;
	struct ruleset set;
	struct machine machine;
	struct routing routing;
	struct texts texts;
	struct sent sent;
	struct meant meant;
	struct cni_spaces *spaces;
	const struct cni_model *model;
	const struct cni_proof_limits *limits;
	const struct cni_messages *messages;
	struct cni_proof proof;
};

static const char *const family_names[CNI_N_FAMILIES] = { "IPv4", "IPv6" };

static bool is_late(const struct proving *p)
{
	return p->limits->is_late && p->limits->is_late(p->limits->arg);
}

static bool is_over(const struct proving *p)
{
	return is_late(p) || p->proof.answer != CNI_PROVEN || p->d.error || cni_spaces_failed(p->spaces);
}

/* ---- what differs ---- */

/* One that a reader of the policy knows. */
static struct cni_header packet_of(struct proving *p, enum cni_family family, struct cni_space where)
{
	const struct cni_space proper = cni_space_and(p->spaces, where, cni_space_proper(p->spaces, family));
	struct cni_hints from = { 0 }, to = { 0 };

	cni_hints_from(p->texts.arena, &p->model, 1, &from);
	cni_hints_to(p->texts.arena, &to);
	/* packets that differ in nothing that a policy can speak of are still packets */
	return cni_space_witness(p->spaces, family, cni_space_is_empty(proper) ? where : proper, &from, &to);
}

/* Of each of what is compared: which packets, and how a number is told. */
struct claim {
	const char *what;
	const char *device; /* NULL: the router itself */
	enum cni_family family;
	struct cni_space domain;
	const char *(*tell)(struct proving *p, unsigned int label);
	bool by_routes; /* of the device's policy: new flows */
};

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

static const char *tell_text(struct proving *p, unsigned int label)
{
	return p->texts.items[label];
}

static const char *tell_outcome(struct proving *p, unsigned int label)
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
static void compare(struct proving *p, const struct claim *claim, struct classes is, struct classes should)
{
	const struct class_pair *pairs;
	size_t n;

	if (is_over(p))
		return;
	p->proof.n_maps++;
	pairs = classes_meet(&p->machine.classing, &is, &should, claim->domain, &n);
	for (size_t i = 0; i < n && !is_over(p); i++) {
		struct cni_space where;

		if (pairs[i].then_a.node == pairs[i].then_b.node)
			continue;
		where = cni_space_and(p->spaces, claim->domain, cni_map_where(p->spaces, is.of, pairs[i].a));
		where = cni_space_and(p->spaces, where, cni_map_where(p->spaces, should.of, pairs[i].b));
		refute(p, claim, where, pairs[i].then_a, pairs[i].then_b);
	}
}

/* ---- flows ---- */

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

static struct classes marked(struct proving *p, enum outcome_kind kind, uint32_t mark)
{
	struct outcome to;

	memset(&to, 0, sizeof(to));
	to.kind = kind;
	to.marks.mark = kind == OUT_ACCEPT ? mark | p->sent.foreign : 0;
	return classes_plain(cni_map_all(p->spaces, machine_outcome(&p->machine, &to)));
}

/* One device's packets: what is proven of them in turn. */
struct arrival {
	struct proving *p;
	struct claim claim;
	struct classes outcomes; /* of new flows */
	struct classes marks; /* the same, but for the flow's mark */
	struct cni_space translated; /* packets whose route translates */
	struct cni_space tracked; /* packets that conntrack sees */
	struct cni_space steered; /* of them, those that the policy's routes are for */
	struct leaf {
		struct marks marks;
		bool translates;
	} * leaves;
	size_t n_leaves;
};

static struct classes run(struct arrival *a, uint32_t ct_mark, uint32_t status, bool reply, uint32_t fib_type)
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

	if (!(marks->mark & id_mask) || !((marks->mark ^ marks->ct_mark) & id_mask) || marks->untracked || is_over(p))
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

	if (is_over(p))
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
static struct cni_space packets_of(struct arrival *a, const struct leaf *leaf)
{
	struct proving *p = a->p;
	const struct cni_map outcomes = classes_flat(&p->machine.classing, &a->outcomes);
	const struct cni_labels labels = classes_labels(&p->machine.classing, outcomes);
	unsigned int *is = cni_new_array(p->texts.arena, unsigned int, p->machine.n_outcomes);

	for (size_t i = 0; i < labels.n_items; i++)
		is[labels.items[i]] = comes_to(&p->machine, labels.items[i], &leaf->marks);
	return cni_map_where(p->spaces, cni_map_relabel(p->spaces, outcomes, is, p->machine.n_outcomes), 1);
}

static void compare_marks(struct arrival *a, const char *what, struct cni_space domain, struct classes is,
			  struct classes should)
{
	struct claim claim = a->claim;

	claim.what = what;
	claim.domain = cni_space_and(a->p->spaces, claim.domain, domain);
	claim.tell = tell_outcome;
	claim.by_routes = false;
	compare(a->p, &claim, marks_of(a->p, is), should);
}

/* Later packets of a flow, whether somebody translates it or not. By its mark all of them stay. Where they are classified
 * again, those that come to the mark by their fields do, by the same hash. */
static void prove_known(struct arrival *a, const struct leaf *leaf, uint32_t status)
{
	struct proving *p = a->p;
	const bool by_mark = p->model->options.known_flows == CNI_KNOWN_BY_MARK;

	compare_marks(a, "a known flow", by_mark ? a->tracked : packets_of(a, leaf),
		      run(a, leaf->marks.ct_mark, status, false, RTN_UNICAST),
		      by_mark || leaf->translates ? marked(p, OUT_ACCEPT, leaf->marks.mark) : a->marks);
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
static void prove_stale(struct arrival *a, const char *what, uint32_t ct_mark, struct classes stays)
{
	const struct classes is = run(a, ct_mark, CONFIRMED, false, RTN_UNICAST);

	if (!cni_space_is_empty(a->translated))
		compare_marks(a, what, a->translated, is, stays);
	compare_marks(a, what, cni_space_not(a->p->spaces, a->translated), is, a->marks);
}

/* One that is: its translation holds it. */
static void prove_held(struct arrival *a, const struct leaf *leaf, uint32_t ct_mark)
{
	compare_marks(a, "a translated flow of another epoch", a->steered,
		      run(a, ct_mark, CONFIRMED | TRANSLATED, false, RTN_UNICAST),
		      leaf->translates ? marked(a->p, OUT_ACCEPT, leaf->marks.mark) : a->marks);
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
static void prove_reply(struct arrival *a, const struct leaf *leaf, uint32_t status)
{
	struct proving *p = a->p;
	const struct classes is = run(a, leaf->marks.ct_mark, status, true, RTN_UNICAST);
	uint32_t mark = leaf->marks.ct_mark;

	compare_marks(a, "a reply", a->tracked, is, a->marks);
	compare_marks(a, "a flow's mark at a reply", a->tracked, machine_bind(&p->machine, is, is_remarked, &mark),
		      accepted(p));
}

static void prove_flows(struct arrival *a)
{
	struct proving *p = a->p;
	const uint32_t gone = in_other_epoch(p->model, cni_id_mask(p->model->options.mark_mask));

	for (size_t i = 0; i < a->n_leaves && !is_over(p); i++) {
		prove_known(a, &a->leaves[i], CONFIRMED);
		prove_known(a, &a->leaves[i], CONFIRMED | TRANSLATED);
	}
	p->proof.n_paths += a->n_leaves;
	prove_stale(a, "a flow from before the policy", 0, marked(p, OUT_ACCEPT, 0));
	if (a->n_leaves)
		prove_stale(a, "a flow whose path is gone", gone, marked(p, OUT_DROP, 0));
	for (size_t i = 0; i < a->n_leaves && i < MAX_STALE && !is_over(p); i++) {
		const uint32_t ct_mark = in_other_epoch(p->model, a->leaves[i].marks.ct_mark);

		prove_stale(a, "a flow of another epoch", ct_mark, marked(p, OUT_ACCEPT, a->leaves[i].marks.mark));
		prove_held(a, &a->leaves[i], ct_mark);
		prove_reply(a, &a->leaves[i], CONFIRMED);
		prove_reply(a, &a->leaves[i], CONFIRMED | TRANSLATED);
	}
}

/* The router knows addresses of its own that the policy does not. */
static void prove_local_addresses(struct arrival *a)
{
	static const uint32_t types[] = { RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		compare_marks(a, "a packet to the router", a->tracked, run(a, 0, 0, false, types[i]),
			      marked(a->p, OUT_ACCEPT, 0));
}

/* ---- answers ---- */

/* The only marks that flows of the device are given, beside a mark that is known; NULL: they are none, or several. */
static const struct marks *only_marks(const struct arrival *a, uint32_t known)
{
	const struct marks *marks = NULL;

	for (size_t i = 0; i < a->n_leaves; i++) {
		if (known && a->leaves[i].marks.ct_mark == known)
			continue;
		if (a->leaves[i].marks.mark != a->p->sent.foreign || marks)
			return NULL;
		marks = &a->leaves[i].marks;
	}
	return marks;
}

/* The mark that a target gives the flows that come in by it; 0: none. Probes to a link's address get that link's. */
static uint32_t prove_arrivals(struct arrival *a, size_t target, const uint32_t *returns)
{
	struct proving *p = a->p;
	const struct cni_space answered = meant_arrivals(&p->meant, a->claim.family, target);
	const struct cni_space outside = meant_answered_outside(&p->meant, a->claim.family, target);
	const size_t link = meant_answering(&p->meant, target);
	const uint32_t by_link = link != CNI_NONE && !cni_space_is_empty(outside) ? returns[link] : 0;
	const struct marks *marks = only_marks(a, by_link);
	const uint32_t one = p->model->options.mark_mask & -p->model->options.mark_mask;
	const struct cni_map none = marked(p, OUT_ACCEPT, 0).of, some = marked(p, OUT_ACCEPT, one).of,
			     others = marked(p, OUT_ACCEPT, 2 * one).of; /* three that are told apart */
	struct claim claim = a->claim;
	struct cni_map is = none;

	claim.what = "what comes in by a target";
	claim.domain = cni_space_all();
	claim.tell = tell_outcome;
	claim.by_routes = false;
	if (p->model->options.ret == CNI_RETURN_NONE || !marks)
		return 0;
	/* of what it is, and of what it should be, the flows that are marked */
	for (size_t i = 0; i < a->n_leaves; i++)
		is = cni_map_ite(p->spaces, packets_of(a, &a->leaves[i]), &a->leaves[i].marks == marks ? some : others,
				 is);
	compare(p, &claim, classes_plain(is),
		classes_plain(cni_map_ite(p->spaces, answered, some, cni_map_ite(p->spaces, outside, others, none))));
	return marks->ct_mark;
}

static void prove_answers(struct arrival *a, const uint32_t *returns)
{
	struct proving *p = a->p;

	for (size_t t = 0; t < p->model->n_targets && !is_over(p); t++) {
		const struct classes outcomes =
			returns[t] ? run(a, returns[t], CONFIRMED, true, RTN_UNICAST) : a->outcomes;
		struct claim claim = a->claim;

		if (!returns[t])
			continue;
		claim.what = "an answer to what came in by a target";
		claim.by_routes = false;
		claim.domain = cni_space_and(p->spaces, claim.domain, a->tracked);
		compare(p, &claim, sent_outcomes(&p->sent, claim.family, claim.device, outcomes),
			classes_plain(meant_return(&p->meant, claim.family, t, claim.device)));
	}
}

/* ---- devices ---- */

static struct arrival arrive(struct proving *p, enum cni_family family, const char *device)
{
	struct arrival a = { .p = p,
			     .claim = { cni_printf(p->texts.arena, "a new flow of %s", family_names[family]), device,
					family, cni_space_not(p->spaces, meant_own(&p->meant, family)), tell_text,
					true } };
	const struct classes is = sent_map(&p->sent, family, device, &a.outcomes);

	/* by addresses of the router itself no packet comes in, and what it sends from them has ways of its own */
	if (!device)
		a.claim.domain = cni_space_minus(p->spaces, a.claim.domain, meant_outer(&p->meant, family));
	compare(p, &a.claim, is, meant_map(&p->meant, family, device));
	a.marks = marks_of(p, a.outcomes);
	a.tracked = cni_space_not(p->spaces, meant_untracked(&p->meant, family, device));
	a.steered = cni_space_and(p->spaces, a.tracked, meant_steered(&p->meant, family));
	a.translated = cni_space_and(p->spaces, a.steered, meant_translated(&p->meant, family, device));
	add_leaves(&a, cni_space_all(), false);
	add_leaves(&a, a.translated, true);
	return a;
}

/* What came in by a target and now begins here, is a flow of this policy; it was none whose translation could begin. */
static void prove_moved(struct arrival *a, const uint32_t *returns)
{
	struct proving *p = a->p;

	for (size_t t = 0; t < p->model->n_targets && t < MAX_STALE && !is_over(p); t++)
		if (returns[t])
			prove_stale(a, "a flow that came in by a target", returns[t], marked(p, OUT_DROP, 0));
}

/* ---- flows that stay on a backup ---- */

/* No new flow shows the ways that the tracker moves flows to. By id, of every way that has a counter: where a known flow
 * goes, of what conntrack sees. */
static struct cni_map *ways_by_id(struct arrival *a, struct cni_space where, size_t *n)
{
	struct proving *p = a->p;
	const uint32_t mask = p->model->options.mark_mask, id_mask = cni_id_mask(mask);
	const uint32_t epoch = a->leaves->marks.ct_mark & mask & ~id_mask;
	const struct cni_map nothing = cni_map_all(p->spaces, 0);
	struct cni_map *ways;

	*n = (id_mask >> __builtin_ctz(mask)) + 1;
	ways = cni_new_array(p->texts.arena, struct cni_map, *n);
	for (size_t id = 0; id < *n; id++)
		ways[id] = nothing;
	for (size_t i = 0; i < p->d.to->n_counters && !is_over(p); i++) {
		const char *name = p->d.to->counters[i];
		const unsigned long id = strncmp(name, "path.", 5) ? 0 : strtoul(name + 5, NULL, 10);
		struct classes is;

		if (!id || id >= *n)
			continue;
		is = run(a, epoch | (uint32_t)id << __builtin_ctz(mask), CONFIRMED, false, RTN_UNICAST);
		is = sent_outcomes(&p->sent, a->claim.family, a->claim.device, is);
		ways[id] = cni_map_ite(p->spaces, where, classes_flat(&p->machine.classing, &is), nothing);
	}
	return ways;
}

static bool is_held(const struct proving *p, const struct cni_map *ways, size_t n, struct staying flows)
{
	const int shift = __builtin_ctz(p->model->options.mark_mask);

	for (size_t i = 0; i < p->messages->n_pins; i++) {
		const struct cni_st_pin *pin = &p->messages->pins[i];

		if (!strcmp(pin->target, flows.target) && ways[pin->mark >> shift].node == flows.before.node &&
		    ways[pin->pinned >> shift].node == flows.after.node)
			return true;
	}
	/* what a router holds does not tell which way is for whom */
	for (size_t id = 0; id < n && p->messages->is_dump; id++)
		if (ways[id].node == flows.after.node)
			return true;
	return false;
}

static void prove_staying(struct arrival *a)
{
	struct proving *p = a->p;
	const struct cni_space where = cni_space_and(p->spaces, a->claim.domain, a->tracked);
	const struct cni_map nothing = cni_map_all(p->spaces, 0);
	size_t n, n_ways = 0;
	struct staying *flows = meant_staying(&p->meant, a->claim.family, a->claim.device, &n);
	const bool by_mark = p->model->options.known_flows == CNI_KNOWN_BY_MARK;
	const struct cni_map *ways = n && a->n_leaves && by_mark ? ways_by_id(a, where, &n_ways) : NULL;

	for (size_t i = 0; i < n && ways && !is_over(p); i++) {
		const struct cni_map after = flows[i].after;

		flows[i].before = cni_map_ite(p->spaces, where, flows[i].before, nothing);
		flows[i].after = cni_map_ite(p->spaces, where, after, nothing);
		if (is_held(p, ways, n_ways, flows[i]) || is_over(p))
			continue;
		p->proof.answer = CNI_REFUTED;
		p->proof.example = (struct cni_counterexample){
			.what = cni_printf(p->texts.arena, "a flow that stays on `%s`", flows[i].target),
			.where = a->claim.device ? cni_printf(p->texts.arena, "on %s", a->claim.device)
						 : "from the router itself",
			.packet = "",
			.should = tell_text(p, *cni_map_labels(p->spaces, p->texts.arena, after).items),
			.is = "by no mark that the tracker knows",
		};
	}
}

static void prove_policy_device(struct proving *p, enum cni_family family, const char *device, const uint32_t *returns)
{
	struct arrival a = arrive(p, family, device);

	if (meant_policy(p->model, device)) {
		prove_flows(&a);
		prove_moved(&a, returns);
		prove_staying(&a);
		prove_local_addresses(&a);
	}
	prove_answers(&a, returns);
}

static void prove_targets(struct proving *p, enum cni_family family, uint32_t *returns)
{
	for (size_t t = 0; t < p->model->n_targets && !is_over(p); t++) {
		const char *device = p->model->targets[t].ifname;
		struct arrival a;

		if (meant_policy(p->model, device))
			continue;
		a = arrive(p, family, device);
		returns[t] = prove_arrivals(&a, t, returns);
		/* answers to the flows of any path, such as the one whose bits are all set */
		prove_reply(&a, &(struct leaf){ .marks.ct_mark = UINT32_MAX }, CONFIRMED);
		if (!returns[t] && p->model->options.ret == CNI_RETURN_SYMMETRIC && !is_over(p)) {
			p->proof.answer = CNI_REFUTED;
			p->proof.example = (struct cni_counterexample){
				.what = "what comes in by a target",
				.where = cni_printf(p->texts.arena, "on %s", device),
				.packet = "",
				.should = "noted in the flow's mark",
				.is = "not noted",
			};
		}
	}
}

/* Outer packets of tunnels and answers to probes, by their source alone. */
static void prove_own(struct proving *p, enum cni_family family)
{
	struct claim claim = { "what the router sends for itself", NULL,      family,
			       meant_own(&p->meant, family),	   tell_text, false };
	struct arrival a = { .p = p, .claim = claim };
	const struct cni_space outer = meant_outer(&p->meant, family);

	compare(p, &claim, classes_plain(sent_routing(&p->sent, family, p->sent.foreign, "lo")),
		classes_plain(meant_own_map(&p->meant, family)));
	a.claim.domain = outer;
	compare_marks(&a, "the outer packet of a tunnel", cni_space_all(), run(&a, 0, 0, false, RTN_UNICAST),
		      marked(p, OUT_ACCEPT, 0));
}

static void prove_family(struct proving *p, enum cni_family family)
{
	uint32_t *returns = cni_new_array(p->texts.arena, uint32_t, p->model->n_targets);

	prove_own(p, family);
	prove_targets(p, family, returns);
	for (size_t i = 0; i < p->model->n_policies; i++)
		for (size_t j = 0; j < p->model->policies[i].n_devices && !is_over(p); j++)
			prove_policy_device(p, family, p->model->policies[i].devices[j], returns);
	if (!is_over(p))
		prove_policy_device(p, family, NULL, returns);
	if (!is_over(p))
		arrive(p, family, NOBODYS);
}

static void decode(struct proving *p, const struct cni_messages *messages)
{
	p->d.is_dump = messages->is_dump;
	p->set.indexes = messages->indexes;
	p->set.devices = messages->devices;
	p->set.n_devices = messages->n_devices;
	proof_decode(&p->d, PROOF_ROUTE, (struct bytes){ messages->route, messages->route_len });
	proof_decode(&p->d, PROOF_NETFILTER, (struct bytes){ messages->nft, messages->nft_len });
	proof_complete(&p->d);
	if (!messages->is_dump)
		return;
	proof_foreign_marks(&p->d, p->model->options.mark_mask);
	proof_others(&p->d, (struct bytes){ messages->others, messages->others_len }, p->model->options.mark_mask);
}

/* Messages of our own that are not right are a mistake of ours; what a router holds is not. */
static void report(const struct cni_proof *proof, struct cni_diags *diags)
{
	const struct cni_counterexample *x = &proof->example;

	cni_diag_help(diags,
		      cni_diag(diags, CNI506, x->span, "%s, %s%s%s: should be `%s`, and would be `%s`", x->what,
			       x->where, *x->packet ? ", " : "", x->packet, x->should, x->is),
		      "nothing was sent; this is a mistake in cnic, please report it with the policy");
}

static const bool *down_of(struct cni_arena *arena, const struct cni_model *model, const struct cni_state *observed)
{
	bool *down = cni_new_array(arena, bool, model->n_targets);

	for (size_t t = 0; observed && t < model->n_targets; t++)
		down[t] = model->targets[t].track.mode == CNI_TRACK_ON &&
			  cni_is_down_for(observed, model->options.table, model->targets[t].name);
	return down;
}

struct cni_proof cni_prove(struct cni_arena *arena, const struct cni_model *model, const struct cni_state *observed,
			   const struct cni_messages *messages, const struct cni_proof_limits *limits,
			   struct cni_diags *diags)
{
	struct proving *p = cni_new(arena, struct proving);
	enum cni_header_field order[CNI_N_FIELDS];

	p->d = (struct decoder){ .arena = arena, .to = &p->set };
	p->model = model;
	p->limits = limits;
	p->messages = messages;
	cni_meaning_order(&model, 1, order);
	p->spaces = cni_spaces_new(arena, order, limits->max_nodes);
	cni_spaces_give_up_when(p->spaces, limits->is_late, limits->arg);
	p->texts.arena = arena;
	machine_init(&p->machine, &p->d, p->spaces);
	routing_init(&p->routing, &p->d, p->spaces);
	p->sent = (struct sent){ .machine = &p->machine,
				 .routing = &p->routing,
				 .texts = &p->texts,
				 .model = model,
				 .foreign = ~model->options.mark_mask };
	p->meant = (struct meant){ .arena = arena,
				   .spaces = p->spaces,
				   .classing = &p->machine.classing,
				   .texts = &p->texts,
				   .model = model,
				   .observed = observed,
				   .down = down_of(arena, model, observed),
				   .never = cni_never_steered(arena, model) };
	decode(p, messages);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES && !is_over(p); f++)
		prove_family(p, f);
	if (cni_spaces_failed(p->spaces) || (is_late(p) && p->proof.answer == CNI_PROVEN)) {
		p->proof.answer = CNI_TOO_LARGE;
	} else if (p->d.error && messages->is_dump) {
		p->proof.answer = CNI_NOT_JUDGED;
		p->proof.unclear = p->d.error;
	} else if (p->proof.answer == CNI_REFUTED && !messages->is_dump) {
		report(&p->proof, diags);
	} else if (p->d.error && p->proof.answer == CNI_PROVEN) {
		p->proof.answer = CNI_REFUTED;
		cni_diag(diags, CNI506, (struct cni_span){ 0 }, "the messages are not understood: %s", p->d.error);
	}
	p->proof.n_fates = p->texts.n_items;
	p->proof.nodes = cni_spaces_use(p->spaces).nodes;
	p->proof.bytes = cni_spaces_use(p->spaces).bytes;
	cni_spaces_free(p->spaces);
	return p->proof;
}
