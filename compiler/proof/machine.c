/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine.c - rules, chains and hooks in order; see machine.h. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/proof/machine_internal.h"

#define MAX_DEPTH 64 /* of jumps within each other: the kernel allows 16 (NFT_JUMP_STACK_SIZE) */

void machine_init(struct machine *m, struct decoder *d, struct cni_spaces *spaces)
{
	*m = (struct machine){ .d = d, .spaces = spaces, .classing = { .spaces = spaces, .arena = d->arena } };
}

/* ---- outcomes ---- */

static struct classes comes_to(struct machine *m, const struct outcome *outcome)
{
	return classes_plain(cni_map_all(m->spaces, machine_outcome(m, outcome)));
}

static struct classes all_are(struct machine *m, enum outcome_kind kind, const struct marks *marks)
{
	struct outcome outcome;

	memset(&outcome, 0, sizeof(outcome));
	outcome.kind = kind;
	if (marks)
		outcome.marks = *marks;
	return comes_to(m, &outcome);
}

/* A base chain has nowhere to come back to: its policy is what becomes of the packet. */
static struct classes come_back(struct machine *m, const struct chain *chain, const struct mode *mode)
{
	if (mode->is_inner)
		return classes_plain(mode->back);
	if (chain->is_base && chain->drops)
		return all_are(m, OUT_DROP, NULL);
	return all_are(m, chain->is_base ? OUT_ACCEPT : OUT_RETURN, &mode->marks);
}

static struct classes go_later(struct machine *m, struct chain *chain, bool is_inner)
{
	struct outcome outcome;

	memset(&outcome, 0, sizeof(outcome));
	outcome.kind = OUT_GOTO;
	outcome.chain = chain;
	outcome.is_inner = is_inner;
	return comes_to(m, &outcome);
}

/* ---- one rule ---- */

static struct classes run_chain(struct machine *m, struct chain *chain, struct mode mode);
static struct classes run_from(struct machine *m, struct chain *chain, size_t at, struct mode mode);

static struct classes next_rule(const struct place *p)
{
	return run_from(p->m, p->chain, p->at + 1, p->mode);
}

/* `then` for the packets that are in the rule; what follows it, where there are others. */
static struct classes otherwise_next(const struct place *p, struct classes then)
{
	if (cni_space_equal(p->here, cni_space_all()))
		return then;
	return classes_ite(&p->m->classing, p->here, then, next_rule(p));
}

static struct classes after_return(struct machine *m, unsigned int label, void *arg)
{
	const struct place *p = arg;
	const struct outcome outcome = m->outcomes[label];

	if (outcome.kind != OUT_RETURN)
		return classes_plain(cni_map_all(m->spaces, label));
	return run_from(m, p->chain, p->at + 1, (struct mode){ .marks = outcome.marks });
}

/* Where marks matter is for later, as long as the run is for all. */
static struct classes go_to(const struct place *p, struct chain *chain)
{
	if (p->mode.for_all && marks_matter(chain))
		return go_later(p->m, chain, p->mode.is_inner);
	return run_chain(p->m, chain, p->mode);
}

/* A run for all knows beforehand what comes after a return: it is the same for all. */
static struct classes jump_to(struct place *p, struct chain *chain)
{
	struct mode inner = { .for_all = true, .is_inner = true };
	struct classes next;

	if (!p->mode.for_all)
		return machine_bind(p->m, run_chain(p->m, chain, p->mode), after_return, p);
	next = next_rule(p);
	inner.back = classes_flat(&p->m->classing, &next);
	return run_chain(p->m, chain, inner);
}

/* What a verdict does to every packet that meets it. */
static struct classes by_verdict(struct place *p, int32_t code, struct chain *chain)
{
	switch (code) {
	case NF_ACCEPT:
		return all_are(p->m, OUT_ACCEPT, &p->mode.marks);
	case NF_DROP:
		return all_are(p->m, OUT_DROP, NULL);
	case NFT_RETURN:
		return come_back(p->m, p->chain, &p->mode);
	case NFT_GOTO:
		return go_to(p, chain);
	case NFT_JUMP:
		return jump_to(p, chain);
	case NFT_CONTINUE:
		return next_rule(p);
	default:
		proof_fail(p->m->d, "a verdict is %d", code);
		return all_are(p->m, OUT_DROP, NULL);
	}
}

