/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe.c - what becomes of policies: what would be sent for them, and whether that is proven to mean what they say.
 *
 * probe CASE[=DIGEST]... <NUMBERS: CASE is a file, or N or N+ for random policy N, or what it is changed to; DIGEST is what
 * its messages had without a fault. NUMBERS are those of mutants (Schemata.pm; 0: none), each of which is tried on all
 * cases. Says a line for each: mutant, case, a word, the digests of its messages and of its texts, seconds. The words:
 *
 *   same      the messages are those of DIGEST, which need no proof
 *   proven    they are others, and proven
 *   refuted, large, refused, crashed, endless: the proof's answer, an error of another sort, a signal, no end. This is
 *             the mutant's last line: it is enough of a fault
 *
 * Every mutant is a process of its own, since it is broken. */
#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compiler/arena.h"
#include "compiler/emit/emit.h"
#include "compiler/lower.h"
#include "compiler/resolve/resolve.h"
#include "runtime/json/desired.h"
#include "runtime/load.h"
#include "runtime/proof/record.h"
#include "runtime/saved_plan/digest.h"
#include "tests/property/compare.h"
#include "tests/property/random_policy.h"

enum { MAX_SECONDS = 2, MAX_BYTES = 1 << 30, MAX_NODES = 4000000 };

/* What is read before there is a fault: models, which are lowered with it. */
struct a_case {
	const char *name, *known; /* known: digest of its messages, or NULL */
	const struct cni_model *model, *before; /* NULL: it is refused; it has none before it */
	const char *text, *text_before; /* of random ones */
};

static const struct cni_model *of_file(struct cni_arena *arena, const char *path)
{
	struct rt_policy *policy = rt_load(arena, &path, 1, NULL, 0);
	struct cni_diags *diags = &policy->diags;
	struct cni_model *model = NULL;

	if (!diags->n_errors)
		model = cni_resolve(arena, &policy->ast, NULL, 0, diags);
	if (model)
		cni_check(arena, model, diags);
	return diags->n_errors ? NULL : model;
}

static void of_seed(struct cni_arena *arena, struct a_case *c, uint64_t seed, bool changed)
{
	struct rng rng = { .state = seed };
	const struct policy_text policy = random_policy(arena, &rng);

	c->text = policy_text_join(arena, &policy);
	c->model = check_text(arena, c->text).model;
	if (!changed || !c->model)
		return;
	c->text_before = c->text;
	c->before = c->model;
	c->text = policy_text_change(arena, &policy, seed);
	c->model = check_text(arena, c->text).model;
}

static struct a_case read_case(struct cni_arena *arena, char *arg)
{
	struct a_case c = { .name = strsep(&arg, "="), .known = arg };
	char *end;
	const uint64_t seed = strtoull(c.name, &end, 10);

	if (end != c.name && (!*end || !strcmp(end, "+")))
		of_seed(arena, &c, seed, *end);
	else
		c.model = of_file(arena, c.name);
	return c;
}

static const struct cni_state *lower(struct cni_arena *arena, const struct a_case *c, struct cni_diags *diags)
{
	struct cni_prior prior = { 0 };

	if (c->before) {
		prior = prior_of_text(c->text_before, NULL);
		prior.observed = cni_lower(arena, c->before, &prior, diags);
	}
	if (c->text)
		prior = prior_of_text(c->text, prior.observed);
	return cni_lower(arena, c->model, &prior, diags);
}

/* Half of a SHA-256 tells as much here. */
enum { DIGEST = RT_DIGEST_TEXT / 2 };

static void digest_messages(struct cni_arena *arena, const struct cni_messages *messages, char digest[RT_DIGEST_TEXT])
{
	struct cni_text all = { .arena = arena };

	cni_text_printf(&all, "%zu ", messages->route_len);
	cni_text_add(&all, (const char *)messages->route, messages->route_len);
	cni_text_add(&all, (const char *)messages->nft, messages->nft_len);
	rt_digest_bytes(all.data, all.len, digest);
	digest[DIGEST] = '\0';
}

/* What a reader sees of a state: as nft, ip and JSON; and from digit TEXTS on what deciding costs. */
enum { TEXTS = 16 };

