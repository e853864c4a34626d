/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faults.c - see faults.h. A fault is made in the state from which both the messages for the proof are written and the
 * simulator runs; nothing else is said of it to either. */
#include "tests/property/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compiler/arena.h"
#include "runtime/proof/record.h"
#include "tests/property/compare.h"
#include "tests/property/random_policy.h"

enum { POLICIES = 12, FULL_POLICIES = 400, FIXED_SEED = 20260119, MAX_NODES = 4000000, TRIES = 60 };

#define SWAP(a, b)                                                                                                     \
	do {                                                                                                           \
		__typeof__(a) swapped = (a);                                                                           \
		(a) = (b);                                                                                             \
		(b) = swapped;                                                                                         \
	} while (0)

/* ---- what is done: each false where there is no place for it, which another try may find ---- */

static size_t any(struct rng *rng, size_t n)
{
	return n ? rng_below(rng, (unsigned int)n) : 0;
}

static struct cni_st_set *any_set(struct cni_state *s, struct rng *rng, size_t n_elems)
{
	struct cni_st_set *set = s->n_sets ? &s->sets[any(rng, s->n_sets)] : NULL;

	return set && set->n_elems >= n_elems ? set : NULL;
}

static struct cni_st_chain *any_chain(struct cni_state *s, struct rng *rng, size_t n_rules)
{
	struct cni_st_chain *chain = s->n_chains ? &s->chains[any(rng, s->n_chains)] : NULL;

	return chain && chain->n_rules >= n_rules ? chain : NULL;
}

static struct cni_expr *any_expr(struct cni_state *s, struct rng *rng, enum cni_expr_op op)
{
	struct cni_st_chain *chain = any_chain(s, rng, 1);
	struct cni_st_rule_nft *rule = chain ? &chain->rules[any(rng, chain->n_rules)] : NULL;
	struct cni_expr *expr = rule && rule->n_exprs ? &rule->exprs[any(rng, rule->n_exprs)] : NULL;

	return expr && expr->op == op ? expr : NULL;
}

static bool an_element_less(struct cni_state *s, struct rng *rng)
{
	struct cni_st_set *set = any_set(s, rng, 1);
	const size_t i = set ? any(rng, set->n_elems) : 0, stride = set ? cni_set_stride(set) : 0;

	if (!set || set->comments)
		return false;
	set->n_elems--;
	memmove(set->keys + i * stride, set->keys + (i + 1) * stride, (set->n_elems - i) * stride);
	if (set->map)
		memmove(&set->verdicts[i], &set->verdicts[i + 1], (set->n_elems - i) * sizeof(*set->verdicts));
	return true;
}

static bool verdicts_swapped(struct cni_state *s, struct rng *rng)
{
	struct cni_st_set *set = any_set(s, rng, 2);
	const size_t i = set ? any(rng, set->n_elems - 1) : 0;

	if (!set || !set->map)
		return false;
	SWAP(set->verdicts[i], set->verdicts[i + 1]);
	return true;
}

/* Of one field, or of the last of several. */
static bool a_wider_range(struct cni_state *s, struct rng *rng)
{
	struct cni_st_set *set = any_set(s, rng, 1);
	uint8_t *hi = set ? set->keys + any(rng, set->n_elems) * cni_set_stride(set) + set->key_len : NULL;
	size_t at = set ? cni_key_info[set->fields[set->n_fields - 1]].len : 0;

	if (!set || !set->interval || set->comments)
		return false;
	at = set->key_len - ((at + 3) & ~(size_t)3) + at - 1;
	if (hi[at] == 0xff)
		return false;
	hi[at]++;
	return true;
}

static bool a_bit_of_a_mask(struct cni_state *s, struct rng *rng)
{
	struct cni_expr *x = any_expr(s, rng, CNI_X_BITWISE);

	if (x)
		x->a[any(rng, x->len)] ^= (uint8_t)(1u << any(rng, 8));
	return x;
}

