/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire.h - what is said over the socket of the process that awaits a confirmation: one message each way, of one
 * packet (SOCK_SEQPACKET), between programs of one machine. */
#ifndef RT_CONFIRM_WIRE_H
#define RT_CONFIRM_WIRE_H

#include <stdint.h>

#define RT_CONFIRM_SOCKET "cnic.confirm" /* abstract; see local.h */
#define RT_CONFIRM_WIRE 0x636e0001u /* of every message of this form */

enum rt_confirm_kind {
	/* asked */
	RT_WIRE_WHO, /* what waits? */
	RT_WIRE_KEEP,
	RT_WIRE_BACK,
	/* answered: the last three once it is done */
	RT_WIRE_WAITS,
	RT_WIRE_OTHER, /* another revision waits: the one in the answer */
	RT_WIRE_REFUSED, /* not by this user */
	RT_WIRE_KEPT,
	RT_WIRE_REVERTED,
	RT_WIRE_BROKEN,
};

struct rt_confirm_message {
	uint32_t form; /* RT_CONFIRM_WIRE */
	uint32_t kind; /* enum rt_confirm_kind */
	uint32_t revision; /* asked: 0 is whichever waits; answered: 0 is one that is not kept */
};

#endif
