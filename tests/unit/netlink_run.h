/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netlink_run.h - for tests against the running kernel: a network namespace of their own, and desired states made by
 * hand. Of the kernel they need veth and nf_tables; GRE and VLAN are tests/kernel's. */
#ifndef NETLINK_RUN_H
#define NETLINK_RUN_H

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "compiler/arena.h"
#include "compiler/plan.h"
#include "runtime/netlink/report.h"
#include "runtime/netlink/snapshot.h"
#include "runtime/transaction.h"

/* ---- a namespace with two devices and things that are not cnic's ---- */

static const char *const foreign[] = {
	"ip link set lo up",
	"ip link add v0 type veth peer name v1",
	"ip link set v0 up",
	"ip link set v1 up",
	"ip address add 192.0.2.1/24 dev v1",
	"ip route add 198.51.100.0/24 via 192.0.2.2",
	"ip rule add priority 77 from 203.0.113.0/24 lookup 77",
	"ip -6 rule add priority 78 to 2001:db8:77::/48 suppress_prefixlength 0 lookup 78",
	"nft add table inet other",
};

static inline void sh(const char *command)
{
	if (system(command))
		fail_msg("%s", command);
}

static inline int enter(void **state)
{
	(void)state;
	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET))
		return -1;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
		sh(foreign[i]);
	return 0;
}

struct bench {
	struct cni_arena *arena;
	struct cni_diags diags;
	struct rt_netlink *nl;
};

static inline void open_bench(struct bench *b)
{
	b->arena = cni_arena_new();
	cni_diags_init(&b->diags, b->arena);
	assert_int_equal(rt_netlink_open(&b->nl, &b->diags), 0);
}

static inline void close_bench(struct bench *b)
{
	rt_netlink_free(b->nl);
	cni_arena_free(b->arena);
}

static inline struct cni_state *look(struct bench *b)
{
	struct cni_state *state = NULL;

	if (rt_snapshot(b->nl, b->arena, &state, &b->diags))
		fail_msg("%s", b->diags.first->message);
	return state;
}

static inline int apply(struct bench *b, const struct cni_state *want, struct rt_result *result)
{
	const struct cni_plan *plan = cni_plan(b->arena, look(b), want, &b->diags);

	assert_int_equal(b->diags.n_errors, 0);
	return rt_apply(b->nl, b->arena, plan, &b->diags, result);
}

static inline void print_diags(const struct bench *b)
{
	for (const struct cni_diag *d = b->diags.first; d; d = d->next)
		print_message("# CNI%d %s (%s)\n", (int)d->code, d->message, d->label ? d->label : "");
}

static inline void must_apply(struct bench *b, const struct cni_state *want, struct rt_result *result)
{
	if (apply(b, want, result))
		print_diags(b);
	assert_int_equal(result->outcome, RT_DONE);
	assert_true(result->verified);
	assert_int_equal(result->n_leftovers, 0);
}

/* ---- desired states by hand ---- */

static inline struct cni_prefix prefix(const char *address, uint8_t len)
{
	struct cni_prefix p = { .len = len };

	assert_true(cni_addr_parse(address, strlen(address), &p.addr));
	return p;
}

static inline struct cni_st_hop hop(const char *via, const char *device, uint16_t weight)
{
	struct cni_st_hop h = { .device = device, .weight = weight, .has_via = via };

	if (via)
		h.via = prefix(via, 0).addr;
	return h;
}

static inline struct cni_expr *add_expr(struct bench *b, struct cni_st_rule_nft *rule, enum cni_expr_op op, int32_t key)
{
	struct cni_expr *x = cni_push(b->arena, rule->exprs, rule->n_exprs);

	x->op = op;
	x->key = key;
	return x;
}

static inline struct cni_st_chain *add_chain(struct bench *b, struct cni_state *s, const char *name,
					     enum cni_hook_type type, uint32_t hook, int32_t priority)
{
	struct cni_st_chain *c = cni_push(b->arena, s->chains, s->n_chains);

	*c = (struct cni_st_chain){ .name = name, .type = type, .hook = hook, .priority = priority };
	return c;
}

static inline struct cni_st_rule_nft *add_rule(struct bench *b, struct cni_st_chain *chain)
{
	return cni_push(b->arena, chain->rules, chain->n_rules);
}

