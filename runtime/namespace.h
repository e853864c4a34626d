/* SPDX-License-Identifier: GPL-2.0-or-later */
/* namespace.h - which network namespace the calling thread is in, and what a folder for it is called. */
#ifndef RT_NAMESPACE_H
#define RT_NAMESPACE_H

#include "compiler/arena.h"

/* `base` where the namespace is that of process 1; base/netns/NAME for one that ip-netns(8) knows, the first of its
 * names; *folder is NULL for any other. 0; -errno, and *unreadable is the path that could not be looked at. */
int rt_namespace_folder(struct cni_arena *arena, const char *base, const char **folder, const char **unreadable);

#endif
