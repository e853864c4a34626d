/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sent.c - what messages do with a packet: from the hook that marks it, by rules and tables, to the wire. */
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/proof/fate.h"

#define ELSEWHERE "(elsewhere)" /* a device that no policy names */

/* ---- the way out ---- */

struct tail {
	struct sent *s;
	enum cni_family family;
	const char *front; /* a text in front of how it leaves */
};

static struct leaving leaving_of(const struct outcome *outcome, enum cni_family family)
{
	struct leaving leaving = { .masquerade = outcome->kind == OUT_MASQUERADE,
				   .has_source = outcome->kind == OUT_SNAT,
				   .source.family = family,
				   .mss = outcome->marks.mss };

	for (size_t i = 0; i < (family == CNI_V4 ? 4u : 16u); i++)
		leaving.source.v = leaving.source.v << 8 | outcome->address[i];
	return leaving;
}

static unsigned int tell_leaving(unsigned int x, unsigned int y, void *arg)
{
	const struct tail *tail = arg;
	struct sent *s = tail->s;
	const struct outcome *outcome = &s->machine->outcomes[x];
	struct leaving leaving = leaving_of(outcome, tail->family);
	const char *text = leaving_text(s->texts->arena, &leaving);

	(void)y;
	if (outcome->kind == OUT_DROP || outcome->kind == OUT_REJECT || outcome->kind == OUT_CHOICE)
		text = " and is stopped there";
	return texts_number(s->texts, cni_printf(s->texts->arena, "%s%s", tail->front, text));
}

/* A packet with those marks that leaves by the device: `front`, and how it is changed on the way. */
static struct cni_map leave(struct sent *s, enum cni_family family, struct marks marks, const char *oif,
			    const char *front)
{
	struct tail tail = { s, family, front };
	struct classes all;
	struct cni_map map;

	s->machine->now.oif = oif;
	all = machine_hook(s->machine, NF_INET_POST_ROUTING, marks);
	s->machine->now.oif = NULL;
	map = classes_flat(&s->machine->classing, &all);
	return cni_map_join(s->machine->spaces, map, map, tell_leaving, &tail);
}

static struct cni_map text_map(struct sent *s, const char *text)
{
	return cni_map_all(s->machine->spaces, texts_number(s->texts, text));
}

static struct cni_map concat(struct sent *s, struct cni_map a, struct cni_map b)
{
	return texts_concat(s->texts, s->machine->spaces, a, b);
}

/* ---- trees ---- */

static int by_device(const void *a, const void *b)
{
	const struct hop *x = a, *y = b;
	const int order = strcmp(x->device, y->device);

	return order ? order : (x->via.v > y->via.v) - (x->via.v < y->via.v);
}

static struct cni_map hops_map(struct sent *s, enum cni_family family, struct marks marks, const struct ip_route *route)
{
	struct hop *hops = cni_new_array(s->texts->arena, struct hop, route->n_hops);
	struct cni_map all = text_map(s, "");
	unsigned int divisor = 0;

	for (size_t i = 0; i < route->n_hops; i++) {
		hops[i] = route->hops[i];
		divisor = greatest_divisor(hops[i].weight, divisor);
	}
	qsort(hops, route->n_hops, sizeof(*hops), by_device);
	for (size_t i = 0; i < route->n_hops; i++) {
		const bool needs = hops[i].has_via && hop_needs_via(s->model, hops[i].device);
		const char *text = hop_text(s->texts->arena, hops[i].device, needs ? &hops[i].via : NULL,
					    route->n_hops > 1 ? hops[i].weight / divisor : 0);

		if (i)
			all = concat(s, all, text_map(s, ", "));
		all = concat(s, all, leave(s, family, marks, hops[i].device, text));
	}
	return all;
}

/* Main may lead anywhere: by a device that no policy names, and by each target where it is not the same there. */
static struct cni_map main_map(struct sent *s, enum cni_family family, struct marks marks)
{
	struct cni_map all = leave(s, family, marks, ELSEWHERE, "main");

