/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wanted.c - see wanted.h. */
#include "runtime/twin/wanted.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/check/evaluate.h"
#include "compiler/text.h"
#include "runtime/twin/packet.h"

static struct cni_addr address_of(const struct cni_header *packet, enum cni_header_field field)
{
	return (struct cni_addr){ packet->family, packet->field[field] };
}

static bool is_syn(const struct cni_header *packet)
{
	return packet->field[CNI_FIELD_PROTO] == IPPROTO_TCP;
}

static const char *text_of(struct cni_arena *arena, struct cni_addr addr)
{
	return cni_addr_format(addr, cni_alloc(arena, CNI_ADDR_TEXT));
}

/* ---- what is wanted ---- */

static const struct cni_route *deciding(const struct rt_twin_question *q)
{
	return q->policy && q->label != CNI_LABEL_NEVER && q->label <= q->policy->n_routes
		       ? &q->policy->routes[q->label - 1]
		       : NULL;
}

/* A SYN that comes in by a clamped target is clamped to that as well. */
static unsigned int clamped(const struct rt_twin_question *q, unsigned int mss)
{
	for (size_t i = 0; q->model && i < q->model->n_targets; i++) {
		const struct cni_target *t = &q->model->targets[i];
		const unsigned int limit = t->mss[q->packet->family];

		if (!strcmp(t->ifname, q->device) && limit && limit < mss)
			mss = limit;
	}
	return mss;
}

/* Of ICMP only requests do; what starts no flow has no translation either (Linux, nf_conntrack_proto_icmp.c). */
static bool starts_flow(const struct cni_header *packet)
{
	static const uint8_t requests[] = { 8, 13, 15, 17 }, requests6[] = { 128, 139 };
	const int type = (int)packet->field[CNI_FIELD_TYPE];

	if (packet->family == CNI_V4)
		return packet->field[CNI_FIELD_PROTO] != IPPROTO_ICMP || memchr(requests, type, sizeof(requests));
	return packet->field[CNI_FIELD_PROTO] != IPPROTO_ICMPV6 || memchr(requests6, type, sizeof(requests6));
}

/* NULL: not looked at. */
static const char *source_of(struct cni_arena *arena, const struct rt_twin_question *q, bool masquerade,
			     const char *translated)
{
	const struct cni_route *route = deciding(q);

	if (!starts_flow(q->packet))
		return NULL;
	if (route && route->has_source && route->source.family == q->packet->family)
		return text_of(arena, route->source);
	return masquerade ? translated : text_of(arena, address_of(q->packet, CNI_FIELD_FROM));
}

static struct rt_twin_option by_member(struct cni_arena *arena, const struct rt_twin_question *q,
				       const struct cni_fate_member *m)
{
	const char *const *traits = m->traits;
	const unsigned long mss = strtoul(traits[CNI_TRAIT_MSS], NULL, 10); /* 0: "not clamped" */
	struct cni_addr addr;
	struct rt_twin_option option = { .device = traits[CNI_TRAIT_DEVICE], .over = traits[CNI_TRAIT_OVER] };

	/* the hop and the address of a link that something else configures are words */
	if (traits[CNI_TRAIT_HOP] && cni_addr_parse(traits[CNI_TRAIT_HOP], strlen(traits[CNI_TRAIT_HOP]), &addr))
		option.hop = traits[CNI_TRAIT_HOP];
	option.source = "";
	if (m->masquerade && cni_addr_parse(traits[CNI_TRAIT_ADDRESS], strlen(traits[CNI_TRAIT_ADDRESS]), &addr))
		option.source = traits[CNI_TRAIT_ADDRESS];
	option.source = source_of(arena, q, m->masquerade, option.source);
	if (is_syn(q->packet))
		option.mss = clamped(q, mss ? (unsigned int)mss : RT_TWIN_MSS);
	return option;
}

