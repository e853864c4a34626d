/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel.c - parts of the kernel that the policy needs: each is tried, in a network namespace that goes with the
 * process that does it. A device kind is tried only where it is needed, for its module makes devices of its own. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <libmnl/libmnl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/doctor/doctor.h"
#include "runtime/netlink/execute.h"

#define PATIENCE 30 /* seconds, for modules to be loaded */

static const struct cni_span nowhere;

struct part {
	const char *name, *option, *module;
	bool (*needed)(const struct cni_state *desired, int what);
	int (*try)(struct rt_doctor *d, int what);
	int what; /* of the two above: a kind of device, an expression, … */
};

/* ---- trying ---- */

static int add(struct rt_doctor *d, enum cni_object object, const void *record)
{
	const struct cni_step step = { .phase = CNI_EXPAND, .op = CNI_ADD, .object = object, .after = record };
	struct rt_execution run = { .nl = d->nl };

	return rt_execute(&run, &step, 1);
}

static struct cni_addr address(enum cni_family family, unsigned int last)
{
	/* of documentation: RFC 5737, RFC 3849 */
	return (struct cni_addr){ family,
				  family == CNI_V4 ? 0xc0000200u + last : ((cni_u128)0x20010db8u << 96) + last };
}

static int try_tunnel(struct rt_doctor *d, int what)
{
	enum cni_family family = what == CNI_DEV_GRE ? CNI_V4 : CNI_V6;
	const struct cni_st_link link = { .name = "cnic-try",
					  .owned = true,
					  .type = (enum cni_link_type)what,
					  .kind = what == CNI_DEV_GRE ? "gre" : "ip6gre",
					  .mtu = 1280,
					  .local = address(family, 1),
					  .remote = address(family, 2),
					  .ttl = 64,
					  .pmtudisc = what == CNI_DEV_GRE,
					  .encap_limit = 256 };

	return add(d, CNI_LINK, &link);
}

/* There is no port to put it on: a kernel that knows the kind asks for one (EINVAL). */
static int try_vlan(struct rt_doctor *d, int what)
{
	rt_auto_batch struct rt_batch batch = { 0 };
	struct nlmsghdr *message =
		rt_batch_add(&batch, 0, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	struct rt_refusal refusal;
	struct nlattr *info;

	(void)what;
	mnl_attr_put_strz(message, IFLA_IFNAME, "cnic-try");
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "vlan");
	mnl_attr_nest_end(message, info);
	return rt_exchange(d->nl, RT_ROUTE, &batch, &refusal) == -EOPNOTSUPP ? -EOPNOTSUPP : 0;
}

static int try_rule(struct rt_doctor *d, int family)
{
	const struct cni_st_rule rule = { .family = (enum cni_family)family,
					  .priority = 1000,
					  .mark = 1,
					  .mask = 0xff,
					  .table = 20001,
					  .owned = true };

	return add(d, CNI_RULE, &rule);
}