/* Every element leads its packets somewhere, and others stay in the rule, which is over: they go on with the next. */
static struct classes by_map(struct place *p, const struct expr *x)
{
	struct machine *m = p->m;
	const struct set *set = x->set;
	struct cni_map *then, all;
	const struct element *found;
	struct classes rest;
	uint8_t key[64];

	if (registers_constant(&p->r, x->sreg, key, set->key_len) && !set->n_fields) {
		found = constant_element(set, key);
		return found ? otherwise_next(p, by_verdict(p, found->code, found->chain)) : next_rule(p);
	}
	rest = next_rule(p);
	then = cni_new_array(m->d->arena, struct cni_map, set->n_elems);
	for (size_t i = 0; i < set->n_elems && !m->d->error; i++) {
		const struct classes to = by_verdict(p, set->elems[i].code, set->elems[i].chain);

		then[i] = classes_flat(&m->classing, &to);
	}
	if (m->d->error)
		return rest;
	all = set_map(m, &p->r, x->sreg, set, then, classes_flat(&m->classing, &rest));
	return classes_ite(&m->classing, p->here, classes_plain(all), rest);
}

/* ---- rules in order ---- */

static struct classes run_exprs(struct place *p, const struct expr *x, size_t n);

/* Both sides of a comparison with a hash are kept. */
static struct classes by_hash(struct place *p, const struct expr *x, size_t n)
{
	struct machine *m = p->m;
	struct place below = *p;
	struct outcome of = { .hash = p->r.hash, .modulus = p->r.modulus };
	struct classes rest = next_rule(p);

	if (x->key != NFT_CMP_LT || x->len != 4) {
		proof_fail(m->d, "a hash is compared in a way that is not known");
		return rest;
	}
	for (size_t i = 0; i < 4; i++)
		of.limit = of.limit << 8 | x->a.at[i];
	below.here = cni_space_all();
	if (of.limit)
		rest = of.limit >= of.modulus ? run_exprs(&below, x + 1, n - 1)
					      : machine_choice(m, &of, run_exprs(&below, x + 1, n - 1), rest);
	return classes_ite(&m->classing, p->here, rest, next_rule(p));
}

static enum cni_family family_of(uint32_t nfproto)
{
	return nfproto == NFPROTO_IPV4 ? CNI_V4 : CNI_V6;
}

static struct classes translate(struct place *p, const struct expr *x)
{
	struct outcome outcome;

	memset(&outcome, 0, sizeof(outcome));
	outcome.marks = p->mode.marks;
	outcome.kind = x->op == X_MASQUERADE ? OUT_MASQUERADE : OUT_SNAT;
	p->m->reads |= READS_FAMILY;
	if (x->op == X_SNAT &&
	    (family_of(x->key) != p->m->now.family ||
	     !registers_constant(&p->r, x->sreg, outcome.address, p->m->now.family == CNI_V4 ? 4 : 16)))
		proof_fail(p->m->d, "a source is not one address of the packet's family");
	return comes_to(p->m, &outcome);
}

/* The rest of a rule, for the packets that are in it yet; the others go on with the next one, as they were when they left. */
static struct classes run_exprs(struct place *p, const struct expr *x, size_t n)
{
	struct machine *m = p->m;

	for (; n && !m->d->error && !cni_space_is_empty(p->here); x++, n--) {
		const struct marks before = p->mode.marks;

		if (x->op == X_VERDICT)
			return otherwise_next(p, by_verdict(p, x->code, x->chain));
		if (x->op == X_LOOKUP && x->is_map)
			return by_map(p, x);
		if (x->op == X_CMP && registers_has_hash(&p->r, x->sreg))
			return by_hash(p, x, n);
		if (x->op == X_MASQUERADE || x->op == X_SNAT)
			return otherwise_next(p, translate(p, x));
		if (x->op == X_REJECT)
			return otherwise_next(p, all_are(m, OUT_REJECT, NULL));
		machine_expr(p, x);
		if (memcmp(&before, &p->mode.marks, sizeof(before)) != 0) {
			/* from here on two sorts of packets: those that were lost so far, and those that go on changed */
			struct place changed = *p, lost = *p;
			struct classes rest;

			changed.here = cni_space_all();
			lost.mode.marks = before;
			rest = run_exprs(&changed, x + 1, n - 1);
			return otherwise_next(&lost, rest);
		}
	}
	return next_rule(p);
}

