/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump.h - what a router tells that it holds, for the proof. */
#ifndef RT_DUMP_H
#define RT_DUMP_H

#include "compiler/diag.h"
#include "compiler/proof/proof.h"
#include "compiler/state.h"
#include "runtime/netlink/netlink.h"

/* The messages of struct cni_messages, as a dump; its devices are those of `observed`. Read again until nothing moved
 * meanwhile. Allocated in the arena. 0, or -errno with a diagnostic. */
int rt_dump(struct rt_netlink *nl, struct cni_arena *arena, const struct cni_state *observed,
	    struct cni_messages *messages, struct cni_diags *diags);

#endif
