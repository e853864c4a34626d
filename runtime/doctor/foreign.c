/* SPDX-License-Identifier: GPL-2.0-or-later */
/* foreign.c - see foreign.h. */
#include "runtime/doctor/foreign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_mark.h>

#include "runtime/netlink/expr.h"
#include "runtime/netlink/nft.h"
#include "runtime/netlink/observe.h"

#define ALL UINT32_MAX
#define N_REGISTERS 16 /* 32 bits each */
#ifndef NFTA_DEVICE_PREFIX
#define NFTA_DEVICE_PREFIX 2 /* Linux 6.16 */
#endif

struct reader {
	struct cni_arena *arena;
	struct rt_foreign *foreign;
};

/* NULL: a message of another kind, or of our table. */
static const char *family_of(const struct nlmsghdr *message, uint16_t type, struct rt_attrs *attrs)
{
	static const char *const names[] = {
		[NFPROTO_INET] = "inet",     [NFPROTO_IPV4] = "ip",	  [NFPROTO_ARP] = "arp",
		[NFPROTO_NETDEV] = "netdev", [NFPROTO_BRIDGE] = "bridge", [NFPROTO_IPV6] = "ip6",
	};
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type != rt_nft_type(type) || mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return NULL;
	rt_attrs(attrs, message, sizeof(*header));
	/* the first attribute of every kind of object is its table */
	if (header->nfgen_family == NFPROTO_INET && !strcmp(rt_string(attrs->at[NFTA_TABLE_NAME]), CNI_TABLE))
		return NULL;
	return header->nfgen_family < sizeof(names) / sizeof(*names) ? names[header->nfgen_family] : NULL;
}

static const char *copy(const struct reader *reader, const struct nlattr *attr)
{
	return cni_strdup(reader->arena, rt_string(attr));
}

/* ---- chains and flowtables ---- */

static int read_chain(const struct nlmsghdr *message, void *arg)
{
	struct reader *reader = arg;
	struct rt_attrs attrs, hook;
	const char *family = family_of(message, NFT_MSG_NEWCHAIN, &attrs);

	if (!family)
		return 0;
	rt_attrs_nested(&hook, attrs.at[NFTA_CHAIN_HOOK]);
	*cni_push(reader->arena, reader->foreign->chains, reader->foreign->n_chains) =
		(struct rt_foreign_chain){ .family = family,
					   .table = copy(reader, attrs.at[NFTA_CHAIN_TABLE]),
					   .name = copy(reader, attrs.at[NFTA_CHAIN_NAME]),
					   .is_base = attrs.at[NFTA_CHAIN_HOOK],
					   .hook = rt_be32(hook.at[NFTA_HOOK_HOOKNUM], 0) };
	return 0;
}

static void read_devices(const struct reader *reader, const struct nlattr *list, struct rt_foreign_flowtable *table)
{
	const struct nlattr *attr;

	if (!list)
		return;
	mnl_attr_for_each_nested(attr, list)
	{
		bool is_prefix = mnl_attr_get_type(attr) == NFTA_DEVICE_PREFIX;

		if (is_prefix || mnl_attr_get_type(attr) == NFTA_DEVICE_NAME)
			*cni_push(reader->arena, table->devices, table->n_devices) =
				cni_printf(reader->arena, "%s%s", rt_string(attr), is_prefix ? "*" : "");
	}
}

static int read_flowtable(const struct nlmsghdr *message, void *arg)
{
	struct reader *reader = arg;
	struct rt_foreign_flowtable *table;
	struct rt_attrs attrs, hook;
	const char *family = family_of(message, NFT_MSG_NEWFLOWTABLE, &attrs);

	if (!family)
		return 0;
	table = cni_push(reader->arena, reader->foreign->flowtables, reader->foreign->n_flowtables);
	table->family = family;
	table->table = copy(reader, attrs.at[NFTA_FLOWTABLE_TABLE]);
	table->name = copy(reader, attrs.at[NFTA_FLOWTABLE_NAME]);
	table->offload = rt_be32(attrs.at[NFTA_FLOWTABLE_FLAGS], 0) & NFT_FLOWTABLE_HW_OFFLOAD;
	rt_attrs_nested(&hook, attrs.at[NFTA_FLOWTABLE_HOOK]);
	read_devices(reader, hook.at[NFTA_FLOWTABLE_HOOK_DEVS], table);
	return 0;
}

/* ---- what a rule does ---- */

/* A mark that was loaded, with the bits that are still as they were. */
struct word {
	enum { UNKNOWN, PACKET_MARK, FLOW_MARK } from;
	uint32_t kept;
};

struct follow {
	struct word words[N_REGISTERS];
	int state_reg; /* holds bits of the conntrack state; -1: none */
	uint32_t states; /* those that it was masked to; then, those that the rest of the rule is for */
	bool for_states;
};

static void forget(struct follow *f, unsigned int reg, unsigned int bytes)
{
	for (unsigned int i = reg; i < reg + (bytes + 3) / 4 && i < N_REGISTERS; i++)
		f->words[i] = (struct word){ 0 };
	if (f->state_reg == (int)reg)
		f->state_reg = -1;
}

