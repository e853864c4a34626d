/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot.c - all parts in one, until nothing moved meanwhile; see snapshot.h. */
#include "runtime/netlink/snapshot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "runtime/netlink/nft.h"
#include "runtime/netlink/observe.h"

/* A routing daemon may change main at any time: its routes no longer count after so many attempts. */
#define ATTEMPTS 12
#define STRICT_ATTEMPTS 6
#define PAUSE_NS 1000000LL /* before the second attempt, and twice as long before each further: two seconds in all */

static int take_generation(const struct nlmsghdr *message, void *arg)
{
	struct rt_attrs attrs;

	if (message->nlmsg_type != rt_nft_type(NFT_MSG_NEWGEN))
		return 0;
	rt_attrs(&attrs, message, sizeof(struct nfgenmsg));
	*(uint32_t *)arg = rt_be32(attrs.at[NFTA_GEN_ID], 0);
	return 0;
}

int rt_generation(struct rt_netlink *nl, uint32_t *generation)
{
	uint64_t space[16] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);

	request->nlmsg_type = rt_nft_type(NFT_MSG_GETGEN);
	mnl_nlmsg_put_extra_header(request, sizeof(struct nfgenmsg));
	*generation = 0;
	return rt_request(nl, RT_NETFILTER, request, take_generation, generation);
}

static int observe(struct rt_observation *obs, bool strict)
{
	static int (*const parts[])(struct rt_observation * obs) = {
		rt_observe_links, rt_observe_settings, rt_observe_addrs,
		rt_observe_rules, rt_observe_routes,   rt_observe_nft,
	};
	uint32_t after;
	int rc, last;

	rt_events(obs->nl); /* what happened before is part of what is read now */
	rc = rt_generation(obs->nl, &obs->state->generation);
	for (size_t i = 0; !rc && i < sizeof(parts) / sizeof(*parts); i++)
		rc = parts[i](obs);
	last = rt_generation(obs->nl, &after);
	/* a set that went before its elements were read */
	if (rc == -ENOENT && !last && after != obs->state->generation)
		return -EINTR;
	if (!rc)
		rc = last;
	if (!rc && (after != obs->state->generation || rt_events(obs->nl) > (strict ? 0 : 1)))
		rc = -EINTR;
	return rc;
}

static void complain(struct cni_diags *diags, int rc)
{
	const struct cni_span nowhere = { 0 };
	struct cni_diag *diag;

	switch (rc) {
	case -EPERM:
		diag = cni_diag(diags, CNI700, nowhere, "reading nftables needs CAP_NET_ADMIN, which is missing");
		cni_diag_help(diags, diag, "run cnic as root, or plan from a saved state: cnic plan --state FILE");
		break;
	case -EAGAIN:
		cni_diag(diags, CNI704, nowhere, "the kernel's state moved during each of %d dumps", ATTEMPTS);
		break;
	case -EOPNOTSUPP:
	case -EINVAL: /* nfnetlink's answer to a subsystem that is not there */
	case -EAFNOSUPPORT:
		diag = cni_diag(diags, CNI701, nowhere, "this kernel has no nf_tables for family inet");
		cni_diag_help(diags, diag, "CONFIG_NF_TABLES and CONFIG_NF_TABLES_INET; linux-image-amd64 has them");
		break;
	default:
		cni_diag(diags, CNI703, nowhere, "reading the kernel's state failed: %s", strerror(-rc));
	}
}

/* Others answer to what we do: a daemon that sees a new device is given the time to finish with it. */
static void pause_before(int attempt)
{
	const long long ns = attempt ? PAUSE_NS << (attempt - 1) : 0;
	const struct timespec pause = { .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000) };

	if (ns)
		(void)nanosleep(&pause, NULL);
}

int rt_snapshot(struct rt_netlink *nl, struct cni_arena *arena, struct cni_state **state, struct cni_diags *diags)
{
	return rt_snapshot_trusting(nl, arena, NULL, state, diags);
}

int rt_snapshot_set(struct rt_netlink *nl, struct cni_arena *arena, struct cni_st_set *set)
{
	struct rt_observation obs = { .nl = nl, .arena = arena };
	int rc = rt_observe_elements(&obs, set);

	set->unread = rc;
	return rc;
}

int rt_snapshot_trusting(struct rt_netlink *nl, struct cni_arena *arena, const struct rt_trust *trust,
			 struct cni_state **state, struct cni_diags *diags)
{
	struct rt_observation obs = { 0 };
	int rc = -EINTR;

	for (int attempt = 0; rc == -EINTR && attempt < ATTEMPTS; attempt++) {
		pause_before(attempt);
		obs = (struct rt_observation){
			.trust = trust, .nl = nl, .arena = arena, .state = cni_new(arena, struct cni_state)
		};
		rc = observe(&obs, attempt < STRICT_ATTEMPTS);
	}
	if (rc) {
		rc = rc == -EINTR ? -EAGAIN : rc;
		complain(diags, rc);
		return rc;
	}
	rt_observe_former(&obs);
	cni_state_sort(obs.state);
	*state = obs.state;
	return 0;
}

int rt_snapshot_routes(struct rt_netlink *nl, struct cni_arena *arena, struct cni_state **state)
{
	struct rt_observation obs = { .nl = nl, .arena = arena, .state = cni_new(arena, struct cni_state) };
	int rc = rt_observe_links(&obs);

	if (!rc)
		rc = rt_observe_routes(&obs);
	*state = obs.state;
	cni_state_sort(obs.state);
	return rc;
}

const struct cni_state *rt_snapshot_for(struct rt_netlink *nl, struct cni_arena *arena, const struct cni_state *state,
					const struct cni_state *wanted, struct cni_diags *diags)
{
	struct cni_state *more = cni_new(arena, struct cni_state);
	struct rt_observation obs = { .nl = nl, .arena = arena, .state = more };
	int rc;

	*more = *state;
	more->routes = NULL; /* a list of its own, to grow */
	more->n_routes = 0;
	for (size_t i = 0; i < state->n_routes; i++)
		*cni_push(arena, more->routes, more->n_routes) = state->routes[i];
	rt_index_devices(&obs);
	rc = rt_observe_others(&obs, wanted);
	if (rc) {
		complain(diags, rc);
		return NULL;
	}
	cni_state_sort_routes(more);
	return more;
}
