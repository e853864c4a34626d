/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode_set.c - sets, their elements, and how elements become closed ranges. */
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/proof/ruleset.h"

#define KNOWN_FLAGS (NFT_SET_INTERVAL | NFT_SET_MAP | NFT_SET_CONCAT)
#define OTHERS_FLAGS (NFT_SET_ANONYMOUS | NFT_SET_CONSTANT) /* of the sets that stand within rules of nft's */
#define NFTA_SET_TYPE 19 /* Linux 6.16, later than the headers */
#define NFTA_SET_COUNT 20

/* An element, or in an interval set of one field an end: of that which begins at the key, or of that before it. */
struct half {
	const uint8_t *key, *key_end;
	const char *name;
	int32_t code;
	uint8_t key_len; /* the same in one set */
	bool is_end;
};

static void decode_fields(struct decoder *d, struct bytes list, struct set *set)
{
	struct bytes element;

	while (proof_next(d, "fields", &list, NFTA_LIST_ELEM, &element)) {
		struct attrs attrs = proof_attrs(d, "a field", element, ATTR(NFTA_SET_FIELD_LEN));

		if (set->n_fields == MAX_FIELDS)
			proof_fail(d, "the set `%s` has more than %d fields", set->name, MAX_FIELDS);
		else
			set->fields[set->n_fields++] = proof_be32(d, &attrs, NFTA_SET_FIELD_LEN);
	}
}

static void check_shape(struct decoder *d, const struct set *set)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < set->n_fields; i++)
		sum += (set->fields[i] + 3) & ~3u;
	if (set->flags & ~(uint32_t)(d->is_dump ? KNOWN_FLAGS | OTHERS_FLAGS : KNOWN_FLAGS))
		proof_fail(d, "the set `%s` has flags 0x%x", set->name, set->flags);
	else if (!set->key_len || set->key_len > 64)
		proof_fail(d, "the set `%s` has keys of %u bytes", set->name, set->key_len);
	else if (!!(set->flags & NFT_SET_CONCAT) != (set->n_fields > 0) || (set->n_fields && !set->is_interval))
		proof_fail(d, "the set `%s` has fields, and is not one of ranges of them", set->name);
	else if (set->n_fields && sum != set->key_len)
		proof_fail(d, "the fields of the set `%s` take %u bytes of %u", set->name, sum, set->key_len);
}

void proof_decode_set(struct decoder *d, struct bytes in)
{
	struct attrs attrs = proof_attrs(d, "a set", in,
					 ATTR(NFTA_SET_TABLE) | ATTR(NFTA_SET_NAME) | ATTR(NFTA_SET_FLAGS) |
						 ATTR(NFTA_SET_KEY_TYPE) | ATTR(NFTA_SET_KEY_LEN) |
						 ATTR(NFTA_SET_DATA_TYPE) | ATTR(NFTA_SET_DATA_LEN) |
						 ATTR(NFTA_SET_ID) | ATTR(NFTA_SET_DESC) | ATTR(NFTA_SET_USERDATA) |
						 proof_in_dump(d, ATTR(NFTA_SET_POLICY) | ATTR(NFTA_SET_HANDLE) |
									  ATTR(NFTA_SET_TYPE) | ATTR(NFTA_SET_COUNT)));
	struct attrs desc =
		proof_attrs(d, "a set", attrs.at[NFTA_SET_DESC], ATTR(NFTA_SET_DESC_SIZE) | ATTR(NFTA_SET_DESC_CONCAT));
	struct set *set = cni_new(d->arena, struct set);

	proof_table_name(d, &attrs);
	set->name = proof_string(d, &attrs, NFTA_SET_NAME);
	if (proof_has(&attrs, NFTA_SET_FLAGS) || !d->is_dump) /* a kernel tells none of 0 */
		set->flags = proof_be32(d, &attrs, NFTA_SET_FLAGS);
	set->key_len = proof_be32(d, &attrs, NFTA_SET_KEY_LEN);
	if (!d->is_dump)
		proof_be32(d, &attrs, NFTA_SET_ID); /* without one the kernel takes none */
	if (proof_has(&desc, NFTA_SET_DESC_SIZE))
		set->room = proof_be32(d, &desc, NFTA_SET_DESC_SIZE);
	set->is_map = set->flags & NFT_SET_MAP;
	set->is_interval = set->flags & NFT_SET_INTERVAL;
	if (set->is_map && proof_be32(d, &attrs, NFTA_SET_DATA_TYPE) != NFT_DATA_VERDICT)
		proof_fail(d, "the map `%s` holds no verdicts", set->name);
	decode_fields(d, desc.at[NFTA_SET_DESC_CONCAT], set);
	check_shape(d, set);
	*cni_push(d->arena, d->to->sets, d->to->n_sets) = set;
}

