/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emit_test.c - states, plans and diagnostics as text: devices, routes, steps, carets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/emit/emit.h"

static int setup(void **state)
{
	*state = cni_arena_new();
	return 0;
}

static int teardown(void **state)
{
	cni_arena_free(*state);
	return 0;
}

/* ---- devices, addresses, routes ---- */

static struct cni_addr ip(const char *text)
{
	struct cni_addr addr;

	assert_true(cni_addr_parse(text, strlen(text), &addr));
	return addr;
}

static struct cni_prefix prefix(const char *text, uint8_t len)
{
	return (struct cni_prefix){ ip(text), len };
}

static void test_ip(void **state)
{
	struct cni_st_link links[] = {
		{ .name = "cf1",
		  .owned = true,
		  .type = CNI_DEV_GRE,
		  .kind = "gre",
		  .up = true,
		  .mtu = 1464,
		  .local = ip("198.51.100.130"),
		  .remote = ip("203.0.113.200"),
		  .ttl = 64,
		  .tos = 1,
		  .has_key = true,
		  .key = 7,
		  .csum = true,
		  .seq = true,
		  .ignore_df = true },
		{ .name = "cf2",
		  .owned = true,
		  .type = CNI_DEV_IP6GRE,
		  .kind = "ip6gre",
		  .up = true,
		  .local = ip("2001:db8::1"),
		  .remote = ip("2001:db8::2"),
		  .tos = 0x10,
		  .encap_limit = 256 },
		{ .name = "eth1" },
		{ .name = "eth1.100",
		  .owned = true,
		  .type = CNI_DEV_VLAN,
		  .kind = "vlan",
		  .up = true,
		  .mtu = 1500,
		  .parent = "eth1",
		  .vlan = 100 },
	};
	struct cni_st_setting settings[] = {
		{ .device = "", .key = CNI_SET_MULTIPATH_HASH, .value = 1 },
		{ .device = "eth1", .key = CNI_SET_RP_FILTER, .value = 2 },
		{ .device = "eth1.100", .key = CNI_SET_IGNORE_LINKDOWN6, .value = 1 },
	};
	struct cni_st_addr addrs[] = {
		{ .device = "cf1", .address = prefix("10.100.0.9", 31), .owned = true },
		{ .device = "eth0", .address = prefix("192.0.2.1", 24) },
	};
	struct cni_st_rule rules[] = {
		{ .priority = 93,
		  .has_from = true,
		  .from = prefix("198.51.100.130", 32),
		  .ipproto = 47,
		  .table = 800,
		  .owned = true },
		{ .family = CNI_V6,
		  .priority = 95,
		  .has_to = true,
		  .to = prefix("2001:db8::", 32),
		  .iif = "eth2",
		  .mark = 3,
		  .mask = 0xffff,
		  .table = 903,
		  .owned = true },
		{ .priority = 96, .invert = true, .mask = 0xfffc, .jump = 99, .owned = true },
		{ .priority = 99, .owned = true },
		{ .priority = 32766, .table = 254 },
	};
	struct cni_st_hop hops[] = { { .has_via = true, .via = ip("192.0.2.10"), .device = "eth1.100", .weight = 3 },
				     { .device = "cf1", .weight = 1, .onlink = true },
				     { .has_via = true, .via = ip("fe80::1"), .device = "eth1", .weight = 1 } };
	struct cni_st_route routes[] = {
		{ .table = 903, .metric = 10, .hops = hops, .n_hops = 2, .owned = true },
		{ .table = 903, .metric = CNI_GUARD_METRIC, .type = CNI_RT_UNREACHABLE, .owned = true },
		{ .table = 904,
		  .to = prefix("203.0.113.200", 32),
		  .metric = 10,
		  .has_source = true,
		  .source = ip("198.51.100.130"),
		  .hops = &hops[2],
		  .n_hops = 1,
		  .owned = true },
		{ .table = 904, .family = CNI_V6, .metric = 20, .type = CNI_RT_BLACKHOLE, .owned = true },
	};
	const struct cni_state s = { .links = links,
				     .n_links = 4,
				     .settings = settings,
				     .n_settings = 3,
				     .addrs = addrs,
				     .n_addrs = 2,
				     .rules = rules,
				     .n_rules = 5,
				     .routes = routes,
				     .n_routes = 4 };
	struct cni_text text = { .arena = *state };

	cni_emit_ip(&text, &s);
	assert_string_equal(
		text.data,
		"# device eth1 must be there\n"
		"ip link add link eth1 name eth1.100 mtu 1500 up group 25454 type vlan id 100\n"
		"ip link add name cf1 mtu 1464 up group 25454 type gre local 198.51.100.130 remote 203.0.113.200"
		" ttl 64 tos inherit key 7 csum seq nopmtudisc ignore-df\n"
		"ip link add name cf2 up group 25454 type ip6gre local 2001:db8::1 remote 2001:db8::2 ttl inherit"
		" tos 0x10 encaplimit none\n"
		"sysctl -w net.ipv4.fib_multipath_hash_policy=1\n"
		"sysctl -w net.ipv4.conf.eth1.rp_filter=2\n"
		"sysctl -w net/ipv6/conf/eth1.100/ignore_routes_with_linkdown=1\n"
		"ip addr add 10.100.0.9/31 dev cf1\n"
		"ip route add default table 903 proto 93 metric 10 nexthop via 192.0.2.10 dev eth1.100 weight 3"
		" nexthop dev cf1 weight 1 onlink\n"
		"ip route add unreachable default table 903 proto 93 metric 4278198272\n"
		"ip route add 203.0.113.200/32 via inet6 fe80::1 dev eth1 table 904 proto 93 metric 10"
		" src 198.51.100.130\n"
		"ip -6 route add blackhole default table 904 proto 93 metric 20\n"
		"ip rule add priority 93 from 198.51.100.130/32 ipproto 47 lookup 800 protocol 93\n"
		"ip -6 rule add priority 95 to 2001:db8::/32 iif eth2 fwmark 0x3/0xffff lookup 903 protocol 93\n"
		"ip rule add priority 96 not fwmark 0x0/0xfffc goto 99 protocol 93\n"
		"ip rule add priority 99 nop protocol 93\n");
}

