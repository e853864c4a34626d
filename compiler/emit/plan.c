/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.c - a plan for a reader; see emit.h. */
#include "compiler/plan.h"

#include "compiler/emit/describe.h"
#include "compiler/emit/emit.h"

#define BASE_RULES_MAX 4 /* rules of a base chain that are shown; cnic writes one */

static const char *const headings[CNI_N_PHASES] = {
	[CNI_EXPAND] = "expand: what no packet meets yet",
	[CNI_IN_PLACE] = "in place: what the kernel can only change where it is",
	[CNI_FLIP] = "flip: one transaction, every packet meets the old rules or the new ones",
	[CNI_CONTRACT] = "contract: what no packet meets any more",
};

static const struct {
	const char *sign, *colour, *verb;
} ops[] = {
	[CNI_ADD] = { "+", "\033[32m", "to add" },
	[CNI_CHANGE] = { "~", "\033[33m", "to change" },
	[CNI_REPLACE] = { "-/+", "\033[31m", "to replace" },
	[CNI_DELETE] = { "-", "\033[31m", "to remove" },
};

/* ---- one record ---- */

static void link(struct cni_text *out, const struct cni_state *state, const void *record)
{
	const struct cni_st_link *l = record;

	(void)state;
	cni_describe_link(out, l);
	if (l->type == CNI_DEV_VLAN)
		cni_text_printf(out, " on %s", l->parent);
}

static void setting(struct cni_text *out, const struct cni_state *state, const void *record)
{
	const struct cni_st_setting *s = record;

	(void)state;
	cni_text_printf(out, "%s%s%s = %d", s->device, *s->device ? " " : "", cni_setting_info[s->key].name, s->value);
}

static void addr(struct cni_text *out, const struct cni_state *state, const void *record)
{
	(void)state;
	cni_describe_addr(out, record);
}

static void rule(struct cni_text *out, const struct cni_state *state, const void *record)
{
	const struct cni_st_rule *r = record;

	(void)state;
	cni_text_puts(out, r->family == CNI_V6 ? "ipv6 " : "");
	cni_describe_rule(out, r);
}

static void route(struct cni_text *out, const struct cni_state *state, const void *record)
{
	const struct cni_st_route *r = record;

	(void)state;
	cni_text_puts(out, r->family == CNI_V6 ? "ipv6 " : "");
	cni_describe_route(out, r);
}

static void table(struct cni_text *out, const struct cni_state *state, const void *record)
{
	(void)state;
	(void)record;
	cni_text_puts(out, "inet " CNI_TABLE);
}

static void counter(struct cni_text *out, const struct cni_state *state, const void *record)
{
	const struct cni_st_counter *c = record;

	(void)state;
	cni_text_puts(out, c->name);
	if (c->comment && *c->comment)
		cni_text_printf(out, " (%s)", c->comment);
}

static void count(struct cni_text *out, const char *name, size_t n, const char *what)
{
	cni_text_printf(out, "%s (%zu %s%s)", name, n, what, n == 1 ? "" : "s");
}

static void set(struct cni_text *out, const struct cni_state *state, const void *record)
{
	const struct cni_st_set *s = record;

	(void)state;
	if (s->unread)
		cni_text_puts(out, s->name);
	else
		count(out, s->name, s->n_elems, "element");
}

static void chain(struct cni_text *out, const struct cni_state *state, const void *record)
{
	const struct cni_st_chain *c = record;

	(void)state;
	if (c->type == CNI_HOOK_NONE && cni_chain_flips(c))
		cni_text_puts(out, c->name);
	else if (c->type == CNI_HOOK_NONE)
		count(out, c->name, c->n_rules, "rule");
	else
		cni_text_printf(out, "%s (base chain)", c->name);
}

static void base_rules(struct cni_text *out, const struct cni_state *state, const void *record)
{
	const struct cni_st_chain *c = record;

	if (!state) {
		count(out, c->name, c->n_rules, "rule");
		return;
	}
	cni_text_printf(out, "%s:", c->name);
	for (size_t i = 0; i < c->n_rules && i < BASE_RULES_MAX; i++) {
		cni_text_puts(out, i ? "; " : " ");
		cni_emit_nft_rule(out, state, &c->rules[i]);
	}
	if (c->n_rules > BASE_RULES_MAX)
		cni_text_printf(out, "; and %zu more", c->n_rules - BASE_RULES_MAX);
}

static const struct {
	const char *name;
	void (*describe)(struct cni_text *, const struct cni_state *, const void *);
} objects[CNI_N_OBJECTS] = {
	[CNI_LINK] = { "device", link },	[CNI_SETTING] = { "setting", setting },
	[CNI_ADDR] = { "address", addr },	[CNI_RULE] = { "rule", rule },
	[CNI_ROUTE] = { "route", route },	[CNI_TABLE_NFT] = { "table", table },
	[CNI_COUNTER] = { "counter", counter }, [CNI_SET] = { "set", set },
	[CNI_CHAIN] = { "chain", chain },	[CNI_BASE_RULES] = { "rules", base_rules },
};

void cni_emit_record(struct cni_text *out, enum cni_object object, const void *record, const struct cni_state *state)
{
	cni_text_printf(out, "%s ", objects[object].name);
	objects[object].describe(out, state, record);
}

/* ---- all steps ---- */

/* A setting that goes with its device needs no line of its own. */
static bool is_shown(const struct cni_step *step)
{
	return step->object != CNI_SETTING || step->after;
}

static void write_step(struct cni_text *out, const struct cni_plan *plan, const struct cni_step *step,
		       const struct cni_sources *sources, bool colour)
{
	struct cni_place place = { 0 };

	if (cni_span_is_set(step->span))
		place = cni_place_of(sources, step->span.begin);
	cni_text_printf(out, "%s%5s %-8s", colour ? ops[step->op].colour : "", ops[step->op].sign,
			objects[step->object].name);
	objects[step->object].describe(out, step->after ? plan->desired : plan->observed,
				       step->after ? step->after : step->before);
	cni_text_puts(out, colour ? "\033[0m" : "");
	if (place.source)
		cni_text_printf(out, "  [%s:%u]", place.source->name, place.line);
	cni_text_puts(out, "\n");
	if (step->before && step->after) {
		cni_text_printf(out, "%5s %-8s", "", "was");
		objects[step->object].describe(out, plan->observed, step->before);
		cni_text_puts(out, "\n");
	}
	if (step->disturbs)
		cni_text_printf(out, "%5s %s%s%s\n", "!", colour ? "\033[1m" : "", step->disturbs,
				colour ? "\033[0m" : "");
}

void cni_emit_plan(struct cni_text *out, const struct cni_plan *plan, const struct cni_sources *sources, bool colour)
{
	size_t counts[CNI_DELETE + 1] = { 0 };
	int phase = -1;

	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct cni_step *step = &plan->steps[i];

		if (!is_shown(step))
			continue;
		if (phase != (int)step->phase) {
			phase = (int)step->phase;
			cni_text_printf(out, "%s\n", headings[phase]);
		}
		write_step(out, plan, step, sources, colour);
		counts[step->op]++;
	}
	if (!plan->n_steps) {
		cni_text_puts(out, "nothing to do\n");
		return;
	}
	for (int op = CNI_ADD; op <= CNI_DELETE; op++)
		cni_text_printf(out, "%s%zu %s", op ? ", " : "", counts[op], ops[op].verb);
	cni_text_puts(out, "\n");
}
