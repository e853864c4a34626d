/* SPDX-License-Identifier: GPL-2.0-or-later */
/* echo.h - ICMP and ICMPv6 echo (RFC 792, RFC 4443) to one target by one device: what is sent, and whether what comes
 * is its answer. Nothing here waits, and nothing keeps time. */
#ifndef RT_PROBE_ECHO_H
#define RT_PROBE_ECHO_H

#include "runtime/probe/packet.h"

struct rt_echo_way {
	const char *device; /* it leaves by this one, whatever the routes prefer, and is answered there */
	uint32_t mark; /* of the packets, to find a route by; 0: none */
	bool has_source;
	struct cni_addr source;
};

struct rt_echo {
	int fd; /* readable when something has come; -1: not open */
	struct cni_addr target;
	struct rt_echo_words words; /* of the last one that was sent */
	bool waiting; /* for the answer to that one */
};

/* -errno: -EPERM without CAP_NET_RAW, -ENODEV or -EADDRNOTAVAIL while the device or the source is not there. */
int rt_echo_open(struct rt_echo *echo, struct cni_addr target, const struct rt_echo_way *way);
void rt_echo_close(struct rt_echo *echo);

/* The next in sequence; the one before is not waited for any more. 0 or -errno; that it was sent says nothing. */
int rt_echo_send(struct rt_echo *echo);

/* Reads all that has come. True: the answer that is waited for is among it, once. */
bool rt_echo_receive(struct rt_echo *echo);

/* The next question: counts the sequence up, without sending. */
void rt_echo_question(struct rt_echo *echo, uint8_t packet[RT_ECHO_SIZE]);

/* Whether data[0..len), as a raw socket gives it (IPv4: with its header), is the answer that is waited for. */
bool rt_echo_is_answer(const struct rt_echo *echo, struct cni_addr from, const uint8_t *data, size_t len);

#endif
