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
