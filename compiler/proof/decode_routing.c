/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode_routing.c - ip rules and routes. */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "compiler/proof/ruleset.h"

#define FAMILY_INET 2 /* AF_INET, AF_INET6 */
#define FAMILY_INET6 10
#define PROTO_OURS 93 /* by which cnic knows its rules and routes again */

static enum cni_family get_family(struct decoder *d, unsigned int family)
{
	if (family != FAMILY_INET && family != FAMILY_INET6)
		proof_fail(d, "a message of routing is of family %u", family);
	return family == FAMILY_INET6 ? CNI_V6 : CNI_V4;
}

static struct cni_addr get_address(struct decoder *d, const char *what, struct bytes in, enum cni_family family)
{
	struct cni_addr addr = { .family = family };

	if (in.len != (family == CNI_V4 ? 4u : 16u))
		proof_fail(d, "%s has an address of %zu bytes", what, in.len);
	else
		for (size_t i = 0; i < in.len; i++)
			addr.v = addr.v << 8 | in.at[i];
	return addr;
}

/* `len` bits of an address; without any there need be none. */
static struct cni_prefix get_prefix(struct decoder *d, const struct attrs *attrs, unsigned int number, unsigned int len,
				    enum cni_family family)
{
	struct cni_prefix prefix = { { .family = family }, (uint8_t)len };

	if (len > cni_width(family) || (len && !proof_has(attrs, number)))
		proof_fail(d, "%s has a prefix of %u bits", attrs->what, len);
	else if (proof_has(attrs, number))
		prefix.addr = get_address(d, attrs->what, attrs->at[number], family);
	if (!len && prefix.addr.v)
		proof_fail(d, "%s has an address without a length", attrs->what);
	return prefix;
}

static const char *get_device(struct decoder *d, uint32_t index)
{
	for (size_t i = 0; d->to->indexes && i < d->to->n_devices; i++)
		if (d->to->indexes[i] == index)
			return d->to->devices[i];
	if (!d->to->indexes && index && index <= d->to->n_devices)
		return d->to->devices[index - 1];
	proof_fail(d, "a route leads to device %u, which is not there", index);
	return "";
}

/* ---- rules ---- */

#define RULE_ATTRS                                                                                                     \
	(ATTR(FRA_PRIORITY) | ATTR(FRA_PROTOCOL) | ATTR(FRA_TABLE) | ATTR(FRA_GOTO) | ATTR(FRA_SRC) |                  \
	 ATTR(FRA_IIFNAME) | ATTR(FRA_FWMARK) | ATTR(FRA_FWMASK) | ATTR(FRA_IP_PROTO))
#define PASSING_FLAGS (FIB_RULE_UNRESOLVED | FIB_RULE_IIF_DETACHED | FIB_RULE_OIF_DETACHED)

/* What others select by, and cnic never does. */
static const struct {
	unsigned int number;
	const char *word; /* of ip(8) */
} selectors[] = {
	{ FRA_FLOW, "realms" },	      { FRA_TUN_ID, "tun_id" },	    { FRA_SUPPRESS_IFGROUP, "suppress_ifgroup" },
	{ FRA_OIFNAME, "oif" },	      { FRA_L3MDEV, "l3mdev" },	    { FRA_UID_RANGE, "uidrange" },
	{ FRA_SPORT_RANGE, "sport" }, { FRA_DPORT_RANGE, "dport" },
};

static const char *selector(struct decoder *d, unsigned int number)
{
	for (size_t i = 0; i < sizeof(selectors) / sizeof(*selectors); i++)
		if (selectors[i].number == number)
			return selectors[i].word;
	return cni_printf(d->arena, "attribute %u", number);
}

static enum rule_action get_action(struct decoder *d, const struct fib_rule_hdr *header, const struct attrs *attrs,
				   struct ip_rule *rule)
{
	switch (header->action) {
	case FR_ACT_TO_TBL:
		if (!rule->table)
			proof_fail(d, "an ip rule leads to no table");
		return RULE_LOOKUP;
	case FR_ACT_GOTO:
		rule->jump = proof_u32(d, attrs, FRA_GOTO);
		if (rule->jump <= rule->priority)
			proof_fail(d, "an ip rule goes back");
		/* to nowhere: it is passed over */
		return header->flags & FIB_RULE_UNRESOLVED ? RULE_NOP : RULE_GOTO;
	case FR_ACT_NOP:
		return RULE_NOP;
	case FR_ACT_BLACKHOLE:
		return RULE_DROP;
	case FR_ACT_UNREACHABLE:
	case FR_ACT_PROHIBIT:
		return RULE_REJECT;
	default:
		proof_fail(d, "an ip rule does %u, which is not known", header->action);
		return RULE_NOP;
	}
}

