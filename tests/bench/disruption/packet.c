/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.c - writes and reads the stream's packets: Ethernet, IPv4 or IPv6, perhaps GRE, UDP or a TCP SYN, a stamp. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "stream.h"

#define MAGIC 0x636e6963u
#define OFFERED_MSS 1460
#define GRE_HEADER 4 /* RFC 2784; each of checksum, key and sequence number adds 4 */

struct syn {
	struct tcphdr tcp;
	uint8_t mss[4]; /* kind 2, length 4, value: RFC 9293, 3.2 */
};

static uint32_t sum_bytes(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* address + step * i; of IPv6 the network's 64 bits count. */
static void count_on(uint8_t out[16], const uint8_t address[16], bool is_v6, uint32_t n)
{
	memcpy(out, address, 16);
	for (int i = is_v6 ? 7 : 3; i >= 0 && n; i--) {
		n += out[i];
		out[i] = (uint8_t)n;
		n >>= 8;
	}
}

/* Both ends as the class says, an answer's the other way round. */
static void flow_ends(const struct class *class, uint32_t flow, uint8_t source[16], uint8_t destination[16],
		      uint16_t ports[2])
{
	const bool swap = class->is_answer;

	count_on(swap ? destination : source, class->from, class->is_v6, flow % class->n_from);
	count_on(swap ? source : destination, class->to, class->is_v6, class->step * (flow % class->n_to));
	ports[swap] = htons((uint16_t)(class->sport + flow / class->n_from % 50000));
	ports[!swap] = htons(class->dport);
}

void flow_source(const struct class *class, uint32_t flow, uint8_t source[16])
{
	uint8_t destination[16];
	uint16_t ports[2];

	flow_ends(class, flow, source, destination, ports);
}

static size_t transport_length(const struct class *class)
{
	return (class->kind == KIND_SYN ? sizeof(struct syn) : sizeof(struct udphdr)) + sizeof(struct stamp);
}

static void build_transport(const struct class *class, const uint16_t ports[2], const struct stamp *stamp,
			    uint32_t pseudo, uint8_t *out)
{
	const size_t len = transport_length(class);

	memcpy(out + len - sizeof(*stamp), stamp, sizeof(*stamp));
	if (class->kind == KIND_SYN) {
		struct syn syn = { .tcp = { .source = ports[0],
					    .dest = ports[1],
					    .seq = stamp->number,
					    .doff = sizeof(syn) / 4,
					    .syn = 1,
					    .window = htons(64240) },
				   .mss = { 2, 4, OFFERED_MSS >> 8, OFFERED_MSS & 0xff } };

		memcpy(out, &syn, sizeof(syn));
		syn.tcp.check = fold(sum_bytes(pseudo + IPPROTO_TCP + (uint32_t)len, out, len));
		memcpy(out, &syn, sizeof(syn));
	} else {
		struct udphdr udp = { .source = ports[0], .dest = ports[1], .len = htons((uint16_t)len) };

		memcpy(out, &udp, sizeof(udp));
		udp.check = fold(sum_bytes(pseudo + IPPROTO_UDP + (uint32_t)len, out, len));
		memcpy(out, &udp, sizeof(udp));
	}
}

size_t build_packet(const struct class *class, const uint8_t router[6], const struct stamp *stamp, uint8_t *frame)
{
	const uint16_t type = htons(class->is_v6 ? ETH_P_IPV6 : ETH_P_IP);
	const size_t len = transport_length(class);
	const uint8_t proto = class->kind == KIND_SYN ? IPPROTO_TCP : IPPROTO_UDP;
	uint8_t source[16], destination[16], *out = frame + ETH_HLEN;
	struct stamp full = *stamp;
	uint16_t ports[2];
	uint32_t pseudo;

	full.magic = MAGIC;
	flow_ends(class, stamp->flow, source, destination, ports);
	memcpy(frame, router, ETH_ALEN);
	memcpy(frame + ETH_ALEN, "\x02\0\0\0\xff\x01", ETH_ALEN);
	memcpy(frame + 2L * ETH_ALEN, &type, sizeof(type));
	pseudo = sum_bytes(sum_bytes(0, source, class->is_v6 ? 16 : 4), destination, class->is_v6 ? 16 : 4);
	if (class->is_v6) {
		struct ip6_hdr ip = { .ip6_flow = htonl(6u << 28), .ip6_plen = htons((uint16_t)len), .ip6_nxt = proto };

		ip.ip6_hlim = 64;
		memcpy(&ip.ip6_src, source, 16);
		memcpy(&ip.ip6_dst, destination, 16);
		memcpy(out, &ip, sizeof(ip));
		out += sizeof(ip);
	} else {
		struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = proto };

		ip.tot_len = htons((uint16_t)(sizeof(ip) + len));
		memcpy(&ip.saddr, source, 4);
		memcpy(&ip.daddr, destination, 4);
		ip.check = fold(sum_bytes(0, (const uint8_t *)&ip, sizeof(ip)));
		memcpy(out, &ip, sizeof(ip));
		out += sizeof(ip);
	}
	build_transport(class, ports, &full, pseudo, out);
	return (size_t)(out - frame) + len;
}

