/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agree.h - questions to the one who runs cnic, where there is a terminal to ask on. */
#ifndef RT_AGREE_H
#define RT_AGREE_H

#include "compiler/plan.h"
#include "runtime/commands/session.h"

bool rt_may_ask(const struct rt_options *options);

/* "y", "Y" or "yes", and the end of the line. */
bool rt_is_yes(const char *line);

/* Shows the plan where the one who is asked sees it, and asks whether to apply it. */
bool rt_agreed(struct rt_session *session, const struct cni_plan *plan);

#endif
