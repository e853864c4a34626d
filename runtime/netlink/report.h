/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.h - what the kernel refused, in the words of the policy's writer. */
#ifndef RT_REPORT_H
#define RT_REPORT_H

#include "compiler/plan.h"
#include "runtime/netlink/netlink.h"

/* What a step does, in the plan's words: "device cf1 mtu 1476 …", "removing: chain path.1 (1 rule)". */
const char *rt_step_text(struct cni_arena *arena, const struct cni_step *step);

/* A diagnostic at the step's place (of a rule in a chain: that rule's). `code` is CNI702 or CNI708; a right or a
 * kernel part that is missing has its own. */
void rt_report(struct cni_diags *diags, enum cni_code code, const struct cni_step *step,
	       const struct rt_refusal *refusal);

#endif