/* Ordinary routing: to the router itself, to a network that it is on, or by main's default route. */
static void go_by_main(struct cni_arena *arena, const struct rt_twin_question *q, struct rt_twin_wanted *wanted)
{
	const struct cni_addr to = address_of(q->packet, CNI_FIELD_TO);
	const struct cni_route *route = deciding(q);
	struct rt_twin_option option = { .source = source_of(arena, q, route && route->path.masquerade, "") };

	wanted->end = RT_TWIN_BY_MAIN;
	for (size_t i = 0; q->model && i < q->model->n_targets; i++) {
		const struct cni_target *t = &q->model->targets[i];
		const struct cni_iface *iface = &t->iface[to.family];
		const bool is_own = iface->has_address && cni_addr_equal(iface->address.addr, to);
		/* what leaves from these has a routing table of its own, which may be closed */
		const bool is_aside = (t->kind == CNI_TARGET_TUNNEL && cni_addr_equal(t->tunnel.local, to)) ||
				      (t->health.has_target && cni_addr_equal(t->health.target, to));

		wanted->may_be_silent |= is_aside;
		if (is_own || is_aside)
			wanted->end = RT_TWIN_HERE;
		else if (!iface->has_address || !cni_prefix_has(iface->address, to))
			continue;
		else
			option.device = t->ifname;
		if (q->down[i])
			wanted->untried = "it goes to an address on what is down";
		break;
	}
	if (wanted->end == RT_TWIN_HERE)
		return;
	if (option.device)
		wanted->end = RT_TWIN_LEFT;
	else if (is_syn(q->packet))
		option.mss = clamped(q, RT_TWIN_MSS);
	*cni_push(arena, wanted->options, wanted->n_options) = option;
}

/* ---- answers ---- */

/* An answer is a packet of the router itself, which its own policy may stop. */
static bool is_let_out(struct cni_arena *arena, const struct rt_twin_question *q, struct cni_packet answer)
{
	const struct cni_ranges never = cni_never_steered(arena, q->model);
	struct cni_decision decision;

	answer.known |= CNI_HAS_TO;
	answer.to = address_of(q->packet, CNI_FIELD_FROM);
	decision = cni_evaluate(arena, q->model, &never, "local", &answer, q->down);
	return !decision.asks && decision.verdict != CNI_VERDICT_DROP && decision.verdict != CNI_VERDICT_REJECT;
}

/* No error answers an error: RFC 1122, 3.2.2; RFC 4443, 2.4. */
static bool is_error(const struct cni_header *packet)
{
	static const uint8_t errors[] = { 3, 4, 5, 11, 12 };
	const unsigned int proto = (unsigned int)packet->field[CNI_FIELD_PROTO];
	const unsigned int type = (unsigned int)packet->field[CNI_FIELD_TYPE];

	return packet->family == CNI_V4 ? proto == IPPROTO_ICMP && memchr(errors, (int)type, sizeof(errors))
					: proto == IPPROTO_ICMPV6 && type < 128;
}

/* That there is no way, with the precedence of such messages: RFC 1812, 4.3.2.5. */
static bool is_refused_aloud(struct cni_arena *arena, const struct rt_twin_question *q)
{
	const bool is_v4 = q->packet->family == CNI_V4;
	const struct cni_packet error = {
		.known = CNI_HAS_PROTO | CNI_HAS_ICMP_TYPE | CNI_HAS_DSCP,
		.proto = is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.icmp_type = is_v4 ? 3 : 1,
		.dscp = is_v4 ? 48 : 0,
	};

	return !is_error(q->packet) && is_let_out(arena, q, error);
}

/* By a reset, an error or what else a host says. */
static bool is_answered(struct cni_arena *arena, const struct rt_twin_question *q)
{
	const struct cni_packet answer = { .known = CNI_HAS_FROM, .from = address_of(q->packet, CNI_FIELD_TO) };

	return starts_flow(q->packet) && is_let_out(arena, q, answer);
}

/* ---- all of it ---- */

struct rt_twin_wanted rt_twin_wanted(struct cni_arena *arena, const struct rt_twin_question *q)
{
	const struct cni_fate *fate = q->fate;
	const size_t n = fate->weighted || !fate->n_members ? fate->n_members : 1;
	struct rt_twin_wanted wanted = { .untried = rt_twin_unfit(q->packet), .end = RT_TWIN_LEFT };

	if (wanted.untried)
		return wanted;
	for (size_t i = 0; i < n; i++)
		*cni_push(arena, wanted.options, wanted.n_options) = by_member(arena, q, &fate->members[i]);
	if (n)
		return wanted;
	if (fate->verdict == CNI_VERDICT_DROP)
		wanted.end = RT_TWIN_SILENT;
	else if (fate->verdict == CNI_VERDICT_REJECT)
		wanted = (struct rt_twin_wanted){ .end = RT_TWIN_REJECTED,
						  .may_be_silent = !is_refused_aloud(arena, q) };
	else
		go_by_main(arena, q, &wanted);
	if (wanted.end == RT_TWIN_HERE)
		wanted.may_be_silent |= !is_answered(arena, q);
	return wanted;
}

/* ---- in words ---- */

static const char *const end_words[RT_TWIN_N_ENDS] = {
	[RT_TWIN_UNTRIED] = "not tried", [RT_TWIN_LEFT] = "by ",	  [RT_TWIN_BY_MAIN] = "by main",
	[RT_TWIN_SILENT] = "dropped",	 [RT_TWIN_REJECTED] = "rejected", [RT_TWIN_HERE] = "to the router itself",
};

