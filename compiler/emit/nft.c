/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft.c - the nft part of a state as a file for `nft -f`. */
#include "compiler/emit/nft.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "compiler/emit/emit.h"

#define LINE_WIDTH 100 /* where a list of elements goes on in the next line */

const char *cni_nft_chain_type(enum cni_hook_type type)
{
	static const char *const names[] = {
		[CNI_HOOK_FILTER] = "filter", [CNI_HOOK_ROUTE] = "route", [CNI_HOOK_NAT] = "nat"
	};

	return names[type];
}

const char *cni_nft_hook(uint32_t hook)
{
	static const char *const names[] = { [NF_INET_PRE_ROUTING] = "prerouting",
					     [NF_INET_LOCAL_IN] = "input",
					     [NF_INET_FORWARD] = "forward",
					     [NF_INET_LOCAL_OUT] = "output",
					     [NF_INET_POST_ROUTING] = "postrouting" };

	return hook <= NF_INET_POST_ROUTING ? names[hook] : "other";
}

/* nft has no way to write a quote within a string */
static void quoted(struct cni_text *out, const char *text)
{
	cni_text_puts(out, "\"");
	for (const char *p = text; *p; p++)
		cni_text_add(out, *p == '"' ? "'" : p, 1);
	cni_text_puts(out, "\"");
}

static void counter(struct cni_text *out, const struct cni_st_counter *c)
{
	cni_text_printf(out, "\tcounter %s {\n", c->name);
	if (c->comment && *c->comment) {
		cni_text_puts(out, "\t\tcomment ");
		quoted(out, c->comment);
		cni_text_puts(out, "\n");
	}
	cni_text_puts(out, "\t}\n");
}

void cni_nft_element_key(struct cni_text *out, const struct cni_st_set *set, size_t i)
{
	const uint8_t *key = set->keys + i * cni_set_stride(set);

	for (size_t f = 0, at = 0; f < set->n_fields; f++) {
		const struct cni_key_info *info = &cni_key_info[set->fields[f]];
		enum nft_type type = cni_nft_key_type(set->fields[f]);

		cni_text_puts(out, f ? " . " : "");
		if (set->interval)
			cni_nft_range(out, type, key + at, key + set->key_len + at, info->len);
		else
			cni_nft_value(out, type, key + at, info->len);
		at += (info->len + 3u) & ~3u;
	}
}

static void element(struct cni_text *out, const struct cni_st_set *set, size_t i)
{
	cni_nft_element_key(out, set, i);
	if (set->comments && set->comments[i]) {
		cni_text_puts(out, " comment ");
		quoted(out, set->comments[i]);
	}
	if (set->map) {
		cni_text_puts(out, " : ");
		cni_nft_verdict(out, set->verdicts[i].code, set->verdicts[i].chain);
	}
}

static void elements(struct cni_text *out, const struct cni_st_set *set)
{
	size_t line = out->len;

	cni_text_puts(out, "\t\telements = { ");
	for (size_t i = 0; i < set->n_elems; i++) {
		if (i && out->len - line > LINE_WIDTH) {
			cni_text_puts(out, ",\n\t\t\t     ");
			line = out->len;
		} else if (i) {
			cni_text_puts(out, ", ");
		}
		element(out, set, i);
	}
	cni_text_puts(out, " }\n");
}

static void set_block(struct cni_text *out, const struct cni_st_set *set)
{
	cni_text_printf(out, "\t%s %s {\n\t\ttype ", set->map ? "map" : "set", set->name);
	for (size_t f = 0; f < set->n_fields; f++)
		cni_text_printf(out, "%s%s", f ? " . " : "", cni_key_info[set->fields[f]].name);
	cni_text_puts(out, set->map ? " : verdict\n" : "\n");
	/* the encoder gives a size to sets that do not change, which is quicker to fill */
	if (!set->interval && !set->comments && set->n_elems)
		cni_text_printf(out, "\t\tsize %zu\n", set->n_elems);
	if (set->interval)
		cni_text_puts(out, "\t\tflags interval\n");
	if (set->n_elems)
		elements(out, set);
	cni_text_puts(out, "\t}\n");
}

static void priority(struct cni_text *out, int32_t value)
{
	static const struct {
		int32_t value;
		const char *name;
	} names[] = { { -300, "raw" }, { -150, "mangle" }, { -100, "dstnat" },
		      { 0, "filter" }, { 50, "security" }, { 100, "srcnat" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].value == value) {
			cni_text_puts(out, names[i].name);
			return;
		}
	cni_text_printf(out, "%d", value);
}

static void chain(struct cni_text *out, const struct cni_state *state, const struct cni_st_chain *c)
{
	cni_text_printf(out, "\tchain %s {\n", c->name);
	if (c->type != CNI_HOOK_NONE) {
		cni_text_printf(out, "\t\ttype %s hook %s priority ", cni_nft_chain_type(c->type),
				cni_nft_hook(c->hook));
		priority(out, c->priority);
		cni_text_puts(out, "; policy accept;\n");
	}
	for (size_t i = 0; i < c->n_rules; i++) {
		cni_text_puts(out, "\t\t");
		cni_emit_nft_rule(out, state, &c->rules[i]);
		cni_text_puts(out, "\n");
	}
	cni_text_puts(out, "\t}\n");
}

void cni_emit_nft(struct cni_text *out, const struct cni_state *state)
{
	if (!state->has_table)
		return;
	cni_text_puts(out, "table inet " CNI_TABLE " {\n");
	for (size_t i = 0; i < state->n_counters; i++)
		counter(out, &state->counters[i]);
	for (size_t i = 0; i < state->n_sets; i++)
		set_block(out, &state->sets[i]);
	for (size_t i = 0; i < state->n_chains; i++)
		chain(out, state, &state->chains[i]);
	cni_text_puts(out, "}\n");
}
