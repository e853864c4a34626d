/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ini.h - the configuration files of systemd and NetworkManager: [Section], Key=value, # and ; for comments. */
#ifndef RT_INI_H
#define RT_INI_H

#include <stdbool.h>

#include "compiler/arena.h"

/* The last value that is not empty of `key` in `section`, without space around it, in the arena; NULL: none. */
const char *rt_ini_get(struct cni_arena *arena, const char *text, const char *section, const char *key);
/* yes, true, on, 1, y, t and their opposites in any case (systemd.syntax(7)); what is neither leaves *value. */
void rt_ini_bool(const char *text, bool *value);

#endif
