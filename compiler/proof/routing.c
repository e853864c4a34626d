/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routing.c - ip rules in order, and the tables that they lead to, for all packets at once. */
#include <linux/rtnetlink.h>
#include <string.h>

#include "compiler/proof/fate.h"

enum { ON, MAIN, DROP, REJECT, FIRST_HOPS }; /* labels of trees */

static void add_tree(struct routing *r, struct tree tree)
{
	*cni_push(r->d->arena, r->trees, r->n_trees) = tree;
}

void routing_init(struct routing *r, struct decoder *d, struct cni_spaces *spaces)
{
	*r = (struct routing){ .d = d, .spaces = spaces };
	add_tree(r, (struct tree){ .kind = TREE_ON });
	add_tree(r, (struct tree){ .kind = TREE_MAIN });
	add_tree(r, (struct tree){ .kind = TREE_DROP });
	add_tree(r, (struct tree){ .kind = TREE_REJECT });
}

static unsigned int tree_of(struct routing *r, const struct ip_route *route, unsigned int next)
{
	for (unsigned int i = FIRST_HOPS; i < r->n_trees; i++)
		if (r->trees[i].route == route && r->trees[i].next == next)
			return i;
	add_tree(r, (struct tree){ TREE_HOPS, route, next });
	return (unsigned int)r->n_trees - 1;
}

/* ---- tables ---- */

struct preferring {
	struct routing *r;
	const struct ip_route *route;
};

/* When all its next hops are down, the kernel takes what would come next (fib_table_lookup(), fib6_node_lookup()). */
static unsigned int prefer(unsigned int x, unsigned int y, void *arg)
{
	const struct preferring *p = arg;

	(void)y;
	return tree_of(p->r, p->route, x);
}

static struct cni_map by_route(struct routing *r, const struct ip_route *route, struct cni_map rest)
{
	struct preferring preferring = { r, route };

	if (route->type != ROUTE_UNICAST)
		return cni_map_all(r->spaces, route->type == ROUTE_BLACKHOLE ? DROP : REJECT);
	return cni_map_join(r->spaces, rest, rest, prefer, &preferring);
}

/* Routes stand in the order of preference: from the last one up. */
static struct cni_map make_table(struct routing *r, uint32_t number, enum cni_family family)
{
	const struct ruleset *set = r->d->to;
	struct cni_map all = cni_map_all(r->spaces, ON);

	for (size_t i = set->n_routes; i--;) {
		const struct ip_route *route = &set->routes[i];

		if (route->table == number && route->family == family)
			all = cni_map_ite(r->spaces, cni_space_prefix(r->spaces, CNI_FIELD_TO, route->to),
					  by_route(r, route, all), all);
	}
	return all;
}

static struct cni_map table_map(struct routing *r, uint32_t number, enum cni_family family)
{
	struct cni_map map;

	/* what is in the kernel's own is not looked at: ordinary routing may be anything */
	if (r->d->is_dump && number == RT_TABLE_MAIN)
		return cni_map_all(r->spaces, MAIN);
	for (size_t i = 0; i < r->n_tables; i++)
		if (r->tables[i].number == number && r->tables[i].family == family)
			return r->tables[i].map;
	map = make_table(r, number, family);
	*cni_push(r->d->arena, r->tables, r->n_tables) = (struct table){ number, family, map };
	return map;
}

/* ---- rules ---- */

/* Where a table ends without an answer, the rules after it go on. */
static unsigned int go_on(unsigned int x, unsigned int y, void *arg)
{
	struct routing *r = arg;

	if (r->trees[x].kind == TREE_ON)
		return y;
	return r->trees[x].kind == TREE_HOPS ? tree_of(r, r->trees[x].route, go_on(r->trees[x].next, y, arg)) : x;
}

static struct cni_space selected(struct routing *r, const struct ip_rule *rule, uint32_t mark, const char *iif)
{
	struct cni_space where = cni_space_all();

	if (((mark ^ rule->mark) & rule->mask) || (rule->iif && strcmp(rule->iif, iif) != 0))
		where = cni_space_none();
	if (rule->from.len)
		where = cni_space_and(r->spaces, where, cni_space_prefix(r->spaces, CNI_FIELD_FROM, rule->from));
	if (rule->to.len)
		where = cni_space_and(r->spaces, where, cni_space_prefix(r->spaces, CNI_FIELD_TO, rule->to));
	if (rule->ipproto)
		where = cni_space_and(r->spaces, where,
				      cni_space_value(r->spaces, rule->family, CNI_FIELD_PROTO, rule->ipproto));
	return rule->inverted ? cni_space_not(r->spaces, where) : where;
}

/* By the rules of all, or by ours alone. */
static struct cni_map by_rules(struct routing *r, enum cni_family family, uint32_t mark, const char *iif,
			       bool only_ours)
{
	const struct ruleset *set = r->d->to;
	/* from rule i on; behind the last of ours stands main's */
	struct cni_map *from = cni_new_array(r->d->arena, struct cni_map, set->n_rules + 1);

	from[set->n_rules] = cni_map_all(r->spaces, MAIN);
	for (size_t i = set->n_rules; i--;) {
		const struct ip_rule *rule = &set->rules[i];
		const struct cni_space where = rule->family == family ? selected(r, rule, mark, iif) : cni_space_none();
		struct cni_map then = from[i + 1];
		size_t to = i + 1;

		from[i] = then;
		if (cni_space_is_empty(where) || rule->action == RULE_NOP || (only_ours && rule->is_foreign))
			continue;
		while (rule->action == RULE_GOTO && to < set->n_rules &&
		       (set->rules[to].family != family || set->rules[to].priority < rule->jump))
			to++;
		if (rule->action == RULE_GOTO)
			then = from[to];
		else if (rule->action != RULE_LOOKUP)
			then = cni_map_all(r->spaces, rule->action == RULE_DROP ? DROP : REJECT);
		else
			then = cni_map_join(r->spaces, table_map(r, rule->table, family), then, go_on, r);
		from[i] = cni_map_ite(r->spaces, where, then, from[i]);
	}
	return from[0];
}

/* What we leave to main is ordinary routing, and others' rules are part of that, wherever they stand. */
struct cni_map routing_map(struct routing *r, enum cni_family family, uint32_t mark, const char *iif)
{
	const struct cni_map ours = by_rules(r, family, mark, iif, true);

	if (!r->d->to->has_foreign)
		return ours;
	return cni_map_ite(r->spaces, cni_map_where(r->spaces, ours, MAIN), ours,
			   by_rules(r, family, mark, iif, false));
}
