/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pairs.c - an empty router with things of others, policy A, then B, then none; cut off anywhere, and going on from
 * there. See pairs.h. */
#include "tests/property/pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compiler/arena.h"
#include "compiler/lower.h"
#include "compiler/text.h"
#include "tests/property/compare.h"
#include "tests/property/foreign.h"
#include "tests/property/laws.h"
#include "tests/property/random_policy.h"

enum { PAIRS = 1000, FULL_PAIRS = 10000, FIXED_SEED = 20250311, ALL_CUTS_EVERY = 100 };

static const char *const titles[N_LAWS] = {
	[LAW_PHASES] = "expand only adds, the flip holds nothing but rules of base chains, contract only removes",
	[LAW_LEGAL] = "the kernel takes every step at its moment, and takes nothing of others with it",
	[LAW_FOREIGN] = "what others own is in no step",
	[LAW_IN_PLACE] = "in place is only what the kernel can do no other way",
	[LAW_STEERING] = "cut off after any message, the chains that packets meet are all old or all new",
	[LAW_ROUTES] = "and their marks and sources lead where they led, or where they are to lead",
	[LAW_UNDO] = "undoing whatever came before the flip gives the former state",
	[LAW_REACHES] = "a plan carried out gives the state that was wanted",
	[LAW_EMPTY] = "the same policy again is an empty plan",
	[LAW_CONVERGES] = "from any cut the next apply converges, to either policy",
	[LAW_REMOVE] = "and without a policy the router is as it was, settings included",
};

struct totals {
	size_t n_pairs, n_refused, n_cuts;
	struct laws counts;
	size_t n_failed[N_LAWS];
	uint64_t first_failed[N_LAWS];
	bool show;
};

struct policies {
	struct policy_text a, b;
};

struct pair {
	struct laws laws;
	struct rng rng;
	const struct cni_model *a, *b;
	struct router origin; /* before cnic came */
	unsigned int in_use; /* percent of the paths that conntrack has flows of */
	uint64_t salt;
	size_t n_cuts;
};

/* ---- a second policy ---- */

/* Every `from` becomes `to`, and the other way round. */
static const char *swap_words(struct cni_arena *arena, const char *text, const char *from, const char *to)
{
	struct cni_text out = { .arena = arena };

	cni_text_puts(&out, "");
	while (*text) {
		if (!strncmp(text, from, strlen(from))) {
			cni_text_puts(&out, to);
			text += strlen(from);
		} else if (!strncmp(text, to, strlen(to))) {
			cni_text_puts(&out, from);
			text += strlen(to);
		} else {
			cni_text_printf(&out, "%c", *text++);
		}
	}
	return out.data;
}

static struct policy_text swapped(struct cni_arena *arena, const struct policy_text *policy, const char *from,
				  const char *to)
{
	struct policy_text other = { .n_items = policy->n_items };

	other.items = cni_new_array(arena, struct policy_line, other.n_items);
	for (size_t i = 0; i < other.n_items; i++) {
		other.items[i] = policy->items[i];
		other.items[i].text = swap_words(arena, policy->items[i].text, from, to);
	}
	return other;
}

static bool is_options(const struct policy_line *line)
{
	return !strncmp(line->text, "options", strlen("options"));
}

/* Marks and tables of a live policy cannot be moved. */
static struct policy_text with_options_of(struct cni_arena *arena, const struct policy_text *first,
					  const struct policy_text *policy)
{
	struct policy_text other = { 0 };

	for (size_t i = 0; i < first->n_items; i++)
		if (is_options(&first->items[i]))
			*cni_push(arena, other.items, other.n_items) = first->items[i];
	for (size_t i = 0; i < policy->n_items; i++)
		if (!is_options(&policy->items[i]))
			*cni_push(arena, other.items, other.n_items) = policy->items[i];
	return other;
}

