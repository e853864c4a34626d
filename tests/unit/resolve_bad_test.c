/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve_bad_test.c - what the resolver reports, where, and what hostile and large texts cost it. */
#include "tests/unit/resolve_run.h"

static void names(void **state)
{
	struct run run;

	(void)state;
	run = bad(LINKS "policy p on eth2 { route r via ips else drop; else drop; }\n", "103");
	assert_string_equal(run.diags.first->help, "did you mean `isp`?");
	cni_arena_free(run.arena);
	is_bad("link a { kind internet; device eth0; address 10.0.0.1/31; }\n"
	       "tunnel a { kind gre; over a; local 1.1.1.1; remote 2.2.2.2; }\n",
	       "100");
	is_bad(LINKS "policy p on eth2 { route r via main; route r via isp else drop; }\n", "100");
	is_bad("define a = { a };\n", "105");
	is_bad("define a = { b }; define b = { c }; define c = { a, d }; define d = { 1.0.0.0/8 };\n", "105");
	is_bad("service a = { a }; service b = { a };\n", "106");
	is_bad("var a = { 10.0.0.0/8, $b }; var b = $a; define c = { $a, $b };\n", "107");
	is_bad("define a = { $x }; define b = $y;\n", "104 104");
	is_bad("define a = { b }; define c = { a };\n", "101");
	is_bad("service a = { b, tcp 1 }; service c = a;\n", "102");
	is_bad("policy p on eth2 { route r service x via main; }\n", "153 102");
	is_bad("link abcdefghijk { kind pni; device abcdefghijk vlan 4000; }\n", "111");
	is_bad("tunnel abcdefghijklmnop { kind gre; over l; local 1.1.1.1; remote 2.2.2.2; }\n"
	       "link l { kind pni; device e; }\n",
	       "111");
	is_bad("lan l { device \"a/b\"; prefix 10.0.0.0/8; }\n", "111");
	is_bad("lan l { device \"\"; prefix 10.0.0.0/8; }\n", "111");
	is_bad("lan l { device \"..\"; prefix 10.0.0.0/8; }\n", "111");
}

static void blocks(void **state)
{
	struct run run;

	(void)state;
	run = bad("link l { kind pni; device e; mtuu 1; }\n", "120");
	assert_string_equal(run.diags.first->help, "did you mean `mtu`?");
	cni_arena_free(run.arena);
	run = bad("link l { kind pni; mtu 1500; device e; mtu 1400; }\n", "121");
	assert_string_equal(run.diags.first->related->message, "first given here");
	cni_arena_free(run.arena);
	is_bad("link l { }\n", "122 122");
	is_bad("tunnel t { }\n", "122 122 122 122");
	is_bad("lan l { device e; }\n", "122");
	is_bad("link l { kind pni; device e; health { rate low; } }\n", "122 122");
	is_bad("link l { kind pni; device e; health legacy; }\n", "128");
	is_bad("link l { kind pni; device e; health off { } }\n", "128");
	is_bad("link l { kind pni; device e; health maybe; }\n", "125");
	is_bad("link l { kind pni; device e; bgp on; }\n", "126");
	is_bad("link l { kind pni; device e; bgp { local-as 0; peer-as 4294967296; } }\n", "124 124");
	is_bad("link l { kind pni; device e; bgp { local-as 1; peer-as 2; md5 \"x\"; } }\n", "126");
	is_bad("link l { kind pni; device e; mtu; mss; lacp; }\n", "126 126 126");
	is_bad("link l { kind pni; device e; mtu 1000-1500; }\n", "123");
	is_bad("link l { kind pni; device e; mtu 67; mss 87; rate 0; dataplane 3; }\n", "124 124 124 124");
	is_bad("link l { kind pni; device e; rate 10000000000 gbit; onramp bridge; waive all; }\n", "124 125 125");
	is_bad("link l { kind pni; device e vlan 0; }\n", "158");
	is_bad("link l { kind pni; device e tag 5; }\n", "126");
	is_bad("link l { kind pni; device e; address 10.0.0.1/31 dhcp; }\n", "123 127");
	is_bad("link l { kind pni; device e; family ipv5; lacp yes; bfd 1; }\n", "125 125 123");
	is_bad("link l { kind pni; device e; track { every 5; down 0; loss 0% over 1s; hold 25h; } }\n",
	       "140 123 124 124 124");
	is_bad("link l { kind pni; device e; track { target 1.1.1.1; loss 5%; passive; } }\n", "126 126");
	is_bad("profile 2025; profile 2024;\n", "125 121");
	is_bad("options { table 255; table 300; } options { table 400; rule-priority 32766; }\n", "124 121 121 124");
	is_bad("options { mark-mask 0x7f; }\n", "141");
	is_bad("options { on-failback stay; }\n", "125");
	is_bad("options { on-failback keep 5m; }\n", "126");
	is_bad("options { on-failback drain 5m 6m; }\n", "126");
	is_bad("options { on-failback drain 500ms; }\n", "124");
	is_bad("options { on-failback drain keep; }\n", "123");
	is_bad("options { mark-mask 0; }\n", "124");
	is_bad("options { mark-mask 0x1ffffffff; }\n", "124");
}

