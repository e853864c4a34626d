/* SPDX-License-Identifier: GPL-2.0-or-later */
/* echo.c - see echo.h. */
#include "runtime/probe/echo.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/icmp.h>

#define IPV4_HEADER 20 /* bytes at least */
#define RECEIVES_MAX 256 /* packets read at once: a flood must not keep us from our time */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t to_socket(struct cni_addr addr, union address *out)
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

static struct cni_addr from_socket(const union address *address)
{
	if (address->any.sa_family == AF_INET)
		return cni_addr_from_bytes(CNI_V4, (const uint8_t *)&address->v4.sin_addr);
	return cni_addr_from_bytes(CNI_V6, (const uint8_t *)&address->v6.sin6_addr);
}

/* ---- packets ---- */

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

void rt_echo_question(struct rt_echo *echo, uint8_t packet[RT_ECHO_SIZE])
{
	echo->sequence++;
	memset(packet, 0, RT_ECHO_SIZE);
	packet[0] = echo->target.family == CNI_V4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	put16(packet + 4, echo->id);
	put16(packet + 6, echo->sequence);
	memcpy(packet + 8, echo->cookie, sizeof(echo->cookie));
	/* of ICMPv6 the kernel puts it in, since the addresses are in it */
	if (echo->target.family == CNI_V4)
		put16(packet + 2, checksum(packet, RT_ECHO_SIZE));
}

bool rt_echo_is_answer(const struct rt_echo *echo, struct cni_addr from, const uint8_t *data, size_t len)
{
	const uint8_t type = echo->target.family == CNI_V4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
	uint8_t want[4];

	if (!echo->waiting || !cni_addr_equal(from, echo->target))
		return false;
	if (echo->target.family == CNI_V4) {
		size_t header = len >= IPV4_HEADER ? (size_t)(data[0] & 15) * 4 : 0;

		if (header < IPV4_HEADER || header > len || data[0] >> 4 != 4 || data[9] != IPPROTO_ICMP)
			return false;
		data += header;
		len -= header;
		if (checksum(data, len)) /* a raw socket is given it unseen */
			return false;
	}
	put16(want, echo->id);
	put16(want + 2, echo->sequence);
	return len == RT_ECHO_SIZE && data[0] == type && !data[1] && !memcmp(data + 4, want, sizeof(want)) &&
	       !memcmp(data + 8, echo->cookie, sizeof(echo->cookie));
}

/* ---- sockets ---- */

/* Nothing but answers to echoes. */
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

static int prepare(int fd, enum cni_family family, const struct rt_echo_way *way)
{
	union address source;

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, way->device, (socklen_t)strlen(way->device) + 1))
		return -errno;
	if (way->mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &way->mark, sizeof(way->mark)))
		return -errno;
	if (way->has_source) {
		socklen_t len = to_socket(way->source, &source);

		if (bind(fd, &source.any, len))
			return -errno;
	}
	return only_answers(fd, family) ? -errno : 0;
}

int rt_echo_open(struct rt_echo *echo, struct cni_addr target, const struct rt_echo_way *way)
{
	bool v4 = target.family == CNI_V4;
	int rc;

	*echo = (struct rt_echo){ .target = target };
	echo->fd = socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			  v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (echo->fd < 0)
		return -errno;
	rc = prepare(echo->fd, target.family, way);
	if (!rc && (getrandom(&echo->id, sizeof(echo->id), GRND_NONBLOCK) != sizeof(echo->id) ||
		    getrandom(echo->cookie, sizeof(echo->cookie), GRND_NONBLOCK) != sizeof(echo->cookie)))
		rc = -EAGAIN;
	if (rc)
		rt_echo_close(echo);
	return rc;
}

void rt_echo_close(struct rt_echo *echo)
{
	if (echo->fd >= 0)
		close(echo->fd);
	echo->fd = -1;
	echo->waiting = false;
}

int rt_echo_send(struct rt_echo *echo)
{
	uint8_t packet[RT_ECHO_SIZE];
	union address to;
	socklen_t len = to_socket(echo->target, &to);

	rt_echo_question(echo, packet);
	echo->waiting = true;
	return sendto(echo->fd, packet, sizeof(packet), MSG_DONTWAIT, &to.any, len) < 0 ? -errno : 0;
}

bool rt_echo_receive(struct rt_echo *echo)
{
	uint8_t data[512]; /* an answer, with the longest header */
	bool answered = false;

	for (int i = 0; i < RECEIVES_MAX; i++) {
		union address from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t len = recvfrom(echo->fd, data, sizeof(data), MSG_DONTWAIT, &from.any, &from_len);

		if (len < 0 && (errno == EAGAIN || errno == EBADF))
			break;
		if (len < 0 || !rt_echo_is_answer(echo, from_socket(&from), data, (size_t)len))
			continue; /* an error of an earlier packet, or somebody else's answer */
		echo->waiting = false;
		answered = true;
	}
	return answered;
}