struct policy_text second_policy(struct cni_arena *arena, struct rng *rng, const struct policy_text *first)
{
	static const char *const words[][2] = {
		{ "t0", "t1" }, /* each takes the other's endpoints */
		{ "l0 ", "l1 " },
		{ "203.0.113.200", "203.0.113.77" },
		{ "10.100.0.1/31", "10.100.0.0/31" },
		{ "10.100.0.1/31", "10.100.0.5/31" },
		{ "198.51.100.2", "198.51.100.3" },
		{ "198.51.99.130", "198.51.99.140" },
		{ "established follow", "established keep" },
		{ "mss 1300; ", "" },
	};
	const unsigned int how = rng_below(rng, 10);
	struct policy_text other;

	if (how < 4) {
		other = random_policy(arena, rng);
		return with_options_of(arena, first, &other);
	}
	other = swapped(arena, first, "\n", "\n");
	for (unsigned int n = how < 6 ? 0 : 1 + rng_below(rng, 3); n; n--) {
		const char *const *word = words[rng_below(rng, sizeof(words) / sizeof(*words) - 1)];

		other = swapped(arena, &other, word[0], word[1]);
	}
	for (size_t i = 0; how > 3 && how < 8 && i < other.n_items; i++)
		other.items[i].dropped =
			other.items[i].droppable && *other.items[i].text == '\t' && rng_percent(rng, 40);
	return other;
}

/* ---- planning ---- */

static bool in_use(void *arg, uint32_t mask, uint32_t mark)
{
	const struct pair *pair = arg;
	struct rng rng = { .state = pair->salt + mark };

	return mask && mark && rng_percent(&rng, pair->in_use);
}

/* As a real apply does, with what is there known to lowering (lower.h); `let_go`: its second look, at which of the former
 * paths are in use. NULL model: without a policy. NULL: refused. */
static const struct cni_plan *plan_for(struct pair *p, const struct router *router, const struct cni_model *model,
				       bool let_go)
{
	struct cni_arena *arena = p->laws.arena;
	const struct cni_state *observed = router_observe(router), *desired;
	const struct cni_prior prior = { .observed = observed,
					 .keep_former = !let_go,
					 .in_use = in_use,
					 .arg = p,
					 .map_min = p->salt / 4 % 4,
					 .skip_min = p->salt / 16 % 4,
					 .shard_max = p->salt % 4 };
	const struct cni_plan *plan;
	struct cni_diags diags;

	cni_diags_init(&diags, arena);
	desired = model ? cni_lower(arena, model, &prior, &diags) : cni_state_without(arena, observed);
	if (diags.n_errors)
		return NULL;
	plan = cni_plan(arena, observed, desired, &diags);
	return diags.n_errors ? NULL : plan;
}

static bool check_empty(struct pair *p, const struct cni_plan *plan)
{
	if (!plan || plan->n_steps)
		laws_break(&p->laws, LAW_EMPTY, "the same again is %s, the first step for an object of kind %d",
			   plan ? "not empty" : "refused", plan ? (int)plan->steps->object : 0);
	return !p->laws.how;
}

/* The second look, and what holds after it. */
static bool settle(struct pair *p, struct router *router, const struct cni_model *model, size_t n_former)
{
	const struct cni_plan *rest = n_former ? plan_for(p, router, model, true) : NULL;
	const char *difference;

	if (n_former && !rest)
		return laws_break(&p->laws, LAW_CONVERGES, "refused");
	if (rest && !laws_carry_out(&p->laws, router, rest, 0, NULL))
		return false;
	if (!check_empty(p, plan_for(p, router, model, false)) ||
	    (n_former && !check_empty(p, plan_for(p, router, model, true))))
		return false;
	difference = model ? NULL : router_difference(p->laws.arena, &p->origin, router);
	return !difference || laws_break(&p->laws, LAW_REMOVE, "%s", difference);
}

/* From where a change was cut off. */
static bool go_on(struct pair *p, const struct router *from, const struct cni_model *to, const char *what)
{
	struct router router = router_copy(from);
	const struct cni_plan *plan = plan_for(p, &router, to, false);
	const char *before = p->laws.what;

	p->n_cuts++;
	p->laws.what = cni_printf(p->laws.arena, "%s, and from there %s", before, what);
	if (!plan)
		return laws_break(&p->laws, LAW_CONVERGES, "refused");
	p->laws.mends = true;
	if (!laws_carry_out(&p->laws, &router, plan, 0, NULL) || !settle(p, &router, to, plan->desired->n_former))
		return false;
	p->laws.what = before;
	p->laws.mends = false;
	return true;
}

