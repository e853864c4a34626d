/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lower.c - the passes in order, and the policy's epoch. See lower.h. */
#include <stdlib.h>
#include <string.h>

#include "compiler/lower/lower_internal.h"

#define EPOCH_MAX ((1u << EPOCH_BITS) - 1)

static const struct cni_st_chain *find_chain(const struct cni_state *state, const char *name)
{
	for (size_t i = 0; state && i < state->n_chains; i++)
		if (!strcmp(state->chains[i].name, name))
			return &state->chains[i];
	return NULL;
}

/* The chain that a base chain jumps to: the live generation. NULL: none. */
static const char *live_chain(const struct cni_state *state, const char *base)
{
	const struct cni_st_chain *chain = find_chain(state, base);

	return chain && chain->n_rules && chain->rules[0].n_exprs ? chain->rules[0].exprs[0].name : NULL;
}

/* The live epoch is in the live chain's name, "steer.EPOCH.…"; 0: none is live. */
static unsigned int live_epoch(const struct cni_state *state, const char *base)
{
	const char *name = live_chain(state, base), *dot = name ? strchr(name, '.') : NULL;
	unsigned long epoch = dot ? strtoul(dot + 1, NULL, 10) : 0;

	return epoch <= EPOCH_MAX ? (unsigned int)epoch : 0;
}

static bool same_target(const struct cni_state *a, const struct cni_state *b, const char *base)
{
	const char *x = live_chain(a, base), *y = live_chain(b, base);

	return x && y ? !strcmp(x, y) : x == y;
}

static struct cni_state *lower_once(struct lower *l, unsigned int epoch)
{
	l->epoch = epoch;
	l->state = cni_new(l->arena, struct cni_state);
	l->state->has_table = true;
	l->names = NULL;
	l->n_names = l->room_names = 0;
	lower_devices(l);
	lower_tables(l);
	lower_steer(l);
	cni_state_sort(l->state);
	return l->state;
}

struct cni_state *cni_lower(struct cni_arena *arena, const struct cni_model *model, const struct cni_prior *prior,
			    struct cni_diags *diags)
{
	struct lower l = { .arena = arena, .model = model, .diags = diags, .mask = model->options.mark_mask };
	const unsigned int width = (unsigned int)__builtin_popcount(l.mask);
	struct cni_state *state;
	unsigned int epoch;

	l.prior = prior;
	l.observed = prior->observed;
	l.shift = (unsigned int)__builtin_ctz(l.mask);
	l.id_bits = width - EPOCH_BITS < 14 ? width - EPOCH_BITS : 14; /* table numbers below FIRST_UNDERLAY */
	l.id_mask = ((1u << l.id_bits) - 1) << l.shift;
	if (!lower_ways(&l))
		return NULL;
	epoch = live_epoch(l.observed, "prerouting");
	if (!epoch)
		epoch = live_epoch(l.observed, "output");
	state = lower_once(&l, epoch ? epoch : 1);
	/* Another way to steer is another epoch, so that known flows are classified again; `keep` leaves them. */
	if (epoch && model->options.established == CNI_ESTABLISHED_FOLLOW &&
	    !(same_target(l.observed, state, "prerouting") && same_target(l.observed, state, "output")))
		state = lower_once(&l, epoch % EPOCH_MAX + 1);
	/* Epochs come round: before one is used again, what conntrack still has of its last turn must go. */
	if (l.epoch != epoch) {
		state->mark_mask = l.mask;
		state->stale_mask = EPOCH_MAX << l.id_bits << l.shift;
		state->stale_mark = l.epoch << l.id_bits << l.shift;
	}
	return state;
}
