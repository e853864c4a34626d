/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record.h - the messages that would bring a state to a router, without a router. */
#ifndef RT_RECORD_H
#define RT_RECORD_H

#include "compiler/proof/proof.h"
#include "compiler/state.h"

/* Those of rules, routes and nftables, as the encoders write them for a router that has the devices and nothing of ours.
 * Allocated in the arena. 0, or -errno with a diagnostic. */
int rt_record(struct cni_arena *arena, const struct cni_state *desired, struct cni_messages *messages,
	      struct cni_diags *diags);

#endif
