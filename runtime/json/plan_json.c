/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_json.c - see plan_json.h. */
#include "runtime/json/plan_json.h"

#include <string.h>

#include "compiler/emit/emit.h"
#include "runtime/json/envelope.h"

const char *rt_phase_name(enum cni_phase phase)
{
	static const char *const names[] = { [CNI_EXPAND] = "expand",
					     [CNI_IN_PLACE] = "in-place",
					     [CNI_FLIP] = "flip",
					     [CNI_CONTRACT] = "contract" };

	return names[phase];
}

static const char *const ops[] = {
	[CNI_ADD] = "add", [CNI_CHANGE] = "change", [CNI_REPLACE] = "replace", [CNI_DELETE] = "delete"
};

/* ---- objects as text ---- */

static void link_text(struct cni_text *out, const void *object, const struct cni_state *state)
{
	(void)state;
	cni_emit_link(out, object);
}

static void setting_text(struct cni_text *out, const void *object, const struct cni_state *state)
{
	(void)state;
	cni_emit_setting(out, object);
}

static void addr_text(struct cni_text *out, const void *object, const struct cni_state *state)
{
	(void)state;
	cni_emit_addr(out, object);
}

static void rule_text(struct cni_text *out, const void *object, const struct cni_state *state)
{
	(void)state;
	cni_emit_rule(out, object);
}

static void route_text(struct cni_text *out, const void *object, const struct cni_state *state)
{
	(void)state;
	cni_emit_route(out, object);
}

static void table_text(struct cni_text *out, const void *object, const struct cni_state *state)
{
	(void)object;
	(void)state;
	cni_text_puts(out, "table inet " CNI_TABLE);
}

static void counter_text(struct cni_text *out, const void *object, const struct cni_state *state)
{
	const struct cni_st_counter *counter = object;

	(void)state;
	cni_text_printf(out, "counter %s", counter->name);
	if (counter->comment && *counter->comment)
		cni_text_printf(out, ": %s", counter->comment);
}

static void set_text(struct cni_text *out, const void *object, const struct cni_state *state)
{
	const struct cni_st_set *set = object;

	(void)state;
	cni_text_printf(out, "%s %s: %zu element%s", set->map ? "map" : "set", set->name, set->n_elems,
			set->n_elems == 1 ? "" : "s");
}

static void chain_text(struct cni_text *out, const void *object, const struct cni_state *state)
{
	const struct cni_st_chain *chain = object;

	cni_text_printf(out, "chain %s", chain->name);
	for (size_t i = 0; i < chain->n_rules; i++) {
		cni_text_puts(out, "\n");
		cni_emit_nft_rule(out, state, &chain->rules[i]);
	}
}

/* The first line says which object it is. */
static const struct {
	const char *name;
	void (*text)(struct cni_text *out, const void *object, const struct cni_state *state);
} objects[CNI_N_OBJECTS] = {
	[CNI_LINK] = { "link", link_text },	     [CNI_SETTING] = { "setting", setting_text },
	[CNI_ADDR] = { "address", addr_text },	     [CNI_RULE] = { "rule", rule_text },
	[CNI_ROUTE] = { "route", route_text },	     [CNI_TABLE_NFT] = { "table", table_text },
	[CNI_COUNTER] = { "counter", counter_text }, [CNI_SET] = { "set", set_text },
	[CNI_CHAIN] = { "chain", chain_text },	     [CNI_BASE_RULES] = { "base-chain", chain_text },
};

static json_t *side(struct cni_arena *arena, enum cni_object object, const void *record,
		    const struct cni_state *state, json_t **text)
{
	struct cni_text all = { .arena = arena };

	if (!record)
		return json_null();
	objects[object].text(&all, record, state);
	json_decref(*text);
	*text = rt_json_textn(all.data, strcspn(all.data, "\n"));
	return rt_json_textn(all.data, all.len);
}

static json_t *step_json(struct cni_arena *arena, const struct cni_step *step, const struct cni_plan *plan,
			 const struct cni_sources *sources)
{
	json_t *json = json_object(), *text = json_null(), *before, *after;
	struct cni_place place = { 0 };

	if (cni_span_is_set(step->span))
		place = cni_place_of(sources, step->span.begin);
	before = side(arena, step->object, step->before, plan->observed, &text);
	after = side(arena, step->object, step->after, plan->desired, &text);
	json_object_set_new(json, "phase", json_string(rt_phase_name(step->phase)));
	json_object_set_new(json, "op", json_string(ops[step->op]));
	json_object_set_new(json, "object", json_string(objects[step->object].name));
	json_object_set_new(json, "text", text);
	json_object_set_new(json, "before", before);
	json_object_set_new(json, "after", after);
	json_object_set_new(json, "disturbs", rt_json_text(step->disturbs));
	json_object_set_new(json, "file", rt_json_text(place.source ? place.source->name : NULL));
	json_object_set_new(json, "line", place.line ? json_integer(place.line) : json_null());
	return json;
}

json_t *rt_json_plan(struct cni_arena *arena, const struct cni_plan *plan, const struct cni_sources *sources)
{
	json_t *steps = json_array(), *summary = json_object();
	size_t count[sizeof(ops) / sizeof(*ops)] = { 0 };

	for (size_t i = 0; i < plan->n_steps; i++) {
		json_array_append_new(steps, step_json(arena, &plan->steps[i], plan, sources));
		count[plan->steps[i].op]++;
	}
	for (size_t op = 0; op < sizeof(ops) / sizeof(*ops); op++)
		json_object_set_new(summary, ops[op], json_integer((json_int_t)count[op]));
	return json_pack("{s:o, s:o}", "steps", steps, "summary", summary);
}
