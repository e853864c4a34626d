/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prove.h - the proof of the compiler, for the commands: how long it took, and when there is none. */
#ifndef RT_PROVE_H
#define RT_PROVE_H

#include "compiler/model.h"
#include "compiler/proof/proof.h"
#include "compiler/state.h"
#include "runtime/commands/session.h"
#include "runtime/store/store.h"

/* Whether what would be sent to an empty router does what the model says. False where it does not, or where that cannot be
 * told; which is reported. */
bool rt_prove_asked(struct rt_session *session, const struct cni_model *model, const struct cni_state *desired);

/* The same before `desired` is sent: left out where it could take longer than a second, or by --no-prove, which is told
 * as a detail and in JSON. False only where it is refuted. `observed`: of the router. `model` NULL, of a router without a
 * policy: nothing is claimed.
 *
 *	"proof": { "proven": true, "seconds", "bytes" of messages, "maps" of packets, "flows" that were followed, "nodes" and
 *	  "memory" (bytes) of the diagrams } or { "proven": false, "seconds": spent on it, "why": text } */
bool rt_prove(struct rt_session *session, const struct cni_model *model, const struct cni_state *observed,
	      const struct cni_state *desired, struct rt_proved *proved);

struct rt_netlink;

/* Whether what the kernel holds does what the model says, for every packet; *proof tells why not. False, reported, where
 * it could not be read. */
bool rt_prove_live(struct rt_session *session, const struct cni_model *model, struct rt_netlink *nl,
		   const struct cni_state *observed, struct cni_proof *proof);

#endif
