/* SPDX-License-Identifier: GPL-2.0-or-later */
/* content.c - chains and sets named by what they hold, so that equal names mean equal content; see nft.h.
 *
 * Names of chains and sets that a rule refers to are part of what is hashed, so a name stands for the whole
 * tree below it. FNV-1a, 64 bits, of which 48 are shown: a reader's aid and a key, not a proof: what is
 * installed is read back and compared in full, once, and while nobody changes it (lower.h, "sealed"), known by it. */
#include "compiler/lower/nft.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
	return text ? mix(hash, text, strlen(text) + 1) : mix(hash, "\0\0", 2);
}

static uint64_t mix_int(uint64_t hash, int64_t value)
{
	return mix(hash, &value, sizeof(value));
}

#define BASIS 0xcbf29ce484222325u

static const char *content_name(struct lower *l, const char *label, uint64_t hash)
{
	return cni_printf(l->arena, "%.100s.%012llx", label, (unsigned long long)(hash & 0xffffffffffffu));
}

/* Whether this name was given before; if not, it is now. */
static bool known(struct lower *l, const char *name)
{
	uint64_t hash = mix_text(BASIS, name);
	size_t at;

	if (2 * (l->n_names + 1) > l->room_names) {
		size_t room = l->room_names ? 2 * l->room_names : 256;
		const char **names = cni_new_array(l->scratch, const char *, room);

		for (size_t i = 0; i < l->room_names; i++) {
			if (!l->names[i])
				continue;
			for (at = mix_text(BASIS, l->names[i]) % room; names[at]; at = (at + 1) % room)
				;
			names[at] = l->names[i];
		}
		l->names = names;
		l->room_names = room;
	}
	for (at = hash % l->room_names; l->names[at]; at = (at + 1) % l->room_names)
		if (!strcmp(l->names[at], name))
			return true;
	l->names[at] = name;
	l->n_names++;
	return false;
}

/* ---- chains ---- */

struct cni_st_rule_nft *chain_rule(struct lower *l, struct chain *chain, struct cni_span span)
{
	struct cni_st_rule_nft *r = cni_push(l->arena, chain->rules, chain->n_rules);

	r->span = span;
	chain->span = cni_span_is_set(chain->span) ? chain->span : span;
	return r;
}

static uint64_t hash_rules(const struct cni_st_rule_nft *rules, size_t n)
{
	uint64_t hash = mix_int(BASIS, (int64_t)n);

	for (size_t i = 0; i < n; i++) {
		hash = mix_int(hash, (int64_t)rules[i].n_exprs);
		for (size_t j = 0; j < rules[i].n_exprs; j++) {
			const struct cni_expr *x = &rules[i].exprs[j];

			hash = mix_int(hash, x->op);
			hash = mix_int(hash, x->key);
			hash = mix_int(hash, (int64_t)x->reg << 40 | (int64_t)x->sreg << 32 | x->offset << 16 | x->len);
			hash = mix_int(hash, (int64_t)x->modulus << 32 | x->seed);
			hash = mix(hash, x->a, sizeof(x->a));
			hash = mix(hash, x->b, sizeof(x->b));
			hash = mix_text(hash, x->name);
		}
	}
	return hash;
}

void chain_add(struct lower *l, const struct cni_st_chain *chain)
{
	if (!known(l, cni_printf(l->scratch, "chain %s", chain->name)))
		*cni_push(l->arena, l->state->chains, l->state->n_chains) = *chain;
}

const char *chain_done(struct lower *l, struct chain *chain, const char *label)
{
	const char *name = content_name(l, label, hash_rules(chain->rules, chain->n_rules));

	chain_add(l, &(struct cni_st_chain){
			     .name = name, .span = chain->span, .rules = chain->rules, .n_rules = chain->n_rules });
	return name;
}

const char *chain_fixed(struct lower *l, struct chain *chain, const char *name)
{
	*cni_push(l->arena, l->state->chains, l->state->n_chains) = (struct cni_st_chain){
		.name = name, .span = chain->span, .rules = chain->rules, .n_rules = chain->n_rules
	};
	return name;
}

void base_chain(struct lower *l, const char *name, enum cni_hook_type type, uint32_t hook, int32_t priority,
		const char *jump)
{
	struct chain chain = { 0 };

	do_verdict(l, chain_rule(l, &chain, (struct cni_span){ 0 }), NFT_JUMP, jump);
	*cni_push(l->arena, l->state->chains, l->state->n_chains) = (struct cni_st_chain){ .name = name,
											   .type = type,
											   .hook = hook,
											   .priority = priority,
											   .rules = chain.rules,
											   .n_rules = chain.n_rules };
}

void counter_add(struct lower *l, const char *name, const char *comment, struct cni_span span)
{
	if (known(l, cni_printf(l->scratch, "counter %s", name)))
		return;
	*cni_push(l->arena, l->state->counters, l->state->n_counters) =
		(struct cni_st_counter){ .name = name, .comment = comment, .span = span };
}

/* ---- sets ---- */

void set_key_field(struct set *set, enum cni_key_type type)
{
	struct cni_st_set *s = &set->set;

	s->fields[s->n_fields++] = type;
	s->key_len = cni_key_info[type].len;
	if (s->n_fields == 1)
		return;
	/* only concatenations are padded, each field to a register word */
	s->key_len = 0;
	for (size_t i = 0; i < s->n_fields; i++)
		s->key_len = (uint16_t)(s->key_len + ((cni_key_info[s->fields[i]].len + 3u) & ~3u));
}

