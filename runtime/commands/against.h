/* SPDX-License-Identifier: GPL-2.0-or-later */
/* against.h - the policy that this router is meant to have, and whether the kernel holds it. */
#ifndef RT_AGAINST_H
#define RT_AGAINST_H

#include "compiler/model.h"
#include "runtime/commands/session.h"
#include "runtime/drift/drift.h"
#include "runtime/netlink/netlink.h"
#include "runtime/store/store.h"

struct rt_against {
	const struct rt_revision *revision; /* NULL: files of the command line */
	const struct cni_model *model; /* NULL, of a revision that removed everything */
};

/* The last revision that is in the kernel, or awaits its confirmation there. False with a diagnostic, where there is none
 * CNI727 with this help. What it is warned about was said when it was applied. The session keeps the policy. */
bool rt_against_last(struct rt_session *session, const char *help, struct rt_against *against);

/* Where the kernel, which holds `observed`, differs from the model; NULL: from a router without a policy. */
bool rt_against_kernel(struct rt_session *session, const struct cni_model *model, struct rt_netlink *nl,
		       const struct cni_state *observed, struct rt_drift *drift);

/* The last revision, where there is one and the kernel holds just that; else false, and nothing is said of why. Its texts
 * are in *sources; the session keeps the policy that it had. */
bool rt_against_held(struct rt_session *session, struct rt_netlink *nl, const struct cni_state *observed,
		     struct rt_against *against, const struct cni_sources **sources);

#endif
