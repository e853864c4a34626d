/* SPDX-License-Identifier: GPL-2.0-or-later */
/* observe_rule.c - ip rules of both families. */
#include "runtime/netlink/observe.h"

#include <errno.h>
#include <sys/socket.h>

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

/* Attributes that a rule of cnic's may have; the kernel's dump always has the last two. Any other one, known or not
 * yet known, selects or does something that cnic never writes. */
static const uint8_t usual[] = { FRA_DST,   FRA_SRC,	  FRA_IIFNAME, FRA_PRIORITY,	       FRA_FWMARK,   FRA_FWMASK,
				 FRA_TABLE, FRA_IP_PROTO, FRA_PAD,     FRA_SUPPRESS_PREFIXLEN, FRA_PROTOCOL, FRA_GOTO };

/* What it does is what a rule of cnic's may do: look up a table, or, of ours only, what passes over others. */
static bool does_usual(const struct fib_rule_hdr *header, const struct cni_st_rule *rule)
{
	switch (header->action) {
	case FR_ACT_TO_TBL:
		return !rule->jump && !rule->invert;
	case FR_ACT_GOTO:
		return rule->owned && rule->jump && !rule->table;
	case FR_ACT_NOP:
		return rule->owned && !rule->jump && !rule->table && !rule->invert;
	default:
		return false;
	}
}

static bool is_usual(const struct fib_rule_hdr *header, const struct rt_attrs *attrs)
{
	struct rt_attrs left = *attrs;

	for (size_t i = 0; i < sizeof(usual); i++)
		left.at[usual[i]] = NULL;
	for (size_t i = 0; i < RT_ATTRS; i++)
		if (left.at[i])
			return false;
	return !attrs->unknown && !header->tos && rt_u32(attrs->at[FRA_SUPPRESS_PREFIXLEN], UINT32_MAX) == UINT32_MAX;
}

static int read_rule(const struct nlmsghdr *message, void *arg)
{
	const struct fib_rule_hdr *header = mnl_nlmsg_get_payload(message);
	struct rt_observation *obs = arg;
	struct cni_st_rule *rule;
	struct rt_attrs attrs;

	if (message->nlmsg_type != RTM_NEWRULE || mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return 0;
	if (header->family != AF_INET && header->family != AF_INET6)
		return 0;
	rt_attrs(&attrs, message, sizeof(*header));
	rule = cni_push(obs->arena, obs->state->rules, obs->state->n_rules);
	rule->family = header->family == AF_INET ? CNI_V4 : CNI_V6;
	rule->priority = rt_u32(attrs.at[FRA_PRIORITY], 0);
	rule->has_from = rt_addr(attrs.at[FRA_SRC], rule->family, &rule->from.addr);
	rule->has_to = rt_addr(attrs.at[FRA_DST], rule->family, &rule->to.addr);
	rule->from.len = rule->has_from ? header->src_len : 0;
	rule->to.len = rule->has_to ? header->dst_len : 0;
	rule->iif = attrs.at[FRA_IIFNAME] ? cni_strdup(obs->arena, rt_string(attrs.at[FRA_IIFNAME])) : NULL;
	rule->mark = rt_u32(attrs.at[FRA_FWMARK], 0);
	/* a mark of 0 is not shown */
	rule->mask = rt_u32(attrs.at[FRA_FWMASK], attrs.at[FRA_FWMARK] ? UINT32_MAX : 0);
	rule->ipproto = rt_u8(attrs.at[FRA_IP_PROTO], 0);
	rule->table = rt_u32(attrs.at[FRA_TABLE], header->table);
	rule->owned = rt_u8(attrs.at[FRA_PROTOCOL], 0) == CNI_PROTO;
	rule->invert = header->flags & FIB_RULE_INVERT;
	rule->jump = rt_u32(attrs.at[FRA_GOTO], 0);
	rule->other = !is_usual(header, &attrs) || !does_usual(header, rule);
	return 0;
}

int rt_observe_rules(struct rt_observation *obs)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(families); i++) {
		rc = rt_request_rules(obs->nl, families[i], read_rule, obs);
		if (rc == -EAFNOSUPPORT) /* a kernel without the family, or without policy routing for it */
			rc = 0;
	}
	return rc;
}