static void addresses(void **state)
{
	struct run run;

	(void)state;
	run = bad("define a = { 10.1.2.3/16 };\n", "130");
	assert_string_equal(run.diags.first->help,
			    "write 10.1.0.0/16 for the network, or 10.1.2.3 for the one address");
	cni_arena_free(run.arena);
	run = bad("var v = 10.1.2.3/16;\ndefine a = { $v };\n", "130");
	assert_true(run.diags.first->span.begin > 22); /* at its use … */
	assert_true(run.diags.first->related->span.begin < 22); /* … and where it comes from */
	cni_arena_free(run.arena);
	run = bad("define a = { 10.0.0.9-10.0.0.1 };\n", "131");
	assert_string_equal(run.diags.first->help, "write 10.0.0.1-10.0.0.9");
	cni_arena_free(run.arena);
	is_bad("define a = { }; define b = { a };\n", "132");
	is_bad("service a = { }; service b = { a };\n", "132");
	is_bad("policy p on e { route r to { } via main; else drop; }\n", "132");
	is_bad("lan l { prefix x, \"y\", 1; }\n", "123 123 123");
	is_bad("define a = { 5 };\n", "123");
	is_bad("service a = { tcp 70000, tcp 9-1, sctp 1-70000 };\n", "124 131 124");
	is_bad("link l { kind pni; device e; address 10.0.0.1/31, 10.0.0.3/31; }\n", "135");
	is_bad("link l { kind pni; device e; address 10.0.0.1; }\n", "123");
	is_bad("link l { kind pni; device e; address 10.0.0.0/24; gateway 10.0.0.1; }\n", "133");
	is_bad("link l { kind pni; device e; address 10.0.0.3/30; }\n", "133");
	is_bad("link l { kind pni; device e; address 10.0.0.1/24, 2001:db8::1/64; gateway 10.0.0.2; }\n", "134");
	is_bad("link l { kind pni; device e; address 10.0.0.1/24; gateway 10.0.1.2; }\n", "136");
	is_bad("link l { kind pni; device e; address 10.0.0.1/24; gateway 10.0.0.1; }\n", "136");
	is_bad("link l { kind pni; device e; address 10.0.0.1/31; gateway 2001:db8::1; }\n", "136");
	is_bad("link l { kind pni; device e; address 10.0.0.1/24; gateway 10.0.0.2, 10.0.0.3; }\n", "135");
	run = good("link l { kind pni; device e; address 2001:db8::1/64; gateway fe80::1; }\n");
	assert_true(same(run.model->targets[0].iface[CNI_V6].peer, "fe80::1"));
	cni_arena_free(run.arena);
	is_bad(LINKS "tunnel t { kind gre; over ams; local 1.1.1.1; remote 2001:db8::1; }\n", "137");
	is_bad(LINKS "tunnel t { kind ip6gre; over ams; local 1.1.1.1; remote 2.2.2.2; }\n", "137");
	is_bad(LINKS "tunnel t { kind gre; over ams; local 2001:db8::2; remote 2001:db8::1; }\n", "137");
	is_bad(LINKS "tunnel t { kind ip6gre; over ams; local x; remote 2001:db8::1; }\n", "123");
	is_bad(LINKS TUNNEL "tunnel t { kind gre; over cf1 then ams then ams; local 1.1.1.1; remote 2.2.2.2; }\n",
	       "138 139");
	is_bad(LINKS "tunnel t { kind gre; over ams, isp; local 1.1.1.1; remote 2.2.2.2; }\n", "127");
	is_bad(LINKS "tunnel t { kind gre; over ams then; local 1.1.1.1; remote 2.2.2.2; }\n", "126");
	is_bad(LINKS
	       "tunnel t { kind gre; over amz; local 1.1.1.1; remote 2.2.2.2; ttl 0; tos none; key 4294967296; }\n",
	       "103 124 125 124");
	is_bad(LINKS "tunnel t { kind gre; over ams; local 1.1.1.1; remote 2.2.2.2; address dhcp; }\n", "123");
	is_bad(LINKS "tunnel t { kind gre; over ams; local 1.1.1.1; remote 2.2.2.2; address 10.0.0.1/24; }\n", "134");
	is_bad(LINKS "tunnel t { kind gre; over ams; local 1.1.1.1; remote 2.2.2.2; track { } }\n", "140");
}