/* One change, all of it; on the way cut off once, or everywhere. */
static bool change(struct pair *p, struct router *router, const struct cni_model *to, const char *what, bool all_cuts)
{
	static const char *const names[] = { "to A", "to B", "to none" };
	const struct cni_model *const targets[] = { p->a, p->b, NULL };
	const struct cni_plan *plan = plan_for(p, router, to, false);
	const struct router start = router_copy(router);
	size_t n;

	p->laws.what = what;
	if (!plan)
		return laws_break(&p->laws, LAW_CONVERGES, "refused");
	n = laws_messages(plan);
	for (size_t i = all_cuts ? 1 : n; n > 1 && i <= n; i++) {
		const size_t n_cut = all_cuts ? i : 1 + rng_below(&p->rng, (unsigned int)n - 1);
		struct router whole = router_copy(&start), cut;

		if (n_cut == n && all_cuts)
			break;
		p->laws.what = cni_printf(p->laws.arena, "%s, cut off after %zu of %zu messages", what, n_cut, n);
		if (!laws_carry_out(&p->laws, all_cuts ? &whole : router, plan, n_cut, &cut))
			return false;
		for (size_t t = 0, only = rng_below(&p->rng, 3); t < 3; t++)
			if ((all_cuts || t == only) && !go_on(p, &cut, targets[t], names[t]))
				return false;
	}
	p->laws.what = what;
	if ((all_cuts || n <= 1) && !laws_carry_out(&p->laws, router, plan, 0, NULL))
		return false;
	return settle(p, router, to, plan->desired->n_former);
}

/* Whether there are marks enough for both at once. */
static bool is_possible(struct pair *p)
{
	struct router router = router_copy(&p->origin);
	const struct cni_plan *plan = plan_for(p, &router, p->a, false);

	for (size_t i = 0, n = 1; plan && n && i < plan->n_steps; i += n)
		n = router_message(&router, plan->steps + i, plan->n_steps - i, false);
	return plan && (router.fault || plan_for(p, &router, p->b, false));
}

/* -1: not valid, or too much at once; 0: a law is broken; 1: all hold. */
static int try_pair(struct cni_arena *arena, const struct policies *policies, uint64_t seed, struct pair *p, bool show)
{
	const struct compiled a = compile_text(arena, policy_text_join(arena, &policies->a), NULL);
	const struct compiled b = compile_text(arena, policy_text_join(arena, &policies->b), NULL);
	const bool all_cuts = show || seed % ALL_CUTS_EVERY == 0;
	struct router router;

	*p = (struct pair){
		.laws.arena = arena, .rng.state = seed ^ 0xabcdef, .salt = seed, .a = a.model, .b = b.model
	};
	if (!a.model || !b.model)
		return -1;
	p->in_use = 50 * rng_below(&p->rng, 3);
	p->origin = foreign_router(arena, &p->rng, a.state, b.state);
	if (!is_possible(p))
		return -1;
	router = router_copy(&p->origin);
	if (change(p, &router, a.model, "from nothing to A", all_cuts) &&
	    change(p, &router, b.model, "from A to B", all_cuts) &&
	    change(p, &router, NULL, "from B to nothing", all_cuts))
		return 1;
	return 0;
}

/* ---- telling ---- */