/* ---- elements ---- */

static struct set *recent_set(struct decoder *d, const char *name)
{
	struct ruleset *to = d->to;

	for (size_t i = 0; i < to->n_sets; i++) {
		const size_t at = (to->recent_set + i) % to->n_sets;

		if (strcmp(to->sets[at]->name, name) != 0)
			continue;
		to->recent_set = at;
		return to->sets[at];
	}
	proof_fail(d, "elements are for the set `%s`, which is not there", name);
	return NULL;
}

static const uint8_t *get_key(struct decoder *d, const struct attrs *attrs, unsigned int number, const struct set *set)
{
	struct attrs data = proof_attrs(d, "a key", attrs->at[number], ATTR(NFTA_DATA_VALUE));

	if (data.at[NFTA_DATA_VALUE].len != set->key_len)
		proof_fail(d, "a key of the set `%s` has %zu bytes", set->name, data.at[NFTA_DATA_VALUE].len);
	return data.at[NFTA_DATA_VALUE].at;
}

static void decode_element(struct decoder *d, struct bytes in, struct set *set)
{
	struct attrs attrs =
		proof_attrs(d, "an element", in,
			    ATTR(NFTA_SET_ELEM_KEY) | ATTR(NFTA_SET_ELEM_KEY_END) | ATTR(NFTA_SET_ELEM_DATA) |
				    ATTR(NFTA_SET_ELEM_FLAGS) | ATTR(NFTA_SET_ELEM_USERDATA));
	const uint32_t flags = proof_has(&attrs, NFTA_SET_ELEM_FLAGS) ? proof_be32(d, &attrs, NFTA_SET_ELEM_FLAGS) : 0;
	struct half half = { .key_len = (uint8_t)set->key_len, .is_end = flags & NFT_SET_ELEM_INTERVAL_END };

	if (flags & ~(uint32_t)NFT_SET_ELEM_INTERVAL_END || (half.is_end && (!set->is_interval || set->n_fields)))
		proof_fail(d, "an element of the set `%s` has flags 0x%x", set->name, flags);
	if (proof_has(&attrs, NFTA_SET_ELEM_KEY_END) != (set->n_fields > 0))
		proof_fail(d, "an element of the set `%s` has another end than its kind", set->name);
	if (proof_has(&attrs, NFTA_SET_ELEM_DATA) != (set->is_map && !half.is_end))
		proof_fail(d, "an element of the set `%s` leads somewhere and must not, or the reverse", set->name);
	half.key = get_key(d, &attrs, NFTA_SET_ELEM_KEY, set);
	if (set->n_fields)
		half.key_end = get_key(d, &attrs, NFTA_SET_ELEM_KEY_END, set);
	if (proof_has(&attrs, NFTA_SET_ELEM_DATA)) {
		struct attrs data = proof_attrs(d, "an element", attrs.at[NFTA_SET_ELEM_DATA], ATTR(NFTA_DATA_VERDICT));

		proof_decode_verdict(d, data.at[NFTA_DATA_VERDICT], &half.code, &half.name);
	}
	if (!d->error)
		set->halves[set->n_halves++] = half;
}

/* Most sets come in one message, and there are many. */
static void make_room(struct decoder *d, struct bytes list, struct set *set)
{
	size_t n = set->n_halves;
	struct bytes element;

	while (proof_next(d, "elements", &list, NFTA_LIST_ELEM, &element))
		n++;
	if (n <= set->room_halves || d->error)
		return;
	set->room_halves = n > 2 * set->room_halves ? n : 2 * set->room_halves;
	set->halves = cni_regrow(d->arena, set->halves, set->n_halves * sizeof(*set->halves),
				 set->room_halves * sizeof(*set->halves));
}

