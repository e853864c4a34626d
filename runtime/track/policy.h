/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.h - which policy the tracker follows, and what it says of this router's routes. Files of the command line, else
 * the revision that the router holds: the one that awaits its confirmation, or the last confirmed one.
 *
 * A look takes as long as it takes (a policy may have a million prefixes), and is a thread's work: it touches nothing but
 * what it is given, and speaks with the kernel by sockets of its own. */
#ifndef RT_TRACK_POLICY_H
#define RT_TRACK_POLICY_H

#include "compiler/arena.h"
#include "compiler/model.h"
#include "compiler/state.h"
#include "runtime/commands/options.h"

/* A policy as a text says it. */
struct rt_text_of_policy {
	struct cni_arena *arena; /* it lives in this one */
	const struct cni_model *model; /* NULL: a router without a policy */
	unsigned int revision; /* 0: files */
	const char *digest; /* of all texts */
};
void rt_text_of_policy_free(struct rt_text_of_policy *text); /* NULL is allowed */

struct rt_look {
	/* what is asked */
	const struct rt_options *options;
	const struct rt_text_of_policy *known; /* that is followed; NULL: none yet */
	uint32_t generation, paths; /* of nft, and of what is installed, as they were found last */
	bool again; /* the files are read again */
	bool routes; /* what routes there are is to be found out in any case */
	/* what was found; the asker's to free */
	struct cni_arena *arena; /* of what follows, but for `text` */
	struct rt_text_of_policy *text; /* NULL: the known one is still that */
	struct cni_state *desired; /* of the text, as it is installed; NULL: as before */
	bool installed; /* the kernel holds this policy; of `desired` */
	const struct cni_state *observed; /* links and routes, sorted, at least; NULL: none were looked at */
	int lock; /* of the namespace, held since before `observed`; -1: none */
	bool busy; /* somebody is changing the network: look again a little later */
	const char *failure; /* one or more lines; NULL: none */
};

void rt_look(struct rt_look *look);
void rt_look_free(struct rt_look *look); /* all but `text`, and what was taken out of it by setting it to NULL */

/* The folder whose changes are those of the policy; NULL: there is none. In the arena. */
const char *rt_look_folder(struct cni_arena *arena, const struct rt_options *options);

#endif
