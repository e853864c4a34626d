/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump.c - the kernel's own messages, kept as they come; see dump.h. What they mean is none of its business. */
#include "runtime/proof/dump.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "runtime/netlink/nft.h"
#include "runtime/netlink/observe.h"
#include "runtime/netlink/snapshot.h"
#include "runtime/proof/kept.h"

#define ATTEMPTS 10
#define PAUSE_NS 20000000

struct dump {
	struct rt_netlink *nl;
	struct cni_arena *arena;
	struct rt_kept route, nft, others;
	const char **sets; /* of our table */
	size_t n_sets;
	struct led { /* by ip rules */
		uint8_t family;
		uint32_t priority, table;
	} * led;
	size_t n_led;
	uint32_t last[AF_INET6 + 1]; /* priority of our last rule, by family */
};

static void keep(struct dump *d, struct rt_kept *to, const struct nlmsghdr *message)
{
	rt_keep(d->arena, to, message, NLMSG_ALIGN(message->nlmsg_len)); /* all of it lies within the buffer */
}

/* ---- nftables ---- */

static int keep_ours(const struct nlmsghdr *message, void *arg)
{
	struct dump *d = arg;
	struct rt_attrs attrs;

	if (!rt_nft_is_ours(message, &attrs))
		return 0;
	keep(d, &d->nft, message);
	if (message->nlmsg_type == rt_nft_type(NFT_MSG_NEWSET))
		*cni_push(d->arena, d->sets, d->n_sets) = cni_strdup(d->arena, rt_string(attrs.at[NFTA_SET_NAME]));
	return 0;
}

static int keep_others(const struct nlmsghdr *message, void *arg)
{
	struct dump *d = arg;
	struct rt_attrs attrs;

	if (!rt_nft_is_ours(message, &attrs))
		keep(d, &d->others, message);
	return 0;
}

/* `set`: whose elements. */
static int ask_nft(struct dump *d, uint16_t type, uint16_t flags, const char *set)
{
	uint64_t space[64] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);
	struct nfgenmsg *family;

	request->nlmsg_type = rt_nft_type(type);
	request->nlmsg_flags = flags;
	family = mnl_nlmsg_put_extra_header(request, sizeof(*family));
	family->nfgen_family = NFPROTO_INET;
	mnl_attr_put_strz(request, NFTA_TABLE_NAME, CNI_TABLE); /* attribute 1 of every kind of object */
	if (set)
		mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_SET, set);
	return rt_request(d->nl, RT_NETFILTER, request, keep_ours, d);
}

static int ask_others(struct dump *d)
{
	uint64_t space[64] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);

	request->nlmsg_type = rt_nft_type(NFT_MSG_GETRULE);
	request->nlmsg_flags = NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(request, sizeof(struct nfgenmsg));
	return rt_request(d->nl, RT_NETFILTER, request, keep_others, d);
}

static int dump_nft(struct dump *d)
{
	/* in front of what names them */
	static const uint16_t types[] = { NFT_MSG_GETOBJ, NFT_MSG_GETSET, NFT_MSG_GETCHAIN, NFT_MSG_GETRULE };
	int rc = ask_nft(d, NFT_MSG_GETTABLE, 0, NULL);
	const bool has_table = !rc;

	if (rc == -ENOENT)
		rc = 0;
	for (size_t i = 0; has_table && !rc && i < sizeof(types) / sizeof(*types); i++)
		rc = ask_nft(d, types[i], NLM_F_DUMP, NULL);
	for (size_t i = 0; !rc && i < d->n_sets; i++)
		rc = ask_nft(d, NFT_MSG_GETSETELEM, NLM_F_DUMP, d->sets[i]);
	return rc ? rc : ask_others(d);
}

/* ---- routing ---- */

