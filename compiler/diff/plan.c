/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.c - one sorted merge per kind of record, and the steps in their order. See plan.h. */
#include <stdlib.h>

#include "compiler/diff/diff.h"

void diff_step(struct diff *d, enum cni_phase phase, unsigned int rank, enum cni_object object, enum cni_op op,
	       const void *before, const void *after, struct cni_span span, const char *disturbs)
{
	struct order *o = cni_push(d->arena, d->steps, d->n_steps);

	o->step = (struct cni_step){ .phase = phase,
				     .op = !before  ? CNI_ADD
					   : !after ? CNI_DELETE
						    : op,
				     .object = object,
				     .before = before,
				     .after = after,
				     .disturbs = disturbs,
				     .span = after ? span : (struct cni_span){ 0 } };
	o->rank = rank;
	o->sub = d->n_steps;
	/* The last one first: a rule is there before the one that it makes an exception of, or that goes on at it; and the
	 * kernel, which looks for the place from the front, finds it at once. */
	if (phase == CNI_EXPAND && object == CNI_RULE)
		o->sub |= (uint64_t)(UINT32_MAX - ((const struct cni_st_rule *)after)->priority) << 32;
}

static int by_order(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->step.phase != y->step.phase)
		return x->step.phase < y->step.phase ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->sub < y->sub ? -1 : x->sub > y->sub;
}

#define MERGE(kind, list)                                                                                              \
	static void merge_##list(struct diff *d)                                                                       \
	{                                                                                                              \
		const struct cni_st_##kind *before = d->observed->list, *after = d->desired->list;                     \
		size_t i = 0, j = 0, n = d->observed->n_##list, m = d->desired->n_##list;                              \
                                                                                                                       \
		while (i < n || j < m) {                                                                               \
			int o = i == n ? 1 : j == m ? -1 : cni_##kind##_cmp(&before[i], &after[j]);                    \
                                                                                                                       \
			diff_##kind(d, o <= 0 ? &before[i] : NULL, o >= 0 ? &after[j] : NULL);                         \
			i += o <= 0;                                                                                   \
			j += o >= 0;                                                                                   \
		}                                                                                                      \
	}

MERGE(link, links)
MERGE(setting, settings)
MERGE(addr, addrs)
MERGE(rule, rules)
MERGE(route, routes)
MERGE(counter, counters)
MERGE(set, sets)
MERGE(chain, chains)

static void merge_table(struct diff *d)
{
	const struct cni_state *before = d->observed->has_table ? d->observed : NULL;
	const struct cni_state *after = d->desired->has_table ? d->desired : NULL;

	if (!before && after)
		diff_step(d, CNI_EXPAND, X_TABLE, CNI_TABLE_NFT, CNI_ADD, NULL, after, (struct cni_span){ 0 }, NULL);
	if (before && !after)
		diff_step(d, CNI_CONTRACT, C_TABLE, CNI_TABLE_NFT, CNI_DELETE, before, NULL, (struct cni_span){ 0 },
			  NULL);
}

struct cni_plan *cni_plan(struct cni_arena *arena, const struct cni_state *observed, const struct cni_state *desired,
			  struct cni_diags *diags)
{
	struct cni_plan *plan = cni_new(arena, struct cni_plan);
	struct cni_state *wanted = cni_new(arena, struct cni_state);
	struct diff d = { .arena = arena, .diags = diags, .observed = observed, .desired = wanted };

	*wanted = *desired;
	diff_former(&d);
	diff_find_remade(&d);
	merge_links(&d);
	merge_settings(&d);
	merge_addrs(&d);
	merge_rules(&d);
	merge_routes(&d);
	merge_table(&d);
	merge_counters(&d);
	merge_sets(&d);
	merge_chains(&d);
	if (d.n_steps)
		qsort(d.steps, d.n_steps, sizeof(*d.steps), by_order);
	plan->steps = cni_new_array(arena, struct cni_step, d.n_steps);
	plan->n_steps = d.n_steps;
	for (size_t i = 0; i < d.n_steps; i++)
		plan->steps[i] = d.steps[i].step;
	plan->observed = observed;
	plan->desired = wanted;
	return plan;
}

struct cni_state *cni_state_without(struct cni_arena *arena, const struct cni_state *observed)
{
	struct cni_state *state = cni_new(arena, struct cni_state);

	for (size_t i = 0; i < observed->n_settings; i++)
		if (observed->settings[i].has_former) {
			struct cni_st_setting *s = cni_push(arena, state->settings, state->n_settings);

			*s = (struct cni_st_setting){ .device = observed->settings[i].device,
						      .key = observed->settings[i].key,
						      .value = observed->settings[i].former };
		}
	return state;
}

/* ---- looking up, in lists sorted by key ---- */

static int find_link(const void *key, const void *item)
{
	return cni_link_cmp(key, item);
}

static int find_setting(const void *key, const void *item)
{
	return cni_setting_cmp(key, item);
}

const struct cni_st_link *diff_find_link(const struct cni_state *state, const char *name)
{
	const struct cni_st_link key = { .name = name };

	return state->n_links ? bsearch(&key, state->links, state->n_links, sizeof(key), find_link) : NULL;
}

const struct cni_st_setting *diff_find_setting(const struct cni_state *state, const char *device,
					       enum cni_setting_key key)
{
	const struct cni_st_setting wanted = { .device = device, .key = key };

	return state->n_settings ? bsearch(&wanted, state->settings, state->n_settings, sizeof(wanted), find_setting)
				 : NULL;
}

static int find_addr(const void *key, const void *item)
{
	return cni_addr_cmp(key, item);
}

const struct cni_st_addr *diff_find_addr(const struct cni_state *state, const struct cni_st_addr *key)
{
	return state->n_addrs ? bsearch(key, state->addrs, state->n_addrs, sizeof(*key), find_addr) : NULL;
}

bool diff_owns_device(const struct cni_state *state, const char *name)
{
	const struct cni_st_link *link = diff_find_link(state, name);

	return link && link->owned;
}