	for (size_t i = 0; i < s->model->n_targets; i++) {
		const char *device = s->model->targets[i].ifname;

		all = concat(s, all, leave(s, family, marks, device, cni_printf(s->texts->arena, "; %s", device)));
	}
	return all;
}

static struct cni_map tree_map(struct sent *s, enum cni_family family, struct marks marks, unsigned int label,
			       bool is_first)
{
	const struct tree tree = s->routing->trees[label];
	struct cni_map all;
	const char *glue;

	switch (tree.kind) {
	case TREE_DROP:
		return text_map(s, "drop");
	case TREE_REJECT:
		return text_map(s, "reject");
	case TREE_MAIN:
		return is_first ? main_map(s, family, marks) : leave(s, family, marks, ELSEWHERE, "main");
	default:
		all = hops_map(s, family, marks, tree.route);
		glue = s->routing->trees[tree.next].kind == TREE_HOPS ? " then " : " else ";
		all = concat(s, all, text_map(s, glue));
		return concat(s, all, tree_map(s, family, marks, tree.next, false));
	}
}

/* Marks and device decide where it goes, and of the packet itself what rules ask. */
static struct cni_map make_route_map(struct sent *s, enum cni_family family, struct marks marks, const char *iif)
{
	struct cni_spaces *spaces = s->machine->spaces;
	const struct cni_map trees = routing_map(s->routing, family, marks.mark, iif);
	const struct cni_labels labels = cni_map_labels(spaces, s->texts->arena, trees);
	struct cni_map all = text_map(s, "");

	for (size_t i = 0; i < labels.n_items; i++)
		all = cni_map_ite(spaces, cni_map_where(spaces, trees, labels.items[i]),
				  tree_map(s, family, marks, labels.items[i], true), all);
	return all;
}

static bool rules_ask_for_iif(const struct ruleset *set)
{
	for (size_t i = 0; i < set->n_rules; i++)
		if (set->rules[i].iif)
			return true;
	return false;
}

/* Many devices and flows come to the same marks: the flow's own is of no account where nothing asks for it. */
static struct cni_map route_map(struct sent *s, enum cni_family family, struct marks marks, const char *iif)
{
	const bool asks = rules_ask_for_iif(s->machine->d->to);
	struct routed routed = { family, marks, .map = { 0 } };

	for (size_t i = 0; i < s->n_routed && !asks; i++)
		if (s->routed[i].family == family && s->routed[i].marks.mark == marks.mark &&
		    s->routed[i].marks.mss == marks.mss)
			return s->routed[i].map;
	s->machine->reads = 0;
	routed.map = make_route_map(s, family, marks, iif);
	if (!(s->machine->reads & READS_FLOW))
		*cni_push(s->texts->arena, s->routed, s->n_routed) = routed;
	return routed.map;
}

struct cni_map sent_routing(struct sent *s, enum cni_family family, uint32_t mark, const char *iif)
{
	const struct marks marks = { .mark = mark };
	struct cni_spaces *spaces = s->machine->spaces;
	const struct cni_map trees = routing_map(s->routing, family, mark, iif);
	const struct cni_labels labels = cni_map_labels(spaces, s->texts->arena, trees);
	struct cni_map all = text_map(s, "");

	s->machine->now = (struct surroundings){ .family = family, .fib_type = RTN_UNICAST };
	for (size_t i = 0; i < labels.n_items; i++) {
		const enum tree_kind kind = s->routing->trees[labels.items[i]].kind;
		const struct cni_map then =
			kind == TREE_MAIN ? text_map(s, "main") : tree_map(s, family, marks, labels.items[i], true);

		all = cni_map_ite(spaces, cni_map_where(spaces, trees, labels.items[i]), then, all);
	}
	return all;
}

/* ---- outcomes of the first hook ---- */

