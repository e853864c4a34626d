/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bird_collect.c - see bird.h. */
#include "compiler/emit/bird.h"

#include <assert.h>

#include "compiler/arena.h"

size_t bird_rank(const struct bird_end *end, const struct bird_session *session)
{
	for (size_t i = 0; end->local.family == session->family && i < end->n_over; i++)
		if (end->over[i] == session->index)
			return i;
	return CNI_NONE;
}

/* The table that the rule for outer packets leads to; a rule for answers by that source stands before it. */
static uint32_t table_of(const struct cni_model *model, const struct cni_state *state, struct cni_addr local)
{
	for (size_t i = 0; i < state->n_rules; i++) {
		const struct cni_st_rule *rule = &state->rules[i];

		if (rule->owned && rule->priority == model->options.rule_priority + 1 && rule->has_from &&
		    cni_addr_equal(rule->from.addr, local))
			return rule->table;
	}
	assert(!"every tunnel has its rule");
	return 0;
}

static struct bird_end *end_at(struct bird *bird, struct cni_addr local)
{
	for (size_t i = 0; i < bird->n_ends; i++)
		if (cni_addr_equal(bird->ends[i].local, local))
			return &bird->ends[i];
	return NULL;
}

static void add_tunnel(struct cni_arena *arena, struct bird *bird, const struct cni_model *model,
		       const struct cni_state *state, const struct cni_target *t)
{
	const struct cni_tunnel *tunnel = &t->tunnel;
	struct bird_end *end = end_at(bird, tunnel->local);

	if (!end) {
		end = cni_push(arena, bird->ends, bird->n_ends);
		*end = (struct bird_end){ .local = tunnel->local,
					  .announced = !tunnel->local_is_link,
					  .over = tunnel->over,
					  .n_over = tunnel->n_over,
					  .table = table_of(model, state, tunnel->local) };
	}
	/* answers go to whoever probes; of a link's address only GRE is led to the table */
	end->wide |= t->health.mode == CNI_HEALTH_UNI && (t->health.has_target || end->announced);
	*cni_push(arena, end->tunnels, end->n_tunnels) = t;
}

static bool is_wanted(const struct bird *bird, const struct bird_session *session)
{
	for (size_t i = 0; i < bird->n_ends; i++)
		if (bird_rank(&bird->ends[i], session) != CNI_NONE)
			return true;
	return false;
}

/* A link's own IPv4 address, which no other router has. Where none has one, any number that is not 0 serves (RFC 6286):
 * one made of the first session's IPv6 address. */
static uint32_t router_id(const struct bird *bird)
{
	cni_u128 v = 0;

	for (size_t i = 0; i < bird->n_sessions; i++) {
		const struct cni_iface *iface = &bird->sessions[i].link->iface[CNI_V4];

		if (iface->has_address)
			return (uint32_t)iface->address.addr.v;
	}
	if (bird->n_sessions)
		v = bird->sessions[0].link->iface[CNI_V6].address.addr.v;
	v ^= v >> 64;
	v ^= v >> 32;
	return (uint32_t)v ? (uint32_t)v : 1;
}

struct bird bird_collect(struct cni_arena *arena, const struct cni_model *model, const struct cni_state *state)
{
	struct bird bird = { 0 };

	for (size_t i = model->n_links; i < model->n_targets; i++)
		if (model->targets[i].tunnel.underlay_bgp)
			add_tunnel(arena, &bird, model, state, &model->targets[i]);
	for (size_t i = 0; i < model->n_links; i++)
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
			const struct bird_session session = { &model->targets[i], i, f };

			if (is_wanted(&bird, &session))
				*cni_push(arena, bird.sessions, bird.n_sessions) = session;
		}
	bird.router_id = router_id(&bird);
	return bird;
}
