/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare.c - see compare.h. Each packet is tried with every target up, with each target of its route down, with all
 * of them down, and with a random lot of targets down; a mismatch is run once more with a trace. */
#include "tests/property/compare.h"

#include <stdio.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/emit/emit.h"
#include "tests/property/trial.h"

enum { MIN_PACKETS = 500, MAX_SWEPT = 1024 };

/* Leaving by `device` with what the fate says of translation and MSS. The flow's entry is left as after that. */
static bool leaves_as_meant(struct trial *t, const struct fate *fate, const struct sim_result *routed,
			    struct flow *flow, const char *device)
{
	const size_t target = trial_target_of(t->model, device);
	const struct fate_share *share = target == CNI_NONE ? NULL : trial_share_of(fate, target);
	/* what goes by main is translated where the path says so, but never on its way into a tunnel */
	const bool tunnel = target != CNI_NONE && t->model->targets[target].kind == CNI_TARGET_TUNNEL;
	const bool masquerade = fate->kind == FATE_SHARES ? share && share->masquerade : fate->masquerade && !tunnel;
	const unsigned int mss = naive_mss(t->model, CNI_NONE, target, &t->packet);
	struct sim_result leaving = *routed;
	enum machine_verdict verdict;

	leaving.packet.flow = flow;
	verdict = sim_leave(&t->sim, &leaving, device);
	if (verdict != MACHINE_ACCEPT)
		return trial_fail(t, PROP_FATE, "dropped on its way out by %s", device);
	if (leaving.packet.masquerade != masquerade)
		return trial_fail(t, PROP_FATE, "%smasqueraded on its way out by %s", masquerade ? "not " : "", device);
	if (t->packet.syn && machine_packet_mss(&leaving.packet) != mss)
		return trial_fail(t, PROP_FATE, "leaves by %s with MSS %u, not %u", device,
				  machine_packet_mss(&leaving.packet), mss);
	if (leaving.packet.mark != routed->packet.mark)
		return trial_fail(t, PROP_MARKS, "the mark changes on its way out");
	return true;
}

static bool leaves(struct trial *t, const struct fate *fate, const struct sim_result *result, const struct flow *flow)
{
	if (result->kind == SIM_MAIN) {
		/* wherever main leads: somewhere unknown, or (not for what masquerades by target) by a target */
		for (size_t i = 0; i <= t->model->n_targets; i++) {
			struct flow copy = *flow;
			const char *device = i == t->model->n_targets ? "main0" : t->model->targets[i].ifname;

			if (fate->route && fate->route->path.n_members && i < t->model->n_targets)
				continue;
			if (!leaves_as_meant(t, fate, result, &copy, device))
				return false;
		}
	}
	for (size_t i = 0; result->kind == SIM_HOPS && i < result->route->n_hops; i++) {
		struct flow copy = *flow;

		if (sim_is_up(&t->sim, result->route->hops[i].device) &&
		    !leaves_as_meant(t, fate, result, &copy, result->route->hops[i].device))
			return false;
	}
	return true;
}

static bool shares_hold(struct trial *t, const struct fate *fate, const double *shares)
{
	double sum = 0;

	for (size_t i = 0; i < fate->n_shares; i++)
		sum += fate->shares[i].weight;
	for (size_t i = 0; i < fate->n_shares; i++) {
		const struct fate_share *share = &fate->shares[i];
		const double excess = shares[share->target] - share->weight / sum;

		if (excess > 1e-6 || excess < -1e-6)
			return trial_fail(t, PROP_FATE, "%s carries %.4f of the flows, not %.4f",
					  t->model->targets[share->target].name, shares[share->target],
					  share->weight / sum);
	}
	return true;
}

/* ---- a flow's later packets ---- */

/* The second packet, whatever the hash would say of it now, and one after the far side has answered. */
static bool stays(struct trial *t, const struct sim_result *first, struct flow *flow, uint32_t hash)
{
	struct sim_result again, leaving = *first;
	char was[256], is[256];

	leaving.packet.flow = flow;
	sim_leave(&t->sim, &leaving, trial_device_of(t, first));
	for (unsigned int i = 0; i < 2; i++) {
		if (!trial_run(t, &t->packet, t->device, flow, false, trial_later_hash(t, flow, hash), &again))
			return false;
		if (again.kind != first->kind || again.route != first->route)
			return trial_fail(t, PROP_STICKY, "packet %u of the flow\n  first: %s\n  later: %s", i + 2,
					  sim_format(&t->sim, first, was), sim_format(&t->sim, &again, is));
		flow->replied = true;
	}
	return true;
}