void proof_decode_elements(struct decoder *d, struct bytes in)
{
	struct attrs attrs = proof_attrs(d, "a list of elements", in,
					 ATTR(NFTA_SET_ELEM_LIST_TABLE) | ATTR(NFTA_SET_ELEM_LIST_SET) |
						 ATTR(NFTA_SET_ELEM_LIST_ELEMENTS));
	struct set *set = recent_set(d, proof_string(d, &attrs, NFTA_SET_ELEM_LIST_SET));
	struct bytes list = attrs.at[NFTA_SET_ELEM_LIST_ELEMENTS], element;

	proof_table_name(d, &attrs);
	if (set)
		make_room(d, list, set);
	while (proof_next(d, "elements", &list, NFTA_LIST_ELEM, &element))
		decode_element(d, element, set);
}

/* ---- whole sets ---- */

/* Where one range ends and another begins, the end comes first. */
static int by_key(const void *a, const void *b)
{
	const struct half *x = a, *y = b;
	const int order = memcmp(x->key, y->key, x->key_len);

	return order ? order : y->is_end - x->is_end;
}

static void add_element(struct set *set, const struct half *half, const uint8_t *hi)
{
	set->elems[set->n_elems++] = (struct element){ half->key, hi, half->code, half->name, NULL };
}

/* The last key in front of `key`; NULL: there is none. */
static const uint8_t *before(struct decoder *d, const uint8_t *key, size_t len)
{
	uint8_t *to = cni_alloc(d->arena, len);
	size_t i = len;

	memcpy(to, key, len);
	while (i--)
		if (to[i]--)
			return to;
	return NULL;
}

static const uint8_t *highest(struct decoder *d, size_t len)
{
	return memset(cni_alloc(d->arena, len), 0xff, len);
}

static void pair_ends(struct decoder *d, struct set *set)
{
	for (size_t i = 0; i < set->n_halves && !d->error; i++) {
		const struct half *half = &set->halves[i], *next = half + 1;
		const bool is_last = i + 1 == set->n_halves;

		if (half->is_end && i && !set->halves[i - 1].is_end)
			continue; /* of the range in front of it */
		/* the kernel's own mark of "nothing in front of the first": an end at the lowest key */
		if (half->is_end && (i || !d->is_dump || before(d, half->key, set->key_len)))
			proof_fail(d, "a range of the set `%s` ends, and did not begin", set->name);
		else if (!half->is_end && !is_last && !next->is_end)
			proof_fail(d, "a range of the set `%s` begins within another", set->name);
		else if (!half->is_end)
			add_element(set, half, is_last ? highest(d, set->key_len) : before(d, next->key, set->key_len));
	}
}

static void check_box(struct decoder *d, const struct set *set, const struct half *half)
{
	for (size_t f = 0, at = 0; f < set->n_fields; at += (set->fields[f++] + 3) & ~3u)
		if (memcmp(half->key + at, half->key_end + at, set->fields[f]) > 0)
			proof_fail(d, "a range of the set `%s` ends in front of where it begins", set->name);
}

/* The kernel takes no more elements than a size says, of which ends of ranges are some. */
static void check_room(struct decoder *d, const struct set *set)
{
	if (set->room && set->room != set->n_halves && !d->is_dump)
		proof_fail(d, "the set `%s` has room for %u elements, and gets %zu", set->name, set->room,
			   set->n_halves);
}

void proof_complete_set(struct decoder *d, struct set *set)
{
	bool is_sorted = true;
	size_t n = 0;

	check_room(d, set);
	for (size_t i = 0; i < set->n_halves; i++) {
		n += !set->halves[i].is_end;
		is_sorted &= !i || by_key(&set->halves[i - 1], &set->halves[i]) <= 0;
	}
	set->elems = cni_new_array(d->arena, struct element, n);
	if (!is_sorted)
		qsort(set->halves, set->n_halves, sizeof(*set->halves), by_key);
	for (size_t i = 1; i < set->n_halves; i++)
		if (!set->n_fields && !by_key(&set->halves[i - 1], &set->halves[i]))
			proof_fail(d, "a key of the set `%s` comes twice", set->name);
	if (set->is_interval && !set->n_fields) {
		pair_ends(d, set);
		return;
	}
	for (size_t i = 0; i < set->n_halves; i++) {
		if (set->n_fields)
			check_box(d, set, &set->halves[i]);
		add_element(set, &set->halves[i], set->n_fields ? set->halves[i].key_end : set->halves[i].key);
	}
}
