/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drift.c - the steps of a plan, each object's taken together; see drift.h. */
#include "runtime/drift/drift.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/emit/emit.h"

/* ---- records of any kind ---- */

#define COMPARE(kind)                                                                                                  \
	static int compare_##kind(const void *a, const void *b)                                                        \
	{                                                                                                              \
		return cni_##kind##_cmp(a, b);                                                                         \
	}
#define SAME(kind)                                                                                                     \
	static bool same_##kind(const void *a, const void *b)                                                          \
	{                                                                                                              \
		return cni_##kind##_same(a, b);                                                                        \
	}

COMPARE(link)
COMPARE(setting)
COMPARE(addr)
COMPARE(rule)
COMPARE(route)
COMPARE(counter)
COMPARE(set)
COMPARE(chain)
SAME(link)
SAME(route)
SAME(counter)
SAME(set)
SAME(chain)

static int compare_nothing(const void *a, const void *b)
{
	(void)a;
	(void)b;
	return 0;
}

static bool same_key(const void *a, const void *b)
{
	(void)a;
	(void)b;
	return true;
}

static bool same_setting(const void *a, const void *b)
{
	return ((const struct cni_st_setting *)a)->value == ((const struct cni_st_setting *)b)->value;
}

static bool same_rules(const void *a, const void *b)
{
	const struct cni_st_chain *x = a, *y = b;

	if (x->n_rules != y->n_rules)
		return false;
	for (size_t i = 0; i < x->n_rules; i++)
		if (!cni_nft_rule_same(&x->rules[i], &y->rules[i]))
			return false;
	return true;
}

static const struct {
	int (*compare)(const void *a, const void *b); /* by key */
	bool (*same)(const void *a, const void *b);
} kinds[CNI_N_OBJECTS] = {
	[CNI_LINK] = { compare_link, same_link },	   [CNI_SETTING] = { compare_setting, same_setting },
	[CNI_ADDR] = { compare_addr, same_key },	   [CNI_RULE] = { compare_rule, same_key },
	[CNI_ROUTE] = { compare_route, same_route },	   [CNI_TABLE_NFT] = { compare_nothing, same_key },
	[CNI_COUNTER] = { compare_counter, same_counter }, [CNI_SET] = { compare_set, same_set },
	[CNI_CHAIN] = { compare_chain, same_chain },	   [CNI_BASE_RULES] = { compare_chain, same_rules },
};

/* ---- steps that are about one object ---- */

static const void *record_of(const struct cni_step *step)
{
	return step->after ? step->after : step->before;
}

static int by_object(const struct cni_step *x, const struct cni_step *y)
{
	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	return kinds[x->object].compare(record_of(x), record_of(y));
}

/* Steps about one object stay as they will be executed: by their places in one array. */
static int by_object_and_order(const void *a, const void *b)
{
	const struct cni_step *x = *(const struct cni_step *const *)a, *y = *(const struct cni_step *const *)b;
	int order = by_object(x, y);

	return order ? order : x < y ? -1 : x > y;
}

static const char *text_of(struct cni_arena *arena, enum cni_object object, const void *record)
{
	struct cni_text text = { .arena = arena };

	if (!record)
		return NULL;
	cni_emit_record(&text, object, record, NULL);
	return text.data;
}

static void add(struct cni_arena *arena, struct rt_drift *drift, struct rt_difference difference)
{
	difference.what = !difference.before ? RT_DRIFT_MISSING : !difference.after ? RT_DRIFT_EXTRA : RT_DRIFT_CHANGED;
	difference.is = text_of(arena, difference.object, difference.before);
	difference.should = text_of(arena, difference.object, difference.after);
	difference.text = difference.should ? difference.should : difference.is;
	*cni_push(arena, drift->items, drift->n_items) = difference;
}

