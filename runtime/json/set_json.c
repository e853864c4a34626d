/* SPDX-License-Identifier: GPL-2.0-or-later */
/* set_json.c - a set's fields and elements, which may be millions: keys as one text, verdicts in runs. */
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "compiler/state.h"
#include "runtime/json/envelope.h"
#include "runtime/json/record.h"

/* ---- writing ---- */

static json_t *write_fields(const struct cni_st_set *set)
{
	json_t *list = json_array();

	for (size_t i = 0; i < set->n_fields; i++)
		json_array_append_new(list, json_string(cni_key_info[set->fields[i]].name));
	return list;
}

static json_t *write_keys(const struct cni_st_set *set)
{
	char *text = rt_hex_write(set->keys, set->n_elems * cni_set_stride(set));
	json_t *value = text ? json_string_nocheck(text) : NULL;

	free(text);
	return value;
}

static bool same(const struct cni_st_verdict *a, const struct cni_st_verdict *b)
{
	return a->code == b->code && (a->chain == b->chain || (a->chain && b->chain && !strcmp(a->chain, b->chain)));
}

/* [code, chain, how many], the chain "" where there is none. */
static json_t *write_verdicts(const struct cni_st_set *set)
{
	json_t *list = json_array();

	for (size_t i = 0, n; i < set->n_elems; i += n) {
		const struct cni_st_verdict *verdict = &set->verdicts[i];

		for (n = 1; i + n < set->n_elems && same(verdict, &verdict[n]);)
			n++;
		json_array_append_new(
			list, json_pack("[i,s,I]", verdict->code, verdict->chain ? verdict->chain : "", (json_int_t)n));
	}
	return list;
}

static json_t *write_comments(const struct cni_st_set *set)
{
	json_t *list = json_array();

	for (size_t i = 0; i < set->n_elems; i++)
		json_array_append_new(list, rt_json_text(set->comments[i] ? set->comments[i] : ""));
	return list;
}

static bool write_set(const void *record, json_t *object)
{
	const struct cni_st_set *set = record;

	return !json_object_set_new(object, "fields", write_fields(set)) &&
	       !json_object_set_new(object, "keys", write_keys(set)) &&
	       (!set->map || !json_object_set_new(object, "verdicts", write_verdicts(set))) &&
	       (!set->comments || !json_object_set_new(object, "comments", write_comments(set)));
}

/* ---- reading ---- */

static const char *read_fields(struct cni_st_set *set, const json_t *list)
{
	size_t len = 0;

	if (json_array_size(list) > CNI_KEY_FIELDS || !json_is_array(list))
		return "fields: not a list of at most five";
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		int key = 0;

		while (key < CNI_N_KEYS && (!name || strcmp(cni_key_info[key].name, name)))
			key++;
		if (key == CNI_N_KEYS)
			return "fields: not a type that cnic knows";
		set->fields[set->n_fields++] = (enum cni_key_type)key;
		len += json_array_size(list) > 1 ? (cni_key_info[key].len + 3u) / 4 * 4 : cni_key_info[key].len;
	}
	/* without fields it is a set of someone else's kind, of which nothing more is known */
	return set->n_fields && len != set->key_len ? "key_len: does not fit the fields" : NULL;
}

static const char *read_keys(struct cni_arena *arena, struct cni_st_set *set, const json_t *text)
{
	size_t len = json_string_length(text), stride = cni_set_stride(set);

	if (!json_is_string(text) || (len && (!set->n_fields || len % (2 * stride))))
		return "keys: not a text of whole keys";
	set->n_elems = len ? len / (2 * stride) : 0;
	set->keys = cni_alloc(arena, len / 2 + 1);
	return rt_hex_read(json_string_value(text), len, set->keys, len / 2) ? NULL : "keys: not hexadecimal";
}

static const char *read_verdicts(struct cni_arena *arena, struct cni_st_set *set, const json_t *list)
{
	size_t done = 0;

	set->verdicts = cni_new_array(arena, struct cni_st_verdict, set->n_elems);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *run = json_array_get(list, i);
		struct cni_st_verdict verdict = { 0 };
		const char *chain;
		json_int_t n;

		if (json_unpack(run, "[i,s,I!]", &verdict.code, &chain, &n) || n < 1 || (size_t)n > set->n_elems - done)
			return "verdicts: not [code, chain, number of elements]";
		if ((verdict.code == NFT_GOTO || verdict.code == NFT_JUMP) == !*chain)
			return "verdicts: goto and jump have a chain, others none";
		verdict.chain = *chain ? cni_strdup(arena, chain) : NULL;
		while (n--)
			set->verdicts[done++] = verdict;
	}
	return done == set->n_elems ? NULL : "verdicts: not one for each element";
}

static const char *read_comments(struct cni_arena *arena, struct cni_st_set *set, const json_t *list)
{
	if (!list)
		return NULL;
	if (json_array_size(list) != set->n_elems)
		return "comments: not one for each element";
	set->comments = cni_new_array(arena, const char *, set->n_elems);
	for (size_t i = 0; i < set->n_elems; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text)
			return "comments: not a text";
		set->comments[i] = cni_strdup(arena, text);
	}
	return NULL;
}

static const char *read_set(struct cni_arena *arena, void *record, const json_t *object)
{
	struct cni_st_set *set = record;
	const char *wrong = *set->name ? read_fields(set, json_object_get(object, "fields")) : "name: none";

	if (!wrong)
		wrong = read_keys(arena, set, json_object_get(object, "keys"));
	if (!wrong && set->map)
		wrong = read_verdicts(arena, set, json_object_get(object, "verdicts"));
	return wrong ? wrong : read_comments(arena, set, json_object_get(object, "comments"));
}

static const struct rt_field fields[] = {
	RT_FIELD(cni_st_set, name, RT_F_NAME),	RT_FIELD(cni_st_set, interval, RT_F_BOOL),
	RT_FIELD(cni_st_set, map, RT_F_BOOL),	RT_FIELD(cni_st_set, key_len, RT_F_U16),
	RT_FIELD(cni_st_set, handle, RT_F_U64), { .name = NULL },
};
static const char *const extra[] = { "fields", "keys", "verdicts", "comments", NULL };

const struct rt_record rt_set_record = { sizeof(struct cni_st_set), fields, write_set, read_set, extra };
