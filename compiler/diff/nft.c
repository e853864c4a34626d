/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft.c - steps for counters, sets and chains. Sets and chains are named by content, so what differs under one name was
 * changed by somebody else, and is put right where it is; but for the few chains that the flip is about. */
#include <string.h>

#include "compiler/diff/diff.h"

static bool is_counting(const struct cni_st_rule_nft *rule, const char *counter)
{
	for (size_t i = 0; i < rule->n_exprs; i++)
		if (rule->exprs[i].op == CNI_X_COUNTER && !strcmp(rule->exprs[i].name, counter))
			return true;
	return false;
}

static bool is_referenced(const struct cni_state *state, const char *counter)
{
	for (size_t i = 0; i < state->n_chains; i++)
		for (size_t j = 0; j < state->chains[i].n_rules; j++)
			if (is_counting(&state->chains[i].rules[j], counter))
				return true;
	return false;
}

void diff_counter(struct diff *d, const struct cni_st_counter *before, const struct cni_st_counter *after)
{
	if (!before)
		diff_step(d, CNI_EXPAND, X_COUNTER, CNI_COUNTER, CNI_ADD, NULL, after, after->span, NULL);
	else if (!after)
		diff_step(d, CNI_CONTRACT, C_COUNTER, CNI_COUNTER, CNI_DELETE, before, NULL, before->span, NULL);
	else if (!cni_counter_same(before, after) && !is_referenced(d->observed, before->name))
		/* the kernel cannot change a comment, nor remove a counter that a rule uses */
		diff_step(d, CNI_EXPAND, X_COUNTER, CNI_COUNTER, CNI_REPLACE, before, after, after->span, NULL);
}

void diff_set(struct diff *d, const struct cni_st_set *before, const struct cni_st_set *after)
{
	const char *name = before ? before->name : after->name;

	if (d->sees_to_former && !strcmp(name, CNI_FORMER))
		return;
	if (!before)
		diff_step(d, CNI_EXPAND, X_SET, CNI_SET, CNI_ADD, NULL, after, after->span, NULL);
	else if (!after)
		diff_step(d, CNI_CONTRACT, C_SET, CNI_SET, CNI_DELETE, before, NULL, before->span, NULL);
	else if (!cni_set_same(before, after))
		diff_step(d, CNI_IN_PLACE, P_SET, CNI_SET, CNI_CHANGE, before, after, after->span,
			  "somebody changed it: packets meet parts of both while it is put right");
}

static bool same_hook(const struct cni_st_chain *a, const struct cni_st_chain *b)
{
	return a->type == b->type && a->hook == b->hook && a->priority == b->priority;
}

static bool same_rules(const struct cni_st_chain *a, const struct cni_st_chain *b)
{
	struct cni_st_chain there = *a;

	there.type = b->type;
	there.hook = b->hook;
	there.priority = b->priority;
	return cni_chain_same(&there, b);
}

/* A chain with a fixed name and its rules are two things: the rules change in the flip, with those of all others. */
static void diff_fixed_chain(struct diff *d, const struct cni_st_chain *before, const struct cni_st_chain *after)
{
	const struct cni_st_chain *old = before && before->n_rules ? before : NULL;
	const struct cni_st_chain *new = after && after->n_rules ? after : NULL;
	const struct cni_span span = after ? after->span : before->span;

	if (!before)
		diff_step(d, CNI_EXPAND, X_CHAIN, CNI_CHAIN, CNI_ADD, NULL, after, span, NULL);
	if (before && !after)
		diff_step(d, CNI_CONTRACT, C_CHAIN, CNI_CHAIN, CNI_DELETE, before, NULL, span, NULL);
	if (before && after && !same_hook(before, after)) {
		if (old)
			diff_step(d, CNI_IN_PLACE, P_CHAIN, CNI_BASE_RULES, CNI_DELETE, old, NULL, span, NULL);
		diff_step(d, CNI_IN_PLACE, P_CHAIN, CNI_CHAIN, CNI_REPLACE, before, after, span,
			  "packets are not steered until its rules are back");
		old = NULL;
	}
	/* a packet that was marked before the flip may come to NAT after it: its rules go with their chain */
	if (before && !after && before->type == CNI_HOOK_NAT)
		return;
	if ((old || new) && !(old && new &&same_rules(old, new)))
		diff_step(d, CNI_FLIP, 0, CNI_BASE_RULES, CNI_CHANGE, old, new, span, NULL);
}

void diff_chain(struct diff *d, const struct cni_st_chain *before, const struct cni_st_chain *after)
{
	if ((before && cni_chain_flips(before)) || (after && cni_chain_flips(after)))
		diff_fixed_chain(d, before, after);
	else if (!before)
		diff_step(d, CNI_EXPAND, X_CHAIN, CNI_CHAIN, CNI_ADD, NULL, after, after->span, NULL);
	else if (!after)
		diff_step(d, CNI_CONTRACT, C_CHAIN, CNI_CHAIN, CNI_DELETE, before, NULL, before->span, NULL);
	else if (!cni_chain_same(before, after))
		diff_step(d, CNI_IN_PLACE, P_CHAIN, CNI_CHAIN, CNI_CHANGE, before, after, after->span,
			  "somebody changed it: packets are steered wrongly until it is put right");
}