static int try_multipath(struct rt_doctor *d, int what)
{
	struct cni_st_hop hops[] = { { .device = "lo", .weight = 1 }, { .device = "lo", .weight = 2 } };
	const struct cni_st_route route = { .table = 20001, .metric = 1, .owned = true, .hops = hops, .n_hops = 2 };
	rt_auto_batch struct rt_batch batch = { 0 };
	struct nlmsghdr *message = rt_batch_add(&batch, 0, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	struct ifinfomsg *lo = mnl_nlmsg_get_payload(message);
	struct rt_refusal refusal;

	(void)what;
	lo->ifi_index = 1; /* always: the first device of every namespace (kernel: LOOPBACK_IFINDEX) */
	lo->ifi_flags = lo->ifi_change = IFF_UP;
	if (rt_exchange(d->nl, RT_ROUTE, &batch, &refusal))
		return refusal.error;
	return add(d, CNI_ROUTE, &route);
}

static int try_table(struct rt_doctor *d, int what)
{
	const struct cni_state state = { .has_table = true };

	(void)what;
	return add(d, CNI_TABLE_NFT, &state);
}

/* The chain that a rule of this kind stands in; another for each, so that none stands on another's feet. */
static struct cni_st_chain chain_for(struct rt_doctor *d, const char *name, enum cni_hook_type type)
{
	static const uint32_t hooks[] = { [CNI_HOOK_FILTER] = NF_INET_PRE_ROUTING,
					  [CNI_HOOK_ROUTE] = NF_INET_LOCAL_OUT,
					  [CNI_HOOK_NAT] = NF_INET_POST_ROUTING };

	return (struct cni_st_chain){ .name = cni_printf(d->arena, "try.%s", name),
				      .type = type,
				      .hook = hooks[type],
				      .priority = type == CNI_HOOK_NAT ? 100 : -150 };
}

static int try_chain(struct rt_doctor *d, int type)
{
	static const char *const names[] = { [CNI_HOOK_ROUTE] = "route", [CNI_HOOK_NAT] = "nat" };
	const struct cni_st_chain chain = chain_for(d, names[type], (enum cni_hook_type)type);

	return add(d, CNI_CHAIN, &chain);
}

/* Expressions that are modules or options of their own, each with what it takes its input from. */
static const struct sample {
	const char *name;
	enum cni_hook_type type;
	struct cni_expr exprs[2];
} samples[] = {
	[CNI_X_CT] = { "ct", CNI_HOOK_FILTER, { { .op = CNI_X_CT, .key = NFT_CT_MARK } } },
	[CNI_X_FIB] = { "fib",
			CNI_HOOK_FILTER,
			{ { .op = CNI_X_FIB, .key = NFT_FIB_RESULT_ADDRTYPE, .len = NFTA_FIB_F_DADDR } } },
	[CNI_X_HASH] = { "hash",
			 CNI_HOOK_FILTER,
			 { { .op = CNI_X_META, .key = NFT_META_MARK },
			   { .op = CNI_X_HASH, .reg = 4, .len = 4, .modulus = 4, .seed = 1 } } },
	[CNI_X_TCPOPT_SET] = { "tcpopt",
			       CNI_HOOK_FILTER,
			       { { .op = CNI_X_IMMEDIATE, .len = 2, .a = { 5 } },
				 { .op = CNI_X_TCPOPT_SET, .key = 2, .offset = 2, .len = 2 } } },
	[CNI_X_NOTRACK] = { "notrack", CNI_HOOK_FILTER, { { .op = CNI_X_NOTRACK } } },
	[CNI_X_MASQUERADE] = { "masq", CNI_HOOK_NAT, { { .op = CNI_X_MASQUERADE } } },
	[CNI_X_SNAT] = { "snat",
			 CNI_HOOK_NAT,
			 { { .op = CNI_X_IMMEDIATE, .len = 4, .a = { 192, 0, 2, 1 } },
			   { .op = CNI_X_SNAT, .key = NFPROTO_IPV4 } } },
	[CNI_X_REJECT] = { "reject", CNI_HOOK_FILTER, { { .op = CNI_X_REJECT, .key = NFT_REJECT_ICMPX_NO_ROUTE } } },
};

static int try_expr(struct rt_doctor *d, int op)
{
	const struct sample *sample = &samples[op];
	struct cni_expr exprs[2];
	struct cni_st_rule_nft rule = { .exprs = exprs };
	struct cni_st_chain chain = chain_for(d, sample->name, sample->type);
	int rc;

	memcpy(exprs, sample->exprs, sizeof(exprs));
	rule.n_exprs = sample->exprs[0].op == (enum cni_expr_op)op ? 1 : 2;
	chain.rules = &rule;
	chain.n_rules = 1;
	/* the rules of a base chain are a step of their own */
	rc = add(d, CNI_CHAIN, &chain);
	return rc ? rc : add(d, CNI_BASE_RULES, &chain);
}

enum set_kind { SET_OF_RANGES, SET_CONCATENATED, SET_OF_BOXES };

static int try_set(struct rt_doctor *d, int kind)
{
	uint8_t range[8] = { 10, 0, 0, 0, 10, 255, 255, 255 }, pair[20] = { 1, 0, 0, 0, 'l', 'o' };
	uint8_t box[16] = { 10, 0, 0, 0, 10, 0, 0, 0, 10, 255, 255, 255, 10, 255, 255, 255 };
	struct cni_st_verdict verdict = { .code = NF_ACCEPT };
	const struct cni_st_set sets[] = {
		[SET_OF_RANGES] = { .name = "try.ranges",
				    .fields = { CNI_KEY_IPV4 },
				    .n_fields = 1,
				    .interval = true,
				    .map = true,
				    .key_len = 4,
				    .keys = range,
				    .verdicts = &verdict,
				    .n_elems = 1 },
		[SET_CONCATENATED] = { .name = "try.pairs",
				       .fields = { CNI_KEY_MARK, CNI_KEY_IFNAME },
				       .n_fields = 2,
				       .key_len = 20,
				       .keys = pair,
				       .n_elems = 1 },
		[SET_OF_BOXES] = { .name = "try.boxes",
				   .fields = { CNI_KEY_IPV4, CNI_KEY_IPV4 },
				   .n_fields = 2,
				   .interval = true,
				   .map = true,
				   .key_len = 8,
				   .keys = box,
				   .verdicts = &verdict,
				   .n_elems = 1 },
	};

	return add(d, CNI_SET, &sets[kind]);
}

static int pass(const struct nlmsghdr *message, void *arg)
{
	(void)message;
	(void)arg;
	return 0;
}

static int try_conntrack(struct rt_doctor *d, int what)
{
	uint64_t space[16] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);

	(void)what;
	request->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	request->nlmsg_flags = NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(request, sizeof(struct nfgenmsg));
	return rt_request(d->nl, RT_NETFILTER, request, pass, NULL);
}