/* One rule with every expression that cnic writes and a chain of any type takes. */
static inline void add_all_exprs(struct bench *b, struct cni_st_chain *chain)
{
	struct cni_st_rule_nft *r = add_rule(b, chain);
	struct cni_expr *x;

	add_expr(b, r, CNI_X_META, NFT_META_L4PROTO)->reg = 4;
	x = add_expr(b, r, CNI_X_CMP, NFT_CMP_EQ);
	x->reg = 4;
	x->len = 1;
	x->a[0] = 6;
	x = add_expr(b, r, CNI_X_PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER);
	x->reg = 9;
	x->offset = 13;
	x->len = 1;
	x = add_expr(b, r, CNI_X_BITWISE, 0);
	x->sreg = x->reg = 9;
	x->len = 1;
	x->a[0] = 2;
	add_expr(b, r, CNI_X_CT, NFT_CT_MARK)->reg = 1;
	add_expr(b, r, CNI_X_CT_SET, NFT_CT_MARK)->reg = 1;
	add_expr(b, r, CNI_X_META_SET, NFT_META_MARK)->reg = 1;
	x = add_expr(b, r, CNI_X_FIB, NFT_FIB_RESULT_ADDRTYPE);
	x->reg = 2;
	x->len = NFTA_FIB_F_DADDR;
	x = add_expr(b, r, CNI_X_HASH, 0);
	x->sreg = 4;
	x->reg = 8;
	x->len = 4;
	x->modulus = 4;
	x->seed = 1;
	x = add_expr(b, r, CNI_X_BYTEORDER, 0);
	x->sreg = x->reg = 8;
	add_expr(b, r, CNI_X_COUNTER, 0)->name = "route.a.b";
	x = add_expr(b, r, CNI_X_IMMEDIATE, 0);
	x->reg = 3;
	x->len = 2;
	x->a[0] = 5;
	x = add_expr(b, r, CNI_X_TCPOPT_SET, 2);
	x->sreg = 3;
	x->offset = x->len = 2;
	add_expr(b, r, CNI_X_VERDICT, NFT_RETURN);
}

static inline struct cni_st_set *add_set(struct bench *b, struct cni_state *s, const char *name, enum cni_key_type key,
					 uint16_t len)
{
	struct cni_st_set *set = cni_push(b->arena, s->sets, s->n_sets);

	*set = (struct cni_st_set){ .name = name, .fields = { key }, .n_fields = 1, .key_len = len };
	return set;
}

/* A map of ranges: two that touch, and one up to the highest address. */
static inline void add_range_map(struct bench *b, struct cni_state *s, const char *name, const char *chain)
{
	static const uint8_t keys[] = { 10, 0, 0, 0, 10,  255, 255, 255, 11,  0,   0,	0,
					11, 0, 0, 9, 240, 0,   0,   0,	 255, 255, 255, 255 };
	struct cni_st_set *set = add_set(b, s, name, CNI_KEY_IPV4, 4);

	set->interval = set->map = true;
	set->n_elems = 3;
	set->keys = (uint8_t *)cni_strndup(b->arena, (const char *)keys, sizeof(keys));
	set->verdicts = cni_new_array(b->arena, struct cni_st_verdict, 3);
	set->verdicts[0] = (struct cni_st_verdict){ NFT_GOTO, chain };
	set->verdicts[1] = (struct cni_st_verdict){ NF_ACCEPT, NULL };
	set->verdicts[2] = (struct cni_st_verdict){ NFT_JUMP, chain };
}

/* `n` marks and devices, concatenated. */
static inline void add_pairs(struct bench *b, struct cni_state *s, const char *name, uint32_t n)
{
	struct cni_st_set *set = add_set(b, s, name, CNI_KEY_MARK, 20);

	set->fields[1] = CNI_KEY_IFNAME;
	set->n_fields = 2;
	set->n_elems = n;
	set->keys = cni_alloc(b->arena, n * 20);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t ordered = __builtin_bswap32(i); /* ascending by memcmp */

		memcpy(set->keys + i * 20, &ordered, 4);
		memcpy(set->keys + i * 20 + 4, "v0", 3);
	}
}

