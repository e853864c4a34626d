/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prove.h - the proof of the compiler, for the commands: how long it took, and when there is none. */
#ifndef RT_PROVE_H
#define RT_PROVE_H

#include "compiler/model.h"
#include "compiler/proof/proof.h"
#include "compiler/state.h"
#include "runtime/commands/session.h"

/* Whether what `desired` becomes on the wire does what the model says. False where it does not, or, if `asked`, where it
 * cannot be told; that is reported. Not asked for, it is left out where it could take longer than a second, which is a
 * detail. `observed`: of the router; NULL: none. `model` NULL, of a router without a policy: nothing is claimed. */
bool rt_prove(struct rt_session *session, const struct cni_model *model, const struct cni_state *observed,
	      const struct cni_state *desired, bool asked);

struct rt_netlink;

/* Whether what the kernel holds does what the model says, for every packet; *proof tells why not. False, reported, where
 * it could not be read. */
bool rt_prove_live(struct rt_session *session, const struct cni_model *model, struct rt_netlink *nl,
		   const struct cni_state *observed, struct cni_proof *proof);

#endif
