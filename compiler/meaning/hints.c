/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hints.c - see hints.h. */
#include "compiler/meaning/hints.h"

#include "compiler/arena.h"

struct hinting {
	struct cni_arena *arena;
	struct cni_hints *hints;
};

static void add_hint(struct cni_prefix prefix, void *arg)
{
	struct hinting *h = arg;

	*cni_push(h->arena, h->hints->items, h->hints->n_items) = prefix;
}

static void hint_ranges(struct hinting *h, const struct cni_ranges *ranges)
{
	for (size_t i = 0; i < ranges->n_v4; i++)
		cni_range_to_prefixes((struct cni_addr){ CNI_V4, ranges->v4[i].lo },
				      (struct cni_addr){ CNI_V4, ranges->v4[i].hi }, add_hint, h);
	for (size_t i = 0; i < ranges->n_v6; i++)
		cni_range_to_prefixes((struct cni_addr){ CNI_V6, ranges->v6[i].lo },
				      (struct cni_addr){ CNI_V6, ranges->v6[i].hi }, add_hint, h);
}

void cni_hints_from(struct cni_arena *arena, const struct cni_model *const *models, size_t n, struct cni_hints *hints)
{
	static const struct cni_prefix inside[] = {
		{ { CNI_V4, 0xc0a80000 }, 16 },
		{ { CNI_V4, 0x0a000000 }, 8 },
		{ { CNI_V6, (cni_u128)0xfd00000000000000 << 64 }, 64 },
	};
	struct hinting h = { arena, hints };

	for (size_t m = 0; m < n; m++)
		for (size_t i = 0; i < models[m]->n_lans; i++)
			hint_ranges(&h, &models[m]->lans[i].ranges);
	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++)
		add_hint(inside[i], &h);
}

void cni_hints_to(struct cni_arena *arena, struct cni_hints *hints)
{
	static const struct cni_prefix elsewhere[] = {
		{ { CNI_V4, 0xcb007100 }, 24 },
		{ { CNI_V4, 0xc6336400 }, 24 },
		{ { CNI_V4, 0xc6120000 }, 15 },
		{ { CNI_V4, 0xc0000200 }, 24 },
		{ { CNI_V6, (cni_u128)0x20010db8ffffffff << 64 }, 64 },
	};
	struct hinting h = { arena, hints };

	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
		add_hint(elsewhere[i], &h);
}
