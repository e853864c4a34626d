/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fib.c - `fib FILE DEVICE GATEWAY [K]`: what the kernel's routing table costs as the map of a list of prefixes: a
 * table of its own with a route for each, sent in a bare loop, as replay.c sends.
 *
 * FILE has an IPv4 prefix a line. Prints the seconds to add them all (sent), to read them back (reading), to take K
 * (10) evenly spread ones away and add them again (changing), and to take all away (leaving). */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/rtnetlink.h>

#define TABLE 20100
#define DATAGRAM (1 << 18) /* bytes, about: what the send buffer takes */

struct prefix {
	struct in_addr address;
	unsigned char length;
};

struct request {
	struct nlmsghdr header;
	struct rtmsg route;
	struct rtattr table;
	uint32_t table_number;
	struct rtattr to;
	struct in_addr address;
	struct rtattr by;
	struct in_addr gateway;
	struct rtattr out;
	uint32_t device;
};

static void die(const char *what, int error)
{
	fprintf(stderr, "fib: %s: %s\n", what, strerror(error));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct prefix *read_prefixes(const char *file, size_t *n)
{
	FILE *f = fopen(file, "re");
	struct prefix *prefixes = NULL;
	char line[64], address[64];

	if (!f)
		die(file, errno);
	for (*n = 0; fgets(line, sizeof(line), f);) {
		unsigned char length;

		if (sscanf(line, "%63[0-9.]/%hhu", address, &length) != 2)
			continue;
		if (!(*n & (*n - 1)) && !(prefixes = realloc(prefixes, (*n ? 2 * *n : 1) * sizeof(*prefixes))))
			die(file, ENOMEM);
		prefixes[*n].length = length;
		*n += inet_pton(AF_INET, address, &prefixes[*n].address) == 1;
	}
	fclose(f);
	return prefixes;
}

static struct rtattr attr(unsigned short type, size_t len)
{
	return (struct rtattr){ .rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(len) };
}

static struct request route(int type, struct prefix to, struct in_addr gateway, uint32_t device)
{
	const uint16_t flags = type == RTM_NEWROUTE ? NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL : NLM_F_REQUEST;

	return (struct request){
		.header = { sizeof(struct request), (uint16_t)type, flags, 0, 0 },
		.route = { AF_INET, to.length, 0, 0, RT_TABLE_UNSPEC, RTPROT_STATIC, RT_SCOPE_UNIVERSE, RTN_UNICAST,
			   RTNH_F_ONLINK },
		.table = attr(RTA_TABLE, sizeof(uint32_t)),
		.table_number = TABLE,
		.to = attr(RTA_DST, sizeof(to.address)),
		.address = to.address,
		.by = attr(RTA_GATEWAY, sizeof(gateway)),
		.gateway = gateway,
		.out = attr(RTA_OIF, sizeof(device)),
		.device = device,
	};
}

static void send_all(int fd, struct request *requests, size_t n)
{
	static char answer[1 << 16];

	for (size_t at = 0, most = DATAGRAM / sizeof(*requests); at < n; at += most) {
		const size_t now = n - at < most ? n - at : most;
		const struct nlmsghdr *header = (const void *)answer;

		requests[at + now - 1].header.nlmsg_flags |= NLM_F_ACK;
		if (send(fd, requests + at, now * sizeof(*requests), 0) < 0 || recv(fd, answer, sizeof(answer), 0) < 0)
			die("send", errno);
		if (header->nlmsg_type == NLMSG_ERROR && ((const struct nlmsgerr *)NLMSG_DATA(header))->error)
			die("refused", -((const struct nlmsgerr *)NLMSG_DATA(header))->error);
	}
}

static size_t read_back(int fd)
{
	static char answer[1 << 20];
	struct {
		struct nlmsghdr header;
		struct rtmsg route;
		struct rtattr table;
		uint32_t number;
	} dump = { { sizeof(dump), RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, 0, 0 },
		   { .rtm_family = AF_INET },
		   attr(RTA_TABLE, sizeof(uint32_t)),
		   TABLE };
	size_t n = 0;
	ssize_t got;

	if (send(fd, &dump, sizeof(dump), 0) < 0)
		die("send", errno);
	while ((got = recv(fd, answer, sizeof(answer), 0)) > 0)
		for (const struct nlmsghdr *h = (const void *)answer; NLMSG_OK(h, got); h = NLMSG_NEXT(h, got)) {
			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
				return n;
			n += h->nlmsg_type == RTM_NEWROUTE;
		}
	die("recv", errno);
	return n;
}

static double timed(int fd, int type, const struct prefix *prefixes, size_t n, size_t step, struct in_addr gateway,
		    uint32_t device)
{
	const size_t some = (n + step - 1) / step;
	struct request *requests = calloc(some, sizeof(*requests));
	double start;

	if (!requests)
		die("calloc", ENOMEM);
	for (size_t i = 0; i < some; i++)
		requests[i] = route(type, prefixes[i * step], gateway, device);
	start = now();
	send_all(fd, requests, some);
	free(requests);
	return now() - start;
}

int main(int argc, char **argv)
{
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), buffer = 8 << 20, on = 1;
	const uint32_t device = argc > 2 ? if_nametoindex(argv[2]) : 0;
	struct in_addr gateway;
	struct prefix *prefixes;
	size_t n, step;
	double start;

	if (argc < 4 || !device || inet_pton(AF_INET, argv[3], &gateway) != 1)
		die("usage: fib FILE DEVICE GATEWAY [K]", EINVAL);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)))
		die("socket", errno);
	prefixes = read_prefixes(argv[1], &n);
	if (!n)
		die(argv[1], ENODATA);
	step = n / (argc > 4 ? (size_t)atol(argv[4]) : 10);
	step = step ? step : 1;
	printf("sent %.6f\n", timed(fd, RTM_NEWROUTE, prefixes, n, 1, gateway, device));
	start = now();
	if (read_back(fd) != n)
		die("not all are there", ENOENT);
	printf("reading %.6f\n", now() - start);
	start = now();
	timed(fd, RTM_DELROUTE, prefixes, n, step, gateway, device);
	timed(fd, RTM_NEWROUTE, prefixes, n, step, gateway, device);
	printf("changing %.6f\n", now() - start);
	printf("leaving %.6f\n", timed(fd, RTM_DELROUTE, prefixes, n, 1, gateway, device));
	free(prefixes);
	return 0;
}
