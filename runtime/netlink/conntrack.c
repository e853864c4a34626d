/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntrack.c - ctnetlink, as far as marks go; see conntrack.h. */
#include "runtime/netlink/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "runtime/netlink/observe.h"

#define ROUNDS 1024 /* a bound; one is the rule */
#define AT_ONCE 16384 /* flows a batch: about 2 MB */

struct forget {
	struct rt_batch batch;
	const struct cni_stale *stale;
	size_t n;
};

static int by_id(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* What a mark is to be within our bits. */
static uint32_t fresh_mark(const struct cni_stale *stale, uint32_t mark)
{
	const uint32_t id = mark & stale->id_mask;

	if (stale->all)
		return 0;
	if (stale->n_ids && bsearch(&id, stale->ids, stale->n_ids, sizeof(id), by_id))
		return stale->gone;
	if (stale->epoch_mask && (mark & stale->epoch_mask) == stale->epoch)
		mark &= ~stale->epoch_mask;
	return mark & stale->mask;
}

static int add_flow(const struct nlmsghdr *message, void *arg)
{
	const struct nfgenmsg *from = mnl_nlmsg_get_payload(message);
	const struct nlattr *tuple = NULL, *zone = NULL, *attr;
	struct forget *forget = arg;
	const uint32_t mask = forget->stale->mask;
	struct nlmsghdr *nlh;
	uint32_t mark = 0, fresh;

	if (forget->n >= AT_ONCE)
		return 0; /* the next round has the rest */
	mnl_attr_for_each(attr, message, sizeof(*from))
	{
		if (mnl_attr_get_type(attr) == CTA_TUPLE_ORIG)
			tuple = attr;
		else if (mnl_attr_get_type(attr) == CTA_ZONE)
			zone = attr;
		else if (mnl_attr_get_type(attr) == CTA_MARK)
			mark = rt_be32(attr, 0);
	}
	fresh = fresh_mark(forget->stale, mark);
	if (!tuple || fresh == (mark & mask))
		return 0;
	nlh = rt_batch_add(&forget->batch, forget->n++, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, 0,
			   sizeof(struct nfgenmsg));
	((struct nfgenmsg *)mnl_nlmsg_get_payload(nlh))->nfgen_family = from->nfgen_family;
	mnl_attr_put(nlh, CTA_TUPLE_ORIG | NLA_F_NESTED, mnl_attr_get_payload_len(tuple), mnl_attr_get_payload(tuple));
	if (zone)
		mnl_attr_put(nlh, CTA_ZONE, mnl_attr_get_payload_len(zone), mnl_attr_get_payload(zone));
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(fresh));
	mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(mask));
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

/* The kernel has no conntrack, or no way to ask it: then no flow has a mark. */
static bool is_missing(int rc)
{
	return rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT || rc == -EINVAL;
}

bool rt_conntrack_has(struct rt_netlink *nl, uint32_t mask, uint32_t mark)
{
	bool any = false;
	int rc = dump(nl, mask, mark, note, &any);

	return any || (rc && !is_missing(rc));
}

int rt_conntrack_forget(struct rt_netlink *nl, const struct cni_stale *stale)
{
	/* new numbers of paths are picked out here: the kernel would walk its table once for each */
	const bool by_epoch = !stale->all && !stale->n_ids;
	size_t n_changes = nl->n_changes;
	int r = 0;

	for (int round = 0; stale->mask && round < ROUNDS; round++) {
		struct forget forget = { .stale = stale };
		struct rt_refusal refusal;

		r = dump(nl, by_epoch ? stale->epoch_mask : 0, by_epoch ? stale->epoch : 0, add_flow, &forget);
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
	return is_missing(r) ? 0 : r;
}

/* ---- flows that move ---- */

#define FILTERS 8 /* marks that the kernel is asked for one by one: for each it walks through all its flows */

struct moving {
	struct rt_batch batch;
	uint32_t mask;
	const struct rt_flow_move *moves;
	size_t n_moves, n;
};

static int by_mark(const void *a, const void *b)
{
	const struct rt_flow_move *x = a, *y = b;

	return x->mark != y->mark ? (x->mark > y->mark) - (x->mark < y->mark) : (int)x->family - (int)y->family;
}

static bool ended(const struct nlmsghdr *message, int error)
{
	(void)message;
	return error == -ENOENT;
}

static struct nlmsghdr *about_flow(struct moving *moving, uint16_t type, const struct nfgenmsg *from,
				   const struct rt_attrs *attrs)
{
	static const uint16_t names[] = { CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID };
	struct nlmsghdr *nlh = rt_batch_add(&moving->batch, moving->n++, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type),
					    0, sizeof(struct nfgenmsg));

	((struct nfgenmsg *)mnl_nlmsg_get_payload(nlh))->nfgen_family = from->nfgen_family;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (attrs->at[names[i]])
			mnl_attr_put(nlh, attrs->at[names[i]]->nla_type, mnl_attr_get_payload_len(attrs->at[names[i]]),
				     mnl_attr_get_payload(attrs->at[names[i]]));
	return nlh;
}

/* Answers come to the address that the source is translated to. */
static bool is_bound_elsewhere(const struct rt_attrs *flow, const struct rt_flow_move *move)
{
	struct rt_attrs tuple, ip;
	struct cni_addr to;

	if (!(rt_be32(flow->at[CTA_STATUS], 0) & IPS_SRC_NAT))
		return false;
	rt_attrs_nested(&tuple, flow->at[CTA_TUPLE_REPLY]);
	rt_attrs_nested(&ip, tuple.at[CTA_TUPLE_IP]);
	return !move->has_keep ||
	       !rt_addr(ip.at[move->family == CNI_V4 ? CTA_IP_V4_DST : CTA_IP_V6_DST], move->family, &to) ||
	       !cni_addr_equal(to, move->keep);
}

