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

#define NOBODYS CNI_MAX_LABEL
#define MAX_SPLITS 8 /* within each other */
#define MOST_LABELS 4 /* labels of a map; one that has more takes its place by itself */

struct binding {
	struct cni_spaces *spaces;
	struct cni_arena *arena;
	struct cni_map map;
	struct cni_labels labels;
	const struct cni_map *then;
	bool *apart; /* those that take their place by themselves */
	unsigned int *to; /* by label */
};

/* The labels that then[i] has within the part, ascending; NOBODYS, which comes last, is of packets outside. */
static struct cni_labels labels_within(const struct binding *b, struct cni_space part, size_t i)
{
	return cni_map_labels(b->spaces, b->arena,
			      cni_map_ite(b->spaces, part, b->then[i], cni_map_all(b->spaces, NOBODYS)));
}

/* What each label becomes in the part; the first that becomes several, or the number of labels. */
static size_t tabulate(const struct binding *b, struct cni_space part)
{
	size_t i = 0;

	for (; i < b->labels.n_items; i++) {
		const unsigned int label = b->labels.items[i];
		struct cni_labels some;

		b->to[label] = label;
		if (b->apart[i])
			continue;
		some = labels_within(b, part, i);
		if (!some.n_items || some.n_items > 2 || (some.n_items == 2 && some.items[1] != NOBODYS))
			break;
		b->to[label] = some.items[0];
	}
	return i;
}

/* One walk through the map for each part in which every label becomes one label. What tells packets apart there is mostly
 * the same for all labels, such as the protocol of what can be clamped. */
static struct cni_map bind_part(const struct binding *b, struct cni_space part, struct cni_map all, unsigned int splits)
{
	const size_t several = tabulate(b, part), n = b->labels.n_items;
	struct cni_labels some;

	if (several == n)
		return cni_map_ite(b->spaces, part,
				   cni_map_relabel(b->spaces, b->map, b->to, b->labels.items[n - 1] + 1), all);
	if (splits == MAX_SPLITS) {
		b->apart[several] = true;
		return bind_part(b, part, all, splits);
	}
	some = labels_within(b, part, several);
	for (size_t i = 0; i < some.n_items && some.items[i] != NOBODYS; i++) {
		const struct cni_space here = cni_map_where(b->spaces, b->then[several], some.items[i]);

		all = bind_part(b, cni_space_and(b->spaces, part, here), all, splits + 1);
	}
	return all;
}

struct cni_map proof_bind(struct cni_spaces *spaces, struct cni_arena *arena, struct cni_map map,
			  struct cni_labels labels, const struct cni_map *then)
{
	const size_t n = labels.n_items, mark = cni_spaces_mark(spaces);
	struct binding b = { spaces, arena, map, labels, then, .apart = cni_new_array(arena, bool, n) };
	struct cni_map all = map;

	if (n == 1)
		return then[0];
	if (!n || cni_spaces_failed(spaces))
		return map;
	b.to = cni_new_array(arena, unsigned int, labels.items[n - 1] + 1);
	for (size_t i = 0; i < n; i++)
		b.apart[i] = labels_within(&b, cni_space_all(), i).n_items > MOST_LABELS;
	all = bind_part(&b, cni_space_all(), map, 0);
	for (size_t i = 0; i < n; i++)
		if (b.apart[i])
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
	all = proof_bind(m->spaces, m->d->arena, map, labels, then);
	*cni_push(m->d->arena, m->bound, m->n_bound) = (struct bound){ map, all, then, labels.n_items };
	return all;
}

struct cni_map machine_choice(struct machine *m, const struct outcome *of, struct cni_map below, struct cni_map other)
{
	struct choice choice = { m, of };

	return cni_map_join(m->spaces, below, other, choose, &choice);
}
