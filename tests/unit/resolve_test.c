/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve_test.c - from small texts to models: what is filled in. Mistakes: resolve_bad_test.c. */
#include "tests/unit/resolve_run.h"

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

static void source_of_own_traffic(void **state)
{
	struct run run =
		good(LINKS "policy own on local { route a to 198.18.0.1 source 10.0.0.1 via isp else drop; else "
			   "main; }\n");
	const struct cni_policy *p = run.model->policies;

	(void)state;
	assert_true(p->local && !p->n_devices);
	assert_true(p->routes[0].has_source && same(p->routes[0].source, "10.0.0.1"));
	cni_arena_free(run.arena);
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
		"  via cf1 weight 3, isp else reject;\n"
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
	assert_int_equal(run.model->options.failback, CNI_FAILBACK_KEEP);
	cni_arena_free(run.arena);

	run = good("options { on-failback drain; }\n");
	assert_int_equal(run.model->options.failback, CNI_FAILBACK_DRAIN);
	assert_int_equal(run.model->options.drain, 300000);
	cni_arena_free(run.arena);

	run = good("options { on-failback drain 90s; }\n");
	assert_int_equal(run.model->options.drain, 90000);
	cni_arena_free(run.arena);

	run = good("profile 2026; options { mark-mask 0xff000000; table 300; rule-priority 7; established keep; }\n"
		   "options { return none; rp-filter off; provider other; on-failback flush; }\n");
	assert_int_equal(run.model->profile, 2026);
	assert_true(run.model->options.mark_mask == 0xff000000);
	assert_int_equal(run.model->options.table, 300);
	assert_int_equal(run.model->options.rule_priority, 7);
	assert_int_equal(run.model->options.established, CNI_ESTABLISHED_KEEP);
	assert_int_equal(run.model->options.ret, CNI_RETURN_NONE);
	assert_int_equal(run.model->options.rp_filter, CNI_RP_OFF);
	assert_int_equal(run.model->options.failback, CNI_FAILBACK_FLUSH);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links),
		cmocka_unit_test(tunnels),
		cmocka_unit_test(probes),
		cmocka_unit_test(sets_and_services),
		cmocka_unit_test(files),
		cmocka_unit_test(policies),
		cmocka_unit_test(source_of_own_traffic),
		cmocka_unit_test(options),
		cmocka_unit_test(variables),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