/* One target goes down: who was on it moves on, and nobody else. */
static bool moves_only_if_down(struct trial *t, const struct sim_result *first, const struct flow *flow, uint32_t hash)
{
	const size_t target = trial_target_of(t->model, trial_device_of(t, first));

	for (size_t i = 0; i < t->model->n_targets; i++) {
		struct flow copy = *flow;
		struct sim_result again;
		struct fate fate;
		bool ok;

		t->down[i] = true;
		trial_set_down(t);
		fate = naive_fate(t->model, t->device, &t->packet, t->down);
		if (i != target && target != CNI_NONE) {
			const struct fate_share *share = trial_share_of(&fate, target);

			if (share)
				fate.shares[0] = *share;
			fate.n_shares = 1;
		}
		ok = trial_run(t, &t->packet, t->device, &copy, false, trial_later_hash(t, flow, hash), &again) &&
		     trial_allowed(t, PROP_STICKY, &fate, &again, 1, NULL);
		t->down[i] = false;
		trial_set_down(t);
		if (!ok)
			return trial_fail(t, t->result->mismatch.property, "when %s goes down\n  %s",
					  t->model->targets[i].name, t->result->mismatch.text);
	}
	return true;
}

/* A flow that is moved to a pinned way goes by that target from then on. (Its translation is conntrack's, since its first
 * packet.) */
static bool stays_where_pinned(struct trial *t, const struct fate *fate, const struct flow *flow)
{
	const struct cni_state *state = t->compiled->state;
	const uint32_t id = flow->mark & state->id_mask;

	for (size_t i = 0; i < state->n_pins && !flow->none; i++) {
		const struct cni_st_pin *pin = &state->pins[i];
		struct fate there = { .kind = FATE_SHARES, .n_shares = 1 };
		struct flow copy = *flow;
		struct sim_result again;
		size_t m = 0;

		if (pin->mark != id)
			continue;
		while (strcmp(t->model->targets[fate->route->path.members[m].target].name, pin->target) != 0)
			m++;
		there.shares[0] = (struct fate_share){ fate->route->path.members[m].target, 1,
						       fate->route->path.members[m].masquerade };
		if (!t->model->targets[there.shares->target].carries[t->packet.dst.family])
			continue;
		copy.mark = (copy.mark & ~state->id_mask) | pin->pinned;
		if (!trial_run(t, &t->packet, t->device, &copy, false, (uint32_t)rng_next(&t->rng) >> 1, &again))
			return false;
		if (!trial_allowed(t, PROP_STICKY, &there, &again, 1, NULL))
			return trial_fail(t, PROP_STICKY, "moved to stay on %s\n  %s", pin->target,
					  t->result->mismatch.text);
		t->result->n_pinned++;
	}
	return true;
}

/* What comes back by the target is for whoever began the flow. */
static bool comes_home(struct trial *t, const struct sim_result *first, const struct flow *flow)
{
	const struct packet reply = packet_reply(&t->packet);
	struct flow copy = *flow;
	struct sim_result back;
	char text[256];

	if (copy.status & 0x10 /* IPS_SRC_NAT: it comes back to the router's address */)
		return true;
	if (!trial_run(t, &reply, trial_device_of(t, first), &copy, true, 0, &back))
		return false;
	if (back.kind != SIM_MAIN && back.kind != SIM_LOCAL)
		return trial_fail(t, PROP_REPLY, "a reply by %s is steered: %s", trial_device_of(t, first),
				  sim_format(&t->sim, &back, text));
	return true;
}

/* ---- one packet ---- */

static bool is_any_down(const struct trial *t)
{
	for (size_t i = 0; i < t->model->n_targets; i++)
		if (t->down[i])
			return true;
	return false;
}

