/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntrack.h - flows and their marks: which are there, and forgetting those of an earlier turn of the epoch (see
 * compiler/lower.h). */
#ifndef RT_CONNTRACK_H
#define RT_CONNTRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler/check/evaluate.h"
#include "compiler/state.h"

struct nlattr;
struct rt_netlink;

/* Changes what is stale in the marks of all flows. 0, or -errno; a kernel without conntrack has no flows: 0. Flows that
 * end meanwhile are no error. */
int rt_conntrack_forget(struct rt_netlink *nl, const struct cni_stale *stale);

/* Whether any flow has (mark & mask) == mark. A kernel without conntrack has none; where the answer fails for another
 * reason, one may have. */
bool rt_conntrack_has(struct rt_netlink *nl, uint32_t mask, uint32_t mark);

/* What is to become of the flows of one path. */
struct rt_flow_move {
	uint32_t mark; /* key, with the family: of a flow, within the mask */
	enum cni_family family;
	/* those whose source is translated, but to another address than `keep`, are forgotten: the next packet begins a flow */
	bool forget;
	bool has_keep;
	struct cni_addr keep;
	bool marks; /* all others get the mark `to`, within the mask */
	uint32_t to;
};

/* moves[0..n) ascending by mark, then family. Bits outside of the mask stay. Counts the flows that were changed or
 * removed in *n_flows. 0, or -errno; flows that end meanwhile are no error, and a kernel without conntrack has none. */
int rt_conntrack_move(struct rt_netlink *nl, uint32_t mask, const struct rt_flow_move *moves, size_t n,
		      unsigned int *n_flows);

struct rt_flow {
	uint32_t mark;
	bool translated; /* its source is, since its first packet */
	const struct nlattr *tuple; /* of its first direction, for rt_flow_packet(); NULL: none */
};

/* Gives every flow of the namespace to `each`, in one dump and without a note of its own for any. 0, or -errno where
 * conntrack cannot be asked. */
int rt_conntrack_each(struct rt_netlink *nl, void (*each)(const struct rt_flow *flow, void *arg), void *arg);

/* The flow's first packet, as far as conntrack knows it (never its DSCP). */
struct cni_packet rt_flow_packet(const struct rt_flow *flow);

#endif
