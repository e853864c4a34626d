/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evaluate.c - see evaluate.h. */
#include "compiler/check/evaluate.h"

#include <string.h>

#include "compiler/arena.h"

/* Whether a match holds: yes, no, or it depends on fields that are not known. */
struct answer {
	bool no;
	unsigned int asks; /* 0 and not `no`: yes */
};

static const struct answer yes, no = { .no = true };

static struct answer if_true(bool holds)
{
	return holds ? yes : no;
}

static struct answer ask(unsigned int field)
{
	return (struct answer){ .asks = field };
}

static struct answer negate(struct answer a, bool negated)
{
	return !negated || a.asks ? a : if_true(a.no);
}

static bool has_bit(const uint64_t *bits, unsigned int i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static struct answer in_ranges(const struct cni_ranges *ranges, struct cni_addr addr, const struct cni_packet *p,
			       unsigned int field)
{
	return p->known & field ? if_true(cni_ranges_has(ranges, addr)) : ask(field);
}

static struct answer port_holds(const struct cni_port_match *m, const struct cni_packet *p)
{
	unsigned int field = m->source ? CNI_HAS_SPORT : CNI_HAS_DPORT;
	uint16_t port = m->source ? p->sport : p->dport;
	bool any = false; /* of the packet's protocol */

	if (!(p->known & CNI_HAS_PROTO))
		return ask(field); /* which comes with its protocol */
	for (size_t i = 0; i < m->ports.n_items; i++) {
		const struct cni_port_range *range = &m->ports.items[i];

		if (range->proto != p->proto)
			continue;
		any = true;
		if ((p->known & field && range->lo <= port && port <= range->hi) || range->hi - range->lo == UINT16_MAX)
			return yes;
	}
	return any && !(p->known & field) ? ask(field) : no;
}

static struct answer icmp_holds(const struct cni_icmp_match *m, const struct cni_packet *p, enum cni_family family)
{
	if (family != m->family)
		return no;
	if (!(p->known & CNI_HAS_PROTO))
		return ask(CNI_HAS_ICMP_TYPE);
	if (p->proto != (m->family == CNI_V4 ? 1 : 58))
		return no;
	return p->known & CNI_HAS_ICMP_TYPE ? if_true(has_bit(m->types, p->icmp_type)) : ask(CNI_HAS_ICMP_TYPE);
}

/* Every part of a match, with its answer. */
typedef void part_fn(void *arg, enum cni_match_kind kind, const struct cni_ast_match *ast, struct answer answer);

static void each_part(const struct cni_match *m, const struct cni_packet *p, enum cni_family family, part_fn *each,
		      void *arg)
{
	static const enum cni_match_kind icmp_kinds[] = { [CNI_V4] = CNI_MATCH_ICMP, [CNI_V6] = CNI_MATCH_ICMPV6 };

	if (m->has_from)
		each(arg, CNI_MATCH_FROM, NULL, negate(in_ranges(&m->from, p->from, p, CNI_HAS_FROM), m->not_from));
	if (m->has_to)
		each(arg, CNI_MATCH_TO, NULL, negate(in_ranges(&m->to, p->to, p, CNI_HAS_TO), m->not_to));
	if (m->has_proto)
		each(arg, CNI_MATCH_PROTO, NULL,
		     negate(p->known & CNI_HAS_PROTO ? if_true(has_bit(m->proto, p->proto)) : ask(CNI_HAS_PROTO),
			    m->not_proto));
	for (size_t i = 0; i < m->n_ports; i++)
		each(arg, m->ports[i].source ? CNI_MATCH_SPORT : CNI_MATCH_DPORT, m->ports[i].ast,
		     negate(port_holds(&m->ports[i], p), m->ports[i].negated));
	if (m->has_dscp)
		each(arg, CNI_MATCH_DSCP, NULL,
		     negate(p->known & CNI_HAS_DSCP ? if_true(has_bit(&m->dscp, p->dscp)) : ask(CNI_HAS_DSCP),
			    m->not_dscp));
	for (size_t i = 0; i < m->n_icmp; i++)
		each(arg, icmp_kinds[m->icmp[i].family], m->icmp[i].ast,
		     negate(icmp_holds(&m->icmp[i], p, family), m->icmp[i].negated));
}

static void also(void *arg, enum cni_match_kind kind, const struct cni_ast_match *ast, struct answer answer)
{
	struct answer *all = arg;

	(void)kind;
	(void)ast;
	all->no |= answer.no;
	all->asks |= answer.asks;
}

static struct answer match_holds(const struct cni_match *m, const struct cni_packet *p, enum cni_family family)
{
	struct answer all = yes;

	each_part(m, p, family, also, &all);
	return all.no ? no : all;
}

struct failures {
	struct cni_arena *arena;
	struct cni_failed_part *items;
	size_t n_items;
};

static void add_failure(void *arg, enum cni_match_kind kind, const struct cni_ast_match *ast, struct answer answer)
{
	struct failures *failures = arg;

	if (answer.no)
		*cni_push(failures->arena, failures->items, failures->n_items) =
			(struct cni_failed_part){ ast ? ast->kind : kind, ast };
}

size_t cni_failed_parts(struct cni_arena *arena, const struct cni_match *match, const struct cni_packet *packet,
			struct cni_failed_part **parts)
{
	struct failures failures = { .arena = arena };

	each_part(match, packet, packet->to.family, add_failure, &failures);
	*parts = failures.items;
	return failures.n_items;
}

struct cni_ranges cni_never_steered(struct cni_arena *arena, const struct cni_model *m)
{
	static const struct cni_prefix special[] = {
		{ { CNI_V4, 0xe0000000 }, 4 }, /* multicast: RFC 5771 */
		{ { CNI_V4, 0xa9fe0000 }, 16 }, /* link-local: RFC 3927 */
		{ { CNI_V4, 0xffffffff }, 32 }, /* broadcast: RFC 919 */
		{ { CNI_V6, (cni_u128)0xff00 << 112 }, 8 }, /* multicast: RFC 4291, 2.7 */
		{ { CNI_V6, (cni_u128)0xfe80 << 112 }, 10 }, /* link-local: RFC 4291, 2.5.6 */
	};
	struct cni_ranges never = { 0 };

	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		cni_ranges_add_prefix(arena, &never, special[i]);
	for (size_t i = 0; i < m->n_lans; i++)
		cni_ranges_add_all(arena, &never, &m->lans[i].ranges);
	for (size_t i = 0; i < m->n_targets; i++) {
		const struct cni_target *t = &m->targets[i];

		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
			if (t->iface[f].has_address)
				cni_ranges_add_prefix(arena, &never, t->iface[f].address);
			if (t->iface[f].has_peer)
				cni_ranges_add(arena, &never, t->iface[f].peer, t->iface[f].peer);
		}
		if (t->kind == CNI_TARGET_TUNNEL)
			cni_ranges_add(arena, &never, t->tunnel.local, t->tunnel.local);
		if (t->health.has_target)
			cni_ranges_add(arena, &never, t->health.target, t->health.target);
	}
	cni_ranges_normalise(&never);
	return never;
}