static void add_steps(struct cni_arena *arena, struct rt_drift *drift)
{
	const struct cni_plan *plan = drift->plan;
	const struct cni_step **steps = cni_new_array(arena, const struct cni_step *, plan->n_steps);

	for (size_t i = 0; i < plan->n_steps; i++)
		steps[i] = &plan->steps[i];
	if (plan->n_steps)
		qsort(steps, plan->n_steps, sizeof(*steps), by_object_and_order);
	for (size_t i = 0, end; i < plan->n_steps; i = end) {
		const void *before = steps[i]->before, *after;

		for (end = i + 1; end < plan->n_steps && !by_object(steps[i], steps[end]);)
			end++;
		after = steps[end - 1]->after;
		if ((!before && !after) || (before && after && kinds[steps[i]->object].same(before, after)))
			continue; /* it only goes for a moment */
		if (steps[i]->object == CNI_SETTING && !after)
			continue; /* goes with its device, which is a difference */
		if (steps[i]->object == CNI_SET && !before &&
		    !strcmp(((const struct cni_st_set *)after)->name, "former"))
			continue; /* notes what a setting is that apply would set: the setting is the difference */
		add(arena, drift,
		    (struct rt_difference){ .object = steps[i]->object,
					    .before = before,
					    .after = after,
					    .span = steps[end - 1]->span });
	}
}

/* ---- what no step can mend ---- */

static void add_absent(struct cni_arena *arena, struct rt_drift *drift, const struct cni_state *observed,
		       const struct cni_state *desired)
{
	for (size_t i = 0; i < desired->n_links; i++) {
		const struct cni_st_link *want = &desired->links[i];

		if (!want->owned && !(observed->n_links &&
				      bsearch(want, observed->links, observed->n_links, sizeof(*want), compare_link)))
			*cni_push(arena, drift->items, drift->n_items) = (struct rt_difference){
				.what = RT_DRIFT_MISSING,
				.object = CNI_LINK,
				.text = cni_printf(arena, "device %s", want->name),
				.should = cni_printf(arena, "device %s", want->name),
				.span = want->span,
			};
	}
}

static void add_obstacles(struct cni_arena *arena, struct rt_drift *drift, const struct cni_diags *diags)
{
	for (const struct cni_diag *d = diags->first; d; d = d->next)
		if (d->severity == CNI_ERROR && d->code != CNI550)
			*cni_push(arena, drift->items, drift->n_items) = (struct rt_difference){
				.what = RT_DRIFT_CHANGED,
				.object = d->code == CNI553 ? CNI_ROUTE : CNI_LINK,
				.text = d->message,
				.span = d->span,
			};
}

/* ---- all of it ---- */

static int by_text(const void *a, const void *b)
{
	const struct rt_difference *x = a, *y = b;
	int order;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	order = strcmp(x->text, y->text);
	return order ? order : (int)x->what - (int)y->what;
}

struct rt_drift rt_drift_of(struct cni_arena *arena, const struct cni_state *observed, const struct cni_state *desired)
{
	struct rt_drift drift = { 0 };
	struct cni_diags diags;

	cni_diags_init(&diags, arena);
	drift.plan = cni_plan(arena, observed, desired, &diags);
	add_steps(arena, &drift);
	add_absent(arena, &drift, observed, desired);
	add_obstacles(arena, &drift, &diags);
	if (drift.n_items)
		qsort(drift.items, drift.n_items, sizeof(*drift.items), by_text);
	return drift;
}

static bool matches(const struct rt_words *patterns, const char *text)
{
	for (size_t i = 0; text && i < patterns->n_items; i++)
		if (!fnmatch(patterns->items[i], text, 0))
			return true;
	return false;
}

void rt_drift_ignore(struct rt_drift *drift, const struct rt_words *patterns)
{
	size_t n = 0;

	for (size_t i = 0; i < drift->n_items; i++) {
		const struct rt_difference *d = &drift->items[i];

		if (matches(patterns, d->text) || matches(patterns, d->is))
			drift->n_ignored++;
		else
			drift->items[n++] = *d;
	}
	drift->n_items = n;
}