static void follow_load(struct follow *f, const struct cni_expr *x)
{
	bool is_flow = x->op == CNI_X_CT;

	forget(f, x->reg, 16); /* no meta or conntrack key is longer */
	if (x->key == (is_flow ? (int)NFT_CT_MARK : (int)NFT_META_MARK))
		f->words[x->reg] = (struct word){ is_flow ? FLOW_MARK : PACKET_MARK, ALL };
	else if (is_flow && x->key == NFT_CT_STATE)
		f->state_reg = x->reg;
}

static void follow_bitwise(struct follow *f, const struct cni_expr *x)
{
	struct word word = f->words[x->sreg];
	bool is_state = f->state_reg == x->sreg;
	uint32_t mask, flip;

	memcpy(&mask, x->a, sizeof(mask));
	memcpy(&flip, x->b, sizeof(flip));
	forget(f, x->reg, x->len);
	if (x->len != sizeof(mask))
		return;
	word.kept &= mask & ~flip;
	f->words[x->reg] = word;
	if (is_state && !flip) {
		f->state_reg = x->reg;
		f->states = mask;
	}
}

/* `ct state invalid,…`: any of these bits. */
static void follow_cmp(struct follow *f, const struct cni_expr *x)
{
	static const uint8_t zero[16];

	if (f->state_reg == x->sreg && x->key == NFT_CMP_NEQ && x->len == 4 && !memcmp(x->a, zero, 4))
		f->for_states = true;
}

static uint32_t changed(const struct follow *f, const struct cni_expr *x, int own)
{
	const struct word *word = &f->words[x->sreg];

	return (int)word->from == own ? ~word->kept : ALL;
}

/* One of an extension of iptables, or that cnic has no use for. */
static void follow_other(struct reader *reader, struct follow *f, const struct nftnl_expr *expr,
			 struct rt_foreign_rule *rule)
{
	const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_NAME);

	if (!strcmp(name, "target")) {
		uint32_t len = 0;
		const void *info = nftnl_expr_get(expr, NFTNL_EXPR_TG_INFO, &len);

		rt_foreign_target(rule, nftnl_expr_get_str(expr, NFTNL_EXPR_TG_NAME),
				  nftnl_expr_get_u32(expr, NFTNL_EXPR_TG_REV), info, len);
	} else if (!strcmp(name, "flow_offload")) {
		rule->flowtable = cni_strdup(reader->arena, nftnl_expr_get_str(expr, NFTNL_EXPR_FLOW_TABLE_NAME));
	} else if (strcmp(name, "counter") != 0 && strcmp(name, "log") != 0 && strcmp(name, "match") != 0) {
		forget(f, 0, 4 * N_REGISTERS); /* which it may have written */
	}
}

static void follow_expr(struct reader *reader, struct follow *f, const struct nftnl_expr *expr,
			struct rt_foreign_rule *rule)
{
	struct cni_expr x;

	rt_expr_decode(reader->arena, expr, &x);
	switch (x.op) {
	case CNI_X_META:
	case CNI_X_CT:
		follow_load(f, &x);
		break;
	case CNI_X_BITWISE:
		follow_bitwise(f, &x);
		break;
	case CNI_X_CMP:
		follow_cmp(f, &x);
		break;
	case CNI_X_META_SET:
		if (x.key == NFT_META_MARK)
			rule->mark_bits |= changed(f, &x, PACKET_MARK);
		break;
	case CNI_X_CT_SET:
		if (x.key == NFT_CT_MARK)
			rule->ct_bits |= changed(f, &x, FLOW_MARK);
		break;
	case CNI_X_VERDICT:
		if (x.key == NF_DROP && f->for_states)
			rule->drops = f->states;
		break;
	case CNI_X_NOTRACK:
		rule->notrack = true;
		break;
	case CNI_X_PAYLOAD:
	case CNI_X_FIB:
	case CNI_X_BYTEORDER:
	case CNI_X_HASH:
	case CNI_X_IMMEDIATE:
		forget(f, x.reg, x.op == CNI_X_PAYLOAD || x.op == CNI_X_IMMEDIATE ? x.len : 16);
		break;
	case CNI_X_OTHER:
		follow_other(reader, f, expr, rule);
		break;
	default: /* writes no register and no mark */
		break;
	}
}

static void follow_rule(struct reader *reader, const struct nftnl_rule *from, struct rt_foreign_rule *rule)
{
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(from);
	struct follow f = { .state_reg = -1 };
	struct nftnl_expr *expr;

	while (iter && (expr = nftnl_expr_iter_next(iter)))
		follow_expr(reader, &f, expr, rule);
	if (iter)
		nftnl_expr_iter_destroy(iter);
}