static void digest_texts(struct cni_arena *arena, const struct cni_state *state, char digest[RT_DIGEST_TEXT])
{
	struct cni_text all = { .arena = arena }, costs = { .arena = arena };
	json_t *json = rt_json_desired(arena, state);
	char *dumped = json_dumps(json, JSON_COMPACT), other[RT_DIGEST_TEXT];

	cni_emit_nft(&all, state);
	cni_emit_ip(&all, state);
	cni_text_puts(&all, dumped ? dumped : "");
	cni_text_puts(&costs, "");
	for (size_t i = 0; i < state->n_costs; i++) {
		const struct cni_decision_cost *cost = &state->costs[i];

		cni_text_printf(&costs, "%s %d %zu %zu %zu %zu %zu %zu %llu\n", cost->policy, (int)cost->family,
				cost->n_routes, cost->n_layers, cost->n_maps, cost->n_elements, cost->n_rules,
				cost->most, (unsigned long long)cost->sum);
	}
	free(dumped);
	json_decref(json);
	rt_digest_bytes(all.data, all.len, digest);
	rt_digest_bytes(costs.data, costs.len, other);
	memcpy(digest + TEXTS, other, DIGEST - TEXTS);
	digest[DIGEST] = '\0';
}

static void say(unsigned int mutant, const char *name, const char *word, const char *messages, const char *texts,
		clock_t start)
{
	printf("%u %s %s %s %s %.3f\n", mutant, name, word, messages, texts,
	       (double)(clock() - start) / CLOCKS_PER_SEC);
	fflush(stdout);
}

/* False: that is fault enough. *left: proofs that may still be tried. */
static bool try(unsigned int mutant, const struct a_case *c, unsigned int *left)
{
	static const char *const words[] = {
		[CNI_PROVEN] = "proven", [CNI_REFUTED] = "refuted", [CNI_TOO_LARGE] = "large"
	};
	const struct cni_proof_limits limits = { .max_nodes = MAX_NODES };
	const clock_t start = clock();
	struct cni_arena *arena = cni_arena_new();
	char digest[RT_DIGEST_TEXT] = "-", texts[RT_DIGEST_TEXT] = "-";
	const struct cni_state *state = NULL;
	struct cni_messages messages;
	struct cni_diags diags;
	enum cni_proven answer;
	bool same;

	cni_diags_init(&diags, arena);
	if (c->model)
		state = lower(arena, c, &diags);
	if (!state || diags.n_errors || rt_record(arena, state, &messages, &diags)) {
		say(mutant, c->name, "refused", digest, texts, start);
		return false;
	}
	digest_messages(arena, &messages, digest);
	same = c->known && !strcmp(c->known, digest);
	digest_texts(arena, state, texts);
	if (same || !*left) {
		say(mutant, c->name, same ? "same" : "other", digest, texts, start);
		cni_arena_free(arena);
		return true;
	}
	--*left;
	answer = cni_prove(arena, c->model, NULL, &messages, &limits, &diags).answer;
	say(mutant, c->name, words[answer], digest, texts, start);
	cni_arena_free(arena);
	return answer == CNI_PROVEN;
}

/* So much more time from now on. */
static void limit_seconds(void)
{
	const rlim_t seconds = (rlim_t)(clock() / CLOCKS_PER_SEC) + MAX_SECONDS;

	setrlimit(RLIMIT_CPU, &(struct rlimit){ seconds, RLIM_INFINITY });
}

static void try_all(unsigned int mutant, const struct a_case *cases, size_t n, volatile size_t *at)
{
	const char *proofs = getenv("PROOFS");
	unsigned int left = proofs ? (unsigned int)atoi(proofs) : UINT_MAX;
	int *chosen = dlsym(RTLD_DEFAULT, "cni_mutant");

	if (chosen)
		*chosen = (int)mutant;
	setrlimit(RLIMIT_AS, &(struct rlimit){ MAX_BYTES, MAX_BYTES });
	for (*at = 0; *at < n; ++*at) {
		limit_seconds();
		if (!try(mutant, &cases[*at], &left))
			break;
	}
}

int main(int argc, char **argv)
{
	const size_t n = (size_t)argc - 1;
	struct cni_arena *arena = cni_arena_new();
	struct a_case *cases = cni_new_array(arena, struct a_case, n + 1);
	size_t *at = mmap(NULL, sizeof(*at), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int mutant;

	for (size_t i = 0; i < n; i++)
		cases[i] = read_case(arena, argv[i + 1]);
	setvbuf(stdin, NULL, _IONBF, 0); /* a child must not read what is the next one's */
	while (at != MAP_FAILED && scanf("%u", &mutant) == 1) {
		const pid_t child = fork();
		int status;

		if (!child) {
			try_all(mutant, cases, n, at);
			_exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) < 0)
			break;
		if (WIFSIGNALED(status))
			say(mutant, cases[*at].name,
			    WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXCPU ? "endless" : "crashed", "-",
			    "-", clock());
	}
	cni_arena_free(arena);
	return 0;
}
