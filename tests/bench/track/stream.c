/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stream.c - a stream of numbered packets, to see when and for how long it did not arrive.
 *
 *	stream send ADDRESS PORT EACH_US		UDP, one packet each so many microseconds, until it is killed
 *	stream receive PORT				a line for each that came: "NUMBER SENT CAME", times in us of
 *							CLOCK_MONOTONIC, which all namespaces of a machine share
 *
 * Senders number from 0. What cannot be sent is left out, and its number is lost as if it had been. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct packet {
	uint64_t number, sent;
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int run_sender(const char *address, const char *port, const char *each_text)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	const uint64_t each = strtoull(each_text, NULL, 10), start = now_us();
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || !each || inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return fail("send");
	for (struct packet packet = { 0 };; packet.number++) {
		const uint64_t due = start + packet.number * each;
		const struct timespec until = { (time_t)(due / 1000000), (long)(due % 1000000) * 1000 };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		packet.sent = now_us();
		(void)sendto(fd, &packet, sizeof(packet), 0, (const struct sockaddr *)&to, sizeof(to));
	}
}

static int run_receiver(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	const int room = 8 << 20;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct packet packet;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)))
		return fail("receive");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (recv(fd, &packet, sizeof(packet), 0) == sizeof(packet))
		printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", packet.number, packet.sent, now_us());
	return fail("receive");
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "send"))
		return run_sender(argv[2], argv[3], argv[4]);
	if (argc == 3 && !strcmp(argv[1], "receive"))
		return run_receiver(argv[2]);
	fprintf(stderr, "stream: send ADDRESS PORT EACH_US, or receive PORT\n");
	return 64;
}
