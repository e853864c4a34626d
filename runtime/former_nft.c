/* SPDX-License-Identifier: GPL-2.0-or-later */
/* former_nft.c - see former_nft.h. A handle is never given out twice: who has it still is what it was. */
#include "runtime/former_nft.h"

#include <stdlib.h>

#include "compiler/text.h"

#define FIND(kind)                                                                                                     \
	static int by_name_of_##kind(const void *a, const void *b)                                                     \
	{                                                                                                              \
		return cni_##kind##_cmp(a, b);                                                                         \
	}                                                                                                              \
                                                                                                                       \
	static const struct cni_st_##kind *find_##kind(const struct cni_state *state, const char *name)                \
	{                                                                                                              \
		const struct cni_st_##kind key = { .name = name };                                                     \
                                                                                                                       \
		return state->n_##kind##s                                                                              \
			       ? bsearch(&key, state->kind##s, state->n_##kind##s, sizeof(key), by_name_of_##kind)     \
			       : NULL;                                                                                 \
	}

FIND(set)
FIND(chain)

static void keep_sets(struct cni_arena *arena, const struct cni_state *old, const struct cni_state *now,
		      struct cni_state *want, struct rt_lost *lost)
{
	for (size_t i = 0; i < old->n_sets; i++) {
		const struct cni_st_set *set = &old->sets[i], *there = set;

		if (!set->n_fields)
			there = find_set(now, set->name);
		if (there)
			*cni_push(arena, want->sets, want->n_sets) = *there;
		if (!there || there->handle != set->handle || there->n_fields != set->n_fields)
			*cni_push(arena, lost->texts, lost->n_texts) =
				cni_printf(arena, "the set %s as somebody else had made it", set->name);
	}
}

/* What of a rule cnic cannot write; NULL: it can. */
static const char *strange_part(const struct cni_state *want, const struct cni_st_rule_nft *rule)
{
	for (size_t i = 0; i < rule->n_exprs; i++) {
		const struct cni_expr *x = &rule->exprs[i];

		if (x->op == CNI_X_OTHER || (x->op == CNI_X_LOOKUP && !find_set(want, x->name)))
			return x->name;
	}
	return NULL;
}

static bool is_untouched(const struct cni_st_chain *chain, const struct cni_st_chain *there)
{
	if (!there || !cni_chain_same(chain, there))
		return false;
	for (size_t i = 0; i < chain->n_rules; i++)
		if (chain->rules[i].handle != there->rules[i].handle)
			return false;
	return true;
}

static void keep_chain(struct cni_arena *arena, const struct cni_st_chain *chain, const struct cni_state *now,
		       struct cni_state *want, struct rt_lost *lost)
{
	struct cni_st_chain *kept = cni_push(arena, want->chains, want->n_chains);
	size_t n = 0;

	for (size_t i = 0; i < chain->n_rules; i++)
		n += !strange_part(want, &chain->rules[i]);
	*kept = *chain;
	if (n == chain->n_rules || is_untouched(chain, find_chain(now, chain->name)))
		return;
	kept->rules = cni_new_array(arena, struct cni_st_rule_nft, n);
	kept->n_rules = 0;
	for (size_t i = 0; i < chain->n_rules; i++) {
		const char *part = strange_part(want, &chain->rules[i]);

		if (part)
			*cni_push(arena, lost->texts, lost->n_texts) =
				cni_printf(arena, "rule %zu of chain %s (%s)", i + 1, chain->name, part);
		else
			kept->rules[kept->n_rules++] = chain->rules[i];
	}
}

void rt_former_nft(struct cni_arena *arena, const struct cni_state *old, const struct cni_state *now,
		   struct cni_state *want, struct rt_lost *lost)
{
	keep_sets(arena, old, now, want, lost);
	for (size_t i = 0; i < old->n_chains; i++)
		keep_chain(arena, &old->chains[i], now, want, lost);
}