static inline void jump_to(struct bench *b, struct cni_st_chain *chain, const char *map, int key)
{
	struct cni_st_rule_nft *r = add_rule(b, chain);
	struct cni_expr *x;

	add_expr(b, r, CNI_X_META, NFT_META_NFPROTO)->reg = 0;
	x = add_expr(b, r, CNI_X_CMP, NFT_CMP_EQ);
	x->len = 1;
	x->a[0] = NFPROTO_IPV4;
	x = add_expr(b, r, CNI_X_PAYLOAD, NFT_PAYLOAD_NETWORK_HEADER);
	x->offset = 16;
	x->len = 4;
	add_expr(b, r, CNI_X_LOOKUP, key)->name = map;
}

/* Rules by which packets pass over others, on to one that does nothing, or to none. */
static inline void add_passing(struct bench *b, struct cni_state *s, uint32_t table)
{
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		const struct cni_st_rule rule = { .family = f, .priority = table, .owned = true };
		struct cni_st_rule *to = cni_push(b->arena, s->rules, s->n_rules);

		*to = rule;
		to->priority = table + 5000;
		for (int invert = 0; invert < 2; invert++) {
			struct cni_st_rule *from = cni_push(b->arena, s->rules, s->n_rules);

			*from = rule;
			from->invert = invert;
			from->mask = invert ? 0xfffc : 0xffff;
			from->jump = table + 5000 + 5000 * (uint32_t)invert;
		}
	}
}

static inline void add_routing(struct bench *b, struct cni_state *s, uint32_t table, const char *gateway)
{
	static const enum cni_route_type closed[] = { CNI_RT_UNREACHABLE, CNI_RT_BLACKHOLE };
	struct cni_st_route *r;

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		struct cni_prefix everything = prefix(f == CNI_V4 ? "0.0.0.0" : "::", 0);

		*cni_push(b->arena, s->rules, s->n_rules) = (struct cni_st_rule){ .family = f,
										  .priority = table,
										  .mark = table & 0xff,
										  .mask = 0xffff,
										  .table = table,
										  .owned = true };
		*cni_push(b->arena, s->routes, s->n_routes) = (struct cni_st_route){ .table = table,
										     .family = f,
										     .to = everything,
										     .metric = CNI_GUARD_METRIC,
										     .owned = true,
										     .type = closed[f] };
	}
	add_passing(b, s, table);
	r = cni_push(b->arena, s->routes, s->n_routes);
	*r = (struct cni_st_route){ .table = table, .to = prefix("0.0.0.0", 0), .metric = 10, .owned = true };
	*cni_push(b->arena, r->hops, r->n_hops) = hop(gateway, "v0", 1);
	r->has_source = true;
	r->source = prefix("10.1.0.1", 32).addr;
	r = cni_push(b->arena, s->routes, s->n_routes);
	*r = (struct cni_st_route){ .table = table, .to = prefix("10.99.0.0", 16), .metric = 20, .owned = true };
	*cni_push(b->arena, r->hops, r->n_hops) = hop("10.1.0.0", "v0", 200);
	*cni_push(b->arena, r->hops, r->n_hops) = hop(NULL, "v1", 256);
	r = cni_push(b->arena, s->routes, s->n_routes);
	*r = (struct cni_st_route){
		.table = table, .family = CNI_V6, .to = prefix("2001:db8::", 32), .metric = 20, .owned = true
	};
	*cni_push(b->arena, r->hops, r->n_hops) = hop("2001:db8:1::1", "v0", 3);
	*cni_push(b->arena, r->hops, r->n_hops) = hop("2001:db8:1::2", "v0", 1);
}

