/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch.c - every packet of a namespace as one line of text, tunnels opened up:
 *   eth1.100 out gre 198.51.100.130 > 203.0.113.200 tos 0xb8 ttl 64 df : udp 10.1.0.5.40000 > 198.18.0.1.53 …
 * Neighbour discovery and multicast listeners are left out. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "traffic.h"

struct line {
	char text[1024];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line->len += (size_t)vsnprintf(line->text + line->len, sizeof(line->text) - line->len, format, args);
	va_end(args);
	if (line->len >= sizeof(line->text))
		line->len = sizeof(line->text) - 1;
}

static unsigned int be16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

/* What a packet's IP header says, and where its payload is. */
struct packet {
	int family;
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
	uint8_t proto, tos, ttl;
	bool df, fragment;
	const uint8_t *payload;
	size_t len;
};

static bool parse_ip(struct packet *p, const uint8_t *data, size_t len)
{
	size_t header, total;

	if (len >= 20 && data[0] >> 4 == 4) {
		header = (data[0] & 15) * 4u;
		total = be16(data + 2);
		*p = (struct packet){ .family = AF_INET, .tos = data[1], .ttl = data[8], .proto = data[9] };
		p->df = data[6] & 0x40;
		p->fragment = be16(data + 6) & 0x1fff;
		inet_ntop(AF_INET, data + 12, p->source, sizeof(p->source));
		inet_ntop(AF_INET, data + 16, p->destination, sizeof(p->destination));
	} else if (len >= 40 && data[0] >> 4 == 6) {
		header = 40;
		total = be16(data + 4) + 40;
		*p = (struct packet){ .family = AF_INET6, .ttl = data[7], .proto = data[6] };
		p->tos = (uint8_t)(be16(data) >> 4);
		inet_ntop(AF_INET6, data + 8, p->source, sizeof(p->source));
		inet_ntop(AF_INET6, data + 24, p->destination, sizeof(p->destination));
	} else {
		return false;
	}
	if (total < header || total > len)
		return false;
	p->payload = data + header;
	p->len = total - header;
	return true;
}

static void put_ends(struct line *line, const struct packet *p, bool ports)
{
	if (ports)
		put(line, " %s.%u > %s.%u", p->source, be16(p->payload), p->destination, be16(p->payload + 2));
	else
		put(line, " %s > %s", p->source, p->destination);
	put(line, " tos 0x%02x ttl %u%s%s", p->tos, p->ttl, p->df ? " df" : "", p->fragment ? " fragment" : "");
}

static void put_tcp(struct line *line, const struct packet *p)
{
	const uint8_t *tcp = p->payload;
	size_t end = tcp[12] / 16u * 4u;

	put(line, " %s%s%s%s", tcp[13] & 2 ? "S" : "", tcp[13] & 1 ? "F" : "", tcp[13] & 4 ? "R" : "",
	    tcp[13] & 16 ? "." : "");
	for (size_t at = 20; tcp[13] & 2 && at + 1 < end && end <= p->len && tcp[at];) {
		if (tcp[at] == 2 && at + 4 <= end)
			put(line, " mss %u", be16(tcp + at + 2));
		if (tcp[at] != 1 && tcp[at + 1] < 2)
			break;
		at += tcp[at] == 1 ? 1 : tcp[at + 1];
	}
}

static bool put_packet(struct line *line, const uint8_t *data, size_t len);

static void put_gre(struct line *line, const struct packet *p)
{
	const uint8_t *gre = p->payload;
	size_t at = 4;

	if (gre[0] & 0x80) {
		put(line, " csum");
		at += 4;
	}
	if (gre[0] & 0x20 && p->len >= at + 4) {
		put(line, " key %u", be32(gre + at));
		at += 4;
	}
	if (gre[0] & 0x10) {
		put(line, " seq");
		at += 4;
	}
	if (p->len <= at)
		return;
	put(line, " :");
	put_packet(line, gre + at, p->len - at);
}

/* False: not worth a line. */
static bool put_packet(struct line *line, const uint8_t *data, size_t len)
{
	struct packet p;
	uint8_t type;

	if (!parse_ip(&p, data, len))
		return false;
	type = p.len ? p.payload[0] : 0;
	/* RFC 4861 neighbour discovery; RFC 2710 and 3810 multicast listeners, behind a hop-by-hop header */
	if (p.family == AF_INET6 && (p.proto == 0 || (p.proto == 58 && ((type >= 133 && type <= 137) || type == 143))))
		return false;
	if ((p.proto == 6 && p.len >= 20) || (p.proto == 17 && p.len >= 8)) {
		put(line, p.proto == 6 ? " tcp" : " udp");
		put_ends(line, &p, true);
		if (p.proto == 6)
			put_tcp(line, &p);
	} else if (p.proto == 47 && p.len >= 4) {
		put(line, " gre");
		put_ends(line, &p, false);
		put_gre(line, &p);
	} else if ((p.proto == 1 || p.proto == 58) && p.len >= 8) {
		put(line, p.proto == 1 ? " icmp" : " icmp6");
		put_ends(line, &p, false);
		put(line, " type %u code %u id %u", type, p.payload[1], be16(p.payload + 4));
	} else {
		put(line, " proto %u", p.proto);
		put_ends(line, &p, false);
	}
	return true;
}

_Noreturn void watch(const char *file)
{
	const int fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)), room = 8 << 20;
	const int out = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	static uint8_t data[65536];

	if (fd < 0)
		die("packet socket");
	if (out < 0)
		die(file);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	into_background();
	for (;;) {
		struct sockaddr_ll from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t len = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &from_len);
		struct line line = { .len = 0 };
		char device[IF_NAMESIZE];

		if (len < 0)
			continue; /* a device went down */
		put(&line, "%s %s", if_indextoname((unsigned int)from.sll_ifindex, device) ? device : "gone",
		    from.sll_pkttype == PACKET_OUTGOING ? "out" : "in");
		if (!put_packet(&line, data, (size_t)len))
			continue;
		put(&line, "\n");
		if (write(out, line.text, line.len) < 0)
			die(file);
	}
}
