/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change.c - a flow that began under one policy, after another one has taken its place; see compare.h. */
#include <stdio.h>
#include <string.h>

#include "compiler/arena.h"
#include "tests/property/trial.h"

enum { PACKETS = 120 };

/* How a packet's fate translates it: by leaving through this device; "" where not. */
static const char *translated_by(const struct cni_model *model, const struct fate *fate, const char *device)
{
	const size_t target = trial_target_of(model, device);
	const struct fate_share *share = target == CNI_NONE ? NULL : trial_share_of(fate, target);

	return (fate->kind == FATE_SHARES ? share && share->masquerade : fate->masquerade) ? device : "";
}

/* Whether the new fate translates a flow otherwise than it is. */
static bool nat_would_change(const struct cni_model *model, const struct fate *fate, const char *now)
{
	if (fate->kind == FATE_MAIN)
		return strcmp(translated_by(model, fate, "main0"), now) != 0;
	for (size_t i = 0; i < fate->n_shares; i++)
		if (strcmp(translated_by(model, fate, model->targets[fate->shares[i].target].ifname), now))
			return true;
	return false;
}

static bool may_translate(const struct fate *fate)
{
	for (size_t i = 0; fate->route && i < fate->route->path.n_members; i++)
		if (fate->route->path.members[i].masquerade)
			return true;
	return false;
}

/* Where it is. The target's place in the new model. */
static struct fate where_it_is(const struct cni_model *now, const struct fate *before, const char *device)
{
	const size_t target = trial_target_of(now, device);

	if (before->kind == FATE_MAIN)
		return (struct fate){ .kind = FATE_MAIN };
	return (struct fate){ .kind = FATE_SHARES, .shares = { { target, 1, false } }, .n_shares = 1 };
}

static bool same_path(const struct cni_model *a, const struct cni_path *x, const struct cni_model *b,
		      const struct cni_path *y)
{
	if (x->verdict != y->verdict || x->masquerade != y->masquerade || x->weighted != y->weighted ||
	    x->n_members != y->n_members || x->otherwise != y->otherwise)
		return false;
	for (size_t i = 0; i < x->n_members; i++)
		if (strcmp(a->targets[x->members[i].target].name, b->targets[y->members[i].target].name) ||
		    x->members[i].weight != y->members[i].weight ||
		    x->members[i].masquerade != y->members[i].masquerade)
			return false;
	return true;
}

static bool has_path(const struct cni_model *now, const struct cni_model *then, const struct fate *fate)
{
	const struct cni_path otherwise = { .verdict = fate->policy->otherwise };
	const struct cni_path *path = fate->route ? &fate->route->path : &otherwise;

	for (size_t p = 0; p < now->n_policies; p++) {
		const struct cni_policy *policy = &now->policies[p];
		const struct cni_path end = { .verdict = policy->otherwise };

		if (same_path(then, path, now, &end))
			return true;
		for (size_t r = 0; r < policy->n_routes; r++)
			if (same_path(then, path, now, &policy->routes[r].path))
				return true;
	}
	return false;
}

/* One flow: its first packet under `t`, answered, then another one under `next`. */
static bool compare_flow(struct trial *t, struct trial *next)
{
	const struct fate before = naive_fate(t->model, t->device, &t->packet, t->down);
	const struct fate after = naive_fate(next->model, t->device, &t->packet, next->down);
	struct flow flow = trial_new_flow(t, &t->packet);
	const uint32_t hash = (uint32_t)rng_next(&t->rng) >> 1;
	enum property property = PROP_CHANGE;
	struct sim_result first, later;
	const char *device, *nat;
	struct fate stays;
	bool must_stay;
	char text[FATE_TEXT];

	if (flow.none || before.kind == FATE_DROP || before.kind == FATE_REJECT || !before.policy || !after.policy)
		return true;
	if (!trial_run(t, &t->packet, t->device, &flow, false, hash, &first))
		return false;
	device = trial_device_of(t, &first);
	stays = where_it_is(next->model, &before, device);
	nat = translated_by(t->model, &before, device);
	sim_leave(&t->sim, &first, device);
	flow.replied = true;
	if (before.kind == FATE_SHARES && trial_target_of(next->model, device) == CNI_NONE)
		return true; /* its target is gone */
	if (naive_never_steered(next->model, t->packet.dst))
		return true;
	must_stay =
		next->model->options.established == CNI_ESTABLISHED_KEEP ||
		(after.kind != FATE_DROP && after.kind != FATE_REJECT && nat_would_change(next->model, &after, nat));
	if (!has_path(next->model, t->model, &before))
		property = PROP_GONE;
	next->packet = t->packet;
	next->device = t->device;
	if (!trial_run(next, &t->packet, t->device, &flow, false, trial_later_hash(t, &flow, hash), &later))
		return false;
	if (!must_stay && trial_allowed(next, property, &after, &later, 1, NULL))
		return true;
	/* staying is right, too, where the path translates once another of its targets is down */
	if ((must_stay || *nat || may_translate(&after)) && trial_allowed(next, property, &stays, &later, 1, NULL)) {
		next->result->mismatch.text = NULL;
		return true;
	}
	return trial_fail(next, property, "established %s; before: %s%s%s\n  %s",
			  next->model->options.established == CNI_ESTABLISHED_KEEP ? "keep" : "follow",
			  fate_format(t->model, &before, text), *nat ? ", translated by " : "", nat,
			  next->result->mismatch.text);
}

static struct trial trial_of(struct cni_arena *arena, const struct compiled *compiled, uint64_t seed,
			     struct comparison *result)
{
	struct trial t = { .arena = arena,
			   .compiled = compiled,
			   .model = compiled->model,
			   .sim.machine.state = compiled->state,
			   .rng.state = seed,
			   .result = result };

	t.down = cni_new_array(arena, bool, t.model->n_targets + 1);
	t.down_names = cni_new_array(arena, const char *, t.model->n_targets + 1);
	t.sim.down = t.down_names;
	return t;
}

struct comparison compare_change(struct cni_arena *arena, const struct compiled *before, const struct compiled *after,
				 uint64_t seed)
{
	struct comparison result = { 0 };
	struct trial t = trial_of(arena, before, seed, &result), next = trial_of(arena, after, seed + 1, &result);

	for (size_t p = 0; p < t.model->n_policies; p++) {
		const struct cni_policy *policy = &t.model->policies[p];
		const struct packets packets = packets_for(arena, &t.rng, t.model, policy, PACKETS);

		for (size_t i = 0; i < packets.n_items; i++) {
			const struct rng rng = t.rng, next_rng = next.rng;
			struct cni_text trace = { .arena = arena };
			char text[PACKET_TEXT];

			t.packet = packets.items[i];
			t.device = policy->n_devices ? policy->devices[i % policy->n_devices] : NULL;
			if (compare_flow(&t, &next)) {
				result.n_packets++;
				continue;
			}
			t.rng = rng;
			next.rng = next_rng;
			t.trace = next.trace = &trace;
			compare_flow(&t, &next);
			result.mismatch.text =
				cni_printf(arena, "packet: %s on %s\n%s\n%s", packet_format(&t.packet, text),
					   t.device ? t.device : "local", result.mismatch.text, trace.data);
			return result;
		}
	}
	return result;
}
