/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memo.c - an open hash of nodes; see space_internal.h. */
#include "compiler/space/space_internal.h"

void memo_begin(struct memo *memo)
{
	*memo = (struct memo){ .arena = cni_arena_new(), .room = 256 };
	memo->entries = cni_new_array(memo->arena, struct memo_entry, memo->room);
}

void memo_end(struct memo *memo)
{
	cni_arena_free(memo->arena);
}

static struct memo_entry *place(const struct memo *memo, int a, int b)
{
	uint64_t hash = ((uint64_t)(uint32_t)a << 32 | (uint32_t)b) * UINT64_C(0x9e3779b97f4a7c15);
	size_t at = (size_t)(hash >> 20) & (memo->room - 1);

	while (memo->entries[at].used && (memo->entries[at].a != a || memo->entries[at].b != b))
		at = (at + 1) & (memo->room - 1);
	return &memo->entries[at];
}

bool memo_find(const struct memo *memo, int a, int b, int *result)
{
	const struct memo_entry *entry = place(memo, a, b);

	*result = entry->result;
	return entry->used;
}

static void grow(struct memo *memo)
{
	struct memo larger = { cni_arena_new(), NULL, memo->room * 2, memo->n };

	larger.entries = cni_new_array(larger.arena, struct memo_entry, larger.room);
	for (size_t i = 0; i < memo->room; i++)
		if (memo->entries[i].used)
			*place(&larger, memo->entries[i].a, memo->entries[i].b) = memo->entries[i];
	memo_end(memo);
	*memo = larger;
}

void memo_add(struct memo *memo, int a, int b, int result)
{
	if (2 * ++memo->n > memo->room)
		grow(memo);
	*place(memo, a, b) = (struct memo_entry){ a, b, result, true };
}
