/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hints.h - where witnesses are looked for first, so that they are packets that a reader of the policy knows. */
#ifndef CNI_HINTS_H
#define CNI_HINTS_H

#include "compiler/space/space.h"

/* Appends sources: from the models' lans, in their order, or such as lans have. */
void cni_hints_from(struct cni_arena *arena, const struct cni_model *const *models, size_t n, struct cni_hints *hints);
/* Appends destinations that stand for somewhere else: RFC 5737, RFC 2544, RFC 3849. */
void cni_hints_to(struct cni_arena *arena, struct cni_hints *hints);

#endif