static int keep_rule(const struct nlmsghdr *message, void *arg)
{
	const struct fib_rule_hdr *header = mnl_nlmsg_get_payload(message);
	struct dump *d = arg;
	struct rt_attrs attrs;
	struct led led;

	if (message->nlmsg_type != RTM_NEWRULE || mnl_nlmsg_get_payload_len(message) < sizeof(*header) ||
	    (header->family != AF_INET && header->family != AF_INET6))
		return 0;
	rt_attrs(&attrs, message, sizeof(*header));
	keep(d, &d->route, message);
	led = (struct led){ header->family, rt_u32(attrs.at[FRA_PRIORITY], 0),
			    rt_u32(attrs.at[FRA_TABLE], header->table) };
	*cni_push(d->arena, d->led, d->n_led) = led;
	if (rt_u8(attrs.at[FRA_PROTOCOL], 0) == CNI_PROTO && led.priority > d->last[led.family])
		d->last[led.family] = led.priority;
	return 0;
}

static int keep_route(const struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct dump *d = arg;

	if (message->nlmsg_type == RTM_NEWROUTE && mnl_nlmsg_get_payload_len(message) >= sizeof(*info) &&
	    !(info->rtm_flags & RTM_F_CLONED))
		keep(d, &d->route, message);
	return 0;
}

/* A table that is not there, or a kernel without the family, has none. */
static int none_is_no_failure(int rc)
{
	return rc == -ENOENT || rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP ? 0 : rc;
}

/* The kernel's own tables are ordinary routing; so is what comes after our last rule, which may hold a million routes. */
static bool is_asked_for(const struct dump *d, size_t i)
{
	const struct led *led = &d->led[i];

	if (!led->table || led->priority > d->last[led->family] ||
	    (led->table >= RT_TABLE_DEFAULT && led->table <= RT_TABLE_LOCAL))
		return false;
	for (size_t j = 0; j < i; j++)
		if (d->led[j].family == led->family && d->led[j].table == led->table)
			return false;
	return true;
}

static int dump_routing(struct dump *d)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(families); i++)
		rc = none_is_no_failure(rt_request_rules(d->nl, families[i], keep_rule, d));
	for (size_t i = 0; !rc && i < d->n_led; i++)
		if (is_asked_for(d, i))
			rc = none_is_no_failure(
				rt_request_table(d->nl, d->led[i].family, d->led[i].table, keep_route, d));
	return rc;
}

/* ---- both, of one moment ---- */

static int dump_all(struct dump *d)
{
	uint32_t before, after;
	int rc;

	rt_events(d->nl); /* what happened before is part of what is read now */
	rc = rt_generation(d->nl, &before);
	if (!rc)
		rc = dump_routing(d);
	if (!rc)
		rc = dump_nft(d);
	if (rt_generation(d->nl, &after))
		return rc ? rc : -EIO;
	return before != after || (!rc && rt_events(d->nl) > 1) ? -EINTR : rc;
}

static void name_devices(struct cni_arena *arena, const struct cni_state *observed, struct cni_messages *messages)
{
	const char **names = cni_new_array(arena, const char *, observed->n_links);
	uint32_t *indexes = cni_new_array(arena, uint32_t, observed->n_links);

	for (size_t i = 0; i < observed->n_links; i++) {
		names[i] = observed->links[i].name;
		indexes[i] = (uint32_t)observed->links[i].ifindex;
	}
	messages->devices = names;
	messages->indexes = indexes;
	messages->n_devices = observed->n_links;
}

int rt_dump(struct rt_netlink *nl, struct cni_arena *arena, const struct cni_state *observed,
	    struct cni_messages *messages, struct cni_diags *diags)
{
	static const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct dump d = { 0 };
	int rc = -EINTR;

	for (int attempt = 0; rc == -EINTR && attempt < ATTEMPTS; attempt++) {
		if (attempt)
			(void)nanosleep(&pause, NULL);
		d = (struct dump){ .nl = nl, .arena = arena };
		rc = dump_all(&d);
	}
	if (rc == -EINTR)
		cni_diag(diags, CNI704, (struct cni_span){ 0 }, "the kernel's state moved during each of %d dumps",
			 ATTEMPTS);
	else if (rc)
		cni_diag(diags, CNI703, (struct cni_span){ 0 }, "reading the kernel's state failed: %s", strerror(-rc));
	*messages = (struct cni_messages){ .route = d.route.data,
					   .route_len = d.route.len,
					   .nft = d.nft.data,
					   .nft_len = d.nft.len,
					   .others = d.others.data,
					   .others_len = d.others.len,
					   .is_dump = true };
	name_devices(arena, observed, messages);
	return rc;
}
