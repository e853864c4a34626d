/* SPDX-License-Identifier: GPL-2.0-or-later */
/* observe.h - the parts of a snapshot, one file each; only snapshot.c calls them, in this order.
 *
 * Each fills its lists of obs->state, unsorted, and returns 0 or -errno (-EINTR: moved, try again). Attributes of
 * an unexpected size are left out: a kernel newer than cnic must not be misread. */
#ifndef RT_OBSERVE_H
#define RT_OBSERVE_H

#include <libmnl/libmnl.h>

#include "compiler/arena.h"
#include "compiler/state.h"
#include "runtime/netlink/netlink.h"

struct rt_trust;

struct rt_observation {
	const struct rt_trust *trust; /* NULL: everything is read */
	struct rt_netlink *nl;
	struct cni_arena *arena;
	struct cni_state *state;
	struct rt_index { /* by ascending ifindex, once the links are read */
		int ifindex;
		const char *name;
	} * index;
	size_t n_index;
	enum rt_reading {
		RT_OURS, /* in every table */
		RT_MAIN, /* of main, the defaults and ours */
		RT_OTHERS, /* what others have in a table of ours */
	} reading; /* which of the requests for routes it is */
};

int rt_observe_links(struct rt_observation *obs); /* and the settings that come with them */
int rt_observe_settings(struct rt_observation *obs); /* the rest of them, from /proc/sys/net */
int rt_observe_addrs(struct rt_observation *obs);
int rt_observe_rules(struct rt_observation *obs);
int rt_observe_routes(struct rt_observation *obs);
/* Of others, in the tables that `wanted` fills and obs->state does not, whose devices are those of obs->state. */
int rt_observe_others(struct rt_observation *obs, const struct cni_state *wanted);
int rt_observe_nft(struct rt_observation *obs);
int rt_observe_elements(struct rt_observation *obs, struct cni_st_set *set);
void rt_observe_former(struct rt_observation *obs); /* the set "former", into the settings */

void rt_index_devices(struct rt_observation *obs); /* by obs->state->links */
/* NULL: no such device. */
const char *rt_observed_device(const struct rt_observation *obs, int ifindex);

/* ---- attributes ---- */

#define RT_ATTRS 128 /* more types than any message here has; those above are left out */

struct rt_attrs {
	const struct nlattr *at[RT_ATTRS];
	bool unknown; /* there was one above RT_ATTRS */
};

void rt_attrs(struct rt_attrs *attrs, const struct nlmsghdr *message, size_t header);
void rt_attrs_nested(struct rt_attrs *attrs, const struct nlattr *nest); /* NULL: none */
/* The same into at[0..n), without the types from n on, where there may be millions of nests. */
void rt_attrs_few(const struct nlattr **at, size_t n, const struct nlattr *nest);

/* `missing` where the attribute is absent or of another size. */
uint8_t rt_u8(const struct nlattr *attr, uint8_t missing);
uint16_t rt_u16(const struct nlattr *attr, uint16_t missing);
uint32_t rt_u32(const struct nlattr *attr, uint32_t missing);
uint32_t rt_be32(const struct nlattr *attr, uint32_t missing);
uint64_t rt_be64(const struct nlattr *attr, uint64_t missing);
/* "" where it is absent or does not end in NUL. Points into the message. */
const char *rt_string(const struct nlattr *attr);
/* False where it is absent or not of the family's size. */
bool rt_addr(const struct nlattr *attr, enum cni_family family, struct cni_addr *addr);
/* The comment in nft's user data, copied; NULL: none. */
const char *rt_comment(struct cni_arena *arena, const struct nlattr *udata);

/* ---- requests that others make as well ---- */

/* All ip rules of an address family (AF_INET …), as rt_request() does. */
int rt_request_rules(struct rt_netlink *nl, uint8_t family, rt_each *each, void *arg);
/* All routes of a family in one table. */
int rt_request_table(struct rt_netlink *nl, uint8_t family, uint32_t table, rt_each *each, void *arg);
/* Whether an object of nftables is in our table; *attrs are its attributes. */
bool rt_nft_is_ours(const struct nlmsghdr *message, struct rt_attrs *attrs);

#endif
