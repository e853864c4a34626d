/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer.c - what the rules and routes of a state do with a packet; see explain.h. */
#include <linux/netfilter.h>
#include <string.h>

#include "compiler/explain/explain.h"

static const unsigned int mss_max = UINT16_MAX; /* of a SYN that cni_passage_new() makes up */

/* ---- next hops and targets ---- */

/* Links may share a device: then the gateway tells them apart. */
size_t cni_target_of(const struct cni_model *m, const struct cni_st_hop *hop, enum cni_family family)
{
	size_t by_device = CNI_NONE;

	for (size_t i = 0; i < m->n_targets; i++) {
		const struct cni_target *t = &m->targets[i];

		if (strcmp(t->ifname, hop->device) != 0)
			continue;
		if (t->kind == CNI_TARGET_TUNNEL ||
		    (hop->has_via && t->iface[family].has_peer && cni_addr_equal(t->iface[family].peer, hop->via)))
			return i;
		if (by_device == CNI_NONE && !t->iface[family].has_peer)
			by_device = i;
	}
	return by_device;
}

bool cni_question_is_up(const struct cni_st_hop *hop, const void *arg)
{
	const struct cni_question *q = arg;
	const size_t target = cni_target_of(q->model, hop, q->packet.to.family);

	return target == CNI_NONE || !q->down[target];
}

/* ---- one way ---- */

static const struct cni_st_counter *path_counter(const struct cni_passage *p)
{
	for (size_t i = p->n_met; i--;) {
		const struct cni_st_rule_nft *rule = &p->met[i].chain->rules[p->met[i].rule];

		for (size_t x = 0; x < rule->n_exprs; x++) {
			if (rule->exprs[x].op != CNI_X_COUNTER || strncmp(rule->exprs[x].name, "path.", 5) != 0)
				continue;
			for (size_t c = 0; c < p->state->n_counters; c++)
				if (!strcmp(p->state->counters[c].name, rule->exprs[x].name))
					return &p->state->counters[c];
		}
	}
	return NULL;
}

/* What the chains behind the look-up do where the packet leaves by this hop. */
static struct cni_leaving leave(struct cni_arena *arena, const struct cni_question *q,
				const struct cni_passage *passage, const struct cni_st_hop *hop)
{
	struct cni_passage out = *passage;

	out.oif = hop->device;
	out.met = NULL;
	out.n_met = 0;
	cni_passage_run(&out, arena, NF_INET_POST_ROUTING);
	return (struct cni_leaving){ .hop = hop,
				     .target = cni_target_of(q->model, hop, q->packet.to.family),
				     .mss = out.mss == mss_max ? 0 : out.mss,
				     .masquerades = out.masquerades,
				     .has_source = out.has_source,
				     .source = out.source,
				     .fault = out.fault };
}

static struct cni_way way_of(struct cni_arena *arena, const struct cni_question *q, struct cni_fib_query *query,
			     bool has_hash, uint32_t hash)
{
	struct cni_way way = { .member = CNI_NONE, .passage = cni_passage_new(query->state, &q->packet, q->iif) };

	way.passage.has_hash = has_hash;
	way.passage.hash = hash;
	cni_passage_run(&way.passage, arena, q->iif ? NF_INET_PRE_ROUTING : NF_INET_LOCAL_OUT);
	way.path = path_counter(&way.passage);
	if (way.passage.fate != CNI_FATE_ACCEPT)
		return way;
	query->mark = way.passage.mark;
	way.fib = cni_fib(arena, query);
	way.leaving = cni_new_array(arena, struct cni_leaving, way.fib.n_hops);
	for (size_t i = 0; i < way.fib.n_hops; i++)
		way.leaving[i] = leave(arena, q, &way.passage, way.fib.hops[i]);
	way.n_leaving = way.fib.n_hops;
	return way;
}

/* ---- all ways ---- */

static bool has_ports(uint8_t proto)
{
	return proto == 6 || proto == 17 || proto == 33 || proto == 132 || proto == 136;
}

