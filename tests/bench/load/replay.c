/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay.c - `replay FILE`: sends what timed.c recorded, in a bare loop, and prints the seconds from the first message to
 * the last ack: the floor, below which nobody gets who sends these messages to this kernel.
 *
 * Everything is in memory before the clock starts. Exit status 1, with a message, when the kernel refuses something. */
#include "tests/bench/load/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "runtime/netlink/socket.h"

#define RECEIVE_BUFFER (32 << 20)

static int buses[2]; /* RT_ROUTE, RT_NETFILTER */

static void die(const char *what, int error)
{
	fprintf(stderr, "replay: %s: %s\n", what, strerror(error));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const unsigned char *map_file(const char *file, size_t *size)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st))
		die(file, errno);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (data == MAP_FAILED)
		die(file, errno);
	close(fd);
	*size = (size_t)st.st_size;
	return data;
}

/* A whole nft batch must fit into the send buffer. */
static int open_bus(int protocol, size_t longest)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), on = 1, receive = RECEIVE_BUFFER;
	int send = (int)longest;

	if (fd < 0)
		die("socket", errno);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send, sizeof(send)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive, sizeof(receive)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)))
		die("setsockopt", errno);
	return fd;
}

/* The kernel has worked through a datagram when send returns: all answers are there. */
static void exchange(int fd, const void *data, size_t len)
{
	static char buffer[RT_RECEIVE_SIZE] __attribute__((aligned(8)));
	bool acked = false;
	ssize_t got;

	if (send(fd, data, len, 0) < 0)
		die("send", errno);
	while ((got = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *answer = (const void *)buffer;

		for (int left = (int)got; NLMSG_OK(answer, left); answer = NLMSG_NEXT(answer, left)) {
			const struct nlmsgerr *error = NLMSG_DATA(answer);

			if (answer->nlmsg_type == NLMSG_ERROR && error->error)
				die("refused", -error->error);
			acked |= answer->nlmsg_type == NLMSG_ERROR;
		}
	}
	if (got < 0 && errno != EAGAIN)
		die("recv", errno);
	if (!acked)
		die("no answer came", EPROTO);
}

static void write_setting(const char *path)
{
	const char *value = path + strlen(path) + 1;
	char full[256];
	int fd;

	snprintf(full, sizeof(full), "/proc/sys/net/%s", path);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die(full, errno);
	close(fd);
}

static size_t longest(const unsigned char *data, size_t size)
{
	size_t most = 1 << 20;

	for (size_t at = 0; at < size;) {
		const struct record *r = (const void *)(data + at);

		most = r->len > most ? r->len : most;
		at += sizeof(*r) + RECORD_ALIGN(r->len);
	}
	return most;
}

int main(int argc, char **argv)
{
	const unsigned char *data;
	size_t size, room;
	double start;

	if (argc != 2) {
		fputs("usage: replay FILE\n", stderr);
		return 64;
	}
	data = map_file(argv[1], &size);
	room = longest(data, size);
	buses[RT_ROUTE] = open_bus(NETLINK_ROUTE, room);
	buses[RT_NETFILTER] = open_bus(NETLINK_NETFILTER, room);
	start = now();
	for (size_t at = 0; at < size;) {
		const struct record *r = (const void *)(data + at);
		const void *content = r + 1;

		if (r->kind == RECORD_SETTING)
			write_setting(content);
		else
			exchange(buses[r->kind], content, r->len);
		at += sizeof(*r) + RECORD_ALIGN(r->len);
	}
	printf("sent %f\n", now() - start);
	return 0;
}
