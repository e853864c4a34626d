/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match.h - a match as nft rules: every way in which it can hold becomes one rule. */
#ifndef CNI_LOWER_MATCH_H
#define CNI_LOWER_MATCH_H

#include "compiler/lower/nft.h"

/* Appends to `chain` the rules that together hold exactly for `match`, each ending in `goto then`. A packet that
 * meets two of them met the first, so overlaps among them do no harm. `family`: of that one only; CNI_N_FAMILIES: both. */
void lower_match(struct lower *l, struct chain *chain, const struct cni_match *match, struct cni_span span,
		 const char *then, enum cni_family family);

#endif
