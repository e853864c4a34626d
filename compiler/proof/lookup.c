/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lookup.c - which packets have a key that is in a set. */
#include <string.h>

#include "compiler/proof/machine_internal.h"

struct cni_space element_space(struct machine *m, const struct registers *r, size_t reg, const struct set *set,
			       const struct element *element, struct cni_space where)
{
	if (!set->n_fields)
		return registers_within(m, r, reg, set->key_len, element->lo, element->hi, where);
	for (size_t f = 0, at = 0; f < set->n_fields && !cni_space_is_empty(where); at += (set->fields[f++] + 3) & ~3u)
		where = registers_within(m, r, reg + at, set->fields[f], element->lo + at, element->hi + at, where);
	return where;
}

/* The field that is all of the key, each of whose bytes is asked for; CNI_N_FIELDS: there is none. */
static enum cni_header_field only_field(const struct machine *m, const struct registers *r, size_t reg,
					const struct set *set)
{
	const struct bit *bits = r->bits + reg * 8;
	const size_t n = set->key_len * 8;

	if (bits->kind != BIT_FIELD || set->n_fields || n != cni_width(m->now.family) ||
	    (bits->field != CNI_FIELD_FROM && bits->field != CNI_FIELD_TO))
		return CNI_N_FIELDS;
	for (size_t i = 0; i < n; i++)
		if (bits[i].kind != BIT_FIELD || bits[i].field != bits->field || bits[i].depth != i || bits[i].flip)
			return CNI_N_FIELDS;
	return bits->field;
}

static struct cni_addr address(enum cni_family family, const uint8_t *bytes, size_t len)
{
	struct cni_addr addr = { .family = family };

	for (size_t i = 0; i < len; i++)
		addr.v = addr.v << 8 | bytes[i];
	return addr;
}

/* A set of addresses may have a million members: one diagram is made of all of them at once. */
static struct cni_space addresses(struct machine *m, const struct set *set, enum cni_header_field field)
{
	const enum cni_family family = m->now.family;
	struct cni_ranges ranges = { 0 };

	for (size_t i = 0; i < set->n_elems; i++)
		cni_ranges_add(m->d->arena, &ranges, address(family, set->elems[i].lo, set->key_len),
			       address(family, set->elems[i].hi, set->key_len));
	cni_ranges_normalise(&ranges);
	return cni_space_ranges(m->spaces, family, field, &ranges);
}

struct cni_space set_space(struct machine *m, const struct registers *r, size_t reg, const struct set *set,
			   struct cni_space where)
{
	const enum cni_header_field field = only_field(m, r, reg, set);
	struct cni_space any = cni_space_none();
	size_t mark = cni_spaces_mark(m->spaces);

	if (field < CNI_N_FIELDS) {
		any = cni_space_and(m->spaces, where, addresses(m, set, field));
		cni_spaces_release(m->spaces, mark, any.node);
		return any;
	}
	for (size_t i = 0; i < set->n_elems; i++) {
		any = cni_space_or(m->spaces, any, element_space(m, r, reg, set, &set->elems[i], where));
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
