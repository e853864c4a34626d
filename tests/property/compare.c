/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare.c - see compare.h. Each packet is tried with every target up, with each target of its route down, with all
 * of them down, and with a random lot of targets down; a mismatch is run once more with a trace. */
#include "tests/property/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/emit/emit.h"
#include "tests/property/naive.h"
#include "tests/property/simulate.h"

enum { MIN_PACKETS = 500, MAX_SWEPT = 64 };

struct trial {
	struct cni_arena *arena;
	const struct cni_model *model;
	struct sim sim;
	bool *down; /* by target */
	const char **down_names; /* their devices, ends in NULL */
	const char *device; /* that the packet comes in by; NULL: the router itself sends it */
	struct packet packet;
	struct rng rng;
	bool sweep; /* try every value of the hash, and compare the shares */
	struct cni_text *trace; /* of the second run */
	struct comparison *result;
};

static bool __attribute__((format(printf, 3, 4)))
fail(struct trial *t, enum property property, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	t->result->mismatch = (struct mismatch){ property, cni_vprintf(t->arena, format, args) };
	va_end(args);
	return false;
}

static size_t target_of(const struct cni_model *model, const char *device)
{
	for (size_t i = 0; i < model->n_targets; i++)
		if (!strcmp(model->targets[i].ifname, device))
			return i;
	return CNI_NONE;
}

/* Brings targets up and down: sim.down follows t->down. */
static void set_down(struct trial *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->model->n_targets; i++)
		if (t->down[i])
			t->down_names[n++] = t->model->targets[i].ifname;
	t->down_names[n] = NULL;
}

/* One packet through the machine, with foreign bits in both marks that must come out as they went in. */
static bool run(struct trial *t, const struct packet *packet, const char *device, struct flow *flow, bool reply,
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
		return fail(t, PROP_FATE, "no kernel runs this: %s", t->sim.machine.fault);
	if ((result->packet.mark & keep) != mark || (flow->mark & keep) != ct_mark)
		return fail(t, PROP_MARKS, "mark 0x%08x became 0x%08x, conntrack mark 0x%08x became 0x%08x", mark,
			    result->packet.mark, ct_mark, flow->mark);
	return true;
}

static struct flow new_flow(struct trial *t)
{
	return (struct flow){ .mark = (uint32_t)rng_next(&t->rng) & ~t->model->options.mark_mask };
}

static const struct fate_share *share_of(const struct fate *fate, size_t target)
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

	if (model->targets[target].kind == CNI_TARGET_TUNNEL)
		return !hop->has_via || (iface->has_peer && cni_addr_equal(hop->via, iface->peer));
	return hop->has_via == iface->has_peer && (!hop->has_via || cni_addr_equal(hop->via, iface->peer));
}

/* Leaving by `device` with what the fate says of translation and MSS. The flow's entry is left as after that. */
static bool leaves_as_meant(struct trial *t, const struct fate *fate, const struct sim_result *routed,
			    struct flow *flow, const char *device)
{
	const size_t target = target_of(t->model, device);
	const struct fate_share *share = target == CNI_NONE ? NULL : share_of(fate, target);
	/* what goes by main is translated where the path says so, but never on its way into a tunnel */
	const bool tunnel = target != CNI_NONE && t->model->targets[target].kind == CNI_TARGET_TUNNEL;
	const bool masquerade = fate->kind == FATE_SHARES ? share && share->masquerade : fate->masquerade && !tunnel;
	const unsigned int mss = naive_mss(t->model, CNI_NONE, target, &t->packet);
	struct sim_result leaving = *routed;
	enum machine_verdict verdict;

	leaving.packet.flow = flow;
	verdict = sim_leave(&t->sim, &leaving, device);
	if (verdict != MACHINE_ACCEPT)
		return fail(t, PROP_FATE, "dropped on its way out by %s", device);
	if (leaving.packet.masquerade != masquerade)
		return fail(t, PROP_FATE, "%smasqueraded on its way out by %s", masquerade ? "not " : "", device);
	if (t->packet.syn && machine_packet_mss(&leaving.packet) != mss)
		return fail(t, PROP_FATE, "leaves by %s with MSS %u, not %u", device,
			    machine_packet_mss(&leaving.packet), mss);
	if (leaving.packet.mark != routed->packet.mark)
		return fail(t, PROP_MARKS, "the mark changes on its way out");
	return true;
}

/* Whether one answer of the machine is one that the fate allows; adds `part` of it to `shares`, by target. */
static bool allowed(struct trial *t, enum property property, const struct fate *fate, const struct sim_result *result,
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
		const size_t target = target_of(t->model, hop->device);

		if (!sim_is_up(&t->sim, hop->device))
			continue;
		fits = target != CNI_NONE && share_of(fate, target) && hop_fits(t->model, hop, target, family);
		if (fits && shares)
			shares[target] += part * hop->weight / weights;
	}
	return fits || fail(t, property, "policy: %s\n  kernel: %s", fate_format(t->model, fate, wanted),
			    sim_format(&t->sim, result, got));
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

		if (fabs(shares[share->target] - share->weight / sum) > 1e-6)
			return fail(t, PROP_FATE, "%s carries %.4f of the flows, not %.4f",
				    t->model->targets[share->target].name, shares[share->target], share->weight / sum);
	}
	return true;
}

