/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.c - see packet.h. */
#include "runtime/probe/packet.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <unistd.h>

#include <linux/icmp.h>

#define IPV4_HEADER 20 /* bytes at least */

socklen_t rt_socket_address(struct cni_addr addr, union rt_socket_address *out)
{
	uint8_t bytes[16];
	size_t len = cni_addr_to_bytes(addr, bytes);

	memset(out, 0, sizeof(*out));
	if (addr.family == CNI_V4) {
		out->v4.sin_family = AF_INET;
		memcpy(&out->v4.sin_addr, bytes, len);
		return sizeof(out->v4);
	}
	out->v6.sin6_family = AF_INET6;
	memcpy(&out->v6.sin6_addr, bytes, len);
	return sizeof(out->v6);
}

struct cni_addr rt_socket_addr(const union rt_socket_address *address)
{
	if (address->any.sa_family == AF_INET)
		return cni_addr_from_bytes(CNI_V4, (const uint8_t *)&address->v4.sin_addr);
	return cni_addr_from_bytes(CNI_V6, (const uint8_t *)&address->v6.sin6_addr);
}

/* RFC 1071; of a whole packet with its checksum: 0. */
static uint16_t checksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

void rt_echo_write(enum cni_family family, const struct rt_echo_words *words, uint8_t packet[RT_ECHO_SIZE])
{
	memset(packet, 0, RT_ECHO_SIZE);
	packet[0] = family == CNI_V4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	put16(packet + 4, words->id);
	put16(packet + 6, words->sequence);
	memcpy(packet + 8, words->cookie, sizeof(words->cookie));
	/* of ICMPv6 the kernel puts it in, since the addresses are in it */
	if (family == CNI_V4)
		put16(packet + 2, checksum(packet, RT_ECHO_SIZE));
}

bool rt_echo_read(enum cni_family family, const uint8_t *data, size_t len, struct rt_echo_words *words)
{
	const uint8_t type = family == CNI_V4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;

	memset(words, 0, sizeof(*words));
	if (family == CNI_V4) {
		size_t header = len >= IPV4_HEADER ? (size_t)(data[0] & 15) * 4 : 0;

		if (header < IPV4_HEADER || header > len || data[0] >> 4 != 4 || data[9] != IPPROTO_ICMP)
			return false;
		data += header;
		len -= header;
	}
	if (len >= 6)
		words->id = get16(data + 4);
	if (len != RT_ECHO_SIZE || data[0] != type || data[1])
		return false;
	words->sequence = get16(data + 6);
	memcpy(words->cookie, data + 8, sizeof(words->cookie));
	/* a raw socket of IPv4 is given it unseen */
	return family == CNI_V6 || !checksum(data, len);
}

static int only_answers(int fd, enum cni_family family)
{
	struct icmp_filter v4 = { .data = ~(1u << ICMP_ECHOREPLY) };
	struct icmp6_filter v6;

	if (family == CNI_V4)
		return setsockopt(fd, SOL_RAW, ICMP_FILTER, &v4, sizeof(v4));
	ICMP6_FILTER_SETBLOCKALL(&v6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &v6);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &v6, sizeof(v6));
}

int rt_echo_socket(enum cni_family family)
{
	const bool v4 = family == CNI_V4;
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	if (fd >= 0 && only_answers(fd, family)) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd < 0 ? -errno : fd;
}
