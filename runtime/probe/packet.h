/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.h - an echo of ICMP and ICMPv6 (RFC 792, RFC 4443) as bytes, and addresses as the socket calls have them. */
#ifndef RT_PROBE_PACKET_H
#define RT_PROBE_PACKET_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#include "compiler/ip.h"

#define RT_ECHO_SIZE 16 /* bytes of a question, from the ICMP header on */

struct rt_echo_words {
	uint16_t id, sequence;
	uint8_t cookie[8]; /* random: so that an answer cannot be made up without having seen the question */
};

/* A question, ready for a raw socket. */
void rt_echo_write(enum cni_family family, const struct rt_echo_words *words, uint8_t packet[RT_ECHO_SIZE]);
/* Whether data[0..len), as a raw socket gives it (IPv4: with its header), has the shape of an answer; then what it says.
 * `words` is filled as far as the data goes: of one that is cut short the id may be known. */
bool rt_echo_read(enum cni_family family, const uint8_t *data, size_t len, struct rt_echo_words *words);

union rt_socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

socklen_t rt_socket_address(struct cni_addr addr, union rt_socket_address *out); /* returns its length */
struct cni_addr rt_socket_addr(const union rt_socket_address *address);

/* A raw socket of the family, without waiting; nothing but answers to echoes comes out of it. -errno. */
int rt_echo_socket(enum cni_family family);

#endif
