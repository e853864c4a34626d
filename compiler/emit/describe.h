/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe.h - records in iproute2's words, without a verb; what ip.c (commands) and plan.c share. */
#ifndef CNI_EMIT_DESCRIBE_H
#define CNI_EMIT_DESCRIBE_H

#include "compiler/state.h"
#include "compiler/text.h"

void cni_describe_link(struct cni_text *out, const struct cni_st_link *link); /* a VLAN's parent is left out */
void cni_describe_addr(struct cni_text *out, const struct cni_st_addr *addr);
void cni_describe_rule(struct cni_text *out, const struct cni_st_rule *rule);
void cni_describe_route(struct cni_text *out, const struct cni_st_route *route);

#endif