/* ---- a flow's later packets ---- */

static const char *device_of(const struct trial *t, const struct sim_result *result)
{
	for (size_t i = 0; result->kind == SIM_HOPS && i < result->route->n_hops; i++)
		if (sim_is_up(&t->sim, result->route->hops[i].device))
			return result->route->hops[i].device;
	return "main0";
}

/* The second packet, whatever the hash would say of it now, and one after the far side has answered. */
static bool stays(struct trial *t, const struct sim_result *first, struct flow *flow)
{
	struct sim_result again, leaving = *first;
	char was[256], is[256];

	leaving.packet.flow = flow;
	sim_leave(&t->sim, &leaving, device_of(t, first));
	for (unsigned int i = 0; i < 2; i++) {
		if (!run(t, &t->packet, t->device, flow, false, (uint32_t)rng_next(&t->rng), &again))
			return false;
		if (again.kind != first->kind || again.route != first->route)
			return fail(t, PROP_STICKY, "packet %u of the flow\n  first: %s\n  later: %s", i + 2,
				    sim_format(&t->sim, first, was), sim_format(&t->sim, &again, is));
		flow->replied = true;
	}
	return true;
}

/* One target goes down: who was on it moves on, and nobody else. */
static bool moves_only_if_down(struct trial *t, const struct sim_result *first, const struct flow *flow)
{
	const size_t target = target_of(t->model, device_of(t, first));

	for (size_t i = 0; i < t->model->n_targets; i++) {
		struct flow copy = *flow;
		struct sim_result again;
		struct fate fate;
		bool ok;

		t->down[i] = true;
		set_down(t);
		fate = naive_fate(t->model, t->device, &t->packet, t->down);
		if (i != target && target != CNI_NONE) {
			const struct fate_share *share = share_of(&fate, target);

			if (share)
				fate.shares[0] = *share;
			fate.n_shares = 1;
		}
		ok = run(t, &t->packet, t->device, &copy, false, (uint32_t)rng_next(&t->rng), &again) &&
		     allowed(t, PROP_STICKY, &fate, &again, 1, NULL);
		t->down[i] = false;
		set_down(t);
		if (!ok)
			return fail(t, t->result->mismatch.property, "when %s goes down\n  %s",
				    t->model->targets[i].name, t->result->mismatch.text);
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
	if (!run(t, &reply, device_of(t, first), &copy, true, 0, &back))
		return false;
	if (back.kind != SIM_MAIN && back.kind != SIM_LOCAL)
		return fail(t, PROP_REPLY, "a reply by %s is steered: %s", device_of(t, first),
			    sim_format(&t->sim, &back, text));
	return true;
}

/* ---- one packet ---- */

static bool compare_packet(struct trial *t)
{
	const struct fate fate = naive_fate(t->model, t->device, &t->packet, t->down);
	const bool all_up = !t->down_names[0];
	double *shares = cni_new_array(t->arena, double, t->model->n_targets + 1);
	struct sim_result result;
	struct flow flow = new_flow(t);
	uint32_t hash = (uint32_t)rng_next(&t->rng) >> 1, n = 1;

	if (!run(t, &t->packet, t->device, &flow, false, hash, &result))
		return false;
	if (t->sweep && t->sim.machine.modulus) {
		n = t->sim.machine.modulus;
		hash = 0;
	}
	for (uint32_t i = 0; i < n; i++) {
		flow = new_flow(t);
		if (!run(t, &t->packet, t->device, &flow, false, hash + i, &result) ||
		    !allowed(t, PROP_FATE, &fate, &result, 1.0 / n, shares) || !leaves(t, &fate, &result, &flow))
			return false;
	}
	if (t->sweep && !shares_hold(t, &fate, shares))
		return false;
	if (!stays(t, &result, &flow))
		return false;
	if (fate.kind != FATE_SHARES)
		return true;
	t->result->n_steered++;
	return comes_home(t, &result, &flow) && (!all_up || moves_only_if_down(t, &result, &flow));
}

/* The packet as an answer to what came in by `target`. */
static bool compare_return(struct trial *t, size_t target)
{
	const struct cni_target *by = &t->model->targets[target];
	const struct packet arrives = packet_reply(&t->packet);
	struct fate fate = naive_fate(t->model, t->device, &t->packet, t->down);
	struct flow flow = new_flow(t);
	struct sim_result in, out;
	char text[256];

	/* nobody else sends with an address of ours */
	if (!by->carries[t->packet.dst.family] || naive_is_ours(t->model, t->packet.dst))
		return true;
	if (!run(t, &arrives, by->ifname, &flow, false, 0, &in))
		return false;
	if (in.kind != SIM_MAIN && in.kind != SIM_LOCAL)
		return fail(t, PROP_REPLY, "what comes in by %s is steered: %s", by->name,
			    sim_format(&t->sim, &in, text));
	sim_leave(&t->sim, &in, "main0");
	if (t->model->options.ret == CNI_RETURN_SYMMETRIC && !naive_never_steered(t->model, t->packet.dst))
		fate = (struct fate){ .kind = FATE_SHARES, .shares = { { target, 1, false } }, .n_shares = 1 };
	if (!run(t, &t->packet, t->device, &flow, true, (uint32_t)rng_next(&t->rng), &out))
		return false;
	return allowed(t, PROP_RETURN, &fate, &out, 1, NULL) ||
	       fail(t, PROP_RETURN, "answers to what came in by %s\n  %s", by->name, t->result->mismatch.text);
}

/* An address that router's own packets of a family may come from; false if it has none. */
static bool own_source(struct trial *t, struct cni_addr *src)
{
	for (size_t i = 0, n = t->model->n_targets, start = rng_below(&t->rng, (unsigned int)n); i < n; i++) {
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
	if (*n == MAX_SWEPT * 16)
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
	set_down(t);
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

			t->sweep = turn <= 3 && first_of_its_kind(swept, n_swept,
								  (struct swept){ fate.route, turn, kind });
			if (!with_trace(t, try_packet, 0))
				return false;
		}
		next_down(t, NULL, 0);
		if (t->model->n_targets &&
		    !with_trace(t, compare_return, rng_below(&t->rng, (unsigned int)t->model->n_targets)))
			return false;
		t->result->n_packets++;
	}
	return true;
}

