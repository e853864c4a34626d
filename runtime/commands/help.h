/* SPDX-License-Identifier: GPL-2.0-or-later */
/* help.h - help from the tables of commands and options. */
#ifndef RT_HELP_H
#define RT_HELP_H

#include "runtime/commands/session.h"

/* NULL: about the program. RT_OK. */
enum rt_exit rt_help_about(struct rt_session *session, const struct rt_command *command);

#endif
