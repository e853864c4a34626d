/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outcomes.c - outcomes by number, and maps whose labels they are. */
#include <stdlib.h>
#include <string.h>

#include "compiler/proof/machine.h"

static size_t slot_of(const struct machine *m, const struct outcome *outcome)
{
	const uint8_t *bytes = (const uint8_t *)outcome;
	uint32_t hash = 2166136261u; /* FNV-1a */
	size_t slot;

	for (size_t i = 0; i < sizeof(*outcome); i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	for (slot = hash % m->n_slots; m->slots[slot]; slot = (slot + 1) % m->n_slots)
		if (!memcmp(&m->outcomes[m->slots[slot] - 1], outcome, sizeof(*outcome)))
			break;
	return slot;
}

unsigned int machine_outcome(struct machine *m, const struct outcome *outcome)
{
	size_t slot;

	if (2 * m->n_outcomes >= m->n_slots) {
		m->n_slots = m->n_slots ? 2 * m->n_slots : 256;
		m->slots = cni_new_array(m->d->arena, unsigned int, m->n_slots);
		for (size_t i = 0; i < m->n_outcomes; i++)
			m->slots[slot_of(m, &m->outcomes[i])] = (unsigned int)i + 1;
	}
	slot = slot_of(m, outcome);
	if (m->slots[slot])
		return m->slots[slot] - 1;
	if (m->n_outcomes > CNI_MAX_LABEL) {
		proof_fail(m->d, "there are more than %u outcomes", CNI_MAX_LABEL);
		return 0;
	}
	*cni_push(m->d->arena, m->outcomes, m->n_outcomes) = *outcome;
	m->slots[slot] = (unsigned int)m->n_outcomes;
	return m->slots[slot] - 1;
}

/* ---- labels ---- */

struct seen {
	struct cni_arena *arena;
	struct labels labels;
	unsigned int last; /* + 1 */
};

static unsigned int see(unsigned int x, unsigned int y, void *arg)
{
	struct seen *seen = arg;

	(void)y;
	if (x + 1 != seen->last)
		*cni_push(seen->arena, seen->labels.items, seen->labels.n_items) = x;
	seen->last = x + 1;
	return x;
}

static int ascending(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct labels proof_labels(struct cni_arena *arena, struct cni_spaces *spaces, struct cni_map map)
{
	struct seen seen = { .arena = arena };
	size_t mark = cni_spaces_mark(spaces), n = 0;

	cni_map_join(spaces, map, map, see, &seen);
	cni_spaces_release(spaces, mark, -1);
	if (seen.labels.n_items)
		qsort(seen.labels.items, seen.labels.n_items, sizeof(*seen.labels.items), ascending);
	for (size_t i = 0; i < seen.labels.n_items; i++)
		if (!n || seen.labels.items[i] != seen.labels.items[n - 1])
			seen.labels.items[n++] = seen.labels.items[i];
	seen.labels.n_items = n;
	return seen.labels;
}

/* ---- going on ---- */

struct choice {
	struct machine *m;
	const struct outcome *of;
};

static unsigned int choose(unsigned int x, unsigned int y, void *arg)
{
	struct choice *choice = arg;
	struct outcome outcome;

	if (x == y)
		return x;
	memset(&outcome, 0, sizeof(outcome));
	outcome.kind = OUT_CHOICE;
	outcome.limit = choice->of->limit;
	outcome.modulus = choice->of->modulus;
	outcome.hash = choice->of->hash;
	outcome.below = x;
	outcome.other = y;
	return machine_outcome(choice->m, &outcome);
}

/* What follows one label: of a choice, what follows each of its sides. */
static struct cni_map follow(struct machine *m, unsigned int label, proof_after *after, void *arg)
{
	const struct outcome outcome = m->outcomes[label];
	struct choice choice = { m, &outcome };
	struct cni_map below, other;

	if (outcome.kind != OUT_CHOICE)
		return after(m, label, arg);
	below = follow(m, outcome.below, after, arg);
	other = follow(m, outcome.other, after, arg);
	return cni_map_join(m->spaces, below, other, choose, &choice);
}

/* The label that all packets have; false: they have several. */
static bool is_single(struct machine *m, struct cni_map map, unsigned int *label)
{
	const struct cni_header any = { .family = CNI_V6 };

	*label = cni_map_label(m->spaces, map, &any);
	return cni_map_all(m->spaces, *label).node == map.node;
}

/* Most labels become another label: in one walk. Those that become a map are put in its place one by one. */
struct cni_map machine_bind(struct machine *m, struct cni_map map, proof_after *after, void *arg)
{
	const struct labels labels = proof_labels(m->d->arena, m->spaces, map);
	struct cni_map *then = cni_new_array(m->d->arena, struct cni_map, labels.n_items), all = map;
	unsigned int *to, last = labels.n_items ? labels.items[labels.n_items - 1] : 0;
	bool changes = false;
	size_t mark;

	for (size_t i = 0; i < labels.n_items; i++)
		then[i] = follow(m, labels.items[i], after, arg);
	to = cni_new_array(m->d->arena, unsigned int, last + 1);
	mark = cni_spaces_mark(m->spaces);
	for (size_t i = 0; i < labels.n_items; i++) {
		const unsigned int label = labels.items[i];

		if (!is_single(m, then[i], &to[label]))
			to[label] = label;
		changes |= to[label] != label;
	}
	if (changes)
		all = cni_map_relabel(m->spaces, map, to, last + 1);
	for (size_t i = 0; i < labels.n_items; i++) {
		unsigned int label;

		if (!is_single(m, then[i], &label))
			all = cni_map_ite(m->spaces, cni_map_where(m->spaces, map, labels.items[i]), then[i], all);
	}
	cni_spaces_release(m->spaces, mark, all.node);
	return all;
}

struct cni_map machine_choice(struct machine *m, const struct outcome *of, struct cni_map below, struct cni_map other)
{
	struct choice choice = { m, of };

	return cni_map_join(m->spaces, below, other, choose, &choice);
}
