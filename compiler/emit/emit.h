/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emit.h - states, plans and diagnostics as text. Byte-stable: the same input gives the same bytes. */
#ifndef CNI_EMIT_H
#define CNI_EMIT_H

#include "compiler/diag.h"
#include "compiler/model.h"
#include "compiler/plan.h"
#include "compiler/state.h"
#include "compiler/text.h"

/* The nft part as a file for `nft -f`: `table inet cnic { … }`, which nft lists the same as what cnic installs. */
void cni_emit_nft(struct cni_text *out, const struct cni_state *state);
/* One rule, one chain, one set, one counter of it, without indentation or newline; for plans and status. */
void cni_emit_nft_rule(struct cni_text *out, const struct cni_state *state, const struct cni_st_rule_nft *rule);

/* The rest as a script of `ip` and `sysctl` commands, one a line, in an order that works on an empty router. */
void cni_emit_ip(struct cni_text *out, const struct cni_state *state);
/* One record as the arguments behind `ip` ("link add cf1 type gre …", "route add …"), no newline. */
void cni_emit_link(struct cni_text *out, const struct cni_st_link *link);
void cni_emit_addr(struct cni_text *out, const struct cni_st_addr *addr);
void cni_emit_rule(struct cni_text *out, const struct cni_st_rule *rule);
void cni_emit_route(struct cni_text *out, const struct cni_st_route *route);
void cni_emit_setting(struct cni_text *out, const struct cni_st_setting *setting);

/* One record as a plan speaks of it: "device cf1 mtu 1476 up …", "chain path.1 (1 rule)". `state` is where the record is
 * from; NULL: the rules of a base chain are counted, not shown. */
void cni_emit_record(struct cni_text *out, enum cni_object object, const void *record, const struct cni_state *state);

/* A plan for a reader: one line a step (`+ ~ - -/+`), grouped by phase, with what it disturbs and where the
 * policy says so, and a summary line. Large sets are counted, not listed. */
void cni_emit_plan(struct cni_text *out, const struct cni_plan *plan, const struct cni_sources *sources, bool colour);

/* A configuration of BIRD 2, the whole of it: the BGP sessions of links that have `bgp`, for the outer packets of the
 * tunnels over them. `state` is what the model was lowered to; what is written names lines of `sources`. */
void cni_emit_bird(struct cni_text *out, const struct cni_model *model, const struct cni_state *state,
		   const struct cni_sources *sources);

/* rustc-like text: code, place, the line, a caret, labels, related places, help. */
void cni_emit_diags(struct cni_text *out, const struct cni_diags *diags, const struct cni_sources *sources,
		    bool colour);

#endif
