/* SPDX-License-Identifier: GPL-2.0-or-later */
/* naive.c - see naive.h. Each function is a sentence of the reference, grammar/README.md. */
#include "tests/property/naive.h"

#include <stdio.h>
#include <string.h>

static bool within(const struct cni_ranges *ranges, struct cni_addr addr)
{
	if (addr.family == CNI_V4) {
		for (size_t i = 0; i < ranges->n_v4; i++)
			if (ranges->v4[i].lo <= addr.v && addr.v <= ranges->v4[i].hi)
				return true;
		return false;
	}
	for (size_t i = 0; i < ranges->n_v6; i++)
		if (ranges->v6[i].lo <= addr.v && addr.v <= ranges->v6[i].hi)
			return true;
	return false;
}

static bool has_bit(const uint64_t *bits, unsigned int n)
{
	return bits[n / 64] >> (n % 64) & 1;
}

static bool ports_hold(const struct cni_port_match *match, const struct packet *packet)
{
	uint16_t port = match->source ? packet->sport : packet->dport;

	for (size_t i = 0; i < match->ports.n_items; i++) {
		const struct cni_port_range *range = &match->ports.items[i];

		if (packet->proto == range->proto && range->lo <= port && port <= range->hi)
			return true;
	}
	return false;
}

static bool icmp_holds(const struct cni_icmp_match *match, const struct packet *packet)
{
	return packet->src.family == match->family && packet->proto == (match->family == CNI_V4 ? 1 : 58) &&
	       has_bit(match->types, packet->icmp_type);
}

/* All fields must hold; `not` turns a field round, and nothing else. */
static bool matches(const struct cni_match *match, const struct packet *packet)
{
	if (match->has_from && within(&match->from, packet->src) == match->not_from)
		return false;
	if (match->has_to && within(&match->to, packet->dst) == match->not_to)
		return false;
	if (match->has_proto && has_bit(match->proto, packet->proto) == match->not_proto)
		return false;
	for (size_t i = 0; i < match->n_ports; i++)
		if (ports_hold(&match->ports[i], packet) == match->ports[i].negated)
			return false;
	if (match->has_dscp && has_bit(&match->dscp, packet->dscp) == match->not_dscp)
		return false;
	for (size_t i = 0; i < match->n_icmp; i++)
		if (icmp_holds(&match->icmp[i], packet) == match->icmp[i].negated)
			return false;
	return true;
}

bool naive_is_ours(const struct cni_model *model, struct cni_addr addr)
{
	if (addr.family == CNI_V4 ? addr.v >> 24 == 127 : addr.v == 1) /* loopback */
		return true;
	for (size_t i = 0; i < model->n_targets; i++) {
		const struct cni_target *target = &model->targets[i];
		const struct cni_iface *iface = &target->iface[addr.family];

		if (iface->has_address && cni_addr_equal(iface->address.addr, addr))
			return true;
		if (target->kind == CNI_TARGET_TUNNEL && cni_addr_equal(target->tunnel.local, addr))
			return true;
		if (target->health.mode == CNI_HEALTH_LEGACY && target->health.has_target &&
		    cni_addr_equal(target->health.target, addr))
			return true;
	}
	return false;
}

/* The peers of a link or tunnel: its next hop, and who else is on it. */
static bool is_on_link(const struct cni_model *model, struct cni_addr addr)
{
	for (size_t i = 0; i < model->n_targets; i++) {
		const struct cni_iface *iface = &model->targets[i].iface[addr.family];

		if (iface->has_peer && cni_addr_equal(iface->peer, addr))
			return true;
		if (iface->has_address && cni_prefix_has(iface->address, addr))
			return true;
	}
	return false;
}

bool naive_never_steered(const struct cni_model *model, struct cni_addr dst)
{
	unsigned int top = (unsigned int)(dst.v >> (cni_width(dst.family) - 16));

	for (size_t i = 0; i < model->n_lans; i++)
		if (within(&model->lans[i].ranges, dst))
			return true;
	if (naive_is_ours(model, dst) || is_on_link(model, dst))
		return true;
	if (dst.family == CNI_V4)
		/* multicast 224.0.0.0/4, link-local 169.254.0.0/16, and broadcast in its new and its old form */
		return (top >= 0xe000 && top <= 0xefff) || top == 0xa9fe || dst.v == 0xffffffff || dst.v == 0;
	return top >= 0xff00 || (top & 0xffc0) == 0xfe80; /* multicast ff00::/8, link-local fe80::/10 */
}

