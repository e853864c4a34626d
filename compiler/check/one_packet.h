/* SPDX-License-Identifier: GPL-2.0-or-later */
/* one_packet.h - the one packet that a match describes, if it does. */
#ifndef CNI_ONE_PACKET_H
#define CNI_ONE_PACKET_H

#include "compiler/check/evaluate.h"

enum cni_shape { CNI_ONE_PACKET, CNI_MANY_PACKETS, CNI_NO_PACKET };

/* Fields that the match does not name stay unknown. Of CNI_MANY_PACKETS, *many is the first part that is more than one
 * value. */
enum cni_shape cni_one_packet(const struct cni_match *match, struct cni_packet *packet, enum cni_match_kind *many);

/* "`from`, `dscp`" of CNI_HAS_…, in the words of a match; NULL for none. */
const char *cni_fields_text(struct cni_arena *arena, unsigned int asks);

/* Where to point for a part: the first match of that kind, or the whole declaration. */
struct cni_span cni_match_span(const struct cni_ast_decl *decl, enum cni_match_kind kind);

#endif