/* ---- plans ---- */

static void test_plan(void **state)
{
	struct cni_st_link old = { .name = "cf1",
				   .owned = true,
				   .type = CNI_DEV_GRE,
				   .kind = "gre",
				   .up = true,
				   .mtu = 1476,
				   .ttl = 64,
				   .pmtudisc = true };
	struct cni_st_link new = old;
	struct cni_st_setting setting = { .device = "cf1", .value = 1 };
	struct cni_st_counter counter = { .name = "path.1", .comment = "cf1 else drop" };
	struct cni_expr jump[] = { { .op = CNI_X_VERDICT, .key = NFT_JUMP, .name = "steer.2.ab" } };
	struct cni_st_set saas = { .name = "saas", .n_elems = 3 };
	struct cni_st_rule_nft rule = { .exprs = jump, .n_exprs = 1 };
	struct cni_st_chain chain = { .name = "prerouting", .type = CNI_HOOK_FILTER, .rules = &rule, .n_rules = 1 };
	struct cni_step steps[] = {
		{ CNI_EXPAND, CNI_ADD, CNI_TABLE_NFT, NULL, &chain, NULL, { 0 } },
		{ CNI_EXPAND, CNI_ADD, CNI_COUNTER, NULL, &counter, NULL, { 0 } },
		{ CNI_EXPAND, CNI_ADD, CNI_SET, NULL, &saas, NULL, { 0 } },
		{ CNI_IN_PLACE, CNI_CHANGE, CNI_LINK, &old, &new, "what passes cf1 is lost", { 0 } },
		{ CNI_FLIP, CNI_ADD, CNI_BASE_RULES, NULL, &chain, NULL, { 0 } },
		{ CNI_CONTRACT, CNI_DELETE, CNI_SETTING, &setting, NULL, NULL, { 0 } },
		{ CNI_CONTRACT, CNI_DELETE, CNI_CHAIN, &chain, NULL, NULL, { 0 } },
	};
	const struct cni_state none = { 0 };
	struct cni_plan plan = { .steps = steps, .n_steps = 7, .observed = &none, .desired = &none };
	struct cni_sources sources = { 0 };
	struct cni_text text = { .arena = *state };

	new.remote = ip("203.0.113.9");
	new.local = ip("192.0.2.1");
	old.remote = ip("203.0.113.8");
	old.local = ip("192.0.2.1");
	steps[3].span.begin = cni_source_add(*state, &sources, "a.cni", "\n\nremote", 8)->base + 2;
	steps[3].span.end = steps[3].span.begin + 6;
	cni_emit_plan(&text, &plan, &sources, false);
	assert_string_equal(
		text.data,
		"expand: what no packet meets yet\n"
		"    + table   inet cnic\n"
		"    + counter path.1 (cf1 else drop)\n"
		"    + set     saas (3 elements)\n"
		"in place: what the kernel can only change where it is\n"
		"    ~ device  cf1 mtu 1476 up group 25454 type gre local 192.0.2.1 remote 203.0.113.9 ttl 64  "
		"[a.cni:3]\n"
		"      was     cf1 mtu 1476 up group 25454 type gre local 192.0.2.1 remote 203.0.113.8 ttl 64\n"
		"    ! what passes cf1 is lost\n"
		"flip: one transaction, every packet meets the old rules or the new ones\n"
		"    + rules   prerouting: jump steer.2.ab\n"
		"contract: what no packet meets any more\n"
		"    - chain   prerouting (base chain)\n"
		"4 to add, 1 to change, 0 to replace, 1 to remove\n");
	plan.n_steps = 0;
	text.len = 0;
	cni_emit_plan(&text, &plan, &sources, true);
	assert_string_equal(text.data, "nothing to do\n");
}

