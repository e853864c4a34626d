/* SPDX-License-Identifier: GPL-2.0-or-later */
/* confirm.h - a change that takes itself back unless it is confirmed.
 *
 * `apply --confirm` goes on in a process of its own session, so that neither a hang-up nor the death of the caller
 * ends it; the caller only waits for it, and takes over where it is killed. It holds the namespace's lock until the
 * change is kept or taken back, and listens on an abstract unix socket of the namespace. */
#ifndef RT_CONFIRM_H
#define RT_CONFIRM_H

#include "runtime/commands/session.h"

enum rt_answer {
	RT_ANSWER_NONE, /* nobody waits for a confirmation here */
	RT_ANSWER_CONFIRMED,
	RT_ANSWER_REVERTED, /* and the former policy was seen to be back */
	RT_ANSWER_BROKEN, /* taking it back failed: exit 4 */
	RT_ANSWER_OTHER, /* another revision than the one named waits */
	RT_ANSWER_REFUSED, /* not by this user */
};

/* Asks the waiting process of the current namespace to keep (`keep`) or to take back its change, and waits for what
 * came of it. `revision` 0: whichever waits. *number is the revision that it was about. -errno with CNI703. */
int rt_confirm_ask(struct rt_session *session, bool keep, unsigned int revision, enum rt_answer *answer,
		   unsigned int *number);

/* Whether a process of the current namespace awaits a confirmation: which, and of what revision (0: one that is not
 * kept). */
bool rt_confirm_waits(int *pid, unsigned int *revision);

#endif