static bool compare_packet(struct trial *t)
{
	const struct fate fate = naive_fate(t->model, t->device, &t->packet, t->down);
	const bool all_up = !is_any_down(t);
	double *shares = cni_new_array(t->arena, double, t->model->n_targets + 1);
	struct sim_result result;
	struct flow flow = trial_new_flow(t, &t->packet);
	uint32_t hash = (uint32_t)rng_next(&t->rng) >> 1, n = 1;

	if (!trial_checks(t, &fate) || !trial_run(t, &t->packet, t->device, &flow, false, hash, &result))
		return false;
	if (t->sweep && t->sim.machine.modulus) {
		n = t->sim.machine.modulus;
		hash = 0;
	}
	for (uint32_t i = 0; i < n; i++) {
		flow = trial_new_flow(t, &t->packet);
		if (!trial_run(t, &t->packet, t->device, &flow, false, hash + i, &result) ||
		    !trial_allowed(t, PROP_FATE, &fate, &result, 1.0 / n, shares) || !leaves(t, &fate, &result, &flow))
			return false;
	}
	if (t->sweep && !shares_hold(t, &fate, shares))
		return false;
	hash += n - 1; /* the last one's */
	if (!stays(t, &result, &flow, hash))
		return false;
	if (fate.kind != FATE_SHARES)
		return true;
	t->result->n_steered += all_up;
	return comes_home(t, &result, &flow) &&
	       (!all_up || (moves_only_if_down(t, &result, &flow, hash) && stays_where_pinned(t, &fate, &flow)));
}

/* The packet as an answer to what came in by `target`. */
static bool compare_return(struct trial *t, size_t target)
{
	const struct cni_target *by = &t->model->targets[target];
	struct packet arrives = packet_reply(&t->packet);
	struct fate fate = naive_fate(t->model, t->device, &t->packet, t->down);
	struct flow flow = trial_new_flow(t, &arrives);
	struct sim_result in, out;
	char text[256];

	/* nobody else sends with an address of ours, and nobody with none */
	if (!by->carries[t->packet.dst.family] || naive_is_ours(t->model, t->packet.dst) || !t->packet.dst.v)
		return true;
	arrives.syn = t->packet.syn;
	if (!trial_run(t, &arrives, by->ifname, &flow, false, 0, &in))
		return false;
	if (in.kind != SIM_MAIN && in.kind != SIM_LOCAL)
		return trial_fail(t, PROP_REPLY, "what comes in by %s is steered: %s", by->name,
				  sim_format(&t->sim, &in, text));
	sim_leave(&t->sim, &in, "main0");
	if (arrives.syn && machine_packet_mss(&in.packet) != naive_mss(t->model, target, CNI_NONE, &arrives))
		return trial_fail(t, PROP_FATE, "comes in by %s with MSS %u, not %u", by->name,
				  machine_packet_mss(&in.packet), naive_mss(t->model, target, CNI_NONE, &arrives));
	if (t->model->options.ret == CNI_RETURN_SYMMETRIC && !flow.none &&
	    !naive_never_steered(t->model, t->packet.dst))
		fate = (struct fate){ .kind = FATE_SHARES, .shares = { { target, 1, false } }, .n_shares = 1 };
	if (!trial_run(t, &t->packet, t->device, &flow, true, (uint32_t)rng_next(&t->rng), &out))
		return false;
	return trial_allowed(t, PROP_RETURN, &fate, &out, 1, NULL) ||
	       trial_fail(t, PROP_RETURN, "answers to what came in by %s\n  %s", by->name, t->result->mismatch.text);
}

/* An address that the router's own packets of a family may come from; false if it has none. */
static bool own_source(struct trial *t, struct cni_addr *src)
{
	const size_t n = t->model->n_targets, start = (size_t)(rng_next(&t->rng) >> 32);

	for (size_t i = 0; i < n; i++) {
		const struct cni_iface *iface = &t->model->targets[(start + i) % n].iface[src->family];

		if (iface->has_address) {
			*src = iface->address.addr;
			return true;
		}
	}
	return false;
}

/* What a run found is run again with a trace. */
static bool with_trace(struct trial *t, bool (*compare)(struct trial *t, size_t target), size_t target)
{
	struct cni_text trace = { .arena = t->arena };
	const struct rng before = t->rng;
	char text[PACKET_TEXT];
	struct cni_text out = { .arena = t->arena };

	if (compare(t, target))
		return true;
	t->rng = before;
	t->trace = &trace;
	compare(t, target);
	cni_text_printf(&out, "packet: %s on %s\ndown:  ", packet_format(&t->packet, text),
			t->device ? t->device : "local");
	for (size_t i = 0; i < t->model->n_targets; i++)
		cni_text_printf(&out, "%s%s", t->down[i] ? " " : "", t->down[i] ? t->model->targets[i].name : "");
	cni_text_printf(&out, "\n%s\n%s", t->result->mismatch.text, trace.len ? trace.data : "");
	t->result->mismatch.text = out.data;
	t->trace = NULL;
	return false;
}

