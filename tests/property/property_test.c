/* SPDX-License-Identifier: GPL-2.0-or-later */
/* property_test.c - lowering keeps the meaning of random policies: TAP, one line for each property.
 *
 * Half of the policies come from a fixed seed, half from the clock's. SEED=N runs policy N alone (what a failure
 * prints), and SHOW=1 prints the policies. CNIC_FULL makes it ten times as many.
 * With the argument `kernel`, it holds the simulator against the kernel instead, for a few of them; with `plan`, it
 * looks at the plans from one policy to another, with `diff` at what is said to differ between them, with `prove` it proves
 * what would be sent for them, and with `faults` it proves what has a fault. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compiler/arena.h"
#include "compiler/text.h"
#include "tests/property/compare.h"
#include "tests/property/faults.h"
#include "tests/property/kernel.h"
#include "tests/property/meanings.h"
#include "tests/property/pairs.h"
#include "tests/property/proofs.h"
#include "tests/property/random_policy.h"

enum { POLICIES = 240, KERNEL_POLICIES = 24, FIXED_SEED = 20240624, PACKET_SEED = 0x5eed };

static const char *const titles[N_PROPERTIES] = {
	[PROP_FATE] = "packets go where the policy says, translated and clamped as it says",
	[PROP_CHECKS] = "dead routes are dead, others take a packet, `expect` and `explain` say what the policy says",
	[PROP_STICKY] = "a flow stays where it is while its target is up",
	[PROP_REPLY] = "what comes in by a target is not steered again",
	[PROP_RETURN] = "what came in by a target is answered by it",
	[PROP_OUTER] = "outer packets take the links of their tunnel, and no tunnel",
	[PROP_MARKS] = "bits outside the mask are as they were",
	[PROP_CHANGE] = "when the policy changes, flows follow or stay, and keep their translation",
	[PROP_GONE] = "so do flows whose path is no longer in the policy, while its target is",
	[PROP_SAME] = "the same policy gives the same state",
};

struct totals {
	size_t n_policies, n_rejected, n_routes, n_packets, n_steered, n_pinned, n_changes;
	size_t n_failed[N_PROPERTIES];
	uint64_t first_failed[N_PROPERTIES]; /* its seed */
	bool show;
};

