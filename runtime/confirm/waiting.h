/* SPDX-License-Identifier: GPL-2.0-or-later */
/* waiting.h - the two processes of supervise.h: the one that makes the change and awaits the word, and the caller. */
#ifndef RT_CONFIRM_WAITING_H
#define RT_CONFIRM_WAITING_H

#include "runtime/confirm/back.h"
#include "runtime/confirm/door.h"
#include "runtime/confirm/gate.h"

/* What the two tell each other, over a pair of sockets: one of these, and a status. */
enum rt_word {
	RT_WORD_WAITS, /* it is applied and awaits the word; of --no-wait: with the exit status */
	RT_WORD_KEEPS, /* it was confirmed: whatever happens now, it is to be kept */
	RT_WORD_STALE, /* nothing was changed, and another attempt may succeed */
	/* the caller's, for the one who was asked */
	RT_WORD_YES,
	RT_WORD_NO,
};

struct rt_told {
	uint8_t word, status;
};

struct rt_supervision {
	struct rt_attempt *attempt;
	unsigned int limit; /* ms */
	struct rt_way_back back;
	struct rt_door door;
	struct rt_gate *gate; /* NULL: a word is awaited */
	int line; /* to the other process; -1: it is gone */
};

/* In the new process, to its end. */
enum rt_exit rt_go_on(struct rt_supervision *s);
/* In the caller, until the other has ended or need not be waited for. */
enum rt_exit rt_attend(struct rt_supervision *s, int pid);

/* From now on the session prints nothing: another process has said all, or nobody listens. `printed`: it was ended
 * with rt_session_end(). */
void rt_fall_silent(struct rt_session *session, bool printed);

#endif
