/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trial.c - see trial.h. */
#include "tests/property/trial.h"

#include <string.h>

#include "compiler/arena.h"
#include "compiler/state/down.h"

bool trial_fail(struct trial *t, enum property property, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	t->result->mismatch = (struct mismatch){ property, cni_vprintf(t->arena, format, args) };
	va_end(args);
	return false;
}

size_t trial_target_of(const struct cni_model *model, const char *device)
{
	for (size_t i = 0; i < model->n_targets; i++)
		if (!strcmp(model->targets[i].ifname, device))
			return i;
	return CNI_NONE;
}

bool trial_is_tracked(const struct trial *t, size_t target)
{
	return t->by_tracker && t->model->targets[target].track.mode == CNI_TRACK_ON;
}

static void follow(struct trial *t, const char *const *names, size_t n)
{
	struct cni_state *state;

	cni_arena_free(t->day);
	t->day = cni_arena_new();
	state = cni_new(t->day, struct cni_state);
	*state = *t->compiled->state;
	cni_state_follow_names(t->day, state, names, n);
	t->sim.machine.state = state;
}

void trial_set_down(struct trial *t)
{
	const char **names = cni_new_array(t->arena, const char *, t->model->n_targets);
	size_t n = 0, n_names = 0;

	for (size_t i = 0; i < t->model->n_targets; i++)
		if (t->down[i] && trial_is_tracked(t, i))
			names[n_names++] = t->model->targets[i].name;
		else if (t->down[i])
			t->down_names[n++] = t->model->targets[i].ifname;
	t->down_names[n] = NULL;
	if (t->by_tracker)
		follow(t, names, n_names);
}

bool trial_run(struct trial *t, const struct packet *packet, const char *device, struct flow *flow, bool reply,
	       uint32_t hash, struct sim_result *result)
{
	const uint32_t keep = ~t->model->options.mark_mask, mark = (uint32_t)rng_next(&t->rng) & keep;
	const uint32_t ct_mark = flow->mark & keep;
	char text[PACKET_TEXT], answer[256];

	t->sim.machine.hash = hash;
	t->sim.machine.modulus = 0;
	t->sim.machine.trace = t->trace;
	if (t->trace)
		cni_text_printf(t->trace, "%s on %s, hash %u, conntrack mark 0x%08x\n", packet_format(packet, text),
				device ? device : "local", hash, flow->mark);
	*result = sim_route(&t->sim, packet, device, flow, reply, mark);
	if (t->trace)
		cni_text_printf(t->trace, "  = %s, conntrack mark 0x%08x\n", sim_format(&t->sim, result, answer),
				flow->mark);
	if (t->sim.machine.fault)
		return trial_fail(t, PROP_FATE, "no kernel runs this: %s", t->sim.machine.fault);
	if ((result->packet.mark & keep) != mark || (flow->mark & keep) != ct_mark)
		return trial_fail(t, PROP_MARKS, "mark 0x%08x became 0x%08x, conntrack mark 0x%08x became 0x%08x", mark,
				  result->packet.mark, ct_mark, flow->mark);
	return true;
}

struct flow trial_new_flow(struct trial *t, const struct packet *first)
{
	return (struct flow){ .mark = (uint32_t)rng_next(&t->rng) & ~t->model->options.mark_mask,
			      .none = !packet_starts_flow(first) };
}

uint32_t trial_later_hash(struct trial *t, const struct flow *flow, uint32_t first)
{
	return flow->none ? first : (uint32_t)rng_next(&t->rng) >> 1;
}

const struct fate_share *trial_share_of(const struct fate *fate, size_t target)
{
	for (size_t i = 0; i < fate->n_shares; i++)
		if (fate->shares[i].target == target)
			return &fate->shares[i];
	return NULL;
}

/* A hop leads to its target's neighbour: the peer on a link; on a tunnel there is only one. */
static bool hop_fits(const struct cni_model *model, const struct cni_st_hop *hop, size_t target, enum cni_family family)
{
	const struct cni_iface *iface = &model->targets[target].iface[family];

	/* there any next hop will do, and IPv6 multipath wants one */
	if (model->targets[target].kind == CNI_TARGET_TUNNEL)
		return !hop->has_via || hop->via.v >> 118 == 0x3fa /* fe80::/10 */ ||
		       (iface->has_peer && cni_addr_equal(hop->via, iface->peer));
	return hop->has_via == iface->has_peer && (!hop->has_via || cni_addr_equal(hop->via, iface->peer));
}

bool trial_allowed(struct trial *t, enum property property, const struct fate *fate, const struct sim_result *result,
		   double part, double *shares)
{
	static const enum sim_kind kinds[] = { SIM_MAIN, SIM_DROP, SIM_REJECT, SIM_HOPS };
	const enum cni_family family = t->packet.dst.family;
	char wanted[FATE_TEXT], got[256];
	unsigned int weights = 0;
	bool fits = result->kind == kinds[fate->kind] ||
		    (fate->kind == FATE_MAIN && result->kind == SIM_LOCAL && naive_is_ours(t->model, t->packet.dst));

	for (size_t i = 0; fits && result->kind == SIM_HOPS && i < result->route->n_hops; i++)
		if (sim_is_up(&t->sim, result->route->hops[i].device))
			weights += result->route->hops[i].weight;
	for (size_t i = 0; fits && result->kind == SIM_HOPS && i < result->route->n_hops; i++) {
		const struct cni_st_hop *hop = &result->route->hops[i];
		const size_t target = trial_target_of(t->model, hop->device);

		if (!sim_is_up(&t->sim, hop->device))
			continue;
		fits = target != CNI_NONE && trial_share_of(fate, target) && hop_fits(t->model, hop, target, family);
		if (fits && shares)
			shares[target] += part * hop->weight / weights;
	}
	return fits || trial_fail(t, property, "policy: %s\n  kernel: %s", fate_format(t->model, fate, wanted),
				  sim_format(&t->sim, result, got));
}

const char *trial_device_of(const struct trial *t, const struct sim_result *result)
{
	for (size_t i = 0; result->kind == SIM_HOPS && i < result->route->n_hops; i++)
		if (sim_is_up(&t->sim, result->route->hops[i].device))
			return result->route->hops[i].device;
	return "main0";
}