/* As a TAP comment. */
static void print_comment(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		printf("# %.*s\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

/* Compiles and compares, by itself and followed by another policy; false: not valid. */
static bool try_policy(struct cni_arena *arena, const struct policy_text *policy, uint64_t seed,
		       struct comparison *comparison, struct totals *totals)
{
	const char *text = policy_text_join(arena, policy);
	const struct compiled compiled = compile_text(arena, text, NULL);
	struct compiled next;
	struct comparison change;

	if (totals && totals->show) {
		print_comment(text);
		print_comment(compiled_diags(arena, &compiled));
	}
	if (!compiled.model)
		return false;
	*comparison = compare_policy(arena, &compiled, text, seed + PACKET_SEED);
	text = policy_text_change(arena, policy, seed);
	next = compile_text(arena, text, compiled.state);
	if (comparison->mismatch.text || !next.model)
		return true;
	change = compare_change(arena, &compiled, &next, seed + PACKET_SEED);
	if (change.mismatch.text) {
		comparison->mismatch = change.mismatch;
		comparison->mismatch.text = cni_printf(arena, "then\n%s\n%s", text, change.mismatch.text);
	}
	if (totals) {
		for (size_t p = 0; p < compiled.model->n_policies; p++)
			totals->n_routes += compiled.model->policies[p].n_routes;
		totals->n_changes += change.n_packets;
	}
	return true;
}

/* Drops lines for as long as the policy stays valid and fails in the same way. */
static struct mismatch shrink(struct cni_arena *keep, struct policy_text *policy, uint64_t seed,
			      struct mismatch mismatch)
{
	bool smaller = true;

	while (smaller) {
		smaller = false;
		for (size_t i = 0; i < policy->n_items; i++) {
			struct cni_arena *arena = cni_arena_new();
			struct comparison comparison = { 0 };

			if (policy->items[i].droppable && !policy->items[i].dropped) {
				policy->items[i].dropped = true;
				if (try_policy(arena, policy, seed, &comparison, NULL) && comparison.mismatch.text &&
				    comparison.mismatch.property == mismatch.property) {
					mismatch.text = cni_strdup(keep, comparison.mismatch.text);
					smaller = true;
				} else {
					policy->items[i].dropped = false;
				}
			}
			cni_arena_free(arena);
		}
	}
	return mismatch;
}

static void report(struct cni_arena *arena, struct policy_text *policy, uint64_t seed, struct mismatch mismatch)
{
	mismatch = shrink(arena, policy, seed, mismatch);
	printf("# SEED=%llu: %s: not so for\n", (unsigned long long)seed, titles[mismatch.property]);
	print_comment(policy_text_join(arena, policy));
	print_comment(mismatch.text);
}

static void one_policy(struct totals *totals, uint64_t seed)
{
	struct cni_arena *arena = cni_arena_new();
	struct rng rng = { .state = seed };
	struct policy_text policy = random_policy(arena, &rng);
	struct comparison comparison = { 0 };

	if (!try_policy(arena, &policy, seed, &comparison, totals)) {
		totals->n_rejected++;
		cni_arena_free(arena);
		return;
	}
	totals->n_policies++;
	totals->n_packets += comparison.n_packets;
	totals->n_steered += comparison.n_steered;
	totals->n_pinned += comparison.n_pinned;
	/* the first of each kind is shown, the others are counted */
	if (comparison.mismatch.text && !totals->n_failed[comparison.mismatch.property]++) {
		totals->first_failed[comparison.mismatch.property] = seed;
		report(arena, &policy, seed, comparison.mismatch);
	}
	cni_arena_free(arena);
}

static void ok(bool holds, unsigned int *n, const char *title)
{
	printf("%sok %u - %s\n", holds ? "" : "not ", ++*n, title);
}

/* One policy in the kernel, in a process of its own: -1: not valid, 0: as simulated, 1: not so. */
static int one_kernel(uint64_t seed, bool show)
{
	struct cni_arena *arena = cni_arena_new();
	struct rng rng = { .state = seed };
	const struct policy_text policy = random_policy(arena, &rng);
	const char *text = policy_text_join(arena, &policy);
	const struct compiled compiled = compile_text(arena, text, NULL);
	int status = 0;
	pid_t child = compiled.model ? fork() : -1;

	if (child == 0) {
		status = kernel_compare(&compiled, seed + PACKET_SEED);
		if (status || show) {
			printf("# SEED=%llu:\n", (unsigned long long)seed);
			print_comment(text);
		}
		fflush(stdout);
		_exit(status);
	}
	if (child > 0)
		waitpid(child, &status, 0);
	cni_arena_free(arena);
	return !compiled.model ? -1 : child < 0 || status;
}

static int against_kernel(const char *only, bool show)
{
	const unsigned int wanted = only ? 1 : KERNEL_POLICIES;
	unsigned int n = 0, n_failed = 0;

	for (uint64_t seed = only ? strtoull(only, NULL, 0) : FIXED_SEED; n < wanted && n_failed < 3; seed++) {
		int status = one_kernel(seed, show);

		if (status < 0 && !only)
			continue;
		n_failed += status != 0;
		printf("%sok %u - the kernel does what the simulator says (seed %llu)\n", status ? "not " : "", ++n,
		       (unsigned long long)seed);
	}
	printf("1..%u\n", n);
	return n_failed || n < wanted;
}

int main(int argc, char **argv)
{
	const char *only = getenv("SEED"), *full = getenv("CNIC_FULL");
	const size_t wanted = only ? 1 : full && *full ? POLICIES * 10 : POLICIES;
	struct totals totals = { .show = getenv("SHOW") != NULL };
	const uint64_t clock_seed = (uint64_t)time(NULL) << 20;
	bool all = true;
	unsigned int n = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "kernel"))
		return against_kernel(only, totals.show);
	if (argc > 1 && !strcmp(argv[1], "plan"))
		return pairs_main(only, full && *full, totals.show);
	if (argc > 1 && !strcmp(argv[1], "prove"))
		return proofs_main(only, full && *full, totals.show);
	if (argc > 1 && !strcmp(argv[1], "faults"))
		return faults_main(only, full && *full, totals.show);
	if (argc > 1 && !strcmp(argv[1], "diff"))
		return meanings_main(only, full && *full, totals.show);
	if (only) {
		one_policy(&totals, strtoull(only, NULL, 0));
	} else {
		printf("# seeds from %u and from %llu\n", FIXED_SEED, (unsigned long long)clock_seed);
		for (uint64_t i = 0; totals.n_policies < wanted && totals.n_rejected <= wanted; i++)
			one_policy(&totals, i % 2 ? clock_seed + i : FIXED_SEED + i);
	}
	printf("# %zu policies of %.1f routes each, %zu packets, %zu steered, %zu moved to stay, %zu carried over a "
	       "change; "
	       "%zu policies were refused\n",
	       totals.n_policies, (double)totals.n_routes / (double)(totals.n_policies ? totals.n_policies : 1),
	       totals.n_packets, totals.n_steered, totals.n_pinned, totals.n_changes, totals.n_rejected);
	ok(totals.n_policies >= wanted && totals.n_rejected <= totals.n_policies, &n,
	   "random policies are accepted, most of them at once");
	ok(totals.n_packets >= totals.n_policies * 400 && totals.n_steered > totals.n_packets / 10 && totals.n_pinned,
	   &n, "there are packets enough, and many are steered");
	for (unsigned int p = 0; p < N_PROPERTIES; p++) {
		if (totals.n_failed[p])
			printf("# %zu policies fail, the first with SEED=%llu\n", totals.n_failed[p],
			       (unsigned long long)totals.first_failed[p]);
		ok(!totals.n_failed[p], &n, titles[p]);
		all &= !totals.n_failed[p];
	}
	printf("1..%u\n", n);
	return all && totals.n_policies >= wanted ? 0 : 1;
}
