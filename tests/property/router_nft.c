/* SPDX-License-Identifier: GPL-2.0-or-later */
/* router_nft.c - one batch of nft steps: taken whole, in the order of runtime/netlink/execute.c. See router.h. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "tests/property/router_list.h"

ROUTER_LIST(counter, counters, 5)
ROUTER_LIST(set, sets, 6)
ROUTER_LIST(chain, chains, 7)

/* ---- references ---- */

static bool has_chain(const struct router *r, const char *name)
{
	const struct cni_st_chain key = { .name = name };

	return find_chain(r, &key);
}

static bool has_set(const struct router *r, const char *name)
{
	const struct cni_st_set key = { .name = name };

	return find_set(r, &key);
}

static bool has_counter(const struct router *r, const char *name)
{
	const struct cni_st_counter key = { .name = name };

	return find_counter(r, &key);
}

static bool leads(int32_t verdict)
{
	return verdict == NFT_JUMP || verdict == NFT_GOTO;
}

static bool check_rule(struct router *r, const struct cni_st_chain *chain, const struct cni_st_rule_nft *rule)
{
	for (size_t i = 0; i < rule->n_exprs; i++) {
		const struct cni_expr *x = &rule->exprs[i];

		if ((x->op == CNI_X_VERDICT && leads(x->key) && !has_chain(r, x->name)) ||
		    (x->op == CNI_X_LOOKUP && !has_set(r, x->name)) ||
		    (x->op == CNI_X_COUNTER && !has_counter(r, x->name)))
			return router_fault(r, "a rule of chain %s refers to %s, which is not there", chain->name,
					    x->name);
	}
	return true;
}

/* What is referred to is there: EBUSY where it is removed, ENOENT where the reference is made. */
static bool check_references(struct router *r)
{
	for (size_t i = 0; i < r->state.n_chains; i++)
		for (size_t j = 0; j < r->state.chains[i].n_rules; j++)
			if (!check_rule(r, &r->state.chains[i], &r->state.chains[i].rules[j]))
				return false;
	for (size_t i = 0; i < r->state.n_sets; i++) {
		const struct cni_st_set *set = &r->state.sets[i];

		for (size_t e = 0; set->map && e < set->n_elems; e++)
			if (leads(set->verdicts[e].code) && !has_chain(r, set->verdicts[e].chain))
				return router_fault(r, "an element of set %s leads to chain %s, which is not there",
						    set->name, set->verdicts[e].chain);
	}
	return true;
}

/* ---- passes: as in execute.c ---- */

static bool is_changed(const struct cni_step *step)
{
	return step->op == CNI_CHANGE && step->before && step->after;
}

static bool remove_rules(struct router *r, const struct cni_step *step)
{
	const struct cni_st_chain *before = step->before;
	struct cni_st_chain *has;

	if (!before || (step->object != CNI_BASE_RULES && (step->object != CNI_CHAIN || !before->n_rules)))
		return true;
	has = find_chain(r, before);
	if (!has)
		return router_fault(r, "no chain %s to flush", before->name);
	/* a step about a base chain is about it without its rules */
	if (has->n_rules != before->n_rules && (step->object == CNI_BASE_RULES || !cni_chain_flips(before)))
		return router_fault(r, "chain %s holds other rules than the plan says", before->name);
	has->n_rules = 0;
	return true;
}

static bool remove_set(struct router *r, const struct cni_step *step)
{
	struct cni_st_set *has;

	if (step->object != CNI_SET || !step->before)
		return true;
	has = find_set(r, step->before);
	if (!has)
		return router_fault(r, "no set %s to remove", ((const struct cni_st_set *)step->before)->name);
	if (!cni_set_same(has, step->before))
		return router_fault(r, "set %s holds other elements than the plan says", has->name);
	if (is_changed(step))
		has->n_elems = 0;
	else
		drop_set(r, has);
	return true;
}

