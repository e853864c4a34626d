/* SPDX-License-Identifier: GPL-2.0-or-later */
/* remove.c - `cnic remove`: a router without a policy. */
#include "runtime/commands/change.h"

enum rt_exit rt_remove(struct rt_session *session)
{
	session->has_changed = true;
	return rt_change(session, NULL);
}
