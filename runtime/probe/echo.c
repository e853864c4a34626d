/* SPDX-License-Identifier: GPL-2.0-or-later */
/* echo.c - see echo.h. */
#include "runtime/probe/echo.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVES_MAX 256 /* packets read at once: a flood must not keep us from our time */

void rt_echo_question(struct rt_echo *echo, uint8_t packet[RT_ECHO_SIZE])
{
	echo->words.sequence++;
	rt_echo_write(echo->target.family, &echo->words, packet);
}

bool rt_echo_is_answer(const struct rt_echo *echo, struct cni_addr from, const uint8_t *data, size_t len)
{
	struct rt_echo_words words;

	return echo->waiting && cni_addr_equal(from, echo->target) &&
	       rt_echo_read(echo->target.family, data, len, &words) && words.id == echo->words.id &&
	       words.sequence == echo->words.sequence &&
	       !memcmp(words.cookie, echo->words.cookie, sizeof(words.cookie));
}

/* ---- sockets ---- */

static int prepare(int fd, const struct rt_echo_way *way)
{
	union rt_socket_address source;

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, way->device, (socklen_t)strlen(way->device) + 1))
		return -errno;
	if (way->mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &way->mark, sizeof(way->mark)))
		return -errno;
	if (way->has_source) {
		socklen_t len = rt_socket_address(way->source, &source);

		if (bind(fd, &source.any, len))
			return -errno;
	}
	return 0;
}

int rt_echo_open(struct rt_echo *echo, struct cni_addr target, const struct rt_echo_way *way)
{
	int rc;

	*echo = (struct rt_echo){ .target = target, .fd = rt_echo_socket(target.family) };
	if (echo->fd < 0)
		return echo->fd;
	rc = prepare(echo->fd, way);
	if (!rc && getrandom(&echo->words, sizeof(echo->words), GRND_NONBLOCK) != sizeof(echo->words))
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
	union rt_socket_address to;
	socklen_t len = rt_socket_address(echo->target, &to);

	rt_echo_question(echo, packet);
	echo->waiting = true;
	return sendto(echo->fd, packet, sizeof(packet), MSG_DONTWAIT, &to.any, len) < 0 ? -errno : 0;
}

bool rt_echo_receive(struct rt_echo *echo)
{
	uint8_t data[512]; /* an answer, with the longest header */
	bool answered = false;

	for (int i = 0; i < RECEIVES_MAX; i++) {
		union rt_socket_address from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t len = recvfrom(echo->fd, data, sizeof(data), MSG_DONTWAIT, &from.any, &from_len);

		if (len < 0 && (errno == EAGAIN || errno == EBADF))
			break;
		if (len < 0 || !rt_echo_is_answer(echo, rt_socket_addr(&from), data, (size_t)len))
			continue; /* an error of an earlier packet, or somebody else's answer */
		echo->waiting = false;
		answered = true;
	}
	return answered;
}
