/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve_test.c - from small texts to models: what is filled in, what is reported, and what it costs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/model.h"
#include "compiler/text.h"
#include "grammar/parse.h"

struct run {
	struct cni_arena *arena;
	struct cni_sources sources;
	struct cni_diags diags;
	struct cni_ast ast;
	const struct cni_model *model;
};

static struct run parse(const char *text)
{
	struct run run = { .arena = cni_arena_new() };
	struct cni_ast_decl **tail = &run.ast.decls;

	cni_diags_init(&run.diags, run.arena);
	cni_parse(run.arena, cni_source_add(run.arena, &run.sources, "test.cni", text, strlen(text)), &run.diags,
		  &tail);
	/* an empty list of diagnostics points into itself: resolve() mends that in the copy */
	return run;
}

static void print_diags(const struct run *run)
{
	for (const struct cni_diag *d = run->diags.first; d; d = d->next)
		print_message("# CNI%d at %u: %s (%s)\n", d->code, d->span.begin, d->message, d->help ? d->help : "");
}

static void resolve(struct run *run, const struct cni_setting *settings, size_t n_settings)
{
	if (!run->diags.first)
		run->diags.last = &run->diags.first;
	run->model = cni_resolve(run->arena, &run->ast, settings, n_settings, &run->diags);
}

/* Resolves `text`, which must be free of mistakes. */
static struct run good(const char *text)
{
	struct run run = parse(text);

	resolve(&run, NULL, 0);
	if (run.diags.first) {
		print_diags(&run);
		fail_msg("in: %s", text);
	}
	return run;
}

/* Resolves `text` and compares the codes, as "101 120", in order of place. */
static struct run bad(const char *text, const char *codes)
{
	struct run run = parse(text);
	struct cni_text got = { .arena = run.arena };

	resolve(&run, NULL, 0);
	cni_diags_sort(&run.diags);
	cni_text_puts(&got, "");
	for (const struct cni_diag *d = run.diags.first; d; d = d->next)
		cni_text_printf(&got, "%s%d", d == run.diags.first ? "" : " ", d->code);
	if (strcmp(got.data, codes)) {
		print_diags(&run);
		fail_msg("`%s`, not `%s`, in: %s", got.data, codes, text);
	}
	return run;
}

static void is_bad(const char *text, const char *codes)
{
	struct run run = bad(text, codes);

	cni_arena_free(run.arena);
}

static struct cni_addr addr(const char *text)
{
	struct cni_addr a;

	assert_true(cni_addr_parse(text, strlen(text), &a));
	return a;
}

static bool same(struct cni_addr a, const char *text)
{
	return cni_addr_equal(a, addr(text));
}

#define LINKS                                                                                                          \
	"link ams { kind classic; device eth1 vlan 100; address 192.0.2.11/31; bgp { local-as 64512; peer-as 13335; "  \
	"} }\n"                                                                                                        \
	"link isp { kind internet; device eth0; address 198.51.100.2/30, 2001:db8:1::2/127; mtu 1492; }\n"
#define TUNNEL                                                                                                         \
	"tunnel cf1 { kind gre; over ams; local 198.51.100.130; remote 203.0.113.200; "                                \
	"address 10.100.0.9/31, 2001:db8:ffff::1/127; track { every 2s; } }\n"

/* ---- what is filled in ---- */