static void grow(struct lower *l, struct cni_st_set *set)
{
	size_t n = set->n_elems, stride = cni_set_stride(set), room = n ? 2 * n : 1;

	if (n & (n - 1))
		return; /* full at powers of two only */
	set->keys = cni_regrow(l->scratch, set->keys, n * stride, room * stride);
	if (set->map)
		set->verdicts = cni_regrow(l->scratch, set->verdicts, n * sizeof(*set->verdicts),
					   room * sizeof(*set->verdicts));
}

void set_add(struct lower *l, struct set *set, const void *key, int32_t code, const char *chain)
{
	struct cni_st_set *s = &set->set;

	grow(l, s);
	memcpy(s->keys + s->n_elems * cni_set_stride(s), key, cni_set_stride(s));
	if (s->map)
		s->verdicts[s->n_elems] = (struct cni_st_verdict){ .code = code, .chain = chain };
	s->n_elems++;
}

struct element {
	const uint8_t *key;
	size_t len;
	struct cni_st_verdict verdict;
};

static int by_key(const void *a, const void *b)
{
	const struct element *x = a, *y = b;

	return memcmp(x->key, y->key, x->len);
}

/* Ascending, each key once; and where they stay. */
static void sort_elements(struct lower *l, struct cni_st_set *set)
{
	size_t stride = cni_set_stride(set), n = 0;
	struct element *order = cni_new_array(l->scratch, struct element, set->n_elems);
	uint8_t *keys = cni_alloc(l->arena, set->n_elems * stride);
	struct cni_st_verdict *verdicts = NULL;

	for (size_t i = 0; i < set->n_elems; i++)
		order[i] = (struct element){ set->keys + i * stride, stride,
					     set->map ? set->verdicts[i] : (struct cni_st_verdict){ 0 } };
	qsort(order, set->n_elems, sizeof(*order), by_key);
	if (set->map)
		verdicts = cni_new_array(l->arena, struct cni_st_verdict, set->n_elems);
	for (size_t i = 0; i < set->n_elems; i++) {
		if (i && !by_key(&order[i - 1], &order[i]))
			continue;
		memcpy(keys + n * stride, order[i].key, stride);
		if (set->map)
			verdicts[n] = order[i].verdict;
		n++;
	}
	set->keys = keys;
	set->verdicts = verdicts;
	set->n_elems = n;
}

static uint64_t hash_set(const struct cni_st_set *set)
{
	uint64_t hash = mix_int(BASIS, (int64_t)set->n_fields << 8 | (int64_t)set->interval << 1 | set->map);

	for (size_t i = 0; i < set->n_fields; i++)
		hash = mix_int(hash, set->fields[i]);
	hash = mix(hash, set->keys, set->n_elems * cni_set_stride(set));
	for (size_t i = 0; set->map && i < set->n_elems; i++)
		hash = mix_text(mix_int(hash, set->verdicts[i].code), set->verdicts[i].chain);
	return hash;
}

const char *set_install(struct lower *l, struct cni_st_set *set, const char *label)
{
	if (!set->name)
		set->name = content_name(l, label, hash_set(set));
	if (!known(l, cni_printf(l->scratch, "set %s", set->name)))
		*cni_push(l->arena, l->state->sets, l->state->n_sets) = *set;
	return set->name;
}

const char *set_done(struct lower *l, struct set *set, const char *label)
{
	if (!set->set.n_elems)
		return NULL;
	sort_elements(l, &set->set);
	return set_install(l, &set->set, label);
}

struct cni_st_set ranges_within(struct lower *l, const struct cni_ranges *ranges, size_t first, size_t n,
				struct cni_addr lo, struct cni_addr hi)
{
	const enum cni_family family = lo.family;
	struct cni_st_set set = { .fields = { family == CNI_V4 ? CNI_KEY_IPV4 : CNI_KEY_IPV6 },
				  .n_fields = 1,
				  .interval = true,
				  .key_len = family == CNI_V4 ? 4 : 16,
				  .n_elems = n };
	uint8_t *p = set.keys = cni_alloc(l->arena, n * cni_set_stride(&set));

	for (size_t i = first; i < first + n; i++) {
		struct cni_addr from = { family, family == CNI_V4 ? ranges->v4[i].lo : ranges->v6[i].lo };
		struct cni_addr to = { family, family == CNI_V4 ? ranges->v4[i].hi : ranges->v6[i].hi };

		p += cni_addr_to_bytes(from.v < lo.v ? lo : from, p);
		p += cni_addr_to_bytes(to.v > hi.v ? hi : to, p);
	}
	return set;
}

const char *set_of_ranges(struct lower *l, const struct cni_ranges *ranges, enum cni_family family, const char *label)
{
	const struct cni_addr lo = { .family = family }, hi = { family, cni_host_mask(family, 0) };
	struct cni_st_set set;

	if (!cni_ranges_count(ranges, family))
		return NULL;
	set = ranges_within(l, ranges, 0, cni_ranges_count(ranges, family), lo, hi);
	return set_install(l, &set, label);
}

const char *set_of_ports(struct lower *l, const struct cni_port_range *ports, size_t n)
{
	struct cni_st_set set = {
		.fields = { CNI_KEY_SERVICE }, .n_fields = 1, .interval = true, .key_len = 2, .n_elems = n
	};

	set.keys = cni_alloc(l->arena, n * 4);
	for (size_t i = 0; i < n; i++) {
		set.keys[4 * i] = (uint8_t)(ports[i].lo >> 8);
		set.keys[4 * i + 1] = (uint8_t)ports[i].lo;
		set.keys[4 * i + 2] = (uint8_t)(ports[i].hi >> 8);
		set.keys[4 * i + 3] = (uint8_t)ports[i].hi;
	}
	return set_install(l, &set, "ports");
}