#define POLICY(routes) LINKS TUNNEL "policy p on eth2 { " routes " else drop; }\n"

static void paths(void **state)
{
	struct run run;

	(void)state;
	run = bad(POLICY("route r via cf1 then isp, ams;"), "152 150");
	assert_int_equal(run.model->policies[0].routes[0].path.otherwise, CNI_VERDICT_DROP);
	cni_arena_free(run.arena);
	is_bad(POLICY("route r via cf1 weight 2 then isp else drop;"), "151");
	is_bad(POLICY("route r via cf1 weight 0, isp weight 257 else drop;"), "157 157");
	is_bad(POLICY("route r via cf1 weight 1-2, isp else drop;"), "123");
	is_bad(POLICY("route r via cf1 then isp then cf1 else drop;"), "156");
	is_bad(POLICY("route r via nope else drop;"), "103");
	is_bad(POLICY("route r source 10.0.0.1 via main;"), "159");
	is_bad("policy p on local { route r source 10.0.0.0/8 via main; }\n", "123");
	is_bad("policy p on eth2 { route r to 10.0.0.0/8 via main; }\n", "153");
	run = good("policy p on eth2 { route r via main; }\n");
	assert_int_equal(run.model->policies[0].otherwise, CNI_VERDICT_NONE);
	cni_arena_free(run.arena);
	is_bad("policy p on eth2, eth2 { else drop; } policy q on eth3, eth2 { else drop; }\n", "154 154");
	is_bad("policy p on local { else drop; } policy q on local { else drop; }\n", "154");
}

static void matches(void **state)
{
	struct run run;

	(void)state;
	is_bad(POLICY("route r from 10.0.0.0/8 from 10.0.0.0/9 via main;"), "145");
	is_bad(POLICY("route r not dscp ef not dscp af11 via main;"), "145");
	is_bad(POLICY("route r from 10.0.0.0/9 not from 10.0.0.0/8 via main;"), "146");
	is_bad(POLICY("route r not proto tcp proto tcp via main;"), "146");
	is_bad(POLICY("route r proto 256 via main;"), "124");
	is_bad(POLICY("route r proto tpc via main;"), "125");
	is_bad(POLICY("route r dscp { 64, ex } via main;"), "124 125");
	is_bad(POLICY("route r icmp echo via main;"), "125");
	is_bad(POLICY("route r icmpv6 { 300-9, 9-3 } via main;"), "124 131");
	is_bad(POLICY("route r tcp dport { 1, 2-70000 } via main;"), "124");
	is_bad(POLICY("route r from nowhere via main;"), "101");
	is_bad(POLICY("route r from 10.0.0.1/8 via main;"), "130");
	run = good(POLICY(
		"route r not from 10.0.0.0/16 from 10.0.0.0/8 not dscp 1-62 dscp 0-63 not proto 1-255 via main;"));
	assert_false(run.model->policies[0].routes[0].match.not_from);
	assert_int_equal(run.model->policies[0].routes[0].match.from.v4[0].lo, 0x0a010000);
	assert_true(run.model->policies[0].routes[0].match.dscp == (UINT64_C(1) << 63 | 1));
	assert_true(run.model->policies[0].routes[0].match.not_proto);
	assert_true(run.model->policies[0].routes[0].match.proto[3] == UINT64_MAX);
	assert_true(run.model->policies[0].routes[0].match.proto[0] == ~UINT64_C(1));
	cni_arena_free(run.arena);
	is_bad("lan a { prefix 10.0.0.0/8; } define a = { 11.0.0.0/8 }; define b = { a };\n", "109");
}

static void expects(void **state)
{
	struct run run =
		bad(POLICY("route r via isp else drop;") "expect on eth3 from 10.0.0.1 when cf2 down via ips;\n",
		    "155 103 103");

	(void)state;
	assert_string_equal(run.diags.first->help, "did you mean `eth2`?");
	assert_int_equal(run.model->expects[0].target, CNI_NONE);
	assert_int_equal(run.model->expects[0].n_down, 0);
	cni_arena_free(run.arena);
	run = good(POLICY("route r via isp else drop;") "expect on eth2 drop; expect on eth2 to 10.0.0.1 main;\n");
	assert_int_equal(run.model->n_expects, 2);
	assert_int_equal(run.model->expects[1].outcome, CNI_VERDICT_MAIN);
	cni_arena_free(run.arena);
}

/* Every code of names.def that a text can bring about: its example brings it, and nothing else; its mend nothing. */
static void examples(void **state)
{
	size_t n, n_examples = 0;
	const struct cni_code_info *codes = cni_code_table(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		if (codes[i].code < 100 || codes[i].code > 199 || !*codes[i].example)
			continue;
		is_bad(codes[i].example,
		       (char[]){ '1', (char)('0' + codes[i].code / 10 % 10), (char)('0' + codes[i].code % 10), 0 });
		cni_arena_free(good(codes[i].mend).arena);
		n_examples++;
	}
	assert_true(n_examples > 40);
}

