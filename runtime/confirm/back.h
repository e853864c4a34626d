/* SPDX-License-Identifier: GPL-2.0-or-later */
/* back.h - the way back from a change. It is found before the change, and needs nothing of the disk afterwards. */
#ifndef RT_CONFIRM_BACK_H
#define RT_CONFIRM_BACK_H

#include "runtime/commands/attempt.h"

struct rt_way_back {
	/* Where the router held exactly a policy that can be had (the last confirmed revision, or none at all), that is
	 * applied again: it deals rightly with flows that have begun since. Else, what was ours is brought back as it was
	 * observed. */
	bool by_policy;
	const struct cni_model *model; /* NULL: a router without a policy */
	struct rt_session *aside; /* has the diagnostics of that policy; says nothing */
};

void rt_way_back_find(struct rt_way_back *way, const struct rt_attempt *attempt);
void rt_way_back_end(struct rt_way_back *way);

/* Goes it. `why` is for the message. RT_REVERTED with CNI716 where the kernel was seen to be as it was, and then the
 * revision goes; else RT_BROKEN with CNI707. */
enum rt_exit rt_way_back_go(const struct rt_way_back *way, struct rt_attempt *attempt, const char *why);

/* A session that prints nothing, for what is done beside the command. rt_session_end() frees it. */
struct rt_session *rt_session_aside(const struct rt_session *session);

#endif
