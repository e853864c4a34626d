/* SPDX-License-Identifier: GPL-2.0-or-later */
/* index.c - see index.h. */
#include "compiler/check/index.h"

#include <stdlib.h>

static int before(struct cni_addr a, struct cni_addr b)
{
	if (a.family != b.family)
		return a.family < b.family ? -1 : 1;
	return a.v < b.v ? -1 : a.v > b.v;
}

static int by_first(const void *a, const void *b)
{
	const struct cni_indexed *x = a, *y = b;
	int order = before(x->first, y->first);

	/* targets lie in one array, in order of declaration */
	return order ? order : x->target < y->target ? -1 : x->target > y->target;
}

struct cni_index cni_index_prefixes(struct cni_arena *arena, const struct cni_model *model)
{
	struct cni_index index = { 0 };

	for (size_t i = 0; i < model->n_targets; i++)
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
			const struct cni_iface *iface = &model->targets[i].iface[f];

			if (iface->has_address)
				*cni_push(arena, index.items, index.n_items) =
					(struct cni_indexed){ cni_prefix_first(iface->address),
							      cni_prefix_last(iface->address), f, &model->targets[i] };
		}
	if (index.n_items)
		qsort(index.items, index.n_items, sizeof(*index.items), by_first);
	return index;
}

const struct cni_indexed *cni_index_find(const struct cni_index *index, struct cni_addr addr)
{
	size_t lo = 0, hi = index->n_items;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (before(index->items[mid].first, addr) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || before(addr, index->items[lo - 1].last) > 0 || index->items[lo - 1].family != addr.family)
		return NULL;
	return &index->items[lo - 1];
}