/* What the policies A and B have in common is an address, a table, and the base chains. */
static inline struct cni_state *policy(struct bench *b, char which)
{
	bool a = which == 'a';
	struct cni_state *s = cni_new(b->arena, struct cni_state);
	const char *map = a ? "map.a" : "map.b", *chain = a ? "route.a" : "route.b";
	struct cni_st_rule_nft *r;

	*cni_push(b->arena, s->addrs, s->n_addrs) =
		(struct cni_st_addr){ .device = "v0", .address = prefix("10.1.0.1", 31), .owned = true };
	*cni_push(b->arena, s->addrs, s->n_addrs) =
		(struct cni_st_addr){ .device = "v0", .address = prefix("2001:db8:1::", 64), .owned = true };
	*cni_push(b->arena, s->addrs, s->n_addrs) = (struct cni_st_addr){
		.device = "lo", .address = prefix(a ? "172.64.240.253" : "172.64.240.254", 32), .owned = true
	};
	add_routing(b, s, 20001, a ? "10.1.0.0" : "10.1.0.1");
	s->routes[s->n_routes - 3].hops->via = prefix("10.1.0.0", 0).addr;
	add_routing(b, s, a ? 20002 : 20003, "10.1.0.0");
	*cni_push(b->arena, s->rules, s->n_rules) = (struct cni_st_rule){ .priority = 50,
									  .has_from = true,
									  .from = prefix("172.64.240.253", 32),
									  .iif = a ? "lo" : "v9",
									  .ipproto = 47,
									  .table = 20001,
									  .owned = true };
	*cni_push(b->arena, s->settings, s->n_settings) =
		(struct cni_st_setting){ .device = "v0", .key = CNI_SET_ACCEPT_LOCAL, .value = a };
	*cni_push(b->arena, s->settings, s->n_settings) =
		(struct cni_st_setting){ .device = "v0", .key = CNI_SET_RP_FILTER, .value = 2 };
	*cni_push(b->arena, s->settings, s->n_settings) =
		(struct cni_st_setting){ .device = "", .key = CNI_SET_MULTIPATH_HASH, .value = 1 };

	s->has_table = true;
	*cni_push(b->arena, s->counters, s->n_counters) = (struct cni_st_counter){ .name = "route.a.b" };
	*cni_push(b->arena, s->counters, s->n_counters) =
		(struct cni_st_counter){ .name = a ? "path.1" : "path.2", .comment = "cf1 then cf2 else drop" };
	add_range_map(b, s, map, chain);
	add_pairs(b, s, a ? "pairs.a" : "pairs.b", a ? 5 : 3000);
	add_all_exprs(b, add_chain(b, s, chain, CNI_HOOK_NONE, 0, 0));
	jump_to(b, add_chain(b, s, "prerouting", CNI_HOOK_FILTER, NF_INET_PRE_ROUTING, -150), map, 2);
	r = add_rule(b, add_chain(b, s, "output", CNI_HOOK_ROUTE, NF_INET_LOCAL_OUT, -150));
	add_expr(b, r, CNI_X_VERDICT, NFT_JUMP)->name = chain;
	r = add_rule(b, add_chain(b, s, "raw_prerouting", CNI_HOOK_FILTER, NF_INET_PRE_ROUTING, -300));
	add_expr(b, r, CNI_X_NOTRACK, 0);
	r = add_rule(b, add_chain(b, s, "nat_postrouting", CNI_HOOK_NAT, NF_INET_POST_ROUTING, 100));
	add_expr(b, r, CNI_X_META, NFT_META_MARK)->reg = 0;
	add_expr(b, r, CNI_X_META, NFT_META_OIFNAME)->reg = 1;
	add_expr(b, r, CNI_X_LOOKUP, 1)->name = a ? "pairs.a" : "pairs.b";
	if (a) {
		add_expr(b, r, CNI_X_MASQUERADE, 0);
	} else {
		struct cni_expr *x = add_expr(b, r, CNI_X_IMMEDIATE, 0);

		memcpy(x->a, "\xc0\x00\x02\x01", 4);
		x->len = 4;
		add_expr(b, r, CNI_X_SNAT, NFPROTO_IPV4);
	}
	cni_state_sort(s);
	return s;
}

/* But for `n_leftovers` things that are too many. */
static inline bool holds(struct bench *b, const struct cni_state *want, size_t n_leftovers)
{
	const struct cni_plan *left = cni_plan(b->arena, look(b), want, &b->diags);

	if (left->n_steps == n_leftovers && (!n_leftovers || left->steps[0].phase == CNI_CONTRACT))
		return true;
	for (size_t i = 0; i < left->n_steps; i++)
		print_message("# differs: %s\n", rt_step_text(b->arena, &left->steps[i]));
	return false;
}

#endif
