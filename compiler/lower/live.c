/* SPDX-License-Identifier: GPL-2.0-or-later */
/* live.c - options that a live policy's marks and tables hang on, and that no other policy can change under it.
 *
 * Paths keep their mark and their table from one policy to the next. Two masks would be in force at once while a change
 * is made, each reading the other's marks; and other table or priority numbers would share some with the live ones. */
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "compiler/lower/lower_internal.h"

/* The bits that the live chains write in a packet's mark; 0: there are none. */
static uint32_t live_mask(const struct cni_state *state)
{
	for (size_t c = 0; c < state->n_chains; c++)
		for (size_t r = 0; r < state->chains[c].n_rules; r++) {
			const struct cni_st_rule_nft *rule = &state->chains[c].rules[r];

			for (size_t x = 1; x < rule->n_exprs; x++) {
				uint32_t kept;

				if (rule->exprs[x].op != CNI_X_META_SET || rule->exprs[x].key != NFT_META_MARK ||
				    rule->exprs[x - 1].op != CNI_X_BITWISE)
					continue;
				memcpy(&kept, rule->exprs[x - 1].a, sizeof(kept));
				return ~kept;
			}
		}
	return 0;
}

static bool has_path(const struct cni_state *state, unsigned int id)
{
	for (size_t i = 0; i < state->n_counters; i++)
		if (lower_counter_id(state->counters[i].name) == id)
			return true;
	return false;
}

static bool fits(struct lower *l, const char *option, const char *format, uint32_t live, uint32_t wanted)
{
	char before[16], after[16];
	struct cni_diag *diag;

	if (live == wanted)
		return true;
	snprintf(before, sizeof(before), format, live);
	snprintf(after, sizeof(after), format, wanted);
	diag = cni_diag(l->diags, CNI505, (struct cni_span){ 0 }, "the live policy has %s %s, this one has %s", option,
			before, after);
	cni_diag_help(l->diags, diag, "cnic remove first, or keep options { %s %s; }", option, before);
	return false;
}

bool lower_options_fit(struct lower *l)
{
	const struct cni_options *options = &l->model->options;
	const struct cni_state *live = l->observed;
	const uint32_t mask = live ? live_mask(live) : 0;

	if (!mask)
		return true;
	if (!fits(l, "mark-mask", "0x%08x", mask, l->mask))
		return false;
	for (size_t i = 0; i < live->n_rules; i++) {
		const struct cni_st_rule *rule = &live->rules[i];
		const unsigned int id = (rule->mark & l->id_mask) >> l->shift;

		if (!rule->owned || rule->other || !cni_rule_is_by_mark(rule) || rule->mask != mask ||
		    rule->mark != mark_of(l, id) || !has_path(live, id))
			continue;
		return fits(l, "table", "%u", rule->table - id, options->table) &&
		       fits(l, "rule-priority", "%u", rule->priority - lower_priority(0, id), options->rule_priority);
	}
	return true;
}
