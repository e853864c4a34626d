/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lookup.c - which packets have a key that is in a set. */
#include <string.h>

#include "compiler/proof/machine_internal.h"

static const enum cni_header_field addresses[] = { CNI_FIELD_FROM, CNI_FIELD_TO };

/* Which address of a packet len bytes are; CNI_N_FIELDS: none, or not as it is. */
static enum cni_header_field address_in(const struct machine *m, const struct registers *r, size_t reg, size_t len)
{
	for (size_t i = 0; i < 2; i++)
		if (registers_is_field(r, reg, len, m->now.family, addresses[i]))
			return addresses[i];
	return CNI_N_FIELDS;
}

static void add_range(struct machine *m, struct cni_ranges *ranges, const uint8_t *lo, const uint8_t *hi, size_t len)
{
	struct cni_addr from = { .family = m->now.family }, to = from;

	for (size_t i = 0; i < len; i++) {
		from.v = from.v << 8 | lo[i];
		to.v = to.v << 8 | hi[i];
	}
	cni_ranges_add(m->d->arena, ranges, from, to);
}

/* Cuts a product down to those that have len bytes within lo..hi. */
static void cut(struct machine *m, const struct registers *r, size_t reg, size_t len, const uint8_t *lo,
		const uint8_t *hi, struct cni_product *product)
{
	const enum cni_header_field field = address_in(m, r, reg, len);
	const struct cni_ranges **ranges = field == CNI_FIELD_FROM ? &product->from : &product->to;
	struct cni_ranges *range;

	if (field == CNI_N_FIELDS || *ranges) {
		product->rest = registers_within(m, r, reg, len, lo, hi, product->rest);
		return;
	}
	range = cni_new(m->d->arena, struct cni_ranges);
	add_range(m, range, lo, hi, len);
	*ranges = range;
}

/* What comes last in a key is asked first: there the protocol stands, without which ports and types are not told apart. */
static struct cni_product product_of(struct machine *m, const struct registers *r, size_t reg, const struct set *set,
				     const struct element *element)
{
	struct cni_product product = { .rest = cni_space_all() };
	size_t at = set->key_len;

	if (!set->n_fields)
		cut(m, r, reg, set->key_len, element->lo, element->hi, &product);
	for (size_t f = set->n_fields; f--;) {
		at -= (set->fields[f] + 3) & ~3u;
		cut(m, r, reg + at, set->fields[f], element->lo + at, element->hi + at, &product);
	}
	return product;
}

struct cni_map set_map(struct machine *m, const struct registers *r, size_t reg, const struct set *set,
		       const struct cni_map *then, struct cni_map otherwise)
{
	struct cni_product *products = cni_new_array(m->d->arena, struct cni_product, set->n_elems);
	const size_t mark = cni_spaces_mark(m->spaces);
	struct cni_map all;

	for (size_t i = 0; i < set->n_elems; i++) {
		products[i] = product_of(m, r, reg, set, &set->elems[i]);
		products[i].then = then[i];
	}
	all = cni_map_products(m->spaces, m->now.family, products, set->n_elems, otherwise);
	cni_spaces_release(m->spaces, mark, all.node);
	return all;
}

/* A set of addresses may have a million members. */
static struct cni_space address_space(struct machine *m, const struct set *set, enum cni_header_field field)
{
	struct cni_ranges ranges = { 0 };

	for (size_t i = 0; i < set->n_elems; i++)
		add_range(m, &ranges, set->elems[i].lo, set->elems[i].hi, set->key_len);
	cni_ranges_normalise(&ranges);
	return cni_space_ranges(m->spaces, m->now.family, field, &ranges);
}

/* A map of what is in it and what is not. */
static struct cni_space box_space(struct machine *m, const struct registers *r, size_t reg, const struct set *set)
{
	struct cni_map *in = cni_new_array(m->d->arena, struct cni_map, set->n_elems);

	for (size_t i = 0; i < set->n_elems; i++)
		in[i].node = cni_space_all().node;
	return (struct cni_space){ set_map(m, r, reg, set, in, (struct cni_map){ cni_space_none().node }).node };
}

struct cni_space set_space(struct machine *m, const struct registers *r, size_t reg, const struct set *set,
			   struct cni_space where)
{
	const enum cni_header_field field = set->n_fields ? CNI_N_FIELDS : address_in(m, r, reg, set->key_len);
	const size_t mark = cni_spaces_mark(m->spaces);
	struct cni_space any = cni_space_none();

	if (set->n_fields)
		return cni_space_and(m->spaces, where, box_space(m, r, reg, set));
	if (field < CNI_N_FIELDS)
		return cni_space_and(m->spaces, where, address_space(m, set, field));
	for (size_t i = 0; i < set->n_elems; i++) {
		const struct element *x = &set->elems[i];

		any = cni_space_or(m->spaces, any, registers_within(m, r, reg, set->key_len, x->lo, x->hi, where));
		cni_spaces_release(m->spaces, mark, any.node);
	}
	return any;
}

const struct element *constant_element(const struct set *set, const uint8_t *key)
{
	size_t begin = 0, end = set->n_elems;

	while (begin < end) {
		const size_t middle = begin + (end - begin) / 2;

		if (memcmp(set->elems[middle].hi, key, set->key_len) < 0)
			begin = middle + 1;
		else
			end = middle;
	}
	return begin < set->n_elems && memcmp(set->elems[begin].lo, key, set->key_len) <= 0 ? &set->elems[begin] : NULL;
}
