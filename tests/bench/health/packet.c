/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.c - writes probes and reads their answers: IPv4 or IPv6, perhaps GRE, an ICMP echo, a number. */
#include <netinet/in.h>
#include <string.h>

#include "prober.h"

#define MAGIC 0x70726f62u
#define ECHO_LEN 16 /* of the ICMP part: its header, the magic number, the probe's number */
#define REQUEST_V4 8 /* RFC 792 */
#define REPLY_V4 0
#define REQUEST_V6 128 /* RFC 4443, 4 */
#define REPLY_V6 129

static uint32_t be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static uint32_t sum16(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += be16(p + i);
	return sum;
}

static void put_checksum(uint8_t *p, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(p, ~sum);
}

void theirs_of(const struct class *class, uint32_t n, uint8_t address[16])
{
	uint32_t carry = n % class->n_theirs;

	memcpy(address, class->theirs, 16);
	for (int i = class->is_v6 ? 15 : 3; i >= 0 && carry; i--) {
		carry += address[i];
		address[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

size_t build_probe(const struct class *class, uint32_t number, uint8_t packet[PACKET_MAX])
{
	const bool is_v6 = class->is_v6;
	const size_t width = is_v6 ? 16 : 4, header = is_v6 ? 40 : 20, at = is_v6 ? 8 : 12;
	const uint32_t magic = MAGIC;
	uint8_t *echo = packet + header, theirs[16];

	memset(packet, 0, PACKET_MAX);
	theirs_of(class, class->n_sent, theirs);
	memcpy(packet + at, class->is_reply ? class->ours : theirs, width);
	memcpy(packet + at + width, class->is_reply ? theirs : class->ours, width);
	echo[0] = is_v6 ? (class->is_reply ? REPLY_V6 : REQUEST_V6) : (class->is_reply ? REPLY_V4 : REQUEST_V4);
	put16(echo + 4, class->id + class->n_sent % class->n_ids);
	put16(echo + 6, class->n_sent / class->n_ids);
	memcpy(echo + 8, &magic, 4);
	memcpy(echo + 12, &number, 4);
	if (is_v6) {
		packet[0] = 0x60;
		put16(packet + 4, ECHO_LEN);
		packet[6] = IPPROTO_ICMPV6;
		packet[7] = 64;
		put_checksum(echo + 2, sum16(packet + 8, 32) + ECHO_LEN + IPPROTO_ICMPV6 + sum16(echo, ECHO_LEN));
	} else {
		packet[0] = 0x45;
		put16(packet + 2, 20 + ECHO_LEN);
		packet[8] = 64;
		packet[9] = IPPROTO_ICMP;
		put_checksum(packet + 10, sum16(packet, 20));
		put_checksum(echo + 2, sum16(echo, ECHO_LEN));
	}
	return header + ECHO_LEN;
}

/* The bytes before GRE's payload: RFC 2784 and 2890; 0: not the GRE of IP. */
static size_t gre_header(const uint8_t *p, size_t len)
{
	if (len < 4 || (be16(p + 2) != 0x0800 && be16(p + 2) != 0x86dd))
		return 0;
	return 4 + (p[0] & 0x80 ? 4 : 0) + (p[0] & 0x20 ? 4 : 0) + (p[0] & 0x10 ? 4 : 0);
}

bool parse_answer(const uint8_t *p, size_t len, struct answer *answer)
{
	const bool is_v6 = len && p[0] >> 4 == 6;
	const size_t header = !len ? 20 : is_v6 ? 40 : (p[0] & 15) * 4u, width = is_v6 ? 16 : 4, at = is_v6 ? 8 : 12;
	uint8_t proto;
	uint32_t magic;

	if (len < header + 8)
		return false;
	proto = p[is_v6 ? 6 : 9];
	if (proto == IPPROTO_GRE && !answer->in_gre) {
		const size_t gre = gre_header(p + header, len - header);

		answer->in_gre = true;
		return gre && len > header + gre && parse_answer(p + header + gre, len - header - gre, answer);
	}
	if (proto != (is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) || p[header] != (is_v6 ? REPLY_V6 : REPLY_V4) ||
	    len < header + ECHO_LEN)
		return false;
	memcpy(&magic, p + header + 8, 4);
	if (magic != MAGIC)
		return false;
	memcpy(&answer->number, p + header + 12, 4);
	answer->is_v6 = is_v6;
	memcpy(answer->source, p + at, width);
	memcpy(answer->destination, p + at + width, width);
	return true;
}
