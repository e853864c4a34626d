/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outcomes.c - outcomes by number, and maps whose labels they are. */
#include <stdlib.h>
#include <string.h>

#include "compiler/proof/fate.h"

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
static bool single_label(struct cni_spaces *spaces, struct cni_map map, unsigned int *label)
{
	const struct cni_header any = { .family = CNI_V6 };

	*label = cni_map_label(spaces, map, &any);
	return cni_map_all(spaces, *label).node == map.node;
}

/* A map and what its labels become, as far as it was asked for: marks change more often than what comes of them. */
struct bound {
	struct cni_map map, result;
	const struct cni_map *then;
	size_t n;
};

static const struct bound *find_bound(const struct machine *m, struct cni_map map, const struct cni_map *then, size_t n)
{
	for (size_t i = m->n_bound; i-- > 0;)
		if (m->bound[i].map.node == map.node && m->bound[i].n == n &&
		    !memcmp(m->bound[i].then, then, n * sizeof(*then)))
			return &m->bound[i];
	return NULL;
}

/* Of every part of the packets, the label that each label becomes there; false: one becomes several. */
static bool tabulate(struct cni_spaces *spaces, struct cni_arena *arena, struct cni_space part,
		     struct cni_labels labels, const struct cni_map *then, unsigned int *to)
{
	const unsigned int nobodys = CNI_MAX_LABEL;

	for (size_t i = 0; i < labels.n_items; i++) {
		const struct cni_map here = cni_map_ite(spaces, part, then[i], cni_map_all(spaces, nobodys));
		const struct cni_labels some = cni_map_labels(spaces, arena, here);

		if (some.n_items > 2 || !some.n_items)
			return false;
		to[labels.items[i]] = some.items[0];
	}
	return true;
}

/* One walk through the map for each part in which every label becomes one label. What tells packets apart there is mostly
 * the same for all labels, such as the protocol of what can be clamped: the first that becomes several gives the parts. */
struct cni_map cni_map_bind(struct cni_spaces *spaces, struct cni_arena *arena, struct cni_map map,
			    struct cni_labels labels, const struct cni_map *then)
{
	const unsigned int last = labels.n_items ? labels.items[labels.n_items - 1] : 0;
	unsigned int *to = cni_new_array(arena, unsigned int, last + 1), label;
	struct cni_map all = map;
	struct cni_labels parts;
	size_t mark, several = 0;

	while (several < labels.n_items && single_label(spaces, then[several], &label))
		several++;
	mark = cni_spaces_mark(spaces);
	parts = cni_map_labels(spaces, arena, then[several < labels.n_items ? several : 0]);
	for (size_t i = 0; i < parts.n_items; i++) {
		const struct cni_space part = several < labels.n_items
						      ? cni_map_where(spaces, then[several], parts.items[i])
						      : cni_space_all();

		if (!tabulate(spaces, arena, part, labels, then, to))
			goto one_by_one;
		all = cni_map_ite(spaces, part, cni_map_relabel(spaces, map, to, last + 1), all);
	}
	cni_spaces_release(spaces, mark, all.node);
	return all;

one_by_one:
	for (size_t i = 0; i < labels.n_items; i++)
		all = cni_map_ite(spaces, cni_map_where(spaces, map, labels.items[i]), then[i], all);
	cni_spaces_release(spaces, mark, all.node);
	return all;
}

struct cni_map machine_bind(struct machine *m, struct cni_map map, proof_after *after, void *arg)
{
	const struct cni_labels labels = cni_map_labels(m->spaces, m->d->arena, map);
	struct cni_map *then = cni_new_array(m->d->arena, struct cni_map, labels.n_items);
	const struct bound *bound;
	struct cni_map all = map;
	bool changes = false;

	for (size_t i = 0; i < labels.n_items; i++) {
		then[i] = follow(m, labels.items[i], after, arg);
		changes |= then[i].node != cni_map_all(m->spaces, labels.items[i]).node;
	}
	if (!changes || cni_spaces_failed(m->spaces))
		return map;
	bound = find_bound(m, map, then, labels.n_items);
	if (bound)
		return bound->result;
	all = cni_map_bind(m->spaces, m->d->arena, map, labels, then);
	*cni_push(m->d->arena, m->bound, m->n_bound) = (struct bound){ map, all, then, labels.n_items };
	return all;
}

struct cni_map machine_choice(struct machine *m, const struct outcome *of, struct cni_map below, struct cni_map other)
{
	struct choice choice = { m, of };

	return cni_map_join(m->spaces, below, other, choose, &choice);
}