/* ---- needing ---- */

static bool needs_link(const struct cni_state *desired, int type)
{
	for (size_t i = 0; i < desired->n_links; i++)
		if (desired->links[i].owned && desired->links[i].type == (enum cni_link_type)type)
			return true;
	return false;
}

static bool needs_rule(const struct cni_state *desired, int family)
{
	for (size_t i = 0; i < desired->n_rules; i++)
		if (desired->rules[i].family == (enum cni_family)family)
			return true;
	return false;
}

static bool needs_multipath(const struct cni_state *desired, int what)
{
	(void)what;
	for (size_t i = 0; i < desired->n_routes; i++)
		if (desired->routes[i].n_hops > 1 && desired->routes[i].family == CNI_V4)
			return true;
	return false;
}

static bool needs_table(const struct cni_state *desired, int what)
{
	(void)what;
	return desired->has_table;
}

static bool needs_chain(const struct cni_state *desired, int type)
{
	for (size_t i = 0; i < desired->n_chains; i++)
		if (desired->chains[i].type == (enum cni_hook_type)type)
			return true;
	return false;
}

static bool needs_expr(const struct cni_state *desired, int op)
{
	for (size_t c = 0; c < desired->n_chains; c++)
		for (size_t r = 0; r < desired->chains[c].n_rules; r++)
			for (size_t x = 0; x < desired->chains[c].rules[r].n_exprs; x++)
				if (desired->chains[c].rules[r].exprs[x].op == (enum cni_expr_op)op)
					return true;
	return false;
}

static bool needs_set(const struct cni_state *desired, int kind)
{
	for (size_t i = 0; i < desired->n_sets; i++) {
		const struct cni_st_set *set = &desired->sets[i];

		if ((set->n_fields > 1 ? set->interval ? SET_OF_BOXES : SET_CONCATENATED : SET_OF_RANGES) == kind &&
		    (set->n_fields > 1 || set->interval))
			return true;
	}
	return false;
}

/* ---- all of them ---- */

/* In the order in which they are tried. Options and modules: Kconfig and Makefile of net/ipv4, net/ipv6, net/8021q and
 * net/netfilter. */
static const struct part parts[] = {
	{ "GRE devices", "CONFIG_NET_IPGRE", "ip_gre", needs_link, try_tunnel, CNI_DEV_GRE },
	{ "GRE over IPv6 devices", "CONFIG_IPV6_GRE", "ip6_gre", needs_link, try_tunnel, CNI_DEV_IP6GRE },
	{ "VLAN devices", "CONFIG_VLAN_8021Q", "8021q", needs_link, try_vlan, CNI_DEV_VLAN },
	{ "ip rules of IPv4", "CONFIG_IP_MULTIPLE_TABLES", "", needs_rule, try_rule, CNI_V4 },
	{ "ip rules of IPv6", "CONFIG_IPV6_MULTIPLE_TABLES", "", needs_rule, try_rule, CNI_V6 },
	{ "multipath routes", "CONFIG_IP_ROUTE_MULTIPATH", "", needs_multipath, try_multipath, 0 },
	{ "nftables for IPv4 and IPv6", "CONFIG_NF_TABLES_INET", "nf_tables", needs_table, try_table, 0 },
	{ "chains of type route", "CONFIG_NF_TABLES", "nf_tables", needs_chain, try_chain, CNI_HOOK_ROUTE },
	{ "chains of type nat", "CONFIG_NFT_NAT", "nft_chain_nat", needs_chain, try_chain, CNI_HOOK_NAT },
	{ "sets of ranges", "CONFIG_NF_TABLES", "nf_tables", needs_set, try_set, SET_OF_RANGES },
	{ "concatenated sets", "CONFIG_NF_TABLES", "nf_tables", needs_set, try_set, SET_CONCATENATED },
	{ "concatenated sets of ranges", "CONFIG_NF_TABLES", "nf_tables", needs_set, try_set, SET_OF_BOXES },
	{ "nft's ct", "CONFIG_NFT_CT", "nft_ct", needs_expr, try_expr, CNI_X_CT },
	{ "nft's notrack", "CONFIG_NFT_CT", "nft_ct", needs_expr, try_expr, CNI_X_NOTRACK },
	{ "nft's fib", "CONFIG_NFT_FIB_INET", "nft_fib_inet", needs_expr, try_expr, CNI_X_FIB },
	{ "nft's hash", "CONFIG_NFT_HASH", "nft_hash", needs_expr, try_expr, CNI_X_HASH },
	{ "nft's tcp option", "CONFIG_NF_TABLES", "nf_tables", needs_expr, try_expr, CNI_X_TCPOPT_SET },
	{ "nft's masquerade", "CONFIG_NFT_MASQ", "nft_masq", needs_expr, try_expr, CNI_X_MASQUERADE },
	{ "nft's snat", "CONFIG_NFT_NAT", "nft_nat", needs_expr, try_expr, CNI_X_SNAT },
	{ "nft's reject", "CONFIG_NFT_REJECT_INET", "nft_reject_inet", needs_expr, try_expr, CNI_X_REJECT },
	{ "conntrack over netlink", "CONFIG_NF_CT_NETLINK", "nf_conntrack_netlink", needs_table, try_conntrack, 0 },
};
#define N_PARTS (sizeof(parts) / sizeof(*parts))
#define NOT_TRIED 1