/* Whether the packet gives all that the hash of a flow is of. */
static bool knows_flow(const struct cni_packet *p)
{
	unsigned int needs = CNI_HAS_FROM | CNI_HAS_TO | CNI_HAS_PROTO;

	if (p->known & CNI_HAS_PROTO && has_ports(p->proto))
		needs |= CNI_HAS_SPORT | CNI_HAS_DPORT;
	return !(needs & ~p->known);
}

/* One for each member that carries the family: what the hash would have to be is known by the weights. */
static void weighted_ways(struct cni_arena *arena, const struct cni_question *q, struct cni_fib_query *query,
			  struct cni_answer *answer)
{
	const struct cni_path *path = &q->decision.route->path;
	const struct cni_way chosen = way_of(arena, q, query, false, 0);

	for (size_t i = 0; i < path->n_members; i++) {
		struct cni_way *way;

		if (!q->model->targets[path->members[i].target].carries[q->packet.to.family])
			continue;
		way = cni_push(arena, answer->ways, answer->n_ways);
		*way = way_of(arena, q, query, true, answer->sum);
		way->member = path->members[i].target;
		way->weight = path->members[i].weight;
		answer->sum += way->weight;
		if (knows_flow(&q->packet) && way->passage.mark == chosen.passage.mark)
			answer->chosen = answer->n_ways - 1;
	}
}

struct cni_answer cni_answer_of(struct cni_arena *arena, const struct cni_question *q, const struct cni_state *state,
				bool (*is_up)(const struct cni_st_hop *hop, const void *arg), const void *arg)
{
	struct cni_answer answer = { .state = state, .chosen = CNI_NONE };
	struct cni_fib_query query = {
		.state = state, .packet = &q->packet, .iif = q->iif, .is_up = is_up, .arg = arg
	};
	const struct cni_route *route = q->decision.route;

	if (route && route->path.weighted && route->path.n_members > 1)
		weighted_ways(arena, q, &query, &answer);
	if (answer.n_ways)
		return answer;
	*cni_push(arena, answer.ways, answer.n_ways) = way_of(arena, q, &query, false, 0);
	answer.chosen = 0;
	return answer;
}

/* ---- against the policy ---- */

static bool fate_agrees(const struct cni_way *way, enum cni_verdict verdict)
{
	const enum cni_fate fate = way->passage.fate;
	const enum cni_fib_kind kind = way->fib.kind;

	switch (verdict) {
	case CNI_VERDICT_DROP:
		return fate == CNI_FATE_DROP || (fate == CNI_FATE_ACCEPT && kind == CNI_FIB_BLACKHOLE);
	case CNI_VERDICT_REJECT:
		return fate == CNI_FATE_REJECT || (fate == CNI_FATE_ACCEPT && kind == CNI_FIB_UNREACHABLE);
	case CNI_VERDICT_MAIN:
		return fate == CNI_FATE_ACCEPT && (kind == CNI_FIB_MAIN || kind == CNI_FIB_LOCAL);
	default:
		return fate == CNI_FATE_ACCEPT && kind == CNI_FIB_UNICAST;
	}
}

static bool is_among(size_t target, const size_t *targets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (targets[i] == target)
			return true;
	return false;
}

static bool is_taken(const struct cni_answer *answer, size_t target)
{
	for (size_t w = 0; w < answer->n_ways; w++)
		for (size_t i = 0; i < answer->ways[w].n_leaving; i++)
			if (answer->ways[w].leaving[i].target == target)
				return true;
	return false;
}

bool cni_answer_agrees(const struct cni_question *q, const struct cni_answer *answer)
{
	const struct cni_decision *d = &q->decision;

	for (size_t w = 0; w < answer->n_ways; w++) {
		const struct cni_way *way = &answer->ways[w];

		if (way->passage.fault)
			return false;
		if (way->passage.fate == CNI_FATE_ACCEPT && way->fib.kind == CNI_FIB_FOREIGN)
			return true;
		if (!fate_agrees(way, d->verdict))
			return false;
		for (size_t i = 0; i < way->n_leaving; i++)
			if (!is_among(way->leaving[i].target, d->targets, d->n_targets))
				return false;
	}
	for (size_t i = 0; i < d->n_targets; i++)
		if (!is_taken(answer, d->targets[i]))
			return false;
	return true;
}