static int move_flow(const struct nlmsghdr *message, void *arg)
{
	const struct nfgenmsg *from = mnl_nlmsg_get_payload(message);
	struct moving *moving = arg;
	struct rt_flow_move key = { .family = from->nfgen_family == AF_INET ? CNI_V4 : CNI_V6 }, *move;
	struct rt_attrs attrs;

	rt_attrs(&attrs, message, sizeof(*from));
	key.mark = rt_be32(attrs.at[CTA_MARK], 0) & moving->mask;
	move = bsearch(&key, moving->moves, moving->n_moves, sizeof(key), by_mark);
	if (!move || !attrs.at[CTA_TUPLE_ORIG] || moving->n >= AT_ONCE)
		return 0;
	if (move->forget && is_bound_elsewhere(&attrs, move)) {
		about_flow(moving, IPCTNL_MSG_CT_DELETE, from, &attrs);
	} else if (move->marks) {
		struct nlmsghdr *nlh = about_flow(moving, IPCTNL_MSG_CT_NEW, from, &attrs);

		mnl_attr_put_u32(nlh, CTA_MARK, htonl(move->to));
		mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(moving->mask));
	}
	return 0;
}

static int dump_moving(struct rt_netlink *nl, struct moving *moving)
{
	int rc = 0;

	if (moving->n_moves > FILTERS)
		return dump(nl, 0, 0, move_flow, moving);
	for (size_t i = 0; !rc && i < moving->n_moves; i++)
		if (!i || moving->moves[i].mark != moving->moves[i - 1].mark)
			rc = dump(nl, moving->mask, moving->moves[i].mark, move_flow, moving);
	return rc;
}

int rt_conntrack_move(struct rt_netlink *nl, uint32_t mask, const struct rt_flow_move *moves, size_t n,
		      unsigned int *n_flows)
{
	int rc = 0;

	for (int round = 0; n && !rc && round < ROUNDS; round++) {
		struct moving moving = { .batch.bears = ended, .mask = mask, .moves = moves, .n_moves = n };
		struct rt_refusal refusal;
		bool all;

		rc = dump_moving(nl, &moving);
		all = !rc && moving.n < AT_ONCE;
		rc = rc == -EINTR ? 0 : rc; /* the table is in motion: another round */
		if (!rc && moving.n)
			rc = rt_exchange(nl, RT_NETFILTER, &moving.batch, &refusal);
		*n_flows += rc ? 0 : (unsigned int)(moving.n - moving.batch.n_borne);
		rt_batch_free(&moving.batch);
		if (all)
			break;
	}
	return is_missing(rc) ? 0 : rc;
}

/* ---- all flows ---- */

struct walk {
	void (*each)(const struct rt_flow *flow, void *arg);
	void *arg;
};

static int give(const struct nlmsghdr *message, void *arg)
{
	const struct walk *walk = arg;
	struct rt_flow flow = { 0 };
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct nfgenmsg))
	{
		switch (mnl_attr_get_type(attr)) {
		case CTA_TUPLE_ORIG:
			flow.tuple = attr;
			break;
		case CTA_MARK:
			flow.mark = rt_be32(attr, 0);
			break;
		case CTA_STATUS:
			flow.translated = rt_be32(attr, 0) & IPS_SRC_NAT;
			break;
		}
	}
	walk->each(&flow, walk->arg);
	return 0;
}

int rt_conntrack_each(struct rt_netlink *nl, void (*each)(const struct rt_flow *flow, void *arg), void *arg)
{
	struct walk walk = { each, arg };

	return dump(nl, 0, 0, give, &walk);
}

static void take_ports(struct cni_packet *packet, const struct rt_attrs *proto)
{
	if (proto->at[CTA_PROTO_SRC_PORT] && proto->at[CTA_PROTO_DST_PORT]) {
		packet->known |= CNI_HAS_SPORT | CNI_HAS_DPORT;
		packet->sport = ntohs(rt_u16(proto->at[CTA_PROTO_SRC_PORT], 0));
		packet->dport = ntohs(rt_u16(proto->at[CTA_PROTO_DST_PORT], 0));
	}
	for (uint16_t type = CTA_PROTO_ICMP_TYPE; type <= CTA_PROTO_ICMPV6_TYPE;
	     type += CTA_PROTO_ICMPV6_TYPE - CTA_PROTO_ICMP_TYPE)
		if (proto->at[type]) {
			packet->known |= CNI_HAS_ICMP_TYPE;
			packet->icmp_type = rt_u8(proto->at[type], 0);
		}
}

struct cni_packet rt_flow_packet(const struct rt_flow *flow)
{
	static const struct {
		uint16_t from, to;
	} types[CNI_N_FAMILIES] = {
		[CNI_V4] = { CTA_IP_V4_SRC, CTA_IP_V4_DST }, [CNI_V6] = { CTA_IP_V6_SRC, CTA_IP_V6_DST }
	};
	struct cni_packet packet = { 0 };
	struct rt_attrs tuple, ip, proto;

	rt_attrs_nested(&tuple, flow->tuple);
	rt_attrs_nested(&ip, tuple.at[CTA_TUPLE_IP]);
	rt_attrs_nested(&proto, tuple.at[CTA_TUPLE_PROTO]);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (rt_addr(ip.at[types[f].from], f, &packet.from) && rt_addr(ip.at[types[f].to], f, &packet.to))
			packet.known |= CNI_HAS_FROM | CNI_HAS_TO;
	if (proto.at[CTA_PROTO_NUM]) {
		packet.known |= CNI_HAS_PROTO;
		packet.proto = rt_u8(proto.at[CTA_PROTO_NUM], 0);
		take_ports(&packet, &proto);
	}
	return packet;
}
