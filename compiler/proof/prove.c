/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prove.c - what is compared with what; see proof.h. */
#include "compiler/proof/proof.h"

#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/check/evaluate.h"
#include "compiler/lower.h"
#include "compiler/meaning/meaning.h"
#include "compiler/proof/proving.h"
#include "compiler/state/down.h"

#define NOBODYS "(nobodys)" /* a device that no policy names */

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
	const struct cni_map none = proof_marked(p, OUT_ACCEPT, 0).of, some = proof_marked(p, OUT_ACCEPT, one).of,
			     others = proof_marked(p, OUT_ACCEPT, 2 * one).of; /* three that are told apart */
	struct claim claim = a->claim;
	struct cni_map is = none;

	claim.what = "what comes in by a target";
	claim.domain = cni_space_all();
	claim.tell = proof_tell_outcome;
	claim.by_routes = false;
	if (p->model->options.ret == CNI_RETURN_NONE || !marks)
		return 0;
	/* of what it is, and of what it should be, the flows that are marked */
	for (size_t i = 0; i < a->n_leaves; i++)
		is = cni_map_ite(p->spaces, arrival_packets(a, &a->leaves[i]),
				 &a->leaves[i].marks == marks ? some : others, is);
	proof_compare(
		p, &claim, classes_plain(is),
		classes_plain(cni_map_ite(p->spaces, answered, some, cni_map_ite(p->spaces, outside, others, none))));
	return marks->ct_mark;
}

static void prove_answers(struct arrival *a, const uint32_t *returns)
{
	struct proving *p = a->p;

	for (size_t t = 0; t < p->model->n_targets && !proof_is_over(p); t++) {
		const struct classes outcomes =
			returns[t] ? arrival_run(a, returns[t], CONFIRMED, true, RTN_UNICAST) : a->outcomes;
		struct claim claim = a->claim;

		if (!returns[t])
			continue;
		claim.what = "an answer to what came in by a target";
		claim.by_routes = false;
		claim.domain = cni_space_and(p->spaces, claim.domain, a->tracked);
		proof_compare(p, &claim, sent_outcomes(&p->sent, claim.family, claim.device, outcomes),
			      classes_plain(meant_return(&p->meant, claim.family, t, claim.device)));
	}
}

/* ---- devices ---- */

static void prove_policy_device(struct proving *p, enum cni_family family, const char *device, const uint32_t *returns)
{
	struct arrival a = arrival_of(p, family, device);

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
	for (size_t t = 0; t < p->model->n_targets && !proof_is_over(p); t++) {
		const char *device = p->model->targets[t].ifname;
		struct arrival a;

		if (meant_policy(p->model, device))
			continue;
		a = arrival_of(p, family, device);
		returns[t] = prove_arrivals(&a, t, returns);
		/* answers to the flows of any path, such as the one whose bits are all set */
		prove_reply(&a, &(struct leaf){ .marks.ct_mark = UINT32_MAX }, CONFIRMED);
		if (!returns[t] && p->model->options.ret == CNI_RETURN_SYMMETRIC && !proof_is_over(p)) {
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
	struct claim claim = {
		"what the router sends for itself", NULL, family, meant_own(&p->meant, family), proof_tell_text, false
	};
	struct arrival a = { .p = p, .claim = claim };
	const struct cni_space outer = meant_outer(&p->meant, family);

	proof_compare(p, &claim, classes_plain(sent_routing(&p->sent, family, p->sent.foreign, "lo")),
		      classes_plain(meant_own_map(&p->meant, family)));
	a.claim.domain = outer;
	arrival_compare(&a, "the outer packet of a tunnel", cni_space_all(), arrival_run(&a, 0, 0, false, RTN_UNICAST),
			proof_marked(p, OUT_ACCEPT, 0));
}

static void prove_family(struct proving *p, enum cni_family family)
{
	uint32_t *returns = cni_new_array(p->texts.arena, uint32_t, p->model->n_targets);

	prove_own(p, family);
	prove_targets(p, family, returns);
	for (size_t i = 0; i < p->model->n_policies; i++)
		for (size_t j = 0; j < p->model->policies[i].n_devices && !proof_is_over(p); j++)
			prove_policy_device(p, family, p->model->policies[i].devices[j], returns);
	if (!proof_is_over(p))
		prove_policy_device(p, family, NULL, returns);
	if (!proof_is_over(p))
		arrival_of(p, family, NOBODYS);
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
	for (enum cni_family f = 0; f < CNI_N_FAMILIES && !proof_is_over(p); f++)
		prove_family(p, f);
	if (cni_spaces_failed(p->spaces) || (proof_is_late(p) && p->proof.answer == CNI_PROVEN)) {
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
