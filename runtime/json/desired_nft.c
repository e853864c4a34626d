/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desired_nft.c - counters, sets and chains as JSON; see desired.h. */
#include "runtime/json/desired_nft.h"

#include "compiler/emit/emit.h"
#include "compiler/emit/nft.h"
#include "runtime/json/envelope.h"

static json_t *counters(const struct cni_state *state)
{
	json_t *list = json_array();

	for (size_t i = 0; i < state->n_counters; i++)
		json_array_append_new(list, json_pack("{s:o, s:o}", "name", rt_json_text(state->counters[i].name),
						      "comment", rt_json_text(state->counters[i].comment)));
	return list;
}

/* A key, or in a map a key and its verdict. */
static json_t *element(struct cni_text *text, const struct cni_st_set *set, size_t i)
{
	json_t *key;

	text->len = 0;
	cni_nft_element_key(text, set, i);
	key = rt_json_textn(text->data, text->len);
	if (!set->map)
		return key;
	text->len = 0;
	cni_nft_verdict(text, set->verdicts[i].code, set->verdicts[i].chain);
	return json_pack("{s:o, s:o}", "key", key, "verdict", rt_json_textn(text->data, text->len));
}

static json_t *set_json(struct cni_text *text, const struct cni_st_set *set)
{
	json_t *fields = json_array(), *elements = json_array();

	for (size_t f = 0; f < set->n_fields; f++)
		json_array_append_new(fields, json_string(cni_key_info[set->fields[f]].name));
	for (size_t i = 0; i < set->n_elems; i++)
		json_array_append_new(elements, element(text, set, i));
	return json_pack("{s:o, s:o, s:b, s:b, s:o}", "name", rt_json_text(set->name), "key", fields, "interval",
			 (int)set->interval, "map", (int)set->map, "elements", elements);
}

static json_t *hook_json(const struct cni_st_chain *chain)
{
	if (chain->type == CNI_HOOK_NONE)
		return json_null();
	return json_pack("{s:s, s:s, s:i}", "type", cni_nft_chain_type(chain->type), "hook", cni_nft_hook(chain->hook),
			 "priority", (int)chain->priority);
}

static json_t *chain_json(struct cni_text *text, const struct cni_state *state, const struct cni_st_chain *chain)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < chain->n_rules; i++) {
		text->len = 0;
		cni_emit_nft_rule(text, state, &chain->rules[i]);
		json_array_append_new(rules, rt_json_textn(text->data, text->len));
	}
	return json_pack("{s:o, s:o, s:o}", "name", rt_json_text(chain->name), "base", hook_json(chain), "rules",
			 rules);
}

json_t *rt_json_nft(struct cni_arena *arena, const struct cni_state *state)
{
	struct cni_text text = { .arena = arena };
	json_t *sets, *chains;

	if (!state->has_table)
		return json_null();
	/* room, so that a text is never absent */
	cni_text_puts(&text, "");
	sets = json_array();
	chains = json_array();
	for (size_t i = 0; i < state->n_sets; i++)
		json_array_append_new(sets, set_json(&text, &state->sets[i]));
	for (size_t i = 0; i < state->n_chains; i++)
		json_array_append_new(chains, chain_json(&text, state, &state->chains[i]));
	return json_pack("{s:s, s:s, s:o, s:o, s:o}", "family", "inet", "table", CNI_TABLE, "counters", counters(state),
			 "sets", sets, "chains", chains);
}
