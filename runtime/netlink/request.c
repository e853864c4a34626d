/* SPDX-License-Identifier: GPL-2.0-or-later */
/* request.c - requests that a snapshot is not alone in making; see observe.h. */
#include <string.h>
#include <sys/socket.h>

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "runtime/netlink/nft.h"
#include "runtime/netlink/observe.h"

int rt_request_rules(struct rt_netlink *nl, uint8_t family, rt_each *each, void *arg)
{
	uint64_t space[64] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);
	struct fib_rule_hdr *header;

	request->nlmsg_type = RTM_GETRULE;
	request->nlmsg_flags = NLM_F_DUMP;
	header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	header->family = family;
	return rt_request(nl, RT_ROUTE, request, each, arg);
}

int rt_request_table(struct rt_netlink *nl, uint8_t family, uint32_t table, rt_each *each, void *arg)
{
	uint64_t space[64] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);
	struct rtmsg *header;

	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_DUMP;
	header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	header->rtm_family = family;
	mnl_attr_put_u32(request, RTA_TABLE, table);
	return rt_request(nl, RT_ROUTE, request, each, arg);
}

bool rt_nft_is_ours(const struct nlmsghdr *message, struct rt_attrs *attrs)
{
	const struct nfgenmsg *family = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*family))
		return false;
	rt_attrs(attrs, message, sizeof(*family));
	return family->nfgen_family == NFPROTO_INET && !strcmp(rt_string(attrs->at[NFTA_TABLE_NAME]), CNI_TABLE);
}
