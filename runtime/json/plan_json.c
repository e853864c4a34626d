/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_json.c - see plan_json.h. */
#include "runtime/json/plan_json.h"

#include "compiler/emit/emit.h"
#include "runtime/json/envelope.h"

const char *rt_phase_name(enum cni_phase phase)
{
	static const char *const names[] = {
		[CNI_EXPAND] = "expand", [CNI_IN_PLACE] = "in-place", [CNI_FLIP] = "flip", [CNI_CONTRACT] = "contract"
	};

	return names[phase];
}

static const char *const ops[] = {
	[CNI_ADD] = "add", [CNI_CHANGE] = "change", [CNI_REPLACE] = "replace", [CNI_DELETE] = "delete"
};

static const char *const objects[CNI_N_OBJECTS] = {
	[CNI_LINK] = "link",   [CNI_SETTING] = "setting",	[CNI_ADDR] = "address",	   [CNI_RULE] = "rule",
	[CNI_ROUTE] = "route", [CNI_TABLE_NFT] = "table",	[CNI_COUNTER] = "counter", [CNI_SET] = "set",
	[CNI_CHAIN] = "chain", [CNI_BASE_RULES] = "base-chain",
};

const char *rt_object_name(enum cni_object object)
{
	return objects[object];
}

json_t *rt_json_side(struct cni_arena *arena, enum cni_object object, const void *record, const struct cni_state *state)
{
	struct cni_text text = { .arena = arena };
	const struct cni_st_chain *chain = object == CNI_CHAIN || object == CNI_BASE_RULES ? record : NULL;

	if (!record)
		return json_null();
	cni_emit_record(&text, object, record, NULL);
	for (size_t i = 0; chain && i < chain->n_rules; i++) {
		cni_text_puts(&text, "\n");
		cni_emit_nft_rule(&text, state, &chain->rules[i]);
	}
	return rt_json_textn(text.data, text.len);
}

static json_t *step_json(struct cni_arena *arena, const struct cni_step *step, const struct cni_plan *plan,
			 const struct cni_sources *sources)
{
	struct cni_text text = { .arena = arena };
	json_t *json = json_object();
	struct cni_place place = { 0 };

	if (cni_span_is_set(step->span))
		place = cni_place_of(sources, step->span.begin);
	json_object_set_new(json, "phase", json_string(rt_phase_name(step->phase)));
	json_object_set_new(json, "op", json_string(ops[step->op]));
	json_object_set_new(json, "object", json_string(objects[step->object]));
	cni_emit_record(&text, step->object, step->after ? step->after : step->before, NULL);
	json_object_set_new(json, "text", rt_json_textn(text.data, text.len));
	json_object_set_new(json, "before", rt_json_side(arena, step->object, step->before, plan->observed));
	json_object_set_new(json, "after", rt_json_side(arena, step->object, step->after, plan->desired));
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
