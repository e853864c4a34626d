/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record.h - a file of what cnic sends to change the kernel, in the order in which it is sent: written by timed.c, sent
 * again by replay.c. Each record is followed by its bytes, and by zeros up to a multiple of eight. */
#ifndef RECORD_H
#define RECORD_H

#include <stdint.h>

struct record {
	uint64_t
		kind; /* enum rt_bus: a datagram; RECORD_SETTING: a path below /proc/sys/net, NUL, the value's digits, NUL */
	uint64_t len;
};
#define RECORD_SETTING 100
#define RECORD_ALIGN(len) (((len) + 7) & ~(uint64_t)7)

#endif