static const char *way_text(struct cni_arena *arena, const char *between, const struct rt_twin_way *way)
{
	return way->has_hop ? cni_printf(arena, "%s%s%s", way->device, between, text_of(arena, way->hop))
			    : cni_strdup(arena, way->device);
}

static bool leaves(enum rt_twin_end end)
{
	return end == RT_TWIN_LEFT || end == RT_TWIN_BY_MAIN;
}

const char *rt_twin_describe(struct cni_arena *arena, const struct cni_header *packet, const struct rt_twin_seen *seen)
{
	struct cni_text text = { .arena = arena };

	cni_text_puts(&text, end_words[seen->end]);
	if (seen->end == RT_TWIN_LEFT)
		cni_text_puts(&text, way_text(arena, " to ", &seen->way));
	if (seen->has_outer)
		cni_text_printf(&text, " over %s", way_text(arena, " to ", &seen->outer));
	if (leaves(seen->end) && !cni_addr_equal(seen->source, address_of(packet, CNI_FIELD_FROM)))
		cni_text_printf(&text, ", from %s", text_of(arena, seen->source));
	if (leaves(seen->end) && seen->mss && seen->mss != RT_TWIN_MSS)
		cni_text_printf(&text, ", mss %u", seen->mss);
	return text.data;
}

static const char *option_text(struct cni_arena *arena, const struct rt_twin_option *o, const struct cni_header *packet)
{
	struct cni_text text = { .arena = arena };

	cni_text_printf(&text, "by %s", o->device ? o->device : "main");
	if (o->hop)
		cni_text_printf(&text, " to %s", o->hop);
	if (o->over)
		cni_text_printf(&text, " over %s", o->over);
	if (o->source && !*o->source)
		cni_text_puts(&text, ", from the device's address");
	else if (o->source && strcmp(o->source, text_of(arena, address_of(packet, CNI_FIELD_FROM))) != 0)
		cni_text_printf(&text, ", from %s", o->source);
	if (o->mss && o->mss != RT_TWIN_MSS)
		cni_text_printf(&text, ", mss %u", o->mss);
	return text.data;
}

static const char *wanted_text(struct cni_arena *arena, const struct rt_twin_wanted *wanted,
			       const struct cni_header *packet)
{
	struct cni_text text = { .arena = arena };

	if (!wanted->n_options)
		return end_words[wanted->end];
	for (size_t i = 0; i < wanted->n_options; i++)
		cni_text_printf(&text, "%s%s", i ? " or " : "", option_text(arena, &wanted->options[i], packet));
	return text.data;
}

/* ---- the verdict ---- */

/* The outer packet takes the first way of `over`. Where that is none, or none before a BGP daemon says so, it has none. */
static bool is_over(struct cni_arena *arena, const char *over, const struct rt_twin_seen *seen)
{
	const char *way;
	size_t len;

	if (!seen->wraps)
		return true;
	if (!seen->has_outer)
		return !strstr(over, " by ") || strstr(over, " by BGP");
	way = way_text(arena, " by ", &seen->outer);
	len = strlen(way);
	return !strncmp(over, way, len) && (!over[len] || !strncmp(over + len, " then ", 6));
}

static bool fits(struct cni_arena *arena, const struct rt_twin_option *o, const struct cni_header *packet,
		 const struct rt_twin_seen *seen)
{
	if (o->device && strcmp(o->device, seen->way.device) != 0)
		return false;
	if (o->hop && (!seen->way.has_hop || strcmp(o->hop, text_of(arena, seen->way.hop)) != 0))
		return false;
	if (o->over && !is_over(arena, o->over, seen))
		return false;
	if (o->source && !*o->source && cni_addr_equal(seen->source, address_of(packet, CNI_FIELD_FROM)))
		return false;
	if (o->source && *o->source && strcmp(o->source, text_of(arena, seen->source)) != 0)
		return false;
	return !o->mss || o->mss == seen->mss;
}

const char *rt_twin_judge(struct cni_arena *arena, const struct rt_twin_wanted *wanted, const struct cni_header *packet,
			  const struct rt_twin_seen *seen)
{
	bool agrees = (wanted->end == seen->end && !wanted->n_options) ||
		      (wanted->may_be_silent && seen->end == RT_TWIN_SILENT);

	for (size_t i = 0; wanted->end == seen->end && i < wanted->n_options && !agrees; i++)
		agrees = fits(arena, &wanted->options[i], packet, seen);
	return agrees ? NULL : wanted_text(arena, wanted, packet);
}