/* ---- what it costs ---- */

/* The format for i = 1 … n: `@` stands for i, `%` for i - 1. */
static char *many(struct cni_arena *arena, const char *format, const char *first, unsigned int n)
{
	struct cni_text text = { .arena = arena };

	cni_text_puts(&text, first);
	for (unsigned int i = 1; i <= n; i++)
		for (const char *c = format; *c; c++)
			if (*c == '@')
				cni_text_printf(&text, "%u", i);
			else if (*c == '%')
				cni_text_printf(&text, "%u", i - 1);
			else
				cni_text_add(&text, c, 1);
	return text.data;
}

/* Chains, wide sums and doubling lists: each ends in a model or in an error, and soon. */
static void hostile(void **state)
{
	static const struct {
		const char *first, *format;
		unsigned int n;
		enum cni_code code;
	} cases[] = {
		{ "define a0 = { 10.0.0.0/8 };\n", "define a@ = { a% };\n", 50000, CNI108 },
		{ "define a50000 = { 10.0.0.0/8 };\n", "define a% = { a@ };\n", 50000, CNI108 },
		{ "var a0 = 10.0.0.0/8;\n", "var a@ = $a%;\n", 50000, CNI108 },
		{ "var a0 = 10.0.0.0/8; define x = $a15;\n",
		  "var a@ = { $a%,$a%,$a%,$a%,$a%,$a%,$a%,$a%,$a%,$a%,$a% };\n", 15, CNI114 },
		{ "var a0 = { }; define x = $a15;\n", "var a@ = { $a%,$a%,$a%,$a%,$a%,$a%,$a%,$a%,$a%,$a%,$a% };\n", 15,
		  CNI114 },
		{ "service a0 = { tcp 1 };\n", "service a@ = { a%, tcp @ };\n", 50000, CNI108 },
		{ "define a0 = { 10.0.0.0/8 };\n", "define a@ = { b% };\n", 50000, CNI101 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cni_arena *arena = cni_arena_new();
		struct run run = parse(many(arena, cases[i].format, cases[i].first, cases[i].n));
		bool found = false;

		assert_null(run.diags.first);
		resolve(&run, NULL, 0);
		for (const struct cni_diag *d = run.diags.first; d; d = d->next)
			found |= d->code == cases[i].code;
		if (!found)
			fail_msg("no CNI%d from: %s", cases[i].code, cases[i].format);
		cni_arena_free(run.arena);
		cni_arena_free(arena);
	}
}

/* 100,000 statements of every kind that names others. */
static void large(void **state)
{
	struct cni_arena *arena = cni_arena_new();
	char *text =
		many(arena,
		     "define s@ = { 10.@.0.0-10.@.0.9 };\nservice v@ = { tcp % };\n"
		     "link l@ { kind internet; device d@; address dhcp; }\n"
		     "tunnel t@ { kind gre; over l@; local 10.0.0.1; remote 10.0.0.2; address 10.0.0.1/31; key @; }\n"
		     "policy p@ on e@ { route r from { s@, l } service v@ via t@ then l@ else drop; else drop; }\n",
		     "lan l { prefix 10.255.0.0/16; }\n", 255);
	struct cni_text all = { .arena = arena };
	struct run run;

	(void)state;
	/* the same statements 80 times, each with letters of its own in its names */
	for (unsigned int i = 0; i < 80; i++)
		for (const char *c = text; *c; c++) {
			bool name =
				strchr("svltpde", *c) && c > text && strchr(" ", c[-1]) && c[1] >= '0' && c[1] <= '9';

			cni_text_add(&all, c, 1);
			if (name)
				cni_text_printf(&all, "%c%c", 'a' + i / 26, 'a' + i % 26);
		}
	cni_text_puts(&all, "");
	run = parse(all.data);
	resolve(&run, NULL, 0);
	assert_int_equal(run.model->n_targets, 80 * 255 * 2);
	assert_int_equal(run.model->n_policies, 80 * 255);
	assert_int_equal(run.diags.n_errors, 79); /* the lan, which has one name */
	for (size_t i = 0; i < run.model->n_policies; i++)
		assert_int_equal(run.model->policies[i].routes[0].path.n_members, 2);
	cni_arena_free(run.arena);
	cni_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),    cmocka_unit_test(blocks),  cmocka_unit_test(addresses),
		cmocka_unit_test(paths),    cmocka_unit_test(matches), cmocka_unit_test(expects),
		cmocka_unit_test(examples), cmocka_unit_test(hostile), cmocka_unit_test(large),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