/* ---- diagnostics ---- */

struct page {
	struct cni_arena *arena;
	struct cni_sources sources;
	struct cni_diags diags;
	const char *text;
	uint32_t base;
};

static void open_page(struct page *p, struct cni_arena *arena, const char *name, const char *text)
{
	*p = (struct page){ .arena = arena, .text = text };
	cni_diags_init(&p->diags, arena);
	p->base = cni_source_add(arena, &p->sources, name, text, strlen(text))->base;
}

static struct cni_span find(const struct page *p, const char *word)
{
	const char *at = strstr(p->text, word);

	assert_non_null(at);
	return (struct cni_span){ p->base + (uint32_t)(at - p->text),
				  p->base + (uint32_t)(at - p->text + strlen(word)) };
}

static const char *shown(const struct page *p)
{
	struct cni_text text = { .arena = p->arena };

	cni_emit_diags(&text, &p->diags, &p->sources, false);
	return text.data;
}

static void test_diags(void **state)
{
	struct page p;
	struct cni_diag *d;

	open_page(&p, *state, "branch.cni", "\n\n\n\n\n\n\n\n\n\n\n\n\ntunnel x { key 7; }\n");
	d = cni_diag(&p.diags, CNI550, find(&p, "7"), "GRE key 7 is used twice");
	cni_diag_label(&p.diags, d, "also used by `hq-dc1`");
	cni_diag_help(&p.diags, d, "the kernel tells tunnels apart by (local, remote, key)");
	cni_diag_related(&p.diags, d, find(&p, "key"), "first used here");
	cni_diag_related(&p.diags, d, (struct cni_span){ 0 }, "and elsewhere");
	cni_diag(&p.diags, CNI551, (struct cni_span){ 0 }, "no place at all");
	assert_string_equal(shown(&p), "error[CNI550]: GRE key 7 is used twice\n"
				       "  --> branch.cni:14:16\n"
				       "   |\n"
				       "14 | tunnel x { key 7; }\n"
				       "   |                ^ also used by `hq-dc1`\n"
				       "  ::: branch.cni:14:12: first used here\n"
				       "  ::: and elsewhere\n"
				       "   = help: the kernel tells tunnels apart by (local, remote, key)\n"
				       "\n"
				       "error[CNI551]: no place at all\n");
}

/* The caret stands under what it means, whatever is before it; nothing of a text controls the terminal. */
static void test_diag_columns(void **state)
{
	struct page p;

	open_page(&p, *state, "x",
		  "\ta\tb \xc3\xa9\xe6\xbc\xa2"
		  "e\xcc\x81 w\xc3\xb6rt \x1b[2J\xff end");
	cni_diag(&p.diags, CNI550, find(&p, "w\xc3\xb6rt"), "an \x1b[31mescape\x1b and a\ttab");
	assert_string_equal(shown(&p), "error[CNI550]: an \xef\xbf\xbd[31mescape\xef\xbf\xbd and a tab\n"
				       " --> x:1:15\n"
				       "  |\n"
				       "1 |         a       b \xc3\xa9\xe6\xbc\xa2"
				       "e\xcc\x81 w\xc3\xb6rt"
				       " \xef\xbf\xbd[2J\xef\xbf\xbd end\n"
				       "  |                        ^^^^\n");
	open_page(&p, *state, "x", "");
	cni_diag(&p.diags, CNI550, (struct cni_span){ p.base, p.base }, "an empty file");
	assert_string_equal(shown(&p), "error[CNI550]: an empty file\n --> x:1:1\n  |\n1 | \n  | ^\n");
	open_page(&p, *state, "x", "first {\n}\n");
	cni_diag(&p.diags, CNI550, find(&p, "{\n}"), "over two lines");
	assert_string_equal(shown(&p), "error[CNI550]: over two lines\n --> x:1:7\n  |\n1 | first {\n  |       ^\n");
}

static void test_diag_long_line(void **state)
{
	char line[400];
	struct page p;

	memset(line, '-', sizeof(line));
	memcpy(line + 200, "HERE", 4);
	line[sizeof(line) - 1] = '\0';
	open_page(&p, *state, "x", line);
	cni_diag(&p.diags, CNI550, find(&p, "HERE"), "far right");
	assert_string_equal(shown(&p), "error[CNI550]: far right\n --> x:1:201\n  |\n"
				       "1 | …------------------------------HERE----------------------------------------"
				       "--------------------------…\n"
				       "  |                                ^^^^\n");
}

static void test_diag_limit(void **state)
{
	struct page p;

	open_page(&p, *state, "x", "x");
	p.diags.limit = 1;
	for (int i = 0; i < 3; i++)
		cni_diag(&p.diags, CNI550, (struct cni_span){ 0 }, "number %d", i);
	assert_string_equal(shown(&p), "error[CNI550]: number 0\n\nand 2 more\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_diags, setup, teardown),
		cmocka_unit_test_setup_teardown(test_diag_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_diag_long_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_diag_limit, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