static bool try_packet(struct trial *t, size_t unused)
{
	(void)unused;
	return compare_packet(t);
}

/* Shares are compared once for each route, family, kind of protocol and target that is down. */
struct swept {
	const struct cni_route *route;
	size_t down;
	unsigned int kind;
};

static bool first_of_its_kind(struct swept *swept, size_t *n, struct swept kind)
{
	for (size_t i = 0; i < *n; i++)
		if (swept[i].route == kind.route && swept[i].down == kind.down && swept[i].kind == kind.kind)
			return false;
	if (*n == MAX_SWEPT)
		return false;
	swept[(*n)++] = kind;
	return true;
}

/* Turn 0: none; 1..n: one member of the path; n + 1: all of them; n + 2: a random lot. False: no more turns. */
static bool next_down(struct trial *t, const struct cni_path *path, size_t turn)
{
	const size_t n = path && path->verdict == CNI_VERDICT_NONE ? path->n_members : 0;

	memset(t->down, 0, t->model->n_targets * sizeof(*t->down));
	if (turn && turn <= n)
		t->down[path->members[turn - 1].target] = true;
	for (size_t i = 0; turn == n + 1 && i < n; i++)
		t->down[path->members[i].target] = true;
	for (size_t i = 0; turn == n + 2 && i < t->model->n_targets; i++)
		t->down[i] = rng_percent(&t->rng, 40);
	trial_set_down(t);
	return turn <= n + 2;
}

static bool compare_device(struct trial *t, const struct cni_policy *policy, bool local, struct swept *swept,
			   size_t *n_swept)
{
	const size_t share = MIN_PACKETS / t->model->n_policies + 1;
	const struct packets packets = packets_for(t->arena, &t->rng, t->model, policy, share);

	for (size_t i = 0; i < packets.n_items; i++) {
		struct fate fate;

		t->packet = packets.items[i];
		t->device = local ? NULL : policy->devices[i % policy->n_devices];
		/* GRE from a tunnel's end is the tunnel's business */
		if (local && (!own_source(t, &t->packet.src) || t->packet.proto == 47))
			continue;
		memset(t->down, 0, t->model->n_targets * sizeof(*t->down));
		fate = naive_fate(t->model, t->device, &t->packet, t->down);
		for (size_t turn = 0; next_down(t, fate.route ? &fate.route->path : NULL, turn); turn++) {
			const unsigned int kind = t->packet.dst.family * 2u + packet_has_ports(t->packet.proto);

			t->sweep = turn <= 3 &&
				   first_of_its_kind(swept, n_swept, (struct swept){ fate.route, turn, kind });
			if (!with_trace(t, try_packet, 0))
				return false;
		}
		/* answers stay with what the tracker says is down */
		for (size_t j = 0; j < t->model->n_targets; j++)
			t->down[j] = trial_is_tracked(t, j) && rng_percent(&t->rng, 40);
		trial_set_down(t);
		if (t->model->n_targets &&
		    !with_trace(t, compare_return, rng_below(&t->rng, (unsigned int)t->model->n_targets)))
			return false;
		t->result->n_packets++;
	}
	return true;
}

/* ---- what is not about the packets of a policy ---- */

/* The link of a tunnel's outer packet: when the tracker says that all of them are down, all are tried. */
static size_t outer_link(const struct trial *t, size_t tunnel)
{
	const struct cni_tunnel *it = &t->model->targets[tunnel].tunnel;
	bool *down = cni_new_array(t->arena, bool, t->model->n_targets), any = false;

	for (size_t i = 0; i < it->n_over; i++)
		any |= t->model->targets[it->over[i]].carries[it->local.family] &&
		       !(t->down[it->over[i]] && trial_is_tracked(t, it->over[i]));
	for (size_t i = 0; i < t->model->n_targets; i++)
		down[i] = t->down[i] && (any || !trial_is_tracked(t, i));
	return it->underlay_bgp ? CNI_NONE : naive_outer(t->model, tunnel, down);
}

