/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fib.c - see fib.h. Rules by priority, in each table the longest prefix that leads somewhere, of those the least metric:
 * fib_rules.c, fib_table_lookup() and fib6_rule_lookup(). */
#include "compiler/explain/fib.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "compiler/explain/chains.h"

static enum cni_family family_of(const struct cni_fib_query *q)
{
	return q->packet->to.family;
}

static bool selects(const struct cni_fib_query *q, const struct cni_st_rule *r)
{
	const struct cni_packet *p = q->packet;
	bool holds = (q->mark & r->mask) == r->mark;

	if (r->has_from)
		holds &= p->known & CNI_HAS_FROM && cni_prefix_has(r->from, p->from);
	if (r->has_to)
		holds &= cni_prefix_has(r->to, p->to);
	if (r->iif)
		holds &= q->iif ? !strcmp(r->iif, q->iif) : !strcmp(r->iif, "lo");
	if (r->ipproto)
		holds &= p->known & CNI_HAS_PROTO && p->proto == r->ipproto;
	return holds != r->invert;
}

/* ---- one table ---- */

static size_t hops_up(const struct cni_fib_query *q, struct cni_arena *arena, const struct cni_st_route *route,
		      const struct cni_st_hop ***up)
{
	size_t n = 0;

	*up = NULL;
	for (size_t i = 0; i < route->n_hops; i++)
		if (q->is_up(&route->hops[i], q->arg))
			*cni_push(arena, *up, n) = &route->hops[i];
	return n;
}

static bool is_better(const struct cni_st_route *a, const struct cni_st_route *than)
{
	return !than || a->to.len > than->to.len || (a->to.len == than->to.len && a->metric < than->metric);
}

static bool look_up(const struct cni_fib_query *q, struct cni_arena *arena, uint32_t table,
		    struct cni_fib_answer *answer)
{
	static const enum cni_fib_kind kinds[] = { [CNI_RT_UNICAST] = CNI_FIB_UNICAST,
						   [CNI_RT_BLACKHOLE] = CNI_FIB_BLACKHOLE,
						   [CNI_RT_UNREACHABLE] = CNI_FIB_UNREACHABLE,
						   [CNI_RT_OTHER] = CNI_FIB_FOREIGN };
	const struct cni_state *s = q->state;
	bool found = false;

	for (size_t i = 0; i < s->n_routes; i++) {
		const struct cni_st_route *r = &s->routes[i];
		const struct cni_st_hop **up;
		size_t n;

		if (r->table != table || r->family != family_of(q) || !cni_prefix_has(r->to, q->packet->to) ||
		    (found && !is_better(r, answer->route)))
			continue;
		n = hops_up(q, arena, r, &up);
		if (r->type == CNI_RT_UNICAST && !n)
			continue;
		found = true;
		answer->kind = kinds[r->type];
		answer->route = r;
		answer->hops = up;
		answer->n_hops = n;
	}
	return found;
}

/* Whether the state holds all routes of a table: where cnic has a rule by mark to it, or routes. */
static bool is_known(const struct cni_state *s, uint32_t table)
{
	for (size_t i = 0; i < s->n_rules; i++)
		if (s->rules[i].table == table && cni_rule_fills(&s->rules[i]))
			return true;
	for (size_t i = 0; i < s->n_routes; i++)
		if (s->routes[i].table == table && cni_route_fills(&s->routes[i]))
			return true;
	return false;
}

/* ---- all rules ---- */

/* Whether rules of cnic's are asked where this one's table has no route. */
static bool is_before_ours(const struct cni_state *s, const struct cni_st_rule *rule)
{
	for (const struct cni_st_rule *r = rule; r < s->rules + s->n_rules; r++)
		if (r->family == rule->family && r->owned)
			return true;
	return false;
}

/* What a rule says of a packet that it selects; false: the next one is asked. */
static bool follow(const struct cni_fib_query *q, struct cni_arena *arena, const struct cni_st_rule *rule,
		   struct cni_fib_answer *answer)
{
	*answer = (struct cni_fib_answer){ .rule = rule };
	switch (rule->table) {
	case RT_TABLE_LOCAL:
		answer->kind = CNI_FIB_LOCAL;
		return cni_has_address(q->state, q->packet->to);
	case RT_TABLE_MAIN:
	case RT_TABLE_DEFAULT:
		/* of main the state holds the defaults alone */
		answer->kind = is_before_ours(q->state, rule) ? CNI_FIB_FOREIGN : CNI_FIB_MAIN;
		return true;
	}
	if (rule->table && look_up(q, arena, rule->table, answer))
		return true;
	answer->kind = CNI_FIB_FOREIGN;
	return rule->table && !rule->owned && !is_known(q->state, rule->table);
}

struct cni_fib_answer cni_fib(struct cni_arena *arena, const struct cni_fib_query *q)
{
	const struct cni_state *s = q->state;
	struct cni_fib_answer answer;
	uint32_t from = 0;

	/* sorted by family, then priority */
	for (size_t i = 0; i < s->n_rules; i++) {
		const struct cni_st_rule *rule = &s->rules[i];

		if (rule->family != family_of(q) || rule->priority < from)
			continue;
		if (rule->other)
			return (struct cni_fib_answer){ .kind = CNI_FIB_FOREIGN, .rule = rule };
		if (!selects(q, rule))
			continue;
		if (rule->jump)
			from = rule->jump;
		else if (follow(q, arena, rule, &answer))
			return answer;
	}
	return (struct cni_fib_answer){ .kind = CNI_FIB_MAIN };
}