/* ---- what is not about the packets of a policy ---- */

/* The outer packet never enters a tunnel, whatever mark the inner one left on it. */
static bool compare_outer(struct trial *t, size_t tunnel)
{
	const struct cni_tunnel *it = &t->model->targets[tunnel].tunnel;
	const size_t link = it->underlay_bgp ? CNI_NONE : naive_outer(t->model, tunnel, t->down);
	const struct fate fate = { .kind = link == CNI_NONE ? FATE_REJECT : FATE_SHARES,
				   .shares = { { link, 1, false } },
				   .n_shares = link == CNI_NONE ? 0 : 1 };
	struct machine_packet mp;
	struct sim_result result;

	t->packet = (struct packet){ .src = it->local, .dst = it->remote, .proto = 47 };
	for (unsigned int i = 0; i < 32; i++) {
		struct flow flow = new_flow(t);

		machine_packet_init(&mp, &t->packet);
		mp.flow = &flow;
		mp.mark = i ? i * (t->model->options.mark_mask & -t->model->options.mark_mask) : 0;
		if (machine_run(&t->sim.machine, &mp, 3 /* NF_INET_LOCAL_OUT */) != MACHINE_ACCEPT)
			return fail(t, PROP_OUTER, "the outer packet is dropped");
		result = sim_lookup(&t->sim, &mp);
		if (!allowed(t, PROP_OUTER, &fate, &result, 1, NULL) || !leaves(t, &fate, &result, &flow))
			return fail(t, PROP_OUTER, "%s", t->result->mismatch.text);
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

static bool compare_again(struct trial *t, const struct compiled *compiled, const char *text)
{
	const char *first = print_state(t->arena, compiled->state);
	const struct compiled again = compile_text(t->arena, text, NULL);
	const struct compiled on_top = compile_text(t->arena, text, compiled->state);

	if (!again.model || strcmp(first, print_state(t->arena, again.state)))
		return fail(t, PROP_SAME, "two compilations differ");
	if (!on_top.model || strcmp(first, print_state(t->arena, on_top.state)))
		return fail(t, PROP_SAME, "compiled for a router that has this very state, it is another state");
	return true;
}

struct comparison compare_policy(struct cni_arena *arena, const struct compiled *compiled, const char *text,
				 uint64_t seed)
{
	const struct cni_model *model = compiled->model;
	struct comparison result = { 0 };
	struct trial t = { .arena = arena,
			   .model = model,
			   .sim.machine.state = compiled->state,
			   .rng.state = seed,
			   .result = &result };
	struct swept *swept = cni_new_array(arena, struct swept, MAX_SWEPT * 16);
	size_t n_swept = 0;

	t.down = cni_new_array(arena, bool, model->n_targets + 1);
	t.down_names = cni_new_array(arena, const char *, model->n_targets + 1);
	t.sim.down = t.down_names;
	for (size_t p = 0; p < model->n_policies; p++) {
		const struct cni_policy *policy = &model->policies[p];

		if (policy->n_devices && !compare_device(&t, policy, false, swept, &n_swept))
			return result;
		if (policy->local && !compare_device(&t, policy, true, swept, &n_swept))
			return result;
	}
	for (size_t i = model->n_links; i < model->n_targets; i++) {
		const struct cni_path over = { .members = NULL };

		t.device = NULL;
		for (size_t turn = 0; next_down(&t, &over, turn); turn++)
			if (!with_trace(&t, compare_outer, i))
				return result;
	}
	compare_again(&t, compiled, text);
	return result;
}
