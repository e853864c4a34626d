/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memo.c - what a walk has found of nodes: an open hash, and notes by number; see space_internal.h. */
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

static struct memo_entry *place(const struct memo *memo, int a, int b, int c)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t hash = (uint64_t)(uint32_t)a * odd + (uint32_t)b;
	size_t at;

	/* each number must reach the lowest bits, also where the two others are always the same */
	hash = (hash ^ hash >> 32) * odd + (uint32_t)c;
	hash = (hash ^ hash >> 32) * odd;
	for (at = (size_t)(hash >> 32) & (memo->room - 1); memo->entries[at].used; at = (at + 1) & (memo->room - 1))
		if (memo->entries[at].a == a && memo->entries[at].b == b && memo->entries[at].c == c)
			break;
	return &memo->entries[at];
}

bool memo_find(const struct memo *memo, int a, int b, int c, int *result)
{
	const struct memo_entry *entry = place(memo, a, b, c);

	*result = entry->result;
	return entry->used;
}

static void grow(struct memo *memo)
{
	struct memo larger = { cni_arena_new(), NULL, memo->room * 2, memo->n };

	larger.entries = cni_new_array(larger.arena, struct memo_entry, larger.room);
	for (size_t i = 0; i < memo->room; i++) {
		const struct memo_entry *old = &memo->entries[i];

		if (old->used)
			*place(&larger, old->a, old->b, old->c) = *old;
	}
	memo_end(memo);
	*memo = larger;
}

void memo_add(struct memo *memo, int a, int b, int c, int result)
{
	if (2 * ++memo->n > memo->room)
		grow(memo);
	*place(memo, a, b, c) = (struct memo_entry){ a, b, c, result, true };
}

/* ---- notes ---- */

void notes_begin(struct cni_spaces *s)
{
	const size_t nodes = (size_t)bdd_getallocnum();

	if (s->room_notes < nodes) {
		s->notes = outgrow(&s->notes_arena, NULL, 0, nodes * sizeof(*s->notes));
		s->room_notes = nodes;
		s->walk = 0;
	}
	s->walk++;
}

bool notes_find(const struct cni_spaces *s, int node, int *result)
{
	*result = s->notes[node].result;
	return s->notes[node].walk == s->walk;
}

void notes_add(struct cni_spaces *s, int node, int result)
{
	s->notes[node] = (struct note){ s->walk, result };
}