static void links(void **state)
{
	struct run run = good(
		LINKS
		"link x { kind express; device \"eth9.7\"; address dhcp; gateway 10.0.0.1; family ipv6; mss auto;\n"
		"lacp on; bfd on; onramp connector; dataplane v2; rate 10 gbit; waive backup, policy; }\n"
		"link y { kind pni; device eth8; family ipv6; mss 1200; dataplane 1; rate 5; }\n"
		"link z { kind peering; device eth7; address 10.1.0.2/24; gateway 10.1.0.1; mss off; }\n");
	const struct cni_target *t = run.model->targets;

	(void)state;
	assert_int_equal(run.model->n_links, 5);
	assert_int_equal(run.model->n_targets, 5);
	assert_string_equal(t[0].name, "ams");
	assert_string_equal(t[0].ifname, "eth1.100");
	assert_string_equal(t[0].link.device, "eth1");
	assert_int_equal(t[0].link.vlan, 100);
	assert_int_equal(t[0].link.kind, CNI_CLASSIC);
	assert_true(t[0].link.bgp.present);
	assert_int_equal(t[0].link.bgp.peer_as, 13335);
	assert_true(same(t[0].iface[CNI_V4].peer, "192.0.2.10"));
	assert_true(t[0].carries[CNI_V4] && !t[0].carries[CNI_V6] && !t[0].link.dhcp);
	assert_int_equal(t[0].mtu, 1500);
	assert_int_equal(t[0].mss[CNI_V4], 0);
	assert_string_equal(t[0].link.onramp, "router");

	assert_int_equal(t[1].mtu, 1492);
	assert_true(same(t[1].iface[CNI_V4].peer, "198.51.100.1"));
	assert_true(same(t[1].iface[CNI_V6].peer, "2001:db8:1::3"));
	assert_true(t[1].carries[CNI_V4] && t[1].carries[CNI_V6]);

	assert_string_equal(t[2].ifname, "eth9.7");
	assert_int_equal(t[2].link.vlan, 0);
	assert_true(t[2].link.dhcp && t[2].carries[CNI_V4] && t[2].carries[CNI_V6]);
	assert_true(t[2].iface[CNI_V4].has_peer && !t[2].iface[CNI_V4].has_address);
	assert_int_equal(t[2].mss[CNI_V4], 1460);
	assert_int_equal(t[2].mss[CNI_V6], 1440);
	assert_true(t[2].link.lacp && t[2].link.bfd && t[2].link.waive_backup && t[2].link.waive_policy);
	assert_string_equal(t[2].link.onramp, "connector");
	assert_int_equal(t[2].link.dataplane, 2);
	assert_true(t[2].link.rate == 10000000000);

	assert_true(t[3].link.dhcp && !t[3].carries[CNI_V4] && t[3].carries[CNI_V6]);
	assert_int_equal(t[3].mss_mode, CNI_MSS_FIXED);
	assert_int_equal(t[3].mss[CNI_V4], 1200);
	assert_int_equal(t[3].mss[CNI_V6], 1200);
	assert_int_equal(t[3].link.dataplane, 1);
	assert_true(t[3].link.rate == 5);

	assert_true(same(t[4].iface[CNI_V4].peer, "10.1.0.1"));
	assert_int_equal(t[4].mss_mode, CNI_MSS_OFF);
	assert_int_equal(t[4].link.kind, CNI_PEERING);
	cni_arena_free(run.arena);
}

static void tunnels(void **state)
{
	struct run run = good(
		TUNNEL LINKS
		"tunnel cf2 { kind gre; over ams then isp; local 198.51.100.2; remote 203.0.113.201; key 7; csum;\n"
		"seq on; ttl inherit; tos 0xb8; pmtudisc off; ignore-df on; mss 1476; family ipv6;\n"
		"bgp { local-as 1; peer-as 2; } address 10.0.0.2/30; }\n"
		"tunnel six { kind ip6gre; over isp; local 2001:db8:1::2; remote 2001:db8::9; encap-limit 4;\n"
		"tos inherit; ttl 9; mtu 1300; track off; }\n"
		"tunnel six2 { kind ip6gre; over isp; local 2001:db8:1::7; remote 2001:db8::9; }\n"
		"tunnel six3 { kind ip6gre; over isp; local 2001:db8:1::7; remote 2001:db8::8; encap-limit 0; }\n");
	const struct cni_target *t = run.model->targets + 2;

	(void)state;
	assert_int_equal(run.model->n_links, 2);
	assert_int_equal(run.model->n_targets, 7);
	assert_string_equal(t[0].ifname, "cf1");
	assert_int_equal(t[0].kind, CNI_TARGET_TUNNEL);
	assert_int_equal(t[0].tunnel.n_over, 1);
	assert_int_equal(t[0].tunnel.over[0], 0);
	assert_true(t[0].tunnel.underlay_bgp && !t[0].tunnel.local_is_link && t[0].tunnel.pmtudisc);
	assert_int_equal(t[0].tunnel.ttl, 64);
	assert_int_equal(t[0].tunnel.encap_limit, 256);
	assert_int_equal(t[0].mtu, 1476);
	assert_int_equal(t[0].mss[CNI_V4], 1436);
	assert_int_equal(t[0].mss[CNI_V6], 1416);
	assert_true(same(t[0].iface[CNI_V4].peer, "10.100.0.8"));
	assert_true(same(t[0].iface[CNI_V6].peer, "2001:db8:ffff::"));
	assert_int_equal(t[0].track.mode, CNI_TRACK_ON);
	assert_int_equal(t[0].track.every, 2000);
	assert_int_equal(t[0].track.timeout, 2000);
	assert_int_equal(t[0].track.down, 3);
	assert_int_equal(t[0].track.up, 5);
	assert_int_equal(t[0].track.n_targets, 1);
	assert_true(same(t[0].track.targets[0], "10.100.0.8"));
	assert_int_equal(t[0].health.mode, CNI_HEALTH_NONE);

	assert_int_equal(t[1].tunnel.n_over, 2);
	assert_true(!t[1].tunnel.underlay_bgp && t[1].tunnel.local_is_link && t[1].tunnel.bgp);
	assert_false(t[1].link.bgp.present);
	assert_int_equal(t[1].mtu, 1492 - 24 - 12);
	assert_true(t[1].tunnel.has_key && t[1].tunnel.csum && t[1].tunnel.seq && t[1].tunnel.ignore_df);
	assert_false(t[1].tunnel.pmtudisc);
	assert_int_equal(t[1].tunnel.key, 7);
	assert_int_equal(t[1].tunnel.ttl, 0);
	assert_int_equal(t[1].tunnel.tos, 0xb8);
	assert_int_equal(t[1].mss[CNI_V6], 1476);
	assert_true(t[1].carries[CNI_V4] && t[1].carries[CNI_V6]);
	assert_true(same(t[1].iface[CNI_V4].peer, "10.0.0.1"));

	assert_int_equal(t[2].tunnel.tos_mode, CNI_TOS_INHERIT);
	assert_int_equal(t[2].tunnel.ttl, 9);
	assert_true(t[2].tunnel.local_is_link);
	assert_int_equal(t[2].tunnel.encap_limit, 4);
	assert_int_equal(t[2].mtu, 1300);
	assert_int_equal(t[2].mss[CNI_V4], 1260);
	assert_int_equal(t[2].track.mode, CNI_TRACK_OFF);
	assert_false(t[2].carries[CNI_V4] || t[2].carries[CNI_V6]);
	assert_int_equal(t[3].mtu, 1492 - 44);
	assert_int_equal(t[4].mtu, 1492 - 52);
	cni_arena_free(run.arena);
}