static void read_ip_rule(struct decoder *d, const struct fib_rule_hdr *header, const struct attrs *attrs,
			 struct ip_rule *rule)
{
	rule->from = get_prefix(d, attrs, FRA_SRC, header->src_len, rule->family);
	rule->to = get_prefix(d, attrs, FRA_DST, header->dst_len, rule->family);
	if (proof_has(attrs, FRA_IIFNAME))
		rule->iif = proof_string(d, attrs, FRA_IIFNAME);
	if (proof_has(attrs, FRA_IP_PROTO))
		rule->ipproto = proof_u8(d, attrs, FRA_IP_PROTO);
	if (proof_has(attrs, FRA_FWMARK))
		rule->mark = proof_u32(d, attrs, FRA_FWMARK);
	if (proof_has(attrs, FRA_FWMARK) || (proof_has(attrs, FRA_FWMASK) && d->is_dump))
		rule->mask = proof_u32(d, attrs, FRA_FWMASK); /* a kernel tells no mark of 0 */
	else if (proof_has(attrs, FRA_FWMASK))
		proof_fail(d, "an ip rule has a mask without a mark");
	rule->table = proof_has(attrs, FRA_TABLE) ? proof_u32(d, attrs, FRA_TABLE) : header->table;
	if (header->flags & ~(uint32_t)(FIB_RULE_INVERT | (d->is_dump ? PASSING_FLAGS | FIB_RULE_PERMANENT : 0)) ||
	    header->tos)
		proof_fail(d, "an ip rule selects by more than is known here");
	if (proof_has(attrs, FRA_SUPPRESS_PREFIXLEN) && proof_u32(d, attrs, FRA_SUPPRESS_PREFIXLEN) != UINT32_MAX)
		proof_fail(d, "it suppresses routes by their length");
	rule->action = get_action(d, header, attrs, rule);
}

/* A kernel's rules are those of others as well: one that is not understood is told where it matters. */
void proof_decode_ip_rule(struct decoder *d, struct bytes in)
{
	const uint64_t known =
		RULE_ATTRS | proof_in_dump(d, ATTR(FRA_DST) | ATTR(FRA_SUPPRESS_PREFIXLEN) | ATTR(FRA_PAD));
	struct ip_rule *rule = cni_push(d->arena, d->to->rules, d->to->n_rules);
	struct decoder one = *d;
	struct fib_rule_hdr header;
	struct attrs attrs;

	if (!proof_take(d, "an ip rule", &in, &header, sizeof(header)))
		return;
	attrs = proof_attrs(d, "an ip rule", in, d->is_dump ? UINT64_MAX : known);
	*rule = (struct ip_rule){ .family = get_family(d, header.family),
				  .order = d->to->n_rules,
				  .inverted = header.flags & FIB_RULE_INVERT };
	if (proof_has(&attrs, FRA_PRIORITY) || !d->is_dump)
		rule->priority = proof_u32(d, &attrs, FRA_PRIORITY);
	rule->is_foreign = !proof_has(&attrs, FRA_PROTOCOL) || proof_u8(d, &attrs, FRA_PROTOCOL) != PROTO_OURS;
	if (rule->is_foreign && !d->is_dump)
		proof_fail(d, "ip rule %u is not marked as cnic's", rule->priority);
	for (unsigned int i = 0; i < MAX_ATTRS; i++)
		if (proof_has(&attrs, i) && !(known & ATTR(i)))
			proof_fail(&one, "it has `%s`, which is not known here", selector(d, i));
	read_ip_rule(&one, &header, &attrs, rule);
	if (d->is_dump)
		rule->unclear = one.error;
	else if (!d->error)
		d->error = one.error;
}

/* ---- routes ---- */

/* A next hop of the other family stands in a structure of its own. */
static void decode_gateway(struct decoder *d, const struct attrs *attrs, enum cni_family family, struct hop *hop)
{
	const struct bytes via = attrs->at[RTA_VIA];
	uint16_t via_family;

	if (proof_has(attrs, RTA_GATEWAY)) {
		hop->has_via = true;
		hop->via = get_address(d, attrs->what, attrs->at[RTA_GATEWAY], family);
	}
	if (!via.at)
		return;
	if (family == CNI_V6 || hop->has_via || via.len < sizeof(via_family)) {
		proof_fail(d, "%s has a next hop that cannot be", attrs->what);
		return;
	}
	memcpy(&via_family, via.at, sizeof(via_family));
	hop->has_via = true;
	hop->via =
		get_address(d, attrs->what, (struct bytes){ via.at + sizeof(via_family), via.len - sizeof(via_family) },
			    get_family(d, via_family));
}

/* A next hop that is down just now still is one: the policy speaks of that as well. */
static uint32_t flags_that_steer_nothing(const struct decoder *d)
{
	return RTNH_F_ONLINK |
	       (d->is_dump ? RTNH_F_DEAD | RTNH_F_LINKDOWN | RTNH_F_OFFLOAD | RTNH_F_TRAP : (uint32_t)0);
}