static struct classes run_rule(struct machine *m, const struct memory *key)
{
	struct place p = { .m = m, .chain = key->chain, .at = key->at, .mode = key->mode, .here = cni_space_all() };
	const struct nft_rule *rule = &key->chain->rules[key->at];

	return run_exprs(&p, rule->exprs, rule->n_exprs);
}

/* What `make` gives for the key, once for all surroundings that differ in nothing that was read. */
static struct classes remembered(struct machine *m, struct memory memory,
				 struct classes (*make)(struct machine *m, const struct memory *key))
{
	const struct memory *known = machine_recall(m, &memory);
	const unsigned int outer = m->reads;

	if (known) {
		m->reads |= known->reads;
		return known->to;
	}
	m->reads = 0;
	memory.to = make(m, &memory);
	memory.reads = m->reads;
	machine_remember(m, &memory);
	m->reads |= outer;
	return memory.to;
}

static bool may_return(const struct machine *m, unsigned int label)
{
	const struct outcome *outcome = &m->outcomes[label];

	return outcome->kind == OUT_RETURN ||
	       (outcome->kind == OUT_CHOICE && (may_return(m, outcome->below) || may_return(m, outcome->other)));
}

static struct classes with_marks(struct machine *m, unsigned int label, void *arg)
{
	struct outcome outcome = m->outcomes[label];
	const struct marks *marks = arg;
	struct classes to;

	if (outcome.kind == OUT_ACCEPT || outcome.kind == OUT_RETURN)
		outcome.marks = *marks;
	if (outcome.kind != OUT_GOTO)
		return comes_to(m, &outcome);
	to = run_chain(m, outcome.chain, (struct mode){ .marks = *marks });
	if (outcome.is_inner) {
		const struct cni_labels labels =
			classes_labels(&m->classing, (struct cni_map){ classes_flat(&m->classing, &to).node });

		for (size_t i = 0; i < labels.n_items; i++)
			if (may_return(m, labels.items[i]))
				proof_fail(m->d, "chain %s comes back to more than one chain", outcome.chain->name);
	}
	return to;
}

static struct classes run_rules(struct machine *m, struct chain *chain, size_t first, struct mode mode);

/* Where marks do not matter, they are given to what comes of it. */
static struct classes give_marks(struct machine *m, const struct memory *key)
{
	struct marks marks = key->mode.marks;

	return machine_bind(m, run_rules(m, key->chain, key->at, (struct mode){ .for_all = true }), with_marks, &marks);
}

static struct classes run_from(struct machine *m, struct chain *chain, size_t at, struct mode mode)
{
	const struct memory key = { .chain = chain, .at = (uint32_t)at, .mode = mode };

	if (at == chain->n_rules || m->d->error)
		return come_back(m, chain, &mode);
	return remembered(m, key, !mode.for_all && at >= quiet_from(chain) ? give_marks : run_rule);
}

