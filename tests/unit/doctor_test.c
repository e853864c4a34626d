/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_test.c - checks of the doctor that read files, over folders that stand for a machine's; and the extensions of
 * iptables, which not every kernel has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_mark.h>

#include "runtime/doctor/doctor.h"
#include "runtime/doctor/ini.h"

/* ---- a machine in a folder ---- */

struct machine {
	struct rt_doctor doctor;
	struct cni_diags diags;
	char root[64];
};

static void run(const char *command)
{
	if (system(command))
		fail_msg("%s", command);
}

static struct machine *machine_new(void)
{
	struct cni_arena *arena = cni_arena_new();
	struct machine *m = cni_new(arena, struct machine);

	strcpy(m->root, "/tmp/cnic-doctor.XXXXXX");
	assert_non_null(mkdtemp(m->root));
	cni_diags_init(&m->diags, arena);
	m->doctor = (struct rt_doctor){ .arena = arena, .diags = &m->diags, .root = m->root };
	return m;
}

static void machine_free(struct machine *m)
{
	run(cni_printf(m->doctor.arena, "rm -r '%s'", m->root));
	cni_arena_free(m->doctor.arena);
}

static void put(struct machine *m, const char *path, const char *text)
{
	char *full = cni_printf(m->doctor.arena, "%s%s", m->root, path);
	FILE *file;

	run(cni_printf(m->doctor.arena, "mkdir -p \"$(dirname '%s')\"", full));
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void put_process(struct machine *m, const char *pid, const char *comm, const char *space)
{
	struct cni_arena *arena = m->doctor.arena;
	const char *folder = cni_printf(arena, "%s/proc/%s/ns", m->root, pid);

	put(m, cni_printf(arena, "/proc/%s/comm", pid), cni_printf(arena, "%s\n", comm));
	run(cni_printf(arena, "mkdir -p %s", folder));
	if (space)
		assert_int_equal(symlink(space, cni_printf(arena, "%s/net", folder)), 0);
}

typedef const char *looker(struct rt_doctor *doctor, enum rt_verdict *verdict);

/* Looks anew; returns how many findings there are, the first of them `code`. */
static size_t findings(struct machine *m, looker *look, enum cni_code code)
{
	enum rt_verdict verdict = RT_FINE;

	cni_diags_init(&m->diags, m->doctor.arena);
	assert_non_null(look(&m->doctor, &verdict));
	assert_int_equal(verdict, RT_FINE);
	if (m->diags.first) {
		assert_int_equal(m->diags.first->code, code);
		assert_non_null(m->diags.first->help);
	}
	return m->diags.n_errors + m->diags.n_warnings;
}

static bool is_unknown(struct machine *m, looker *look)
{
	enum rt_verdict verdict = RT_FINE;

	cni_diags_init(&m->diags, m->doctor.arena);
	assert_non_null(look(&m->doctor, &verdict));
	assert_null(m->diags.first);
	return verdict == RT_UNKNOWN;
}

/* ---- systemd-networkd ---- */

#define CONF "networkd.conf"
#define RULES "[Network]\nManageForeignRoutingPolicyRules="

static size_t networkd(struct machine *m)
{
	return findings(m, rt_look_networkd, CNI730);
}

static void processes(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	assert_true(is_unknown(m, rt_look_networkd)); /* no /proc */
	put_process(m, "self", "cnic", "net:[1]");
	assert_int_equal(networkd(m), 0);
	put_process(m, "70", "systemd-networks", "net:[1]");
	put_process(m, "71", "systemd-network", "net:[2]"); /* of another namespace */
	assert_int_equal(networkd(m), 0);
	put_process(m, "72", "systemd-network", NULL); /* it cannot be told of which */
	assert_true(is_unknown(m, rt_look_networkd));
	put_process(m, "73", "systemd-network", "net:[1]");
	assert_int_equal(networkd(m), 2);
	assert_non_null(strstr(m->diags.first->message, "process 73"));
	assert_non_null(strstr(m->diags.first->message, "by default"));
	machine_free(m);
}

static void precedence(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	put_process(m, "self", "cnic", "net:[1]");
	put_process(m, "2", "systemd-network", "net:[1]");
	put(m, "/usr/lib/systemd/" CONF, RULES "no\nManageForeignRoutes=no\n");
	assert_int_equal(networkd(m), 0);
	put(m, "/run/systemd/" CONF, "# this file hides the other\n[Network]\n");
	assert_int_equal(networkd(m), 2);
	put(m, "/etc/systemd/" CONF, RULES "off\n[Other]\nManageForeignRoutes=no\n");
	assert_int_equal(findings(m, rt_look_networkd, CNI731), 1);
	put(m, "/etc/systemd/" CONF ".d/50-a.conf", "[Network]\n  ManageForeignRoutes = FALSE  \n");
	assert_int_equal(networkd(m), 0);
	put(m, "/etc/systemd/" CONF ".d/60-b.conf.bak", RULES "yes\n");
	put(m, "/usr/lib/systemd/" CONF ".d/40-c.conf", "[Network]\nManageForeignRoutes=yes\n");
	assert_int_equal(networkd(m), 0);
	/* by name over all folders, and of one name the first folder's */
	put(m, "/usr/lib/systemd/" CONF ".d/90-d.conf", RULES "1\n");
	assert_int_equal(networkd(m), 1);
	assert_non_null(strstr(m->diags.first->message, "by /usr/lib/systemd/" CONF ".d/90-d.conf"));
	put(m, "/etc/systemd/" CONF ".d/90-d.conf", "");
	assert_int_equal(networkd(m), 0);
	put(m, "/run/systemd/" CONF ".d/91-e.conf", RULES "perhaps\n" RULES "\n");
	assert_int_equal(networkd(m), 0);
	machine_free(m);
}

static void ini(void **state)
{
	struct cni_arena *arena = cni_arena_new();

	(void)state;
	assert_null(rt_ini_get(arena, "", "a", "k"));
	assert_null(rt_ini_get(arena, "k=1\n[a\nk=2\n[b]\nk=3\n[]\n[\n=\n", "a", "k"));
	assert_string_equal(rt_ini_get(arena, "[a]\nk=1\n;k=2\n#k=3\nkk=4\nk\n[b]\nk=5\n[a]\r\n k = 6 7\r", "a", "k"),
			    "6 7");
	assert_null(rt_ini_get(arena, "[a]\nk=", "a", "k"));
	cni_arena_free(arena);
}

/* ---- NetworkManager ---- */

static void network_manager(void **state)
{
	struct cni_st_link link = { .name = "eth0", .ifindex = 7 };
	struct cni_state observed = { .links = &link, .n_links = 1 };
	struct cni_target target = { .kind = CNI_TARGET_LINK, .ifname = "eth0", .link.device = "eth0" };
	struct cni_model model = { .targets = &target, .n_targets = 1, .n_links = 1 };
	struct machine *m = machine_new();

	(void)state;
	m->doctor.observed = &observed;
	m->doctor.model = &model;
	put_process(m, "self", "cnic", "net:[1]");
	put_process(m, "9", "NetworkManager", "net:[1]");
	assert_true(is_unknown(m, rt_look_network_manager));
	put(m, "/run/NetworkManager/devices/8", "[device]\nmanaged=true\n");
	put(m, "/run/NetworkManager/devices/7", "[device]\nmanaged=false\n");
	assert_int_equal(findings(m, rt_look_network_manager, CNI732), 0);
	put(m, "/run/NetworkManager/devices/7", "[device]\nmanaged=true\nnm-owned=false\n");
	assert_int_equal(findings(m, rt_look_network_manager, CNI732), 1);
	assert_non_null(strstr(m->diags.first->help, "nmcli device set eth0 managed no"));
	machine_free(m);
}

/* ---- files of /proc ---- */

static void conntrack(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	assert_true(is_unknown(m, rt_look_conntrack));
	put(m, "/proc/sys/net/netfilter/nf_conntrack_max", "1000\n");
	put(m, "/proc/sys/net/netfilter/nf_conntrack_count", "899\n");
	assert_int_equal(findings(m, rt_look_conntrack, CNI744), 0);
	put(m, "/proc/sys/net/netfilter/nf_conntrack_count", "900\n");
	assert_int_equal(findings(m, rt_look_conntrack, CNI744), 1);
	put(m, "/proc/sys/net/netfilter/nf_conntrack_count", "1000\n");
	assert_int_equal(findings(m, rt_look_conntrack, CNI745), 1);
	assert_string_equal(m->diags.first->help, "sysctl -w net.netfilter.nf_conntrack_max=2000");
	put(m, "/proc/sys/net/netfilter/nf_conntrack_max", "2000\n");
	assert_int_equal(findings(m, rt_look_conntrack, CNI745), 0);
	put(m, "/proc/sys/net/netfilter/nf_conntrack_max", "many\n");
	assert_true(is_unknown(m, rt_look_conntrack));
	machine_free(m);
}

static void iptables(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	assert_int_equal(findings(m, rt_look_iptables, CNI733), 0);
	put(m, "/proc/net/ip_tables_names", "");
	assert_int_equal(findings(m, rt_look_iptables, CNI733), 0);
	put(m, "/proc/net/ip_tables_names", "mangle\nnat\n");
	assert_int_equal(findings(m, rt_look_iptables, CNI733), 1);
	assert_non_null(strstr(m->diags.first->message, "mangle nat,"));
	assert_non_null(strstr(m->diags.first->help, "iptables-legacy-save"));
	machine_free(m);
}

/* The kernel's side of it is empty here: only the names are looked at. */
static void table_names(void **state)
{
	struct cni_state nothing = { 0 };
	struct cni_model model = { .options.table = 20000 };
	struct machine *m = machine_new();

	(void)state;
	m->doctor.observed = m->doctor.desired = &nothing;
	m->doctor.model = &model;
	assert_int_equal(findings(m, rt_look_tables, CNI749), 0);
	put(m, "/etc/iproute2/rt_tables",
	    "#\n255\tlocal\n254 main\n#20001 no\n19999 low\n52768 high\n20002\nx y\n20003 cnic-a\n");
	assert_int_equal(findings(m, rt_look_tables, CNI749), 0);
	put(m, "/etc/iproute2/rt_tables.d/isp.conf", "20001 isp # the other provider\n0x4e22 hex");
	assert_int_equal(findings(m, rt_look_tables, CNI749), 2);
	assert_non_null(strstr(m->diags.first->message, "calls table 20001 `isp`"));
	assert_string_equal(m->diags.first->help, "in the policy: options { table 52769; }");
	model.options.table = 52769;
	assert_int_equal(findings(m, rt_look_tables, CNI749), 0);
	machine_free(m);
}

/* ---- extensions of iptables ---- */

static void targets(void **state)
{
	const struct xt_mark_tginfo2 mark = { .mark = 0x4000, .mask = 0xc000 };
	struct xt_connmark_tginfo1 connmark = { .ctmark = 1, .ctmask = 0xff, .nfmask = 0xff00 };
	const struct xt_connmark_tginfo2 shifted = { .mode = XT_CONNMARK_SAVE, .shift_bits = 8 };
	const struct xt_ct_target_info ct = { .flags = XT_CT_NOTRACK };
	struct rt_foreign_rule rule = { 0 };

	(void)state;
	rt_foreign_target(&rule, "MARK", 1, &mark, sizeof(mark)); /* no such revision */
	rt_foreign_target(&rule, "MARK", 2, &mark, sizeof(mark) - 1);
	rt_foreign_target(&rule, "LOG", 0, &mark, sizeof(mark));
	assert_int_equal(rule.mark_bits, 0);
	rt_foreign_target(&rule, "MARK", 2, &mark, sizeof(mark));
	assert_int_equal(rule.mark_bits, 0xc000);
	connmark.mode = XT_CONNMARK_SET;
	rt_foreign_target(&rule, "CONNMARK", 1, &connmark, sizeof(connmark));
	assert_int_equal(rule.ct_bits, 0xff);
	connmark.mode = XT_CONNMARK_RESTORE;
	rt_foreign_target(&rule, "CONNMARK", 1, &connmark, sizeof(connmark));
	assert_int_equal(rule.mark_bits, 0xffff);
	assert_int_equal(rule.ct_bits, 0xff);
	connmark.mode = XT_CONNMARK_SAVE;
	rt_foreign_target(&rule, "CONNMARK", 1, &connmark, sizeof(connmark));
	assert_int_equal(rule.ct_bits, 0xffff);
	rt_foreign_target(&rule, "CONNMARK", 2, &shifted, sizeof(shifted));
	assert_int_equal(rule.ct_bits, UINT32_MAX);
	assert_false(rule.notrack);
	rt_foreign_target(&rule, "CT", 2, &ct, sizeof(ct));
	assert_true(rule.notrack);
}

/* ---- a kernel that has them: it answers a dump of rules with one, other dumps with nothing ---- */

struct fake {
	struct rt_transport transport;
	struct nlmsghdr asked;
	int answers; /* given since then */
};

static int fake_send(struct rt_transport *transport, enum rt_bus bus, const void *data, size_t len)
{
	struct fake *fake = (struct fake *)transport;

	assert_int_equal(bus, RT_NETFILTER);
	assert_true(len >= sizeof(fake->asked));
	memcpy(&fake->asked, data, sizeof(fake->asked));
	fake->answers = 0;
	return 0;
}

static void put_rule(struct nlmsghdr *message)
{
	struct xt_mark_tginfo2 *info = calloc(1, sizeof(*info)); /* the expression takes it over */
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct nftnl_expr *expr = nftnl_expr_alloc("target");
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->nfgen_family = NFPROTO_IPV4;
	*info = (struct xt_mark_tginfo2){ .mark = 0x4000, .mask = 0x4000 };
	nftnl_expr_set_str(expr, NFTNL_EXPR_TG_NAME, "MARK");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_TG_REV, 2);
	nftnl_expr_set(expr, NFTNL_EXPR_TG_INFO, info, sizeof(*info));
	nftnl_rule_add_expr(rule, expr);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, "mangle");
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, "PREROUTING");
	nftnl_rule_set_u64(rule, NFTNL_RULE_HANDLE, 9);
	nftnl_rule_nlmsg_build_payload(message, rule);
	nftnl_rule_free(rule);
}

