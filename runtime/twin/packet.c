/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.c - see packet.h. */
#include "runtime/twin/packet.h"

#include <netinet/in.h>
#include <string.h>

#define V4_HEADER 20
#define V6_HEADER 40
#define TTL 64
#define DCCP 33
#define UDPLITE 136

/* ---- which ---- */

/* Headers that stand between IPv6's own and the one that `proto` names: RFC 8200, 4; they need a next one. */
static bool is_extension(unsigned int proto)
{
	static const uint8_t extensions[] = { 0, 43, 44, 51, 60, 135, 139, 140 };

	return memchr(extensions, (int)proto, sizeof(extensions));
}

const char *rt_twin_unfit(const struct cni_header *header)
{
	const cni_u128 from = header->field[CNI_FIELD_FROM];
	const unsigned int top = (unsigned int)(from >> (cni_width(header->family) - 8));

	if (header->family == CNI_V4 && (!top || top == 127 || top >= 224))
		return "its source is no address of a host";
	if (header->family == CNI_V6 && (from <= 1 || top == 0xff || from >> 118 == 0x3fa))
		return "its source is no address that is routed";
	if (header->family == CNI_V6 && is_extension((unsigned int)header->field[CNI_FIELD_PROTO]))
		return "its protocol is an extension header";
	return NULL;
}

