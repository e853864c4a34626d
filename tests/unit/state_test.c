/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state_test.c - what is a key, what is content, and what is neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "compiler/state.h"

/* ---- keys: every field counts, and the order is the other way round the other way round ---- */

#define DIFFERS(kind, field, value)                                                                                    \
	do {                                                                                                           \
		struct cni_st_##kind other = base;                                                                     \
                                                                                                                       \
		other.field = (value);                                                                                 \
		assert_int_not_equal(cni_##kind##_cmp(&base, &other), 0);                                              \
		assert_int_equal(cni_##kind##_cmp(&base, &other) < 0, cni_##kind##_cmp(&other, &base) > 0);            \
	} while (0)
#define IGNORES(kind, field, value)                                                                                    \
	do {                                                                                                           \
		struct cni_st_##kind other = base;                                                                     \
                                                                                                                       \
		other.field = (value);                                                                                 \
		assert_int_equal(cni_##kind##_cmp(&base, &other), 0);                                                  \
	} while (0)

static void test_rule_key(void **state)
{
	const struct cni_st_rule base = { .priority = 100,
					  .has_from = true,
					  .from = { { CNI_V4, 10 }, 32 },
					  .iif = "eth0",
					  .mark = 3,
					  .mask = 255,
					  .ipproto = 47,
					  .table = 900 };

	(void)state;
	DIFFERS(rule, family, CNI_V6);
	DIFFERS(rule, priority, 99);
	DIFFERS(rule, has_from, false);
	DIFFERS(rule, from.len, 31);
	DIFFERS(rule, from.addr.v, 11);
	DIFFERS(rule, has_to, true);
	DIFFERS(rule, iif, NULL);
	DIFFERS(rule, mark, 4);
	DIFFERS(rule, mask, 0);
	DIFFERS(rule, ipproto, 0);
	DIFFERS(rule, table, 901);
	DIFFERS(rule, invert, true);
	DIFFERS(rule, jump, 200);
	DIFFERS(rule, other, true); /* never equals one of ours */
	IGNORES(rule, owned, true);
	IGNORES(rule, to.len, 8); /* without has_to */
}

static void test_route_key(void **state)
{
	const struct cni_st_route base = { .table = 900, .to = { { CNI_V4, 10u << 24 }, 8 }, .metric = 10 };

	(void)state;
	DIFFERS(route, table, 254);
	DIFFERS(route, family, CNI_V6);
	DIFFERS(route, to.len, 9);
	DIFFERS(route, metric, 20);
	IGNORES(route, type, CNI_RT_BLACKHOLE);
	IGNORES(route, n_hops, 2);
}

static void test_other_keys(void **state)
{
	(void)state;
	{
		const struct cni_st_addr base = { .device = "cf1", .address = { { CNI_V4, 10 }, 31 } };

		DIFFERS(addr, device, "cf2");
		DIFFERS(addr, address.len, 30);
		DIFFERS(addr, address.addr.v, 11);
		DIFFERS(addr, address.addr.family, CNI_V6);
		IGNORES(addr, owned, true);
	}
	{
		const struct cni_st_setting base = { .device = "cf1" };

		DIFFERS(setting, device, "");
		DIFFERS(setting, key, CNI_SET_ACCEPT_LOCAL);
		IGNORES(setting, value, 2);
	}
}

static void test_sort(void **state)
{
	struct cni_st_rule rules[] = { { .priority = 5 }, { .priority = 3 }, { .priority = 3, .owned = true } };
	struct cni_st_link links[] = { { .name = "b" }, { .name = "a" } };
	struct cni_state s = { .rules = rules, .n_rules = 3, .links = links, .n_links = 2 };

	(void)state;
	cni_state_sort(&s);
	assert_string_equal(links[0].name, "a");
	assert_int_equal(rules[2].priority, 5);
	assert_true(rules[0].owned); /* ours before an identical foreign one */
	cni_state_sort(&(struct cni_state){ 0 });
}

/* ---- content ---- */

#define CHANGES(kind, field, value)                                                                                    \
	do {                                                                                                           \
		struct cni_st_##kind other = base;                                                                     \
                                                                                                                       \
		assert_true(cni_##kind##_same(&base, &other));                                                         \
		other.field = (value);                                                                                 \
		assert_false(cni_##kind##_same(&base, &other));                                                        \
		assert_false(cni_##kind##_same(&other, &base));                                                        \
	} while (0)
#define KEEPS(kind, field, value)                                                                                      \
	do {                                                                                                           \
		struct cni_st_##kind other = base;                                                                     \
                                                                                                                       \
		other.field = (value);                                                                                 \
		assert_true(cni_##kind##_same(&base, &other));                                                         \
	} while (0)

static void test_link_same(void **state)
{
	struct cni_st_link base = { .owned = true,
				    .type = CNI_DEV_GRE,
				    .kind = "gre",
				    .up = true,
				    .mtu = 1476,
				    .ttl = 64,
				    .has_key = true,
				    .key = 7 };

	(void)state;
	CHANGES(link, type, CNI_DEV_IP6GRE);
	CHANGES(link, up, false);
	CHANGES(link, mtu, 1400);
	CHANGES(link, local.v, 1);
	CHANGES(link, remote.v, 1);
	CHANGES(link, ttl, 63);
	CHANGES(link, tos, 1);
	CHANGES(link, has_key, false);
	CHANGES(link, key, 8);
	CHANGES(link, csum, true);
	CHANGES(link, seq, true);
	CHANGES(link, pmtudisc, true);
	CHANGES(link, ignore_df, true);
	KEEPS(link, mtu, 0);
	KEEPS(link, rx_bytes, 1);
	KEEPS(link, ifindex, 1);
	KEEPS(link, encap_limit, 4);
	KEEPS(link, span.end, 1);
	base.type = CNI_DEV_IP6GRE;
	CHANGES(link, encap_limit, 4);
	KEEPS(link, pmtudisc, true);
	base = (struct cni_st_link){ .owned = true, .type = CNI_DEV_VLAN, .parent = "eth1", .vlan = 5 };
	CHANGES(link, vlan, 6);
	CHANGES(link, parent, "eth2");
	base.owned = false;
	KEEPS(link, vlan, 6); /* a foreign device need only be there */
}

static void test_route_same(void **state)
{
	struct cni_st_hop hops[] = { { .device = "a", .weight = 3 }, { .device = "b", .weight = 1 } };
	struct cni_st_hop turned[] = { hops[1], hops[0] }, doubled[] = { hops[0], hops[0] };
	struct cni_st_hop heavier[] = { hops[0], { .device = "b", .weight = 2 } };
	struct cni_st_hop single[] = { { .device = "a", .weight = 1 } };
	struct cni_st_route base = { .hops = hops, .n_hops = 2 };

	(void)state;
	CHANGES(route, type, CNI_RT_UNREACHABLE);
	CHANGES(route, has_source, true);
	CHANGES(route, n_hops, 1);
	CHANGES(route, hops, heavier);
	CHANGES(route, hops, doubled);
	KEEPS(route, hops, turned);
	KEEPS(route, owned, true);
	base.n_hops = 1;
	KEEPS(route, hops, single); /* one next hop has no share */
	hops[0].has_via = true;
	assert_false(cni_route_same(&base, &(struct cni_st_route){ .hops = single, .n_hops = 1 }));
}

static void test_set_same(void **state)
{
	uint8_t keys[] = { 1, 2 }, others[] = { 1, 3 };
	struct cni_st_verdict verdicts[] = { { NF_DROP, NULL }, { NFT_GOTO, "a" } };
	struct cni_st_verdict turned[] = { { NF_DROP, "ignored" }, { NFT_GOTO, "b" } };
	const char *comments[] = { "x", NULL }, *changed[] = { "x", "y" };
	struct cni_st_set base = { .fields = { CNI_KEY_PROTO },
				   .n_fields = 1,
				   .map = true,
				   .key_len = 1,
				   .keys = keys,
				   .verdicts = verdicts,
				   .n_elems = 2 };

	(void)state;
	CHANGES(set, fields[0], CNI_KEY_MARK);
	CHANGES(set, keys, others);
	CHANGES(set, n_elems, 1);
	CHANGES(set, map, false);
	CHANGES(set, verdicts, turned);
	KEEPS(set, handle, 7);
	turned[1].chain = "a";
	KEEPS(set, verdicts, turned);
	base.comments = comments;
	CHANGES(set, comments, changed);
}

static void test_chain_same(void **state)
{
	struct cni_expr drop = { .op = CNI_X_VERDICT, .key = NF_DROP },
			accept = { .op = CNI_X_VERDICT, .key = NF_ACCEPT };
	struct cni_st_rule_nft rules[] = { { .exprs = &drop, .n_exprs = 1 }, { .exprs = &accept, .n_exprs = 1 } };
	struct cni_st_rule_nft turned[] = { rules[1], rules[0] };
	struct cni_st_chain base = { .rules = rules, .n_rules = 2 };

	(void)state;
	CHANGES(chain, n_rules, 1);
	CHANGES(chain, rules, turned);
	CHANGES(chain, type, CNI_HOOK_FILTER);
	KEEPS(chain, priority, 5); /* of a chain without a hook */
	KEEPS(chain, handle, 5);
	base.type = CNI_HOOK_FILTER;
	CHANGES(chain, priority, 5);
	CHANGES(chain, hook, 5);
}

/* Fields that an expression does not use may hold anything. */
static void test_expr_same(void **state)
{
	const struct cni_expr a = { .op = CNI_X_CMP, .key = NFT_CMP_EQ, .len = 2, .a = { 1, 2, 3 }, .sreg = 9 };
	struct cni_expr b = a;

	(void)state;
	b.a[2] = 4;
	b.sreg = 8;
	b.name = "x";
	assert_true(cni_expr_same(&a, &b));
	b.a[1] = 4;
	assert_false(cni_expr_same(&a, &b));
	b = a;
	b.reg = 1;
	assert_false(cni_expr_same(&a, &b));
	b = a;
	b.op = CNI_X_IMMEDIATE;
	assert_false(cni_expr_same(&a, &b));
	assert_true(cni_expr_same(&(struct cni_expr){ .op = CNI_X_VERDICT, .key = NFT_RETURN, .name = "x" },
				  &(struct cni_expr){ .op = CNI_X_VERDICT, .key = NFT_RETURN }));
	assert_false(cni_expr_same(&(struct cni_expr){ .op = CNI_X_VERDICT, .key = NFT_JUMP, .name = "x" },
				   &(struct cni_expr){ .op = CNI_X_VERDICT, .key = NFT_JUMP }));
}

static void test_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < CNI_N_SETTINGS; i++) {
		assert_non_null(cni_setting_info[i].path);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(cni_setting_info[i].name, cni_setting_info[j].name);
	}
	for (size_t i = 0; i < CNI_N_KEYS; i++)
		assert_true(cni_key_info[i].name && cni_key_info[i].len && cni_key_info[i].nft_type < 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_key), cmocka_unit_test(test_route_key),  cmocka_unit_test(test_other_keys),
		cmocka_unit_test(test_sort),	 cmocka_unit_test(test_link_same),  cmocka_unit_test(test_route_same),
		cmocka_unit_test(test_set_same), cmocka_unit_test(test_chain_same), cmocka_unit_test(test_expr_same),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