static void probes(void **state)
{
	struct run run = good(
		"link a { kind express; device eth1; address 192.0.2.11/31; health legacy { target 172.64.240.253; }\n"
		"track { target 192.0.2.10, 10.200.0.1; source 10.0.0.1; every 500ms; timeout 200ms; down 2; up 4; "
		"hold 1m;\n"
		"passive on; loss 0.5% over 10s; } }\n"
		"link b { kind classic; device eth2; address 192.0.2.21/31; health off;\n"
		"bgp { local-as 4200000000; peer-as 13335; md5 file \"secret\"; bfd on; } }\n"
		"link c { kind classic; device eth3; address 192.0.2.31/31;\n"
		"health { direction bidirectional; type reply; rate high; target 10.0.0.9; } }\n"
		"link d { kind classic; device eth4; address 192.0.2.41/31;\n"
		"health { direction unidirectional; type request; } track { } }\n");
	const struct cni_target *t = run.model->targets;

	(void)state;
	assert_int_equal(t[0].health.mode, CNI_HEALTH_LEGACY);
	assert_true(t[0].health.has_target && same(t[0].health.target, "172.64.240.253"));
	assert_int_equal(t[0].track.n_targets, 2);
	assert_true(same(t[0].track.targets[1], "10.200.0.1"));
	assert_true(t[0].track.has_source && same(t[0].track.source, "10.0.0.1"));
	assert_int_equal(t[0].track.every, 500);
	assert_int_equal(t[0].track.timeout, 200);
	assert_int_equal(t[0].track.hold, 60000);
	assert_int_equal(t[0].track.down, 2);
	assert_int_equal(t[0].track.up, 4);
	assert_true(t[0].track.passive && t[0].track.has_loss);
	assert_int_equal(t[0].track.loss, 500);
	assert_int_equal(t[0].track.loss_over, 10000);
	assert_int_equal(t[1].health.mode, CNI_HEALTH_OFF);
	assert_string_equal(t[1].link.bgp.md5_file, "secret");
	assert_true(t[1].link.bgp.bfd && !t[1].link.bfd);
	assert_true(t[1].link.bgp.local_as == 4200000000);
	assert_int_equal(t[2].health.mode, CNI_HEALTH_BI);
	assert_int_equal(t[2].health.type, CNI_HEALTH_REPLY);
	assert_int_equal(t[2].health.rate, CNI_RATE_HIGH);
	assert_int_equal(t[3].health.mode, CNI_HEALTH_UNI);
	assert_int_equal(t[3].health.type, CNI_HEALTH_REQUEST);
	assert_int_equal(t[3].health.rate, CNI_RATE_MID);
	assert_false(t[3].health.has_target);
	assert_true(same(t[3].track.targets[0], "192.0.2.40"));
	cni_arena_free(run.arena);
}