static bool a_bit_of_a_value(struct cni_state *s, struct rng *rng)
{
	struct cni_expr *x = any_expr(s, rng, any(rng, 4) ? CNI_X_CMP : CNI_X_IMMEDIATE);

	if (x)
		x->a[any(rng, x->len)] ^= (uint8_t)(1u << any(rng, 8));
	return x;
}

static bool rules_swapped(struct cni_state *s, struct rng *rng)
{
	struct cni_st_chain *chain = any_chain(s, rng, 2);
	const size_t i = chain ? any(rng, chain->n_rules - 1) : 0;

	if (chain)
		SWAP(chain->rules[i], chain->rules[i + 1]);
	return chain;
}

static bool a_rule_less(struct cni_state *s, struct rng *rng)
{
	struct cni_st_chain *chain = any_chain(s, rng, 1);
	const size_t i = chain ? any(rng, chain->n_rules) : 0;

	if (!chain)
		return false;
	chain->n_rules--;
	memmove(&chain->rules[i], &chain->rules[i + 1], (chain->n_rules - i) * sizeof(*chain->rules));
	return true;
}

static bool an_ip_rule_less(struct cni_state *s, struct rng *rng)
{
	const size_t i = any(rng, s->n_rules);

	if (!s->n_rules)
		return false;
	s->n_rules--;
	memmove(&s->rules[i], &s->rules[i + 1], (s->n_rules - i) * sizeof(*s->rules));
	return true;
}

static bool a_bit_of_an_ip_rule(struct cni_state *s, struct rng *rng)
{
	struct cni_st_rule *rule = s->n_rules ? &s->rules[any(rng, s->n_rules)] : NULL;
	const uint32_t bit = rule ? rule->mask & -rule->mask : 0; /* the lowest */

	if (!bit)
		return false;
	*(any(rng, 2) ? &rule->mark : &rule->mask) ^= bit;
	return true;
}

static bool next_hops_swapped(struct cni_state *s, struct rng *rng)
{
	struct cni_st_route *a = s->n_routes ? &s->routes[any(rng, s->n_routes)] : NULL, *b = a + 1;

	if (!a || b == s->routes + s->n_routes || a->family != b->family || !a->n_hops || !b->n_hops)
		return false;
	SWAP(a->hops, b->hops);
	SWAP(a->n_hops, b->n_hops);
	return true;
}

static bool a_route_less(struct cni_state *s, struct rng *rng)
{
	const size_t i = any(rng, s->n_routes);

	if (!s->n_routes)
		return false;
	s->n_routes--;
	memmove(&s->routes[i], &s->routes[i + 1], (s->n_routes - i) * sizeof(*s->routes));
	return true;
}

static const struct kind {
	const char *name;
	bool (*make)(struct cni_state *s, struct rng *rng);
} kinds[] = {
	{ "an element less", an_element_less },
	{ "two verdicts swapped", verdicts_swapped },
	{ "a range that ends later", a_wider_range },
	{ "a bit of a mask", a_bit_of_a_mask },
	{ "a bit of a value", a_bit_of_a_value },
	{ "two rules swapped", rules_swapped },
	{ "a rule less", a_rule_less },
	{ "an ip rule less", an_ip_rule_less },
	{ "a bit of an ip rule", a_bit_of_an_ip_rule },
	{ "next hops swapped", next_hops_swapped },
	{ "a route less", a_route_less },
};

#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

/* ---- and who sees it ---- */

struct totals {
	size_t n_policies, n_failed;
	struct seen {
		size_t made, shown, shown_refuted, refuted; /* shown: a packet shows it */
	} kinds[N_KINDS];
};

static bool is_refuted(struct cni_arena *arena, struct compiled *compiled)
{
	const struct cni_proof_limits limits = { .max_nodes = MAX_NODES };
	struct cni_messages messages;

	return rt_record(arena, compiled->state, &messages, &compiled->diags) ||
	       cni_prove(arena, compiled->model, NULL, &messages, &limits, &compiled->diags).answer == CNI_REFUTED;
}

