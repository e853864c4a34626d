/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kept.c - see kept.h. */
#include "runtime/proof/kept.h"

#include <string.h>

void rt_keep(struct cni_arena *arena, struct rt_kept *kept, const void *data, size_t len)
{
	if (kept->room - kept->len < len) {
		kept->room = 2 * kept->room + len;
		kept->data = cni_regrow(arena, kept->data, kept->len, kept->room);
	}
	memcpy(kept->data + kept->len, data, len);
	kept->len += len;
}
