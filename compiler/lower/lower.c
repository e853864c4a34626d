/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lower.c - the passes in order, and the policy's epoch. See lower.h. */
#include <stdlib.h>
#include <string.h>

#include "compiler/lower/lower_internal.h"
#include "compiler/state/down.h"

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

/* "steer.EPOCH.…", "own.EPOCH.…"; 0: not such a name, or NULL. */
static unsigned int epoch_of(const char *name)
{
	const char *dot = name ? strchr(name, '.') : NULL;
	unsigned long epoch = dot ? strtoul(dot + 1, NULL, 10) : 0;

	return epoch <= EPOCH_MAX ? (unsigned int)epoch : 0;
}

/* The live epoch is in the live chain's name; 0: none is live. */
static unsigned int live_epoch(const struct cni_state *state, const char *base)
{
	return epoch_of(live_chain(state, base));
}

/* Where no hook jumps to a generation, that of one that is still there. */
static unsigned int left_epoch(const struct cni_state *state)
{
	unsigned int epoch = 0;

	for (size_t i = 0; state && !epoch && i < state->n_chains; i++)
		if (!strncmp(state->chains[i].name, "steer.", 6) || !strncmp(state->chains[i].name, "own.", 4))
			epoch = epoch_of(state->chains[i].name);
	return epoch;
}

/* Whether `wanted` steers as `observed` does. A jump that somebody took away leaves the chain that it led to: what is
 * to be put back is the jump alone. */
static bool same_target(const struct cni_state *observed, const struct cni_state *wanted, const char *base)
{
	const char *x = live_chain(observed, base), *y = live_chain(wanted, base);

	return x && y ? !strcmp(x, y) : x ? false : !y || find_chain(observed, y);
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
	lower_first(l);
	cni_state_sort(l->state);
	return l->state;
}

static int ascending(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Epochs come round, and so do the numbers of paths: before one is used again, what conntrack still has of its last
 * turn must go. `live`: the epoch before; 0: no policy is live, and no mark means anything any more. */
static struct cni_stale stale_marks(const struct lower *l, unsigned int live)
{
	struct cni_stale stale = { .all = !live, .id_mask = l->id_mask, .gone = mark_of(l, GONE_ID(l)) };

	for (size_t w = 0; w < l->n_ways && live; w++)
		if (l->ways[w].is_new)
			*cni_push(l->arena, stale.ids, stale.n_ids) = mark_of(l, l->ways[w].id);
	if (stale.n_ids)
		qsort(stale.ids, stale.n_ids, sizeof(*stale.ids), ascending);
	if (live && l->epoch != live) {
		stale.epoch_mask = EPOCH_MAX << l->id_bits << l->shift;
		stale.epoch = l->epoch << l->id_bits << l->shift;
	}
	if (stale.all || stale.n_ids || stale.epoch_mask)
		stale.mask = l->mask;
	return stale;
}

uint32_t cni_id_mask(uint32_t mark_mask)
{
	const unsigned int bits = (unsigned int)__builtin_popcount(mark_mask) - EPOCH_BITS;

	/* table numbers below FIRST_UNDERLAY */
	return ((1u << (bits < 14 ? bits : 14)) - 1) << __builtin_ctz(mark_mask);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What is down stays so, whatever the policy: the tracker is its judge. */
static void follow(struct lower *l, struct cni_state *state)
{
	for (size_t t = 0; t < l->model->n_targets; t++)
		if (l->model->targets[t].track.mode == CNI_TRACK_ON)
			*cni_push(l->arena, state->tracked, state->n_tracked) = l->model->targets[t].name;
	if (state->n_tracked)
		qsort(state->tracked, state->n_tracked, sizeof(*state->tracked), by_text);
	state->all_routes = state->routes;
	state->n_all_routes = state->n_routes;
	state->down_table = cni_down_table(l->model->options.table);
	if (l->observed)
		cni_state_follow(l->arena, state, l->observed);
}

static struct cni_state *lower(struct lower *l)
{
	struct cni_state *state;
	size_t n_left = 0;
	unsigned int epoch;
	bool moves;

	if (!lower_options_fit(l) || !lower_ways(l))
		return NULL;
	epoch = live_epoch(l->observed, "prerouting");
	if (!epoch)
		epoch = live_epoch(l->observed, "output");
	if (!epoch)
		epoch = left_epoch(l->observed);
	state = lower_once(l, epoch ? epoch : 1);
	/* Another way to steer is another epoch, so that known flows are classified again; `keep` leaves them. */
	moves = epoch && l->model->options.established == CNI_ESTABLISHED_FOLLOW &&
		!(same_target(l->observed, state, "prerouting") && same_target(l->observed, state, "output"));
	for (size_t w = 0; w < l->n_ways; w++)
		n_left += l->ways[w].is_former;
	/* To let go of a way that has no flows moves no flow: that alone is no other epoch. */
	if (lower_let_go(l) || moves)
		state = lower_once(l, moves ? epoch % EPOCH_MAX + 1 : l->epoch);
	for (size_t w = 0; w < l->n_ways; w++)
		state->n_former += l->ways[w].is_former;
	state->n_left = n_left;
	state->stale = stale_marks(l, epoch);
	lower_tell_ways(l, state);
	follow(l, state);
	return state;
}

struct cni_state *cni_lower(struct cni_arena *arena, const struct cni_model *model, const struct cni_prior *prior,
			    struct cni_diags *diags)
{
	struct lower l = {
		.arena = arena,
		.scratch = cni_arena_new(),
		.model = model,
		.diags = diags,
		.mask = model->options.mark_mask,
		.prior = prior,
		.observed = prior->observed,
	};
	struct cni_state *state;

	l.shift = (unsigned int)__builtin_ctz(l.mask);
	l.id_mask = cni_id_mask(l.mask);
	l.id_bits = (unsigned int)__builtin_popcount(l.id_mask);
	state = lower(&l);
	cni_arena_free(l.scratch);
	return state;
}