/* ---- reading ---- */

/* Where the packet within `at` begins, and its protocol; NULL: too short. */
static const uint8_t *pass_ip(const uint8_t *at, const uint8_t *end, struct arrival *arrival, uint8_t *proto)
{
	memset(arrival->source, 0, sizeof(arrival->source));
	if (end - at < (ptrdiff_t)sizeof(struct iphdr))
		return NULL;
	arrival->is_v6 = *at >> 4 == 6;
	if (!arrival->is_v6) {
		*proto = at[offsetof(struct iphdr, protocol)];
		memcpy(arrival->source, at + offsetof(struct iphdr, saddr), 4);
		return at + (*at & 0xf) * 4L;
	}
	if (end - at < (ptrdiff_t)sizeof(struct ip6_hdr))
		return NULL;
	*proto = at[offsetof(struct ip6_hdr, ip6_nxt)];
	memcpy(arrival->source, at + offsetof(struct ip6_hdr, ip6_src), 16);
	return at + sizeof(struct ip6_hdr);
}

static const uint8_t *pass_syn(const uint8_t *at, const uint8_t *end, struct arrival *arrival)
{
	struct syn syn;

	if (end - at < (ptrdiff_t)sizeof(syn))
		return NULL;
	memcpy(&syn, at, sizeof(syn));
	if (syn.mss[0] == 2)
		arrival->mss = (uint16_t)(syn.mss[2] << 8 | syn.mss[3]);
	return at + syn.tcp.doff * 4L;
}

static bool is_stamp(const uint8_t *at, const uint8_t *end, struct stamp *stamp)
{
	if (!at || end - at < (ptrdiff_t)sizeof(*stamp))
		return false;
	memcpy(stamp, at, sizeof(*stamp));
	return stamp->magic == MAGIC;
}

enum parsed parse_packet(const uint8_t *frame, size_t len, struct arrival *arrival)
{
	const uint8_t *end = frame + len, *at = frame + ETH_HLEN;
	uint8_t proto = 0;
	uint16_t type;

	*arrival = (struct arrival){ 0 };
	if (len < ETH_HLEN)
		return PARSED_TALK;
	memcpy(&type, frame + 2L * ETH_ALEN, sizeof(type));
	if (type != htons(ETH_P_IP) && type != htons(ETH_P_IPV6))
		return PARSED_TALK;
	at = pass_ip(at, end, arrival, &proto);
	if (at && proto == IPPROTO_GRE && end - at >= GRE_HEADER) {
		arrival->in_tunnel = true;
		at = pass_ip(at + GRE_HEADER, end, arrival, &proto);
	}
	if (at && proto == IPPROTO_UDP)
		at += sizeof(struct udphdr);
	else if (at && proto == IPPROTO_TCP)
		at = pass_syn(at, end, arrival);
	else /* neighbours and listeners tell of themselves by ICMPv6; of ICMP what tells of errors is not theirs */
		return at && (proto == IPPROTO_ICMP || (proto == IPPROTO_ICMPV6 && at < end && *at < 128))
			       ? PARSED_STRANGE
			       : PARSED_TALK;
	return is_stamp(at, end, &arrival->stamp) ? PARSED_OURS : PARSED_STRANGE;
}