/* What is not about packets is not asked of the proof; nor, by an even seed, are days on which the tracker takes routes
 * out: it is about tables as they are sent. */
static const char *shown_by(struct cni_arena *arena, const struct compiled *compiled, const char *text, uint64_t seed)
{
	const struct mismatch mismatch = compare_policy(arena, compiled, text, seed & ~1ull).mismatch;

	return mismatch.property == PROP_SAME || mismatch.property == PROP_CHECKS ? NULL : mismatch.text;
}

static void complain(const char *fault, const char *text, const char *shown, uint64_t seed)
{
	printf("# SEED=%llu: %s: a packet shows it, and it is proven:\n", (unsigned long long)seed, fault);
	for (; *shown; shown += strcspn(shown, "\n") + (shown[strcspn(shown, "\n")] == '\n'))
		printf("# %.*s\n", (int)strcspn(shown, "\n"), shown);
	for (; *text; text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n'))
		printf("# %.*s\n", (int)strcspn(text, "\n"), text);
}

static void one_fault(const char *text, size_t kind, uint64_t seed, struct totals *totals)
{
	struct cni_arena *arena = cni_arena_new();
	struct compiled compiled = compile_text(arena, text, NULL);
	struct rng rng = { .state = seed * N_KINDS + kind };
	struct seen *seen = &totals->kinds[kind];
	bool made = false, refuted;
	const char *shown;

	for (size_t i = 0; i < TRIES && !made; i++)
		made = kinds[kind].make(compiled.state, &rng);
	if (made) {
		shown = shown_by(arena, &compiled, text, seed);
		refuted = is_refuted(arena, &compiled);
		seen->made++;
		seen->shown += shown != NULL;
		seen->refuted += refuted;
		seen->shown_refuted += shown && refuted;
		if (shown && !refuted && !totals->n_failed++)
			complain(kinds[kind].name, text, shown, seed);
	}
	cni_arena_free(arena);
}

static void one_policy(uint64_t seed, bool show, struct totals *totals)
{
	struct cni_arena *arena = cni_arena_new();
	struct rng rng = { .state = seed };
	const struct policy_text policy = random_policy(arena, &rng);
	const char *text = policy_text_join(arena, &policy);
	struct compiled compiled;

	if (show)
		printf("%s\n", text);
	compiled = compile_text(arena, text, NULL);
	/* where the tracker moves flows to ways of their own no new flow comes, and the proof does not follow them */
	if (compiled.model) {
		totals->n_policies++;
		for (size_t kind = 0; kind < N_KINDS; kind++)
			one_fault(text, kind, seed, totals);
	}
	cni_arena_free(arena);
}

int faults_main(const char *only, bool full, bool show)
{
	const uint64_t clock_seed = (uint64_t)time(NULL) << 20;
	const size_t wanted = only ? 1 : full ? FULL_POLICIES : POLICIES;
	struct totals totals = { 0 };
	size_t n_shown = 0;
	bool enough;

	if (only)
		one_policy(strtoull(only, NULL, 0), show, &totals);
	for (uint64_t i = 0; !only && totals.n_policies < wanted && i < 12 * wanted; i++)
		one_policy(i % 2 ? clock_seed + i : FIXED_SEED + i, show, &totals);
	for (size_t i = 0; i < N_KINDS; i++) {
		const struct seen *seen = &totals.kinds[i];

		printf("# %s: made %zu, a packet shows %zu, of these refuted %zu; refuted in all %zu\n", kinds[i].name,
		       seen->made, seen->shown, seen->shown_refuted, seen->refuted);
		n_shown += seen->shown;
	}
	enough = only || n_shown > wanted / 2;
	printf("%sok 1 - every fault that a packet shows is refuted by the proof\n", totals.n_failed ? "not " : "");
	printf("%sok 2 - there were enough such faults\n", enough ? "" : "not ");
	printf("1..2\n");
	return totals.n_failed || !enough;
}
