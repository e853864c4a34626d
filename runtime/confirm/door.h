/* SPDX-License-Identifier: GPL-2.0-or-later */
/* door.h - the socket by which a waiting process is told to keep or to take back; see wire.h. Whoever comes, however
 * many and whatever they say, nothing here ever waits for them. */
#ifndef RT_CONFIRM_DOOR_H
#define RT_CONFIRM_DOOR_H

#include <stdbool.h>

#include "runtime/confirm/wire.h"

#define RT_VISITORS_MAX 16 /* the longest silent one makes room for the next */

struct rt_door {
	int fd; /* listens */
	int any; /* epoll: readable when there is something to look at */
	struct rt_visitor {
		int fd; /* -1: a free place */
		bool asked; /* for what is decided: waits for the answer */
		unsigned int turn; /* of coming */
	} visitors[RT_VISITORS_MAX];
	unsigned int turn;
	unsigned int revision; /* that waits; 0: one that is not kept */
};

enum rt_wish { RT_WISH_NONE, RT_WISH_KEEP, RT_WISH_BACK };

/* Takes the name; nobody is let in yet. -errno: -EADDRINUSE where another has it. */
int rt_door_open(struct rt_door *door);
/* From now on. -errno. */
int rt_door_listen(struct rt_door *door);
void rt_door_close(struct rt_door *door); /* those who came unheard see that it is closed */

/* Looks at all that has come since the last look, but at a bounded number of newcomers. */
enum rt_wish rt_door_look(struct rt_door *door);
/* To all who asked for a decision: what was done. */
void rt_door_answer(struct rt_door *door, enum rt_confirm_kind kind);

#endif