/* Whether no packet gets past the rule, because of values that all of them have. */
static bool ends_chain(struct machine *m, struct chain *chain, size_t at, struct mode mode)
{
	struct place p = { .m = m, .chain = chain, .at = at, .mode = mode, .here = cni_space_all() };
	const struct nft_rule *rule = &chain->rules[at];

	for (size_t i = 0; i < rule->n_exprs && !m->d->error; i++) {
		const struct expr *x = &rule->exprs[i];
		const struct element *found;
		uint8_t key[64];

		if (!cni_space_equal(p.here, cni_space_all()))
			return false;
		if (x->op == X_VERDICT)
			return x->code != NFT_JUMP && x->code != NFT_CONTINUE;
		if (x->op == X_LOOKUP && x->is_map) {
			if (x->set->n_fields || !registers_constant(&p.r, x->sreg, key, x->set->key_len))
				return false;
			found = constant_element(x->set, key);
			return found && found->code != NFT_JUMP && found->code != NFT_CONTINUE;
		}
		/* what is not of one value for all is no matter of constants */
		if (x->op == X_HASH || x->op == X_MASQUERADE || x->op == X_SNAT || x->op == X_REJECT ||
		    (x->op == X_CMP && !registers_constant(&p.r, x->sreg, key, x->len)) ||
		    (x->op == X_RANGE && !registers_constant(&p.r, x->sreg, key, x->len)) ||
		    (x->op == X_LOOKUP && !registers_constant(&p.r, x->sreg, key, x->set->key_len)))
			return false;
		machine_expr(&p, x);
	}
	return false;
}

/* From the last rule that a packet can come to up: what comes next is then known, and no stack grows with the length of a
 * chain. */
static struct classes run_rules(struct machine *m, struct chain *chain, size_t first, struct mode mode)
{
	const struct memory key = { .chain = chain, .at = (uint32_t)first, .mode = mode };
	const size_t end = mode.for_all ? chain->n_rules : quiet_from(chain);
	size_t at = first;

	if (!machine_recall(m, &key))
		while (at < end && !ends_chain(m, chain, at, mode))
			at++;
	for (; at > first && !m->d->error; at--)
		run_from(m, chain, at, mode);
	return run_from(m, chain, first, mode);
}

static struct classes run_chain(struct machine *m, struct chain *chain, struct mode mode)
{
	struct classes all;

	if (m->depth++ > MAX_DEPTH)
		proof_fail(m->d, "chains lead to each other without end");
	all = run_rules(m, chain, 0, mode);
	m->depth--;
	return all;
}

/* ---- hooks ---- */

struct hook {
	struct chain **chains; /* by priority */
	size_t n_chains, next;
};

static int by_priority(const void *a, const void *b)
{
	const struct chain *x = *(const struct chain *const *)a, *y = *(const struct chain *const *)b;

	return (x->priority > y->priority) - (x->priority < y->priority);
}

static struct classes run_hook(struct machine *m, struct hook *hook, struct marks marks);

static struct classes after_chain(struct machine *m, unsigned int label, void *arg)
{
	const struct outcome outcome = m->outcomes[label];
	const struct hook *before = arg;
	struct hook hook = *before;

	if (outcome.kind != OUT_ACCEPT && outcome.kind != OUT_RETURN)
		return classes_plain(cni_map_all(m->spaces, label));
	hook.next++;
	return run_hook(m, &hook, outcome.marks);
}

static struct classes run_hook(struct machine *m, struct hook *hook, struct marks marks)
{
	const bool early = m->now.before_conntrack;
	struct classes all;

	if (hook->next == hook->n_chains)
		return all_are(m, OUT_ACCEPT, &marks);
	m->now.before_conntrack = hook->chains[hook->next]->priority < NF_IP_PRI_CONNTRACK;
	all = machine_bind(m, run_chain(m, hook->chains[hook->next], (struct mode){ .marks = marks }), after_chain,
			   hook);
	m->now.before_conntrack = early;
	return all;
}

struct classes machine_hook(struct machine *m, uint32_t number, struct marks marks)
{
	const struct ruleset *set = m->d->to;
	struct hook hook = { 0 };

	/* for all hooks at once: of many chains few are base chains */
	for (size_t i = 0; !m->has_base && i < set->n_chains; i++)
		if (set->chains[i]->is_base)
			*cni_push(m->d->arena, m->base, m->n_base) = set->chains[i];
	m->has_base = true;
	for (size_t i = 0; i < m->n_base; i++)
		if (m->base[i]->hook == number)
			*cni_push(m->d->arena, hook.chains, hook.n_chains) = m->base[i];
	if (hook.n_chains)
		qsort(hook.chains, hook.n_chains, sizeof(*hook.chains), by_priority);
	return run_hook(m, &hook, marks);
}
