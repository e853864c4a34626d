/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desired_nft.h - the nft part of a state for other programs; see desired.h. */
#ifndef RT_DESIRED_NFT_H
#define RT_DESIRED_NFT_H

#include <jansson.h>

#include "compiler/arena.h"
#include "compiler/state.h"

/* null where there is no table. */
json_t *rt_json_nft(struct cni_arena *arena, const struct cni_state *state);

#endif