/* The outer packet never enters a tunnel, whatever mark the inner one left on it. */
static bool compare_outer(struct trial *t, size_t tunnel)
{
	const struct cni_tunnel *it = &t->model->targets[tunnel].tunnel;
	const size_t link = outer_link(t, tunnel);
	const struct fate fate = { .kind = link == CNI_NONE ? FATE_REJECT : FATE_SHARES,
				   .shares = { { link, 1, false } },
				   .n_shares = link == CNI_NONE ? 0 : 1 };
	struct machine_packet mp;
	struct sim_result result;

	t->packet = (struct packet){ .src = it->local, .dst = it->remote, .proto = 47 };
	for (unsigned int i = 0; i < 32; i++) {
		struct flow flow = trial_new_flow(t, &t->packet);

		machine_packet_init(&mp, &t->packet);
		mp.flow = &flow;
		mp.mark = i ? i * (t->model->options.mark_mask & -t->model->options.mark_mask) : 0;
		if (machine_run(&t->sim.machine, &mp, 3 /* NF_INET_LOCAL_OUT */) != MACHINE_ACCEPT)
			return trial_fail(t, PROP_OUTER, "the outer packet is dropped");
		result = sim_lookup(&t->sim, &mp);
		if (!trial_allowed(t, PROP_OUTER, &fate, &result, 1, NULL) || !leaves(t, &fate, &result, &flow))
			return trial_fail(t, PROP_OUTER, "%s", t->result->mismatch.text);
	}
	return true;
}

static const char *print_state(struct cni_arena *arena, const struct cni_state *state)
{
	struct cni_text out = { .arena = arena };

	cni_emit_nft(&out, state);
	cni_emit_ip(&out, state);
	return out.data;
}

/* The same where targets are down: they stay so. */
static bool compare_on_day(struct trial *t, const char *text)
{
	struct compiled on_top;

	for (size_t i = 0; i < t->model->n_targets; i++)
		t->down[i] = trial_is_tracked(t, i) && rng_percent(&t->rng, 40);
	trial_set_down(t);
	on_top = compile_text(t->arena, text, t->sim.machine.state);
	if (!on_top.model ||
	    strcmp(print_state(t->arena, t->sim.machine.state), print_state(t->arena, on_top.state)) != 0)
		return trial_fail(t, PROP_SAME,
				  "compiled for a router on which targets are down, they are not, or others");
	return true;
}

static bool compare_again(struct trial *t, const char *text)
{
	const struct compiled *compiled = t->compiled;
	const char *first = print_state(t->arena, compiled->state);
	const struct compiled again = compile_text(t->arena, text, NULL);
	const struct compiled on_top = compile_text(t->arena, text, compiled->state);

	if (!again.model || strcmp(first, print_state(t->arena, again.state)))
		return trial_fail(t, PROP_SAME, "two compilations differ");
	if (!on_top.model || strcmp(first, print_state(t->arena, on_top.state)))
		return trial_fail(t, PROP_SAME, "compiled for a router that has this very state, it is another state");
	return compare_on_day(t, text);
}

static void compare_all(struct trial *t, const char *text)
{
	const struct cni_model *model = t->model;
	struct swept *swept = cni_new_array(t->arena, struct swept, MAX_SWEPT);
	size_t n_swept = 0;

	if (!trial_witnesses(t))
		return;
	for (size_t p = 0; p < model->n_policies; p++) {
		const struct cni_policy *policy = &model->policies[p];

		if (policy->n_devices && !compare_device(t, policy, false, swept, &n_swept))
			return;
		if (policy->local && !compare_device(t, policy, true, swept, &n_swept))
			return;
	}
	for (size_t i = model->n_links; i < model->n_targets; i++) {
		const struct cni_path over = { .members = NULL };

		t->device = NULL;
		for (size_t turn = 0; next_down(t, &over, turn); turn++)
			if (!with_trace(t, compare_outer, i))
				return;
	}
	compare_again(t, text);
}

struct comparison compare_policy(struct cni_arena *arena, const struct compiled *compiled, const char *text,
				 uint64_t seed)
{
	struct comparison result = { 0 };
	struct trial t = { .arena = arena,
			   .compiled = compiled,
			   .model = compiled->model,
			   .sim.machine.state = compiled->state,
			   .rng.state = seed,
			   .by_tracker = seed & 1,
			   .result = &result };

	t.down = cni_new_array(arena, bool, t.model->n_targets + 1);
	t.down_names = cni_new_array(arena, const char *, t.model->n_targets + 1);
	t.sim.down = t.down_names;
	compare_all(&t, text);
	cni_arena_free(t.day);
	return result;
}
