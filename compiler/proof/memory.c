/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory.c - what chains come to, from each of their rules on, for marks and surroundings that were met. */
#include <limits.h>
#include <string.h>

#include "compiler/proof/machine_internal.h"

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_surroundings(const struct surroundings *a, const struct surroundings *b, unsigned int reads)
{
	return (!(reads & READS_FAMILY) || a->family == b->family) &&
	       (!(reads & READS_IIF) || same_text(a->iif, b->iif)) &&
	       (!(reads & READS_OIF) || same_text(a->oif, b->oif)) &&
	       (!(reads & READS_FLOW) ||
		(a->reply == b->reply && a->ct_status == b->ct_status && a->before_conntrack == b->before_conntrack)) &&
	       (!(reads & READS_FIB) || a->fib_type == b->fib_type);
}

static size_t place_of(const struct machine *m, const struct memory *key)
{
	size_t hash = (key->chain->index * 31 + key->at) * 2654435761u ^ key->mode.marks.ct_mark * 40503u ^
		      key->mode.marks.mark * 2246822519u ^ key->mode.marks.mss;

	return hash & (m->room_memories - 1);
}

const struct memory *machine_recall(const struct machine *m, const struct memory *key)
{
	for (size_t at = m->room_memories ? place_of(m, key) : 0; m->room_memories && m->memories[at].chain;
	     at = (at + 1) & (m->room_memories - 1)) {
		const struct memory *known = &m->memories[at];

		if (known->chain == key->chain && known->at == key->at &&
		    !memcmp(&known->mode, &key->mode, sizeof(key->mode)) &&
		    same_surroundings(known->then, &m->now, known->reads))
			return known;
	}
	return NULL;
}

static void place(struct machine *m, const struct memory *memory)
{
	size_t at = place_of(m, memory);

	while (m->memories[at].chain)
		at = (at + 1) & (m->room_memories - 1);
	m->memories[at] = *memory;
}

/* Most of what is remembered was found in the surroundings of what was remembered before. */
static const struct surroundings *keep_now(struct machine *m)
{
	struct surroundings *kept = m->kept;

	if (!kept || !same_surroundings(kept, &m->now, UINT_MAX)) {
		m->kept = kept = cni_new(m->d->arena, struct surroundings);
		*kept = m->now;
	}
	return kept;
}

void machine_remember(struct machine *m, struct memory *memory)
{
	memory->then = keep_now(m);
	if (2 * m->n_memories >= m->room_memories) {
		const struct memory *old = m->memories;
		const size_t n = m->room_memories;

		m->room_memories = n ? 2 * n : 1024;
		m->memories = cni_new_array(m->d->arena, struct memory, m->room_memories);
		for (size_t i = 0; i < n; i++)
			if (old[i].chain)
				place(m, &old[i]);
	}
	place(m, memory);
	m->n_memories++;
}
