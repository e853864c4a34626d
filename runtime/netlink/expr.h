/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expr.h - nft expressions between cnic's form and libnftnl's, both ways by one table. */
#ifndef RT_EXPR_H
#define RT_EXPR_H

#include "compiler/arena.h"
#include "compiler/state.h"

struct nftnl_expr;

/* NULL with errno: ENOMEM, or ENOTSUP for what cnic never writes. The caller owns it until it is in a rule. */
struct nftnl_expr *rt_expr_encode(const struct cni_expr *expr);

/* What says anything that cnic never writes comes out as CNI_X_OTHER. Names are copied into the arena. */
void rt_expr_decode(struct cni_arena *arena, const struct nftnl_expr *from, struct cni_expr *expr);

#endif
