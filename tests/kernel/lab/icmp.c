/* SPDX-License-Identifier: GPL-2.0-or-later */
/* icmp.c - echo requests and replies with any source address, as a far side's health prober sends them. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "traffic.h"

#define ECHO_LEN 16 /* of the ICMP part */

static uint32_t sum16(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put_checksum(uint8_t *p, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(p, ~sum);
}

static size_t build_v4(uint8_t *p, const char *source, const char *destination, int reply, unsigned int id)
{
	p[0] = 0x45;
	put16(p + 2, 20 + ECHO_LEN);
	p[8] = 64;
	p[9] = IPPROTO_ICMP;
	if (inet_pton(AF_INET, source, p + 12) != 1 || inet_pton(AF_INET, destination, p + 16) != 1)
		die("address");
	put_checksum(p + 10, sum16(p, 20));
	p[20] = reply ? 0 : 8; /* RFC 792 */
	put16(p + 24, id);
	put_checksum(p + 22, sum16(p + 20, ECHO_LEN));
	return 20 + ECHO_LEN;
}

static size_t build_v6(uint8_t *p, const char *source, const char *destination, int reply, unsigned int id)
{
	p[0] = 0x60;
	put16(p + 4, ECHO_LEN);
	p[6] = IPPROTO_ICMPV6;
	p[7] = 64;
	if (inet_pton(AF_INET6, source, p + 8) != 1 || inet_pton(AF_INET6, destination, p + 24) != 1)
		die("address");
	p[40] = reply ? 129 : 128; /* RFC 4443, 4 */
	put16(p + 44, id);
	put_checksum(p + 42, sum16(p + 8, 32) + ECHO_LEN + IPPROTO_ICMPV6 + sum16(p + 40, ECHO_LEN));
	return 40 + ECHO_LEN;
}

void send_echo(const char *device, const char *source, const char *destination, int reply, unsigned int id)
{
	const int six = strchr(destination, ':') != NULL;
	uint8_t packet[64] = { 0 };
	size_t len = (six ? build_v6 : build_v4)(packet, source, destination, reply, id);
	struct sockaddr_ll link = { .sll_family = AF_PACKET, .sll_protocol = htons(six ? ETH_P_IPV6 : ETH_P_IP) };
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd;

	if (strcmp(device, "-")) {
		link.sll_ifindex = (int)if_nametoindex(device);
		fd = socket(AF_PACKET, SOCK_DGRAM, 0);
		if (!link.sll_ifindex || fd < 0 ||
		    sendto(fd, packet, len, 0, (struct sockaddr *)&link, sizeof(link)) < 0)
			die(device);
	} else {
		memcpy(&to.sin_addr, packet + 16, 4);
		fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
		if (six || fd < 0 || sendto(fd, packet, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			die("raw packet");
	}
	close(fd);
}