const struct cni_policy *cni_policy_on(const struct cni_model *m, const char *device)
{
	for (size_t i = 0; i < m->n_policies; i++) {
		if (!strcmp(device, "local") && m->policies[i].local)
			return &m->policies[i];
		for (size_t d = 0; d < m->policies[i].n_devices; d++)
			if (!strcmp(m->policies[i].devices[d], device))
				return &m->policies[i];
	}
	return NULL;
}

static void follow(struct cni_arena *arena, const struct cni_model *m, const struct cni_path *path,
		   enum cni_family family, const bool *down, struct cni_decision *decision)
{
	size_t *up = NULL, n = 0;

	for (size_t i = 0; i < path->n_members && (path->weighted || !n); i++)
		if (!down[path->members[i].target] && m->targets[path->members[i].target].carries[family])
			*cni_push(arena, up, n) = path->members[i].target;
	decision->targets = up;
	decision->n_targets = n;
	decision->verdict = n ? CNI_VERDICT_NONE : path->verdict != CNI_VERDICT_NONE ? path->verdict : path->otherwise;
}

struct cni_decision cni_decide(struct cni_arena *arena, const struct cni_model *model, const struct cni_policy *policy,
			       const struct cni_route *route, enum cni_family family, const bool *down)
{
	struct cni_decision decision = { .policy = policy, .route = route, .verdict = policy->otherwise };

	if (route)
		follow(arena, model, &route->path, family, down, &decision);
	return decision;
}

struct cni_decision cni_evaluate(struct cni_arena *arena, const struct cni_model *model, const struct cni_ranges *never,
				 const char *device, const struct cni_packet *packet, const bool *down)
{
	struct cni_decision decision = { .policy = cni_policy_on(model, device), .verdict = CNI_VERDICT_MAIN };
	enum cni_family family = (packet->known & CNI_HAS_TO ? packet->to : packet->from).family;

	if (!decision.policy)
		return decision;
	if (!(packet->known & CNI_HAS_TO)) {
		decision.asks = CNI_HAS_TO;
		return decision;
	}
	decision.never_steered = cni_ranges_has(never, packet->to);
	for (size_t i = 0; i < decision.policy->n_routes && !decision.never_steered; i++) {
		struct answer answer = match_holds(&decision.policy->routes[i].match, packet, family);

		if (answer.no)
			continue;
		decision.route = &decision.policy->routes[i];
		decision.asks = answer.asks;
		if (!answer.asks)
			follow(arena, model, &decision.route->path, family, down, &decision);
		return decision;
	}
	if (!decision.never_steered)
		decision.verdict = decision.policy->otherwise;
	return decision;
}
