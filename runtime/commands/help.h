/* SPDX-License-Identifier: GPL-2.0-or-later */
/* help.h - help from the tables of commands and options. */
#ifndef RT_HELP_H
#define RT_HELP_H

#include "compiler/text.h"
#include "runtime/commands/command.h"

/* NULL: of the program. */
void rt_help_text(struct cni_text *out, const struct rt_command *command);

#endif
