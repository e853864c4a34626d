/* SPDX-License-Identifier: GPL-2.0-or-later */
/* foreign.h - nftables of others: what of their rules may meet cnic's steering. Only read, never written. */
#ifndef RT_FOREIGN_H
#define RT_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/arena.h"
#include "runtime/netlink/netlink.h"

struct rt_foreign_chain {
	const char *family, *table, *name; /* family in nft's word: "inet" */
	bool is_base;
	uint32_t hook; /* NF_INET_*, of a base chain */
};

struct rt_foreign_rule {
	const char *family, *table, *chain;
	uint64_t handle;
	uint32_t mark_bits, ct_bits; /* of the packet's mark and of the flow's, which it may change */
	uint32_t drops; /* conntrack states (NF_CT_STATE_*_BIT) whose packets it drops */
	bool notrack;
	const char *flowtable; /* that it adds flows to; NULL: none */
};

struct rt_foreign_flowtable {
	const char *family, *table, *name;
	const char **devices; /* names; one that ends in "*" stands for all that begin so */
	size_t n_devices;
	bool offload; /* in hardware */
};

struct rt_foreign {
	struct rt_foreign_chain *chains;
	size_t n_chains;
	struct rt_foreign_rule *rules; /* those that do any of the above */
	size_t n_rules;
	size_t n_looked_at; /* rules in all */
	size_t n_unread; /* of these, newer than libnftnl can read */
	struct rt_foreign_flowtable *flowtables;
	size_t n_flowtables;
};

/* Everything but the table `inet cnic`. -errno; it is no transaction. */
int rt_foreign_read(struct rt_netlink *nl, struct cni_arena *arena, struct rt_foreign **foreign);

/* What a target extension of iptables does (as it stands in nft's `target` expression: linux/netfilter/xt_MARK.h,
 * xt_CONNMARK.h, xt_CT.h), added to `rule`. One that is not known, or not of its size, does nothing. */
void rt_foreign_target(struct rt_foreign_rule *rule, const char *name, uint32_t revision, const void *info, size_t len);

#endif
