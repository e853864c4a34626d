/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proofs.c - see proofs.h. */
#include "tests/property/proofs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compiler/arena.h"
#include "compiler/space/space.h"
#include "runtime/proof/record.h"
#include "tests/property/compare.h"
#include "tests/property/random_policy.h"

enum { POLICIES = 40, FULL_POLICIES = 1000, FIXED_SEED = 20260119, MAX_NODES = 4000000 };

struct totals {
	size_t n_policies, n_changes, n_maps, n_failed;
	double slowest;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The first that is not proven is told, with its text. */
static void prove(struct cni_arena *arena, struct compiled *compiled, const char *text, uint64_t seed,
		  struct totals *totals)
{
	const double start = now();
	struct cni_messages messages;
	struct cni_proof proof = { .answer = CNI_REFUTED };

	if (!rt_record(arena, compiled->state, &messages, &compiled->diags))
		proof = cni_prove(arena, compiled->model, NULL, &messages,
				  &(struct cni_proof_limits){ .max_nodes = MAX_NODES }, &compiled->diags);
	totals->n_maps += proof.n_maps;
	totals->slowest = now() - start > totals->slowest ? now() - start : totals->slowest;
	if (proof.answer == CNI_PROVEN)
		return;
	if (totals->n_failed++)
		return;
	printf("# SEED=%llu: answer %d\n", (unsigned long long)seed, proof.answer);
	for (const struct cni_diag *d = compiled->diags.first; d; d = d->next)
		if (d->severity == CNI_ERROR)
			printf("# %s\n", d->message);
	for (; *text; text += strcspn(text, "\n") + 1)
		printf("# %.*s\n", (int)strcspn(text, "\n"), text);
}

static void one_policy(uint64_t seed, bool show, struct totals *totals)
{
	struct cni_arena *arena = cni_arena_new();
	struct rng rng = { .state = seed };
	const struct policy_text policy = random_policy(arena, &rng);
	const char *text = policy_text_join(arena, &policy);
	struct compiled compiled = compile_text(arena, text, NULL), next;

	if (show)
		printf("%s\n", text);
	if (compiled.model) {
		totals->n_policies++;
		prove(arena, &compiled, text, seed, totals);
		text = policy_text_change(arena, &policy, seed);
		next = compile_text(arena, text, compiled.state);
		totals->n_changes += next.model != NULL;
		if (next.model)
			prove(arena, &next, text, seed, totals);
	}
	cni_arena_free(arena);
}

int proofs_main(const char *only, bool full, bool show)
{
	const uint64_t clock_seed = (uint64_t)time(NULL) << 20;
	const size_t wanted = only ? 1 : full ? FULL_POLICIES : POLICIES;
	struct totals totals = { 0 };

	if (only)
		one_policy(strtoull(only, NULL, 0), show, &totals);
	for (uint64_t i = 0; !only && totals.n_policies < wanted && i < 4 * wanted; i++)
		one_policy(i % 2 ? clock_seed + i : FIXED_SEED + i, show, &totals);
	printf("# %zu policies, %zu changes, %zu maps compared; the slowest took %.2f s\n", totals.n_policies,
	       totals.n_changes, totals.n_maps, totals.slowest);
	printf("%sok 1 - what is sent for a random policy means what it says\n", totals.n_failed ? "not " : "");
	printf("%sok 2 - there were policies and changes enough\n",
	       only || (totals.n_policies >= wanted && 2 * totals.n_changes > totals.n_policies) ? "" : "not ");
	printf("1..2\n");
	return totals.n_failed || totals.n_policies < wanted;
}
