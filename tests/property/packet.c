/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.c - see packet.h. A packet is drawn near a route: each of its fields from that route's own edges, now and
 * then from the pool of all edges, or from anywhere. */
#include "tests/property/packet.h"

#include <stdio.h>
#include <string.h>

#include "compiler/arena.h"

uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

unsigned int rng_below(struct rng *rng, unsigned int n)
{
	return (unsigned int)(rng_next(rng) >> 33) % n;
}

const char *packet_format(const struct packet *packet, char text[PACKET_TEXT])
{
	char src[CNI_ADDR_TEXT], dst[CNI_ADDR_TEXT], more[64] = "";

	if (packet_has_ports(packet->proto))
		snprintf(more, sizeof(more), " sport %u dport %u%s", packet->sport, packet->dport,
			 packet->syn ? " syn" : "");
	else if (packet->proto == 1 || packet->proto == 58)
		snprintf(more, sizeof(more), " type %u", packet->icmp_type);
	snprintf(text, PACKET_TEXT, "from %s to %s proto %u%s dscp %u", cni_addr_format(packet->src, src),
		 cni_addr_format(packet->dst, dst), packet->proto, more, packet->dscp);
	return text;
}

struct packet packet_reply(const struct packet *packet)
{
	static const struct {
		uint8_t proto, request, reply;
	} pairs[] = { { 1, 8, 0 }, { 1, 13, 14 }, { 1, 15, 16 }, { 1, 17, 18 }, { 58, 128, 129 }, { 58, 139, 140 } };
	struct packet reply = *packet;

	reply.src = packet->dst;
	reply.dst = packet->src;
	reply.sport = packet->dport;
	reply.dport = packet->sport;
	reply.syn = false;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (packet->proto != pairs[i].proto)
			continue;
		if (packet->icmp_type == pairs[i].request)
			reply.icmp_type = pairs[i].reply;
		else if (packet->icmp_type == pairs[i].reply)
			reply.icmp_type = pairs[i].request;
	}
	return reply;
}

/* ---- edges ---- */

struct edges {
	struct cni_arena *arena;
	struct cni_addr *from, *to; /* addresses worth trying as source and as destination */
	size_t n_from, n_to;
	struct port_edge {
		bool source;
		uint8_t proto;
		uint16_t port;
	} * ports;
	size_t n_ports;
	uint8_t *protos, *dscps;
	size_t n_protos, n_dscps;
	struct icmp_edge {
		enum cni_family family;
		uint8_t type;
	} * icmps;
	size_t n_icmps;
};

static void add_addr(struct edges *edges, bool from, enum cni_family family, cni_u128 v)
{
	struct cni_addr addr = { family, family == CNI_V4 ? (uint32_t)v : v };

	if (from)
		*cni_push(edges->arena, edges->from, edges->n_from) = addr;
	else
		*cni_push(edges->arena, edges->to, edges->n_to) = addr;
}

static void add_span(struct edges *edges, bool from, enum cni_family family, cni_u128 lo, cni_u128 hi)
{
	const cni_u128 edge[] = { lo - 1, lo, lo + (hi - lo) / 2, hi, hi + 1 };

	for (size_t i = 0; i < sizeof(edge) / sizeof(edge[0]); i++)
		add_addr(edges, from, family, edge[i]);
}

static void add_ranges(struct edges *edges, bool from, const struct cni_ranges *ranges)
{
	for (size_t i = 0; i < ranges->n_v4; i++)
		add_span(edges, from, CNI_V4, ranges->v4[i].lo, ranges->v4[i].hi);
	for (size_t i = 0; i < ranges->n_v6; i++)
		add_span(edges, from, CNI_V6, ranges->v6[i].lo, ranges->v6[i].hi);
}

static void add_ports(struct edges *edges, const struct cni_port_match *match)
{
	for (size_t i = 0; i < match->ports.n_items; i++) {
		const struct cni_port_range *range = &match->ports.items[i];
		const int edge[] = { range->lo - 1, range->lo, range->hi, range->hi + 1 };

		for (size_t j = 0; j < 4; j++)
			*cni_push(edges->arena, edges->ports, edges->n_ports) =
				(struct port_edge){ match->source, range->proto, (uint16_t)edge[j] };
		*cni_push(edges->arena, edges->ports, edges->n_ports) =
			(struct port_edge){ !match->source, range->proto, range->lo };
		*cni_push(edges->arena, edges->ports, edges->n_ports) =
			(struct port_edge){ match->source, range->proto == 6 ? 17 : 6, range->lo };
	}
}