static void print_comment(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		printf("# %.*s\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static bool drop_line(struct policies *policies, struct policy_line *line, uint64_t seed, enum law law, bool show)
{
	struct cni_arena *arena = cni_arena_new();
	struct pair pair;
	bool smaller;

	line->dropped = true;
	smaller = !try_pair(arena, policies, seed, &pair, show) && pair.laws.broken == law;
	line->dropped = smaller;
	cni_arena_free(arena);
	return smaller;
}

/* Drops lines for as long as the same law is broken. */
static void shrink(struct policies *policies, uint64_t seed, enum law law, bool show)
{
	struct policy_text *const texts[] = { &policies->a, &policies->b };
	bool smaller = true;

	while (smaller) {
		smaller = false;
		for (size_t t = 0; t < 2; t++)
			for (size_t i = 0; i < texts[t]->n_items; i++) {
				struct policy_line *line = &texts[t]->items[i];

				if (line->droppable && !line->dropped)
					smaller |= drop_line(policies, line, seed, law, show);
			}
	}
}

static void report(struct cni_arena *arena, struct policies *policies, uint64_t seed, enum law law, bool show)
{
	struct pair pair;

	shrink(policies, seed, law, show);
	try_pair(arena, policies, seed, &pair, show);
	printf("# SEED=%llu: %s: not so for A\n", (unsigned long long)seed, titles[law]);
	print_comment(policy_text_join(arena, &policies->a));
	printf("# and B\n");
	print_comment(policy_text_join(arena, &policies->b));
	print_comment(pair.laws.how ? pair.laws.how : "not any more");
}

static void one_pair(struct totals *totals, uint64_t seed)
{
	struct cni_arena *arena = cni_arena_new();
	struct rng rng = { .state = seed };
	struct policies policies;
	struct pair pair;
	int holds;

	policies.a = random_policy(arena, &rng);
	policies.b = second_policy(arena, &rng, &policies.a);
	if (totals->show) {
		print_comment(policy_text_join(arena, &policies.a));
		printf("# then\n");
		print_comment(policy_text_join(arena, &policies.b));
	}
	holds = try_pair(arena, &policies, seed, &pair, totals->show);
	totals->n_pairs += holds >= 0;
	totals->n_refused += holds < 0;
	totals->n_cuts += pair.n_cuts;
	totals->counts.n_messages += pair.laws.n_messages;
	totals->counts.n_steps += pair.laws.n_steps;
	totals->counts.n_in_place += pair.laws.n_in_place;
	totals->counts.n_probes += pair.laws.n_probes;
	/* the first of each kind is shown, the others are counted */
	if (!holds && !totals->n_failed[pair.laws.broken]++) {
		totals->first_failed[pair.laws.broken] = seed;
		report(arena, &policies, seed, pair.laws.broken, totals->show);
	}
	cni_arena_free(arena);
}

int pairs_main(const char *only, bool full, bool show)
{
	const size_t wanted = only ? 1 : full ? FULL_PAIRS : PAIRS;
	const uint64_t clock_seed = (uint64_t)time(NULL) << 20;
	struct totals totals = { .show = show };
	unsigned int n = 1;
	bool all;

	if (only) {
		one_pair(&totals, strtoull(only, NULL, 0));
	} else {
		printf("# seeds from %u and from %llu\n", FIXED_SEED, (unsigned long long)clock_seed);
		for (uint64_t i = 0; totals.n_pairs < wanted && totals.n_refused <= wanted; i++)
			one_pair(&totals, i % 2 ? clock_seed + i : FIXED_SEED + i);
	}
	printf("# %zu pairs, %zu refused; %zu changes cut off and gone on with; %zu steps (%zu in place) in %zu "
	       "messages; "
	       "%zu marks and sources followed\n",
	       totals.n_pairs, totals.n_refused, totals.n_cuts, totals.counts.n_steps, totals.counts.n_in_place,
	       totals.counts.n_messages, totals.counts.n_probes);
	all = totals.n_pairs >= wanted && (only || totals.counts.n_in_place);
	printf("%sok %u - %zu random pairs of policies, some with changes in place\n", all ? "" : "not ", n, wanted);
	for (unsigned int l = 0; l < N_LAWS; l++) {
		if (totals.n_failed[l])
			printf("# %zu pairs fail, the first with SEED=%llu\n", totals.n_failed[l],
			       (unsigned long long)totals.first_failed[l]);
		printf("%sok %u - %s\n", totals.n_failed[l] ? "not " : "", ++n, titles[l]);
		all &= !totals.n_failed[l];
	}
	printf("1..%u\n", n);
	return all ? 0 : 1;
}
