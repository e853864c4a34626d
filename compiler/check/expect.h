/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect.h - one `expect` by itself, and the day that it speaks of. */
#ifndef CNI_EXPECT_H
#define CNI_EXPECT_H

#include "compiler/check/evaluate.h"

/* False, reported, where it does not hold. `never` is of cni_never_steered(). */
bool cni_expect_holds(struct cni_arena *arena, const struct cni_model *model, const struct cni_ranges *never,
		      const struct cni_expect *expect, struct cni_diags *diags);

/* Which of the model's targets are down on that day: a tunnel is when it is said to be, or when every link that it runs
 * over is. */
void cni_expect_down(const struct cni_model *model, const struct cni_expect *expect, bool *down);

#endif