static void sets_and_services(void **state)
{
	struct run run = good("define all = { office, 10.0.1.0/24, hq };\n"
			      "define office = { 10.0.0.0/24, 2001:db8::/48 };\n"
			      "define one = 10.9.9.9;\n"
			      "define alias = all;\n"
			      "define none = file \"x\";\n"
			      "lan hq { device eth2; prefix 10.0.2.0/24, 10.0.3.0-10.0.3.255; }\n"
			      "service both = { voip, tcp { 445, 80-90 }, udp 5062, tcp 91 };\n"
			      "service voip = { udp 5060-5061 };\n");
	const struct cni_model *m = run.model;

	(void)state;
	assert_int_equal(m->n_sets, 5);
	assert_int_equal(m->sets[0].ranges.n_v4, 1);
	assert_int_equal(m->sets[0].ranges.v4[0].lo, 0x0a000000);
	assert_int_equal(m->sets[0].ranges.v4[0].hi, 0x0a0003ff);
	assert_int_equal(m->sets[0].ranges.n_v6, 1);
	assert_int_equal(m->sets[2].ranges.v4[0].lo, m->sets[2].ranges.v4[0].hi);
	assert_ptr_equal(m->sets[3].ranges.v4, m->sets[0].ranges.v4); /* shared, not copied */
	assert_true(m->sets[4].from_file && !m->sets[3].from_file);
	assert_string_equal(m->lans[0].device, "eth2");
	assert_int_equal(m->lans[0].ranges.n_v4, 1);
	assert_int_equal(m->services[0].ports.n_items, 3);
	assert_int_equal(m->services[0].ports.items[0].proto, 6);
	assert_int_equal(m->services[0].ports.items[0].lo, 80);
	assert_int_equal(m->services[0].ports.items[0].hi, 91);
	assert_int_equal(m->services[0].ports.items[2].proto, 17);
	assert_int_equal(m->services[0].ports.items[2].lo, 5060);
	assert_int_equal(m->services[0].ports.items[2].hi, 5062);
	cni_arena_free(run.arena);
}

/* What the loader read for `file "x"`. */
static void files(void **state)
{
	struct run run = parse("define f = file \"x\";\ndefine g = { f, 10.9.0.0/16 };\ndefine h = { f };\n");
	struct cni_range4 items[2] = { { 0x0a000000, 0x0a0000ff }, { 0x0a090000, 0x0a0900ff } };
	const struct cni_ranges held = { .v4 = items, .n_v4 = 2 }, empty = { 0 };
	const struct cni_model *m;

	(void)state;
	run.ast.decls->values->file = &held;
	resolve(&run, NULL, 0);
	m = run.model;
	assert_null(run.diags.first);
	assert_ptr_equal(m->sets[0].ranges.v4, items);
	assert_ptr_equal(m->sets[2].ranges.v4, items);
	assert_int_equal(m->sets[1].ranges.n_v4, 2);
	assert_int_equal(m->sets[1].ranges.v4[1].hi, 0x0a09ffff);
	assert_int_equal(items[1].hi, 0x0a0900ff); /* as the loader left it */
	assert_true(m->sets[1].from_file && m->sets[2].from_file);
	cni_arena_free(run.arena);

	run = parse("define f = file \"x\";\ndefine g = { f };\n");
	run.ast.decls->values->file = &empty;
	resolve(&run, NULL, 0);
	assert_null(run.diags.first);
	assert_true(cni_ranges_is_empty(&run.model->sets[1].ranges) && run.model->sets[1].from_file);
	cni_arena_free(run.arena);
}