static ssize_t fake_receive(struct rt_transport *transport, enum rt_bus bus, void *buffer, size_t size)
{
	struct fake *fake = (struct fake *)transport;
	bool is_rule = fake->asked.nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE) && !fake->answers;
	struct nlmsghdr *message;

	(void)bus;
	memset(buffer, 0, size);
	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_seq = fake->asked.nlmsg_seq;
	message->nlmsg_type = is_rule ? NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE : NLMSG_DONE;
	fake->answers++;
	if (is_rule)
		put_rule(message);
	else
		mnl_nlmsg_put_extra_header(message, sizeof(int));
	return fake->answers > 2 ? 0 : (ssize_t)message->nlmsg_len;
}

static void fake_close(struct rt_transport *transport)
{
	(void)transport;
}

static void compatible_rule(void **state)
{
	struct fake fake = { .transport = { .send = fake_send, .receive = fake_receive, .close = fake_close } };
	struct rt_netlink *nl = rt_netlink_new(&fake.transport);
	struct cni_state nothing = { 0 };
	struct machine *m = machine_new();
	struct rt_foreign *foreign;

	(void)state;
	assert_int_equal(rt_foreign_read(nl, m->doctor.arena, &foreign), 0);
	m->doctor.observed = &nothing;
	m->doctor.foreign = foreign;
	m->doctor.mark_mask = 0xffff;
	assert_int_equal(findings(m, rt_look_mark_setters, CNI736), 1);
	assert_non_null(
		strstr(m->diags.first->message, "chain PREROUTING of table ip mangle (handle 9) writes bits 0x4000 "));
	m->doctor.mark_mask = 0xffff0000;
	assert_int_equal(findings(m, rt_look_mark_setters, CNI736), 0);
	rt_netlink_free(nl);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes),	   cmocka_unit_test(precedence), cmocka_unit_test(ini),
		cmocka_unit_test(network_manager), cmocka_unit_test(conntrack),	 cmocka_unit_test(iptables),
		cmocka_unit_test(table_names),	   cmocka_unit_test(targets),	 cmocka_unit_test(compatible_rule),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
