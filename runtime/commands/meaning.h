/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meaning.h - which packets two policies treat differently, as a command's answer. */
#ifndef RT_MEANING_H
#define RT_MEANING_H

#include "compiler/model.h"
#include "runtime/commands/session.h"

struct rt_meant {
	const struct cni_model *model; /* NULL: a router without a policy */
	const struct cni_sources *sources; /* that its spans are of */
};

enum rt_same { RT_SAME, RT_DIFFERENT, RT_UNKNOWN /* beyond --max-nodes, with CNI729 */ };

/* On the day that --down speaks of, and with --each-failure on each day when one more target is down: appends a
 * paragraph a class to `out`, and the key "meaning". `same_text`: the policies are written the same. `max_nodes`: where
 * --max-nodes says nothing. False, with a failure, where the options make no sense for these policies. */
bool rt_show_meaning(struct rt_session *session, const struct rt_meant *before, const struct rt_meant *after,
		     bool same_text, unsigned int max_nodes, enum rt_same *same);

#endif
