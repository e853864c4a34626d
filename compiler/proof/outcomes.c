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

struct classes machine_choice(struct machine *m, const struct outcome *of, struct classes below, struct classes other)
{
	struct choice choice = { m, of };

	return classes_plain(cni_map_join(m->spaces, classes_flat(&m->classing, &below),
					  classes_flat(&m->classing, &other), choose, &choice));
}

struct following {
	struct machine *m;
	proof_after *after;
	void *arg;
};

/* What follows one label: of a choice, what follows each of its sides. */
static struct classes follow(unsigned int label, void *arg)
{
	const struct following *f = arg;
	const struct outcome outcome = f->m->outcomes[label];
	struct classes below, other;

	if (outcome.kind != OUT_CHOICE)
		return f->after(f->m, label, f->arg);
	below = follow(outcome.below, arg);
	other = follow(outcome.other, arg);
	return machine_choice(f->m, &outcome, below, other);
}

struct classes machine_bind(struct machine *m, struct classes from, proof_after *after, void *arg)
{
	struct following following = { m, after, arg };

	return classes_bind(&m->classing, from, follow, &following);
}