static bool remove_chain(struct router *r, const struct cni_step *step)
{
	struct cni_st_chain *has;

	if (step->object != CNI_CHAIN || !step->before || is_changed(step))
		return true;
	has = find_chain(r, step->before);
	if (!has)
		return router_fault(r, "no chain %s to remove", ((const struct cni_st_chain *)step->before)->name);
	if (has->n_rules)
		return router_fault(r, "chain %s is removed with its rules in it", has->name);
	drop_chain(r, has);
	return true;
}

static bool remove_counter(struct router *r, const struct cni_step *step)
{
	struct cni_st_counter *has;

	if (step->object != CNI_COUNTER || !step->before)
		return true;
	has = find_counter(r, step->before);
	if (!has)
		return router_fault(r, "no counter %s to remove", ((const struct cni_st_counter *)step->before)->name);
	drop_counter(r, has);
	return true;
}

static bool add_counter(struct router *r, const struct cni_step *step)
{
	const struct cni_st_counter *after = step->after;

	if (step->object != CNI_COUNTER || !after)
		return true;
	if (find_counter(r, after))
		return router_fault(r, "counter %s exists", after->name);
	put_counter(r, after);
	return true;
}

static bool add_set(struct router *r, const struct cni_step *step)
{
	struct cni_st_set empty;

	if (step->object != CNI_SET || !step->after || is_changed(step))
		return true;
	empty = *(const struct cni_st_set *)step->after;
	if (find_set(r, &empty))
		return router_fault(r, "set %s exists", empty.name);
	empty.n_elems = 0;
	put_set(r, &empty);
	return true;
}

static bool add_chain(struct router *r, const struct cni_step *step)
{
	struct cni_st_chain empty;

	if (step->object != CNI_CHAIN || !step->after || is_changed(step))
		return true;
	empty = *(const struct cni_st_chain *)step->after;
	if (find_chain(r, &empty))
		return router_fault(r, "chain %s exists", empty.name);
	empty.n_rules = 0;
	put_chain(r, &empty);
	return true;
}

static bool add_elements(struct router *r, const struct cni_step *step)
{
	if (step->object == CNI_SET && step->after)
		*find_set(r, step->after) = *(const struct cni_st_set *)step->after;
	return true;
}

static bool add_rules(struct router *r, const struct cni_step *step)
{
	const struct cni_st_chain *after = step->after;
	struct cni_st_chain *has;

	if (!after || (step->object != CNI_BASE_RULES && (step->object != CNI_CHAIN || cni_chain_flips(after))))
		return true;
	has = find_chain(r, after);
	if (!has || has->n_rules)
		return router_fault(r, "chain %s %s", after->name, has ? "has rules already" : "is not there");
	has->rules = after->rules;
	has->n_rules = after->n_rules;
	return true;
}

typedef bool pass(struct router *r, const struct cni_step *step);

static bool run_passes(struct router *r, pass *const *passes, size_t n_passes, const struct cni_step *steps, size_t n)
{
	for (size_t p = 0; p < n_passes; p++)
		for (size_t i = 0; i < n; i++)
			if (!passes[p](r, &steps[i]))
				return false;
	return check_references(r);
}

static bool take_table(struct router *r, const struct cni_step *step)
{
	if (r->state.has_table != (step->before != NULL))
		return router_fault(r, "the table %s", step->before ? "is not there" : "exists");
	r->state.has_table = step->after;
	if (!step->after) /* with the table goes all that is in it */
		r->state.n_chains = r->state.n_sets = r->state.n_counters = 0;
	return true;
}

bool router_batch(struct router *r, const struct cni_step *steps, size_t n)
{
	static pass *const removals[] = { remove_rules, remove_set, remove_chain, remove_counter };
	static pass *const additions[] = { add_counter, add_set, add_chain, add_elements, add_rules };

	for (size_t i = 0; i < n; i++)
		if (steps[i].object == CNI_TABLE_NFT && (!take_table(r, &steps[i]) || !steps[i].after))
			return !r->fault;
	if (!r->state.has_table)
		return router_fault(r, "there is no table");
	return run_passes(r, removals, sizeof(removals) / sizeof(*removals), steps, n) &&
	       run_passes(r, additions, sizeof(additions) / sizeof(*additions), steps, n);
}