struct part {
	unsigned int weight, label;
};

/* The leaves of choices within each other, all of one hash, each with its part of the modulus from `low` on. */
static void split(struct sent *s, unsigned int label, uint32_t low, uint32_t high, const struct outcome *top,
		  struct part **parts, size_t *n)
{
	const struct outcome *outcome = &s->machine->outcomes[label];
	uint32_t limit = outcome->limit;

	if (low >= high)
		return;
	if (outcome->kind != OUT_CHOICE) {
		*cni_push(s->texts->arena, *parts, *n) = (struct part){ high - low, label };
		return;
	}
	if (outcome->hash != top->hash || outcome->modulus != top->modulus)
		proof_fail(s->machine->d, "two hashes decide on one packet");
	limit = limit < low ? low : limit > high ? high : limit;
	split(s, outcome->below, low, limit, top, parts, n);
	split(s, outcome->other, limit, high, top, parts, n);
}

static unsigned int tell_shares(unsigned int x, unsigned int y, void *arg)
{
	struct sent *s = arg;

	(void)y;
	return texts_number(s->texts, shares_text(s->texts->arena, s->texts->items[x]));
}

static struct cni_map outcome_map(struct sent *s, enum cni_family family, const char *iif, unsigned int label)
{
	const struct outcome outcome = s->machine->outcomes[label];
	struct part *parts = NULL;
	struct cni_map all = text_map(s, "");
	size_t n = 0;

	if (outcome.kind == OUT_DROP || outcome.kind == OUT_REJECT)
		return text_map(s, outcome.kind == OUT_DROP ? "drop" : "reject");
	if (outcome.kind == OUT_ACCEPT && outcome.marks.untracked && outcome.marks.mark == s->foreign)
		return text_map(s, "untracked");
	if (outcome.kind == OUT_ACCEPT && outcome.marks.untracked)
		return concat(s, text_map(s, "untracked "), route_map(s, family, outcome.marks, iif ? iif : "lo"));
	if (outcome.kind == OUT_ACCEPT && ~(outcome.marks.mark & outcome.marks.ct_mark) & s->foreign)
		return text_map(s, "without marks of somebody else's");
	if (outcome.kind == OUT_ACCEPT)
		return route_map(s, family, outcome.marks, iif ? iif : "lo");
	if (outcome.kind != OUT_CHOICE)
		return text_map(s, "translated before it is routed");
	split(s, label, 0, outcome.modulus, &outcome, &parts, &n);
	for (size_t i = 0; i < n; i++) {
		all = concat(s, all, text_map(s, cni_printf(s->texts->arena, "%u ", parts[i].weight)));
		all = concat(s, all, outcome_map(s, family, iif, parts[i].label));
		all = concat(s, all, text_map(s, "\n"));
	}
	return cni_map_join(s->machine->spaces, all, all, tell_shares, s);
}

struct arriving {
	struct sent *s;
	enum cni_family family;
	const char *iif;
};

static struct classes tell_outcome(unsigned int label, void *arg)
{
	const struct arriving *a = arg;

	return classes_plain(outcome_map(a->s, a->family, a->iif, label));
}

struct classes sent_outcomes(struct sent *s, enum cni_family family, const char *iif, struct classes outcomes)
{
	struct arriving arriving = { s, family, iif };

	return classes_bind(&s->machine->classing, outcomes, tell_outcome, &arriving);
}

struct classes sent_map(struct sent *s, enum cni_family family, const char *iif, struct classes *outcomes)
{
	s->machine->now = (struct surroundings){ .family = family, .iif = iif, .fib_type = RTN_UNICAST };
	*outcomes = machine_hook(s->machine, iif ? NF_INET_PRE_ROUTING : NF_INET_LOCAL_OUT,
				 (struct marks){ .mark = s->foreign, .ct_mark = s->foreign });
	return sent_outcomes(s, family, iif, *outcomes);
}