static void decode_hops(struct decoder *d, struct bytes in, struct ip_route *route)
{
	while (in.len && !d->error) {
		struct rtnexthop header;
		struct hop *hop;
		struct attrs attrs;
		size_t step;

		if (in.len < sizeof(header)) {
			proof_fail(d, "the next hops of a route are cut short");
			return;
		}
		memcpy(&header, in.at, sizeof(header));
		if (header.rtnh_len < sizeof(header) || header.rtnh_len > in.len) {
			proof_fail(d, "a next hop claims %u of %zu bytes", header.rtnh_len, in.len);
			return;
		}
		hop = cni_push(d->arena, route->hops, route->n_hops);
		attrs = proof_attrs(d, "a next hop",
				    (struct bytes){ in.at + sizeof(header), header.rtnh_len - sizeof(header) },
				    ATTR(RTA_GATEWAY) | ATTR(RTA_VIA));
		hop->device = get_device(d, (uint32_t)header.rtnh_ifindex);
		hop->weight = header.rtnh_hops + 1u;
		decode_gateway(d, &attrs, route->family, hop);
		if (header.rtnh_flags & ~flags_that_steer_nothing(d))
			proof_fail(d, "a next hop has flags 0x%x", header.rtnh_flags);
		step = (size_t)RTNH_ALIGN(header.rtnh_len);
		step = step < in.len ? step : in.len;
		in.at += step;
		in.len -= step;
	}
}

/* What the kernel refuses: fib_check_nh() and its like; and what would not be taken for ours again. */
static void check_route(struct decoder *d, const struct rtmsg *header, const struct attrs *attrs,
			const struct ip_route *route)
{
	const struct hop *hop = route->n_hops == 1 ? route->hops : NULL;

	if (header->rtm_protocol != PROTO_OURS)
		proof_fail(d, "a route of table %u is not marked as cnic's", route->table);
	if (hop && hop->has_via && route->family == CNI_V4 && header->rtm_scope >= RT_SCOPE_LINK)
		proof_fail(d, "a route of table %u has a next hop, and the scope of one without", route->table);
	if (hop && !hop->has_via && header->rtm_flags & RTNH_F_ONLINK)
		proof_fail(d, "a route of table %u has the flag of a next hop, and none", route->table);
	if (proof_has(attrs, RTA_PREFSRC) && !get_address(d, attrs->what, attrs->at[RTA_PREFSRC], route->family).v)
		proof_fail(d, "a route of table %u has the source 0", route->table);
}

static enum route_type get_type(struct decoder *d, unsigned int type)
{
	if (type != RTN_UNICAST && type != RTN_BLACKHOLE && type != RTN_UNREACHABLE)
		proof_fail(d, "a route is of type %u", type);
	return type == RTN_BLACKHOLE ? ROUTE_BLACKHOLE : type == RTN_UNREACHABLE ? ROUTE_UNREACHABLE : ROUTE_UNICAST;
}

void proof_decode_ip_route(struct decoder *d, struct bytes in)
{
	struct ip_route *route = cni_push(d->arena, d->to->routes, d->to->n_routes);
	struct rtmsg header;
	struct attrs attrs;

	if (!proof_take(d, "a route", &in, &header, sizeof(header)))
		return;
	attrs = proof_attrs(d, "a route", in,
			    ATTR(RTA_TABLE) | ATTR(RTA_PRIORITY) | ATTR(RTA_DST) | ATTR(RTA_OIF) | ATTR(RTA_GATEWAY) |
				    ATTR(RTA_VIA) | ATTR(RTA_MULTIPATH) | ATTR(RTA_PREFSRC) |
				    proof_in_dump(d, ATTR(RTA_CACHEINFO) | ATTR(RTA_PREF) | ATTR(RTA_NH_ID)));
	*route = (struct ip_route){ .family = get_family(d, header.rtm_family),
				    .table = proof_has(&attrs, RTA_TABLE) ? proof_u32(d, &attrs, RTA_TABLE)
									  : header.rtm_table,
				    .metric = proof_has(&attrs, RTA_PRIORITY) ? proof_u32(d, &attrs, RTA_PRIORITY) : 0,
				    .type = get_type(d, header.rtm_type) };
	route->to = get_prefix(d, &attrs, RTA_DST, header.rtm_dst_len, route->family);
	if (header.rtm_src_len || header.rtm_tos || header.rtm_flags & ~flags_that_steer_nothing(d))
		proof_fail(d, "a route selects by more than is known here");
	/* Linux gives IPv6 routes that lead nowhere the device lo */
	if (proof_has(&attrs, RTA_OIF) && (route->type == ROUTE_UNICAST || !d->is_dump)) {
		struct hop *hop = cni_push(d->arena, route->hops, route->n_hops);

		hop->device = get_device(d, proof_u32(d, &attrs, RTA_OIF));
		hop->weight = 1;
		decode_gateway(d, &attrs, route->family, hop);
	}
	if (proof_has(&attrs, RTA_MULTIPATH) && route->n_hops)
		proof_fail(d, "a route has one next hop, and several");
	decode_hops(d, attrs.at[RTA_MULTIPATH], route);
	if ((route->type == ROUTE_UNICAST) != (route->n_hops > 0))
		proof_fail(d, "a route of its type has %zu next hops", route->n_hops);
	if (!d->is_dump)
		check_route(d, &header, &attrs, route);
}