/* ---- making ---- */

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static unsigned int get16(const uint8_t *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

static uint32_t sum_of(const uint8_t *data, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	return sum;
}

/* RFC 1071 */
static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* CRC-32C, least bit first: RFC 9260, appendix A. */
static uint32_t crc32c(const uint8_t *data, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

/* A transport header in zeroed memory, without ports and checksum. */
static void make_tcp(uint8_t *t, const struct cni_header *header)
{
	(void)header;
	t[7] = 1; /* sequence number */
	t[12] = 6 << 4;
	t[13] = 0x02; /* SYN */
	put16(t + 14, 65535);
	t[20] = 2; /* MSS: RFC 9293, 3.2 */
	t[21] = 4;
	put16(t + 22, RT_TWIN_MSS);
}

static void make_udp(uint8_t *t, const struct cni_header *header)
{
	(void)header;
	put16(t + 4, 16); /* of UDP the length, of UDP-Lite the coverage, which is all of it */
}

static void make_icmp(uint8_t *t, const struct cni_header *header)
{
	t[0] = (uint8_t)header->field[CNI_FIELD_TYPE];
	put16(t + 4, 1);
}

/* INIT: RFC 9260, 3.3.2 */
static void make_sctp(uint8_t *t, const struct cni_header *header)
{
	uint32_t crc;

	(void)header;
	t[12] = 1;
	put16(t + 14, 20);
	t[19] = 1; /* tag of who starts it */
	put16(t + 22, 65535); /* window */
	put16(t + 24, 1); /* streams out and in */
	put16(t + 26, 1);
	t[31] = 1;
	crc = crc32c(t, 32);
	for (int i = 0; i < 4; i++)
		t[8 + i] = (uint8_t)(crc >> 8 * i);
}

/* Request: RFC 4340, 5.2 */
static void make_dccp(uint8_t *t, const struct cni_header *header)
{
	(void)header;
	t[4] = 5; /* words */
	t[8] = 1; /* type 0, 48 bits of sequence number */
	t[15] = 1;
}

static const struct transport {
	uint8_t proto;
	uint8_t len; /* with its payload */
	uint8_t checksum; /* where it stands, over a pseudo header too unless `alone`; 0: none of this kind */
	bool alone;
	bool ports;
	void (*make)(uint8_t *t, const struct cni_header *header);
} transports[] = {
	{ IPPROTO_TCP, 24, 16, false, true, make_tcp },
	{ IPPROTO_UDP, 16, 6, false, true, make_udp },
	{ UDPLITE, 16, 6, false, true, make_udp },
	{ IPPROTO_ICMP, 16, 2, true, false, make_icmp },
	{ IPPROTO_ICMPV6, 16, 2, false, false, make_icmp },
	{ IPPROTO_SCTP, 32, 0, false, true, make_sctp },
	{ DCCP, 20, 6, false, true, make_dccp },
};

static size_t put_transport(const struct cni_header *header, uint8_t *t, uint32_t addresses)
{
	const unsigned int proto = (unsigned int)header->field[CNI_FIELD_PROTO];
	const struct transport *kind = transports, *end = transports + sizeof(transports) / sizeof(*transports);
	uint16_t sum;

	while (kind < end && kind->proto != proto)
		kind++;
	if (kind == end)
		return 8; /* zeros: of GRE, version 0 with nothing in it */
	if (kind->ports) {
		put16(t, (unsigned int)header->field[CNI_FIELD_SPORT]);
		put16(t + 2, (unsigned int)header->field[CNI_FIELD_DPORT]);
	}
	kind->make(t, header);
	if (kind->checksum) {
		sum = folded(sum_of(t, kind->len, kind->alone ? 0 : addresses + proto + kind->len));
		put16(t + kind->checksum, sum ? sum : 0xffff); /* of UDP, 0 is none: RFC 768 */
	}
	return kind->len;
}

size_t rt_twin_packet(const struct cni_header *header, uint16_t tag, uint8_t packet[RT_TWIN_PACKET])
{
	const struct cni_addr from = { header->family, header->field[CNI_FIELD_FROM] };
	const struct cni_addr to = { header->family, header->field[CNI_FIELD_TO] };
	const unsigned int dscp = (unsigned int)header->field[CNI_FIELD_DSCP];
	const uint8_t proto = (uint8_t)header->field[CNI_FIELD_PROTO];
	size_t len;

	memset(packet, 0, RT_TWIN_PACKET);
	if (header->family == CNI_V4) { /* RFC 791, 3.1 */
		cni_addr_to_bytes(from, packet + 12);
		cni_addr_to_bytes(to, packet + 16);
		len = put_transport(header, packet + V4_HEADER, sum_of(packet + 12, 8, 0));
		packet[0] = 0x45;
		packet[1] = (uint8_t)(dscp << 2);
		put16(packet + 2, (unsigned int)(V4_HEADER + len));
		put16(packet + 4, tag);
		packet[8] = TTL;
		packet[9] = proto;
		put16(packet + 10, folded(sum_of(packet, V4_HEADER, 0)));
		return V4_HEADER + len;
	}
	cni_addr_to_bytes(from, packet + 8); /* RFC 8200, 3 */
	cni_addr_to_bytes(to, packet + 24);
	len = put_transport(header, packet + V6_HEADER, sum_of(packet + 8, 32, 0));
	packet[0] = (uint8_t)(0x60 | dscp >> 2);
	packet[1] = (uint8_t)(dscp << 6);
	put16(packet + 2, tag);
	put16(packet + 4, (unsigned int)len);
	packet[6] = proto;
	packet[7] = TTL;
	return V6_HEADER + len;
}

/* ---- knowing again ---- */

struct parsed {
	enum cni_family family;
	struct cni_addr from, to;
	unsigned int tag;
	uint8_t proto;
	const uint8_t *payload;
	size_t len; /* of the payload */
};

static bool parse(const uint8_t *data, size_t len, struct parsed *p)
{
	size_t header = len ? (size_t)(data[0] & 15) * 4 : 0;

	if (len >= V4_HEADER && data[0] >> 4 == 4 && header >= V4_HEADER && header <= len) {
		*p = (struct parsed){ CNI_V4,
				      cni_addr_from_bytes(CNI_V4, data + 12),
				      cni_addr_from_bytes(CNI_V4, data + 16),
				      get16(data + 4),
				      data[9],
				      data + header,
				      len - header };
		return true;
	}
	if (len < V6_HEADER || data[0] >> 4 != 6)
		return false;
	*p = (struct parsed){ CNI_V6,
			      cni_addr_from_bytes(CNI_V6, data + 8),
			      cni_addr_from_bytes(CNI_V6, data + 24),
			      (data[1] & 15u) << 16 | get16(data + 2),
			      data[6],
			      data + V6_HEADER,
			      len - V6_HEADER };
	/* a tunnel's encapsulation limit: RFC 2473, 4.1.1 */
	if (p->proto == IPPROTO_DSTOPTS && p->len >= 8 && p->len >= (size_t)p->payload[1] * 8 + 8) {
		size_t skip = (size_t)p->payload[1] * 8 + 8;

		p->proto = p->payload[0];
		p->payload += skip;
		p->len -= skip;
	}
	return true;
}

static bool is_itself(const struct cni_header *header, uint16_t tag, const struct parsed *p)
{
	return p->family == header->family && p->tag == tag && p->proto == header->field[CNI_FIELD_PROTO] &&
	       p->to.v == header->field[CNI_FIELD_TO];
}

static bool holds(const struct cni_header *header, uint16_t tag, const uint8_t *data, size_t len)
{
	struct parsed inner;

	return parse(data, len, &inner) && is_itself(header, tag, &inner);
}

/* Checksum, key and sequence number are there or not: RFC 2784, RFC 2890. */
static bool is_around(const struct cni_header *header, uint16_t tag, const struct parsed *p)
{
	size_t skip = 4;

	if (p->proto != IPPROTO_GRE || p->len < skip)
		return false;
	skip += 4 * ((size_t)(p->payload[0] >> 7 & 1) + (p->payload[0] >> 5 & 1) + (p->payload[0] >> 4 & 1));
	return p->len > skip && holds(header, tag, p->payload + skip, p->len - skip);
}

/* By type and code: RFC 792, RFC 4443. What a host says of a packet that it has got is an answer. */
static enum rt_twin_kin kin_of_error(const struct parsed *p)
{
	const uint8_t type = p->payload[0], code = p->payload[1];

	if (p->proto == IPPROTO_ICMP)
		return type != 3 ? RT_TWIN_STRANGER : code == 2 || code == 3 ? RT_TWIN_ANSWER : RT_TWIN_REFUSAL;
	if (type == 4 || (type == 1 && code == 4))
		return RT_TWIN_ANSWER;
	return type == 1 ? RT_TWIN_REFUSAL : RT_TWIN_STRANGER;
}

/* TCP's option MSS, which is the first where it is ours. */
static unsigned int mss_of(const struct parsed *p)
{
	const uint8_t *t = p->payload;

	return p->proto == IPPROTO_TCP && p->len >= 24 && t[13] & 0x02 && t[20] == 2 ? get16(t + 22) : 0;
}

enum rt_twin_kin rt_twin_recognise(const struct cni_header *header, uint16_t tag, const uint8_t *data, size_t len,
				   struct cni_addr *source, unsigned int *mss)
{
	struct parsed p;

	if (!parse(data, len, &p))
		return RT_TWIN_STRANGER;
	if (is_itself(header, tag, &p)) {
		*source = p.from;
		*mss = mss_of(&p);
		return RT_TWIN_ITSELF;
	}
	if (is_around(header, tag, &p))
		return RT_TWIN_OUTER;
	if (p.proto == (p.family == CNI_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6) && p.len > 8 &&
	    holds(header, tag, p.payload + 8, p.len - 8))
		return kin_of_error(&p);
	if (p.family == header->family && p.from.v == header->field[CNI_FIELD_TO] &&
	    p.to.v == header->field[CNI_FIELD_FROM])
		return RT_TWIN_ANSWER;
	return RT_TWIN_STRANGER;
}
