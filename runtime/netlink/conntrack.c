/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntrack.c - ctnetlink, as far as marks go; see conntrack.h. */
#include "runtime/netlink/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>

#include "runtime/netlink/netlink.h"

#define ROUNDS 1024 /* a bound; one is the rule */
#define AT_ONCE 16384 /* flows a batch: about 2 MB */

struct forget {
	struct rt_batch batch;
	uint32_t mark_mask;
	size_t n;
};

static int add_flow(const struct nlmsghdr *message, void *arg)
{
	const struct nfgenmsg *from = mnl_nlmsg_get_payload(message);
	const struct nlattr *tuple = NULL, *zone = NULL, *attr;
	struct forget *forget = arg;
	struct nlmsghdr *nlh;

	if (forget->n >= AT_ONCE)
		return 0; /* the next round has the rest */
	mnl_attr_for_each(attr, message, sizeof(*from))
	{
		if (mnl_attr_get_type(attr) == CTA_TUPLE_ORIG)
			tuple = attr;
		else if (mnl_attr_get_type(attr) == CTA_ZONE)
			zone = attr;
	}
	if (!tuple)
		return 0;
	nlh = rt_batch_add(&forget->batch, forget->n++, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, 0,
			   sizeof(struct nfgenmsg));
	((struct nfgenmsg *)mnl_nlmsg_get_payload(nlh))->nfgen_family = from->nfgen_family;
	mnl_attr_put(nlh, CTA_TUPLE_ORIG | NLA_F_NESTED, mnl_attr_get_payload_len(tuple), mnl_attr_get_payload(tuple));
	if (zone)
		mnl_attr_put(nlh, CTA_ZONE, mnl_attr_get_payload_len(zone), mnl_attr_get_payload(zone));
	mnl_attr_put_u32(nlh, CTA_MARK, 0);
	mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(forget->mark_mask));
	return 0;
}

/* Gives every flow with (mark & mask) == mark to `each`. */
static int dump(struct rt_netlink *nl, uint32_t mask, uint32_t mark, rt_each *each, void *arg)
{
	char request[MNL_NLMSG_HDRLEN + 64];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);

	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct nfgenmsg));
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(mark));
	mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(mask));
	return rt_request(nl, RT_NETFILTER, nlh, each, arg);
}

static int note(const struct nlmsghdr *message, void *arg)
{
	(void)message;
	*(bool *)arg = true;
	return 0;
}

bool rt_conntrack_has(struct rt_netlink *nl, uint32_t mask, uint32_t mark)
{
	bool any = false;

	dump(nl, mask, mark, note, &any);
	return any;
}

int rt_conntrack_forget(struct rt_netlink *nl, uint32_t mark_mask, uint32_t mask, uint32_t mark)
{
	size_t n_changes = nl->n_changes;
	int r = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct forget forget = { .mark_mask = mark_mask };
		struct rt_refusal refusal;

		r = dump(nl, mask, mark, add_flow, &forget);
		if (!r && forget.n) {
			r = rt_exchange(nl, RT_NETFILTER, &forget.batch, &refusal);
			if (r == -ENOENT)
				r = 0; /* it ended; those behind it were worked through all the same */
		}
		rt_batch_free(&forget.batch);
		if (r == -EINTR)
			r = 0; /* the table is in motion: another round */
		if (r || !forget.n)
			break;
	}
	nl->n_changes = n_changes; /* what conntrack notes of flows is no configuration */
	return r == -EOPNOTSUPP || r == -EPROTONOSUPPORT || r == -EINVAL ? 0 : r;
}
