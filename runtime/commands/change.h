/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change.h - what apply and remove share: lock, observe, plan, show, ask, apply. */
#ifndef RT_CHANGE_H
#define RT_CHANGE_H

#include "compiler/model.h"
#include "compiler/plan.h"
#include "runtime/commands/session.h"
#include "runtime/netlink/netlink.h"
#include "runtime/netlink/snapshot.h"

/* Makes the router what `model` says; NULL: a router without a policy. Obeys -n, -y, --no-input, --lock-timeout. */
enum rt_exit rt_change(struct rt_session *session, const struct cni_model *model);

/* The plan as the command's answer: text for a reader, or the key "plan" and whether it changes anything. */
void rt_show_plan(struct rt_session *session, const struct cni_plan *plan);

/* What the kernel of the current namespace holds; NULL with a diagnostic. The caller owns *nl, also then. */
const struct cni_state *rt_observe(struct rt_session *session, struct rt_netlink **nl, const struct rt_trust *trust);

#endif
