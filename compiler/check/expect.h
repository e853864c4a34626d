/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect.h - `expect`s one by one: of one packet by evaluation, of many by packet spaces; and the day that one speaks of. */
#ifndef CNI_EXPECT_H
#define CNI_EXPECT_H

#include "compiler/check/evaluate.h"

struct cni_expects; /* what is needed to judge those of one model */

/* While there is one, nothing else may use packet spaces. To be freed before the arena is. */
struct cni_expects *cni_expects_new(struct cni_arena *arena, const struct cni_model *model);
void cni_expects_free(struct cni_expects *expects);

/* False, reported, where it does not hold for every packet that it speaks of. */
bool cni_expect_holds(struct cni_expects *expects, const struct cni_expect *expect, struct cni_diags *diags);

/* Reports each that another one of the model implies. */
void cni_expects_redundant(struct cni_expects *expects, struct cni_diags *diags);

/* Which of the model's targets are down on that day: a tunnel is when it is said to be, or when every link that it runs
 * over is. */
void cni_expect_down(const struct cni_model *model, const struct cni_expect *expect, bool *down);

#endif