static void add_match(struct edges *edges, const struct cni_match *match)
{
	if (match->has_from)
		add_ranges(edges, true, &match->from);
	if (match->has_to)
		add_ranges(edges, false, &match->to);
	for (unsigned int p = 0; match->has_proto && p < 256; p++)
		if (match->proto[p / 64] >> (p % 64) & 1)
			*cni_push(edges->arena, edges->protos, edges->n_protos) = (uint8_t)p;
	for (size_t i = 0; i < match->n_ports; i++)
		add_ports(edges, &match->ports[i]);
	for (unsigned int d = 0; match->has_dscp && d < 64; d++)
		if (match->dscp >> d & 1)
			for (unsigned int n = d + 63; n <= d + 65; n++)
				*cni_push(edges->arena, edges->dscps, edges->n_dscps) = n % 64;
	for (size_t i = 0; i < match->n_icmp; i++)
		for (unsigned int t = 0; t < 256; t++)
			if (match->icmp[i].types[t / 64] >> (t % 64) & 1)
				for (unsigned int n = t + 255; n <= t + 257; n++)
					*cni_push(edges->arena, edges->icmps, edges->n_icmps) =
						(struct icmp_edge){ match->icmp[i].family, (uint8_t)n };
}

/* What no policy may steer, and its neighbours. */
static void add_surroundings(struct edges *edges, const struct cni_model *model)
{
	static const struct {
		enum cni_family family;
		const char *lo, *hi;
	} special[] = {
		{ CNI_V4, "224.0.0.0", "239.255.255.255" },
		{ CNI_V4, "255.255.255.255", "255.255.255.255" },
		{ CNI_V4, "169.254.0.0", "169.254.255.255" },
		{ CNI_V6, "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ CNI_V6, "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		struct cni_addr lo = { 0 }, hi = { 0 };

		cni_addr_parse(special[i].lo, strlen(special[i].lo), &lo);
		cni_addr_parse(special[i].hi, strlen(special[i].hi), &hi);
		add_span(edges, false, special[i].family, lo.v, hi.v);
	}
	for (size_t i = 0; i < model->n_lans; i++) {
		add_ranges(edges, true, &model->lans[i].ranges);
		add_ranges(edges, false, &model->lans[i].ranges);
	}
	for (size_t i = 0; i < model->n_targets; i++) {
		const struct cni_target *target = &model->targets[i];

		for (unsigned int f = 0; f < CNI_N_FAMILIES; f++) {
			const struct cni_iface *iface = &target->iface[f];

			if (iface->has_address)
				add_span(edges, false, f, cni_prefix_first(iface->address).v,
					 cni_prefix_last(iface->address).v);
			if (iface->has_peer)
				add_span(edges, false, f, iface->peer.v, iface->peer.v);
		}
		if (target->kind != CNI_TARGET_TUNNEL)
			continue;
		add_addr(edges, false, target->tunnel.local.family, target->tunnel.local.v);
		add_addr(edges, false, target->tunnel.remote.family, target->tunnel.remote.v);
	}
}

/* ---- packets ---- */

static struct cni_addr any_addr(struct rng *rng, enum cni_family family)
{
	cni_u128 v = (cni_u128)rng_next(rng) << 64 | rng_next(rng);

	if (family == CNI_V4)
		return (struct cni_addr){ family, (uint32_t)v };
	/* 2000::/3, what is routed */
	return (struct cni_addr){ family, (v >> 3) | ((cni_u128)1 << 125) };
}

/* One of `family` from the list, if there is one; else any address. */
static struct cni_addr pick_addr(struct rng *rng, enum cni_family family, const struct cni_addr *list, size_t n)
{
	if (n && rng_percent(rng, 90)) {
		size_t start = rng_below(rng, (unsigned int)n);

		for (size_t i = 0; i < n; i++)
			if (list[(start + i) % n].family == family)
				return list[(start + i) % n];
	}
	return any_addr(rng, family);
}

/* Edges of `near` mostly, of `all` sometimes. */
static const struct edges *pick_edges(struct rng *rng, const struct edges *near, const struct edges *all, size_t n_near)
{
	return n_near && rng_percent(rng, 75) ? near : all;
}

static struct packet draw(struct rng *rng, const struct edges *near, const struct edges *all)
{
	static const uint8_t usual[] = { 6, 6, 6, 17, 17, 1, 58, 47, 132, 50 };
	const struct edges *from = pick_edges(rng, near, all, near->n_from);
	const struct edges *to = pick_edges(rng, near, all, near->n_to);
	const struct edges *ports = pick_edges(rng, near, all, near->n_ports);
	const struct edges *protos = pick_edges(rng, near, all, near->n_protos);
	const struct edges *dscps = pick_edges(rng, near, all, near->n_dscps);
	const struct edges *icmps = pick_edges(rng, near, all, near->n_icmps);
	enum cni_family family = rng_percent(rng, 60) ? CNI_V4 : CNI_V6;
	struct packet packet = { .sport = (uint16_t)rng_next(rng),
				 .dport = (uint16_t)rng_next(rng),
				 .icmp_type = (uint8_t)rng_next(rng),
				 .proto = usual[rng_below(rng, sizeof(usual))] };

	if (near->n_to && rng_percent(rng, 80))
		family = near->to[rng_below(rng, (unsigned int)near->n_to)].family;
	else if (near->n_from && rng_percent(rng, 80))
		family = near->from[rng_below(rng, (unsigned int)near->n_from)].family;
	if (protos->n_protos && rng_percent(rng, 40))
		packet.proto = protos->protos[rng_below(rng, (unsigned int)protos->n_protos)];
	for (unsigned int twice = 0; twice < 2; twice++) {
		if (!ports->n_ports || !rng_percent(rng, 70))
			continue;
		const struct port_edge *edge = &ports->ports[rng_below(rng, (unsigned int)ports->n_ports)];

		packet.proto = edge->proto;
		if (edge->source)
			packet.sport = edge->port;
		else
			packet.dport = edge->port;
	}
	if (icmps->n_icmps && rng_percent(rng, icmps == near ? 80 : 10)) {
		const struct icmp_edge *edge = &icmps->icmps[rng_below(rng, (unsigned int)icmps->n_icmps)];

		family = edge->family;
		packet.proto = family == CNI_V4 ? 1 : 58;
		packet.icmp_type = edge->type;
	}
	if (packet.proto == 1 || packet.proto == 58)
		packet.proto = family == CNI_V4 ? 1 : 58;
	packet.src = pick_addr(rng, family, from->from, from->n_from);
	packet.dst = pick_addr(rng, family, to->to, to->n_to);
	if (dscps->n_dscps && rng_percent(rng, 60))
		packet.dscp = dscps->dscps[rng_below(rng, (unsigned int)dscps->n_dscps)];
	else if (rng_percent(rng, 30))
		packet.dscp = rng_below(rng, 64);
	packet.syn = packet.proto == 6 && rng_percent(rng, 60);
	packet.mss = rng_percent(rng, 80) ? 1460 : 500 + rng_below(rng, 1000);
	return packet;
}

/* Puts edge number `i` of a route into a packet drawn near it; false when there are no more. */
static bool put_edge(struct packet *packet, const struct edges *edges, size_t i)
{
	if (i < edges->n_from) {
		if (edges->from[i].family != packet->src.family)
			return true;
		packet->src = edges->from[i];
		return true;
	}
	i -= edges->n_from;
	if (i < edges->n_to) {
		if (edges->to[i].family == packet->dst.family)
			packet->dst = edges->to[i];
		return true;
	}
	i -= edges->n_to;
	if (i < edges->n_ports) {
		packet->proto = edges->ports[i].proto;
		if (edges->ports[i].source)
			packet->sport = edges->ports[i].port;
		else
			packet->dport = edges->ports[i].port;
		packet->syn &= packet->proto == 6;
		return true;
	}
	i -= edges->n_ports;
	if (i < edges->n_dscps) {
		packet->dscp = edges->dscps[i];
		return true;
	}
	i -= edges->n_dscps;
	if (i < edges->n_icmps) {
		if (edges->icmps[i].family == packet->src.family) {
			packet->proto = packet->src.family == CNI_V4 ? 1 : 58;
			packet->icmp_type = edges->icmps[i].type;
			packet->syn = false;
		}
		return true;
	}
	return false;
}

struct packets packets_for(struct cni_arena *arena, struct rng *rng, const struct cni_model *model,
			   const struct cni_policy *policy, size_t n)
{
	struct packets packets = { 0 };
	struct edges all = { .arena = arena };
	struct edges *near = cni_new_array(arena, struct edges, policy->n_routes + 1);

	for (size_t i = 0; i <= policy->n_routes; i++)
		near[i].arena = arena;
	add_surroundings(&all, model);
	add_surroundings(&near[policy->n_routes], model);
	for (size_t i = 0; i < policy->n_routes; i++) {
		add_match(&near[i], &policy->routes[i].match);
		add_match(&all, &policy->routes[i].match);
	}
	for (size_t r = 0; r <= policy->n_routes; r++) {
		for (size_t i = 0;; i++) {
			struct packet packet = draw(rng, &near[r], &all);

			if (!put_edge(&packet, &near[r], i))
				break;
			*cni_push(arena, packets.items, packets.n_items) = packet;
		}
	}
	while (packets.n_items < n) {
		size_t r = rng_below(rng, (unsigned int)policy->n_routes + 1);

		*cni_push(arena, packets.items, packets.n_items) = draw(rng, &near[r], &all);
	}
	return packets;
}

struct packet packet_of_header(const struct cni_header *h)
{
	return (struct packet){ .src = { h->family, h->field[CNI_FIELD_FROM] },
				.dst = { h->family, h->field[CNI_FIELD_TO] },
				.proto = (uint8_t)h->field[CNI_FIELD_PROTO],
				.sport = (uint16_t)h->field[CNI_FIELD_SPORT],
				.dport = (uint16_t)h->field[CNI_FIELD_DPORT],
				.dscp = (uint8_t)h->field[CNI_FIELD_DSCP],
				.icmp_type = (uint8_t)h->field[CNI_FIELD_TYPE] };
}