static bool bit(const uint64_t *bits, unsigned int i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static void policies(void **state)
{
	struct run run = good(
		LINKS TUNNEL
		"define office = { 10.1.0.0/16 };\nlan hq { prefix 10.2.0.0/16; }\n"
		"service voip = { udp 5060-5061 };\n"
		"policy office on eth2, \"eth4.7\", local {\n"
		"route a from office not from 10.1.2.0/24 to { hq, 192.0.2.1-192.0.2.9 } service voip dscp { ef, 1-2 "
		"}\n"
		"  via cf1 then isp masquerade else main;\n"
		"route b proto { tcp, 200 } not icmp echo-request tcp sport 1-2 not udp dport { 53, 54 }\n"
		"  source 10.0.0.1 via cf1 weight 3, isp else reject;\n"
		"route c not proto gre icmpv6 { packet-too-big, 200-255 } via main masquerade;\n"
		"route d service { tcp 80, voip } drop;\n"
		"else reject;\n}\n"
		"expect on \"eth4.7\" from 10.1.0.1 to 9.9.9.9 udp dport 5060 when cf1, isp down never via isp;\n");
	const struct cni_policy *p = run.model->policies;
	const struct cni_route *rt = p->routes;
	const struct cni_expect *e = run.model->expects;

	(void)state;
	if (!run.model->n_expects)
		fail();
	assert_int_equal(run.model->n_policies, 1);
	assert_int_equal(p->n_devices, 2);
	assert_string_equal(p->devices[1], "eth4.7");
	assert_true(p->local);
	assert_int_equal(p->otherwise, CNI_VERDICT_REJECT);
	assert_int_equal(p->n_routes, 4);

	assert_true(rt[0].match.has_from && !rt[0].match.not_from);
	assert_int_equal(rt[0].match.from.n_v4, 2);
	assert_int_equal(rt[0].match.from.v4[0].hi, 0x0a0101ff);
	assert_int_equal(rt[0].match.to.n_v4, 2);
	assert_int_equal(rt[0].match.n_ports, 1);
	assert_false(rt[0].match.ports[0].source || rt[0].match.ports[0].negated);
	assert_ptr_equal(rt[0].match.ports[0].ports.items, run.model->services[0].ports.items);
	assert_true(rt[0].match.has_dscp);
	assert_true(rt[0].match.dscp == (UINT64_C(1) << 46 | 6));
	assert_int_equal(rt[0].path.verdict, CNI_VERDICT_NONE);
	assert_int_equal(rt[0].path.otherwise, CNI_VERDICT_MAIN);
	assert_false(rt[0].path.weighted);
	assert_int_equal(rt[0].path.n_members, 2);
	assert_int_equal(rt[0].path.members[0].target, 2);
	assert_int_equal(rt[0].path.members[1].target, 1);
	assert_true(rt[0].path.members[1].masquerade && !rt[0].path.members[0].masquerade);

	assert_true(rt[1].match.has_proto && bit(rt[1].match.proto, 6) && bit(rt[1].match.proto, 200));
	assert_false(bit(rt[1].match.proto, 17));
	assert_int_equal(rt[1].match.n_icmp, 1);
	assert_true(rt[1].match.icmp[0].negated && bit(rt[1].match.icmp[0].types, 8));
	assert_int_equal(rt[1].match.icmp[0].family, CNI_V4);
	assert_int_equal(rt[1].match.n_ports, 2);
	assert_true(rt[1].match.ports[0].source && rt[1].match.ports[1].negated);
	assert_int_equal(rt[1].match.ports[1].ports.n_items, 1);
	assert_int_equal(rt[1].match.ports[1].ports.items[0].hi, 54);
	assert_true(rt[1].has_source && same(rt[1].source, "10.0.0.1"));
	assert_true(rt[1].path.weighted);
	assert_int_equal(rt[1].path.members[0].weight, 3);
	assert_int_equal(rt[1].path.members[1].weight, 1);

	assert_true(rt[2].match.not_proto && bit(rt[2].match.proto, 47));
	assert_int_equal(rt[2].match.icmp[0].family, CNI_V6);
	assert_true(bit(rt[2].match.icmp[0].types, 2) && bit(rt[2].match.icmp[0].types, 255));
	assert_int_equal(rt[2].path.verdict, CNI_VERDICT_MAIN);
	assert_true(rt[2].path.masquerade);
	assert_int_equal(rt[3].path.verdict, CNI_VERDICT_DROP);
	assert_int_equal(rt[3].match.ports[0].ports.n_items, 2);

	assert_true(!run.model->targets[0].used && run.model->targets[1].used && run.model->targets[2].used);
	assert_string_equal(e->device, "eth4.7");
	assert_true(e->never);
	assert_int_equal(e->outcome, CNI_VERDICT_NONE);
	assert_int_equal(e->target, 1);
	assert_int_equal(e->n_down, 2);
	assert_int_equal(e->down[0], 2);
	cni_arena_free(run.arena);
}

static void options(void **state)
{
	struct run run = good("");

	(void)state;
	assert_int_equal(run.model->profile, 2024);
	assert_int_equal(run.model->options.mark_mask, 0xffff);
	assert_int_equal(run.model->options.table, 20000);
	assert_int_equal(run.model->options.rule_priority, 1000);
	assert_int_equal(run.model->options.rp_filter, CNI_RP_AUTO);
	cni_arena_free(run.arena);

	run = good("profile 2026; options { mark-mask 0xff000000; table 300; rule-priority 7; established keep; }\n"
		   "options { return none; rp-filter off; provider other; }\n");
	assert_int_equal(run.model->profile, 2026);
	assert_true(run.model->options.mark_mask == 0xff000000);
	assert_int_equal(run.model->options.table, 300);
	assert_int_equal(run.model->options.rule_priority, 7);
	assert_int_equal(run.model->options.established, CNI_ESTABLISHED_KEEP);
	assert_int_equal(run.model->options.ret, CNI_RETURN_NONE);
	assert_int_equal(run.model->options.rp_filter, CNI_RP_OFF);
	assert_int_equal(run.model->options.provider, CNI_PROVIDER_OTHER);
	cni_arena_free(run.arena);
}

/* ---- variables ---- */

static struct cni_setting setting(struct run *run, const char *name, const char *value)
{
	const struct cni_source *source = cni_source_add(run->arena, &run->sources, "--set", value, strlen(value));
	struct cni_diags quiet;

	cni_diags_init(&quiet, run->arena);
	return (struct cni_setting){ name, value, cni_parse_value(run->arena, source, &quiet) };
}

static void variables(void **state)
{
	struct run run =
		good("var site = $base; var base = { 10.1.0.0/16, $more }; var more = 10.2.0.0/16; var dev = eth7;\n"
		     "var w = 7; var tag = 9;\n"
		     "define here = { $site, 10.3.0.0/16 };\n" LINKS "link l { kind pni; device $dev vlan $tag; }\n"
		     "policy p on $dev { route all from $site via isp weight $w, ams else drop; else drop; }\n");
	struct cni_setting settings[3];

	(void)state;
	assert_int_equal(run.model->sets[0].ranges.n_v4, 1);
	assert_int_equal(run.model->sets[0].ranges.v4[0].hi, 0x0a03ffff);
	assert_string_equal(run.model->targets[2].ifname, "eth7.9");
	assert_string_equal(run.model->policies[0].devices[0], "eth7");
	assert_int_equal(run.model->policies[0].routes[0].path.members[0].weight, 7);
	cni_arena_free(run.arena);

	run = parse("var net = 10.1.0.0/16; define here = { $net, $other };\n");
	settings[0] = setting(&run, "net", "10.7.0.0/16");
	settings[1] = setting(&run, "other", "10.9.0.0/16");
	settings[2] = setting(&run, "net", "10.8.0.0/16");
	resolve(&run, settings, 3);
	assert_null(run.diags.first);
	assert_int_equal(run.model->sets[0].ranges.n_v4, 1);
	assert_int_equal(run.model->sets[0].ranges.v4[0].lo, 0x0a080000);
	cni_arena_free(run.arena);

	run = parse("var site = 10.1.0.0/16; define here = { $site };\n");
	settings[0] = setting(&run, "sites", "10.7.0.0/16");
	settings[1] = (struct cni_setting){ "site", "=", NULL };
	resolve(&run, settings, 2);
	assert_int_equal(run.diags.n_errors, 2);
	assert_int_equal(run.diags.first->code, CNI113);
	assert_int_equal(run.diags.first->next->code, CNI112);
	assert_string_equal(run.diags.first->next->help, "did you mean `site`?");
	cni_arena_free(run.arena);
}

/* ---- what is reported ---- */

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
	is_bad(LINKS "tunnel t { kind gre; over ams, isp; local 1.1.1.1; remote 2.2.2.2; }\n", "126 126 127");
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
		cmocka_unit_test(links),     cmocka_unit_test(tunnels),
		cmocka_unit_test(probes),    cmocka_unit_test(sets_and_services),
		cmocka_unit_test(files),     cmocka_unit_test(policies),
		cmocka_unit_test(options),   cmocka_unit_test(variables),
		cmocka_unit_test(names),     cmocka_unit_test(blocks),
		cmocka_unit_test(addresses), cmocka_unit_test(paths),
		cmocka_unit_test(matches),   cmocka_unit_test(expects),
		cmocka_unit_test(examples),  cmocka_unit_test(hostile),
		cmocka_unit_test(large),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