static int read_rule(const struct nlmsghdr *message, void *arg)
{
	struct reader *reader = arg;
	struct rt_foreign *foreign = reader->foreign;
	struct rt_attrs attrs;
	struct nftnl_rule *parsed;
	struct rt_foreign_rule rule = { .family = family_of(message, NFT_MSG_NEWRULE, &attrs) };

	if (!rule.family)
		return 0;
	parsed = nftnl_rule_alloc();
	if (!parsed)
		return -ENOMEM;
	foreign->n_looked_at++;
	if (nftnl_rule_nlmsg_parse(message, parsed) >= 0)
		follow_rule(reader, parsed, &rule);
	else
		foreign->n_unread++;
	nftnl_rule_free(parsed);
	if (!rule.mark_bits && !rule.ct_bits && !rule.drops && !rule.notrack && !rule.flowtable)
		return 0;
	rule.table = copy(reader, attrs.at[NFTA_RULE_TABLE]);
	rule.chain = copy(reader, attrs.at[NFTA_RULE_CHAIN]);
	rule.handle = rt_be64(attrs.at[NFTA_RULE_HANDLE], 0);
	*cni_push(reader->arena, foreign->rules, foreign->n_rules) = rule;
	return 0;
}

/* ---- extensions of iptables ---- */

static void target_mark(struct rt_foreign_rule *rule, uint32_t revision, const void *data)
{
	struct xt_mark_tginfo2 info;

	(void)revision;
	memcpy(&info, data, sizeof(info)); /* mark = (mark & ~mask) ^ value */
	rule->mark_bits |= info.mask | info.mark;
}

/* Revision 2 can shift what it copies, to anywhere. */
static void target_connmark(struct rt_foreign_rule *rule, uint32_t revision, const void *data)
{
	struct xt_connmark_tginfo2 info = { 0 };
	struct xt_connmark_tginfo1 first;
	uint32_t copied;

	memcpy(revision == 1 ? (void *)&first : &info, data, revision == 1 ? sizeof(first) : sizeof(info));
	if (revision == 1)
		info = (struct xt_connmark_tginfo2){
			.ctmark = first.ctmark, .ctmask = first.ctmask, .nfmask = first.nfmask, .mode = first.mode
		};
	copied = info.shift_bits ? ALL : info.ctmask | info.nfmask;
	if (info.mode == XT_CONNMARK_SET)
		rule->ct_bits |= info.ctmask | info.ctmark;
	else if (info.mode == XT_CONNMARK_SAVE)
		rule->ct_bits |= copied;
	else if (info.mode == XT_CONNMARK_RESTORE)
		rule->mark_bits |= copied;
}

static void target_ct(struct rt_foreign_rule *rule, uint32_t revision, const void *data)
{
	uint16_t flags; /* the first member of every revision */

	(void)revision;
	memcpy(&flags, data, sizeof(flags));
	rule->notrack |= flags & XT_CT_NOTRACK;
}

static void target_notrack(struct rt_foreign_rule *rule, uint32_t revision, const void *data)
{
	(void)revision;
	(void)data;
	rule->notrack = true;
}

void rt_foreign_target(struct rt_foreign_rule *rule, const char *name, uint32_t revision, const void *info, size_t len)
{
	static const struct {
		const char *name;
		uint32_t first, last; /* revisions */
		size_t len;
		void (*read)(struct rt_foreign_rule *rule, uint32_t revision, const void *data);
	} known[] = {
		{ "MARK", 2, 2, sizeof(struct xt_mark_tginfo2), target_mark },
		{ "CONNMARK", 1, 1, sizeof(struct xt_connmark_tginfo1), target_connmark },
		{ "CONNMARK", 2, 2, sizeof(struct xt_connmark_tginfo2), target_connmark },
		{ "CT", 0, 2, sizeof(uint16_t), target_ct },
		{ "NOTRACK", 0, 0, 0, target_notrack },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(known[i].name, name) && revision >= known[i].first && revision <= known[i].last &&
		    len >= known[i].len)
			known[i].read(rule, revision, info);
}

/* ---- */

int rt_foreign_read(struct rt_netlink *nl, struct cni_arena *arena, struct rt_foreign **foreign)
{
	static const struct {
		uint16_t type;
		rt_each *each;
	} dumps[] = { { NFT_MSG_GETCHAIN, read_chain },
		      { NFT_MSG_GETRULE, read_rule },
		      { NFT_MSG_GETFLOWTABLE, read_flowtable } };
	struct reader reader = { .arena = arena };
	int rc = 0;

	for (int attempt = 0; attempt < 5; attempt++) {
		*foreign = reader.foreign = cni_new(arena, struct rt_foreign);
		rc = 0;
		for (size_t i = 0; !rc && i < sizeof(dumps) / sizeof(*dumps); i++) {
			uint64_t space[16] = { 0 };
			struct nlmsghdr *request = mnl_nlmsg_put_header(space);
			struct nfgenmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));

			request->nlmsg_type = rt_nft_type(dumps[i].type);
			request->nlmsg_flags = NLM_F_DUMP;
			header->nfgen_family = NFPROTO_UNSPEC;
			rc = rt_request(nl, RT_NETFILTER, request, dumps[i].each, &reader);
		}
		if (rc != -EINTR)
			break;
	}
	return rc;
}