static const struct cni_policy *policy_of(const struct cni_model *model, const char *device)
{
	for (size_t i = 0; i < model->n_policies; i++) {
		const struct cni_policy *policy = &model->policies[i];

		if (!device && policy->local)
			return policy;
		for (size_t d = 0; device && d < policy->n_devices; d++)
			if (!strcmp(policy->devices[d], device))
				return policy;
	}
	return NULL;
}

static enum fate_kind kind_of(enum cni_verdict verdict)
{
	switch (verdict) {
	case CNI_VERDICT_DROP:
		return FATE_DROP;
	case CNI_VERDICT_REJECT:
		return FATE_REJECT;
	default:
		return FATE_MAIN;
	}
}

static void follow(const struct cni_model *model, const struct cni_path *path, enum cni_family family, const bool *down,
		   struct fate *fate)
{
	if (path->verdict != CNI_VERDICT_NONE) {
		fate->kind = kind_of(path->verdict);
		fate->masquerade = path->masquerade;
		return;
	}
	for (size_t i = 0; i < path->n_members && fate->n_shares < MAX_SHARES; i++) {
		const struct cni_member *member = &path->members[i];

		if (down[member->target] || !model->targets[member->target].carries[family])
			continue;
		fate->shares[fate->n_shares++] =
			(struct fate_share){ member->target, member->weight, member->masquerade };
		if (!path->weighted)
			break;
	}
	fate->kind = fate->n_shares ? FATE_SHARES : kind_of(path->otherwise);
}

struct fate naive_fate(const struct cni_model *model, const char *device, const struct packet *packet, const bool *down)
{
	struct fate fate = { .kind = FATE_MAIN, .policy = policy_of(model, device) };

	if (!fate.policy || naive_never_steered(model, packet->dst))
		return fate;
	for (size_t i = 0; i < fate.policy->n_routes; i++) {
		const struct cni_route *route = &fate.policy->routes[i];

		if (!matches(&route->match, packet))
			continue;
		fate.route = route;
		follow(model, &route->path, packet->dst.family, down, &fate);
		return fate;
	}
	fate.kind = kind_of(fate.policy->otherwise);
	return fate;
}

unsigned int naive_mss(const struct cni_model *model, size_t in, size_t out, const struct packet *packet)
{
	const size_t both[] = { in, out };
	unsigned int mss = packet->mss;

	for (size_t i = 0; i < 2; i++) {
		unsigned int limit = both[i] == CNI_NONE ? 0 : model->targets[both[i]].mss[packet->dst.family];

		if (limit && limit < mss)
			mss = limit;
	}
	return mss;
}

size_t naive_outer(const struct cni_model *model, size_t tunnel, const bool *down)
{
	const struct cni_tunnel *t = &model->targets[tunnel].tunnel;

	for (size_t i = 0; i < t->n_over; i++)
		if (!down[t->over[i]] && model->targets[t->over[i]].carries[t->local.family])
			return t->over[i];
	return CNI_NONE;
}

const char *fate_format(const struct cni_model *model, const struct fate *fate, char text[FATE_TEXT])
{
	static const char *const words[] = { "main", "drop", "reject", "via" };
	int len = snprintf(text, FATE_TEXT, "%s%s", words[fate->kind], fate->masquerade ? " masquerade" : "");

	for (size_t i = 0; i < fate->n_shares && len < FATE_TEXT; i++) {
		const struct fate_share *share = &fate->shares[i];

		len += snprintf(text + len, (size_t)(FATE_TEXT - len), "%s %s weight %u%s", i ? "," : "",
				model->targets[share->target].name, share->weight,
				share->masquerade ? " masquerade" : "");
	}
	if (len < FATE_TEXT)
		snprintf(text + len, (size_t)(FATE_TEXT - len), " (%s %s)", fate->policy ? fate->policy->name : "-",
			 fate->route	? fate->route->name
			 : fate->policy ? "else or never steered"
					: "-");
	return text;
}