struct trial {
	int error; /* why nothing was tried: -errno; 0: it was */
	int parts[N_PARTS]; /* 0, NOT_TRIED, or -errno */
};

static bool is_wanted(const struct rt_doctor *d, const struct part *part)
{
	if (d->desired)
		return part->needed(d->desired, part->what);
	return part->needed != needs_link;
}

/* In the child: the caller's namespace is left before anything is made. */
static void try_all(struct rt_doctor *d, struct trial *trial)
{
	struct cni_diags diags;

	alarm(PATIENCE);
	cni_diags_init(&diags, d->arena);
	if (unshare(CLONE_NEWNET)) {
		trial->error = -errno;
		return;
	}
	trial->error = rt_netlink_open(&d->nl, &diags);
	for (size_t i = 0; !trial->error && i < N_PARTS; i++)
		trial->parts[i] = is_wanted(d, &parts[i]) ? parts[i].try(d, parts[i].what) : NOT_TRIED;
}

/* False: nothing came back. */
static bool run_child(struct rt_doctor *d, struct trial *trial)
{
	int pipes[2];
	ssize_t got;
	pid_t child;

	if (pipe(pipes))
		return false;
	child = fork();
	if (!child) {
		struct rt_doctor copy = *d;

		close(pipes[0]);
		try_all(&copy, trial);
		_exit(write(pipes[1], trial, sizeof(*trial)) != sizeof(*trial)); /* less than PIPE_BUF: whole */
	}
	close(pipes[1]);
	do
		got = child > 0 ? read(pipes[0], trial, sizeof(*trial)) : -1;
	while (got < 0 && child > 0 && errno == EINTR);
	close(pipes[0]);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return got == sizeof(*trial);
}

static void report(struct rt_doctor *d, const struct part *part, int error)
{
	struct cni_diag *diag = rt_finding(d, CNI740, nowhere, "this kernel lacks %s, which the policy needs (%s)",
					   part->name, strerror(-error));

	if (*part->module)
		cni_diag_help(d->diags, diag, "modprobe %s (%s; Debian's linux-image-amd64 has it)", part->module,
			      part->option);
	else
		cni_diag_help(d->diags, diag, "a kernel with %s; Debian's linux-image-amd64 has it", part->option);
}

const char *rt_look_kernel(struct rt_doctor *d, enum rt_verdict *verdict)
{
	struct trial trial = { 0 };
	const char *lacking = "";
	size_t n = 0;

	if (!run_child(d, &trial)) {
		*verdict = RT_UNKNOWN;
		return "no process came back from trying the parts of the kernel";
	}
	if (trial.error) {
		*verdict = RT_UNKNOWN;
		return cni_printf(d->arena, "no network namespace to try parts of the kernel in: %s",
				  strerror(-trial.error));
	}
	for (size_t i = 0; i < N_PARTS; i++) {
		n += trial.parts[i] != NOT_TRIED;
		if (trial.parts[i] >= 0)
			continue;
		if (d->desired)
			report(d, &parts[i], trial.parts[i]);
		else
			lacking = cni_printf(d->arena, "%s; lacking: %s (%s)", lacking, parts[i].name, parts[i].option);
	}
	return cni_printf(d->arena, "%zu part%s, tried in a namespace of their own%s", n, n == 1 ? "" : "s", lacking);
}
