/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kept.h - messages kept one behind the other, in an arena. */
#ifndef RT_KEPT_H
#define RT_KEPT_H

#include <stddef.h>
#include <stdint.h>

#include "compiler/arena.h"

struct rt_kept {
	uint8_t *data;
	size_t len, room;
};

void rt_keep(struct cni_arena *arena, struct rt_kept *kept, const void *data, size_t len);

#endif
