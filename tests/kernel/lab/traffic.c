/* SPDX-License-Identifier: GPL-2.0-or-later */
/* traffic.c - sends, answers and watches packets in laboratories of network namespaces.
 *
 *   traffic watch FILE               describe every packet of this namespace in FILE, in the background
 *   traffic serve PORT…              echo UDP and TCP on these ports, both families, in the background
 *   traffic udp SRC DST PORT [NAME VALUE]…
 *                                    "sent N answered M", and what errors came back; fails unless N = M.
 *                                    flows N (each from a source port of its own), packets N (of each flow),
 *                                    every MS, sport FIRST, tos N, size BYTES, wait MS (for the last
 *                                    answers)
 *   traffic tcp SRC DST PORT [NAME VALUE]…
 *                                    connect, send a byte and await it back: "answered", or what went wrong
 *   traffic echo DEVICE SRC DST request|reply ID
 *                                    one ICMP packet into a tunnel, or ("-") as routed
 * SRC may be "-": the kernel's choice. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "traffic.h"

#define MAX_FLOWS 1024
#define MAX_SOCKETS 256
#define MAX_SIZE 2048

_Noreturn void die(const char *what)
{
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(2);
}

void into_background(void)
{
	pid_t pid = fork();
	int null;

	if (pid < 0)
		die("fork");
	if (pid)
		_exit(0);
	setsid();
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static union address parse_address(const char *text, unsigned int port)
{
	union address a = { 0 };

	if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons((uint16_t)port);
	} else if (inet_pton(AF_INET6, text, &a.v6.sin6_addr) == 1) {
		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_port = htons((uint16_t)port);
	} else {
		errno = EINVAL;
		die(text);
	}
	return a;
}

static socklen_t address_len(const union address *a)
{
	return a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the sending side ---- */

struct job {
	const char *source, *destination;
	unsigned int port, flows, packets, every, sport, tos, size, wait;
};

static struct job parse_job(char **words)
{
	struct job job = { .source = words[0],
			   .destination = words[1],
			   .port = (unsigned int)atoi(words[2]),
			   .flows = 1,
			   .packets = 1,
			   .sport = 40000,
			   .size = 4,
			   .wait = 1000 };
	const struct {
		const char *name;
		unsigned int *value;
	} options[] = { { "flows", &job.flows }, { "packets", &job.packets }, { "every", &job.every },
			{ "sport", &job.sport }, { "tos", &job.tos },	      { "size", &job.size },
			{ "wait", &job.wait } };

	for (words += 3; words[0] && words[1]; words += 2)
		for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
			if (!strcmp(words[0], options[i].name))
				*options[i].value = (unsigned int)strtoul(words[1], NULL, 0);
	if (job.flows > MAX_FLOWS)
		job.flows = MAX_FLOWS;
	if (job.size > MAX_SIZE)
		job.size = MAX_SIZE;
	return job;
}

/* A machine that stands still for a moment must not make the tool lose what the router did not. */
static void widen(int fd)
{
	const int room = 8 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
}

static int open_flow(const struct job *job, int type, unsigned int flow, const union address *to)
{
	const int family = to->any.sa_family, tos = (int)job->tos, on = 1;
	union address from = { .any.sa_family = (sa_family_t)family };
	int fd = socket(family, type | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket");
	if (strcmp(job->source, "-"))
		from = parse_address(job->source, 0);
	from.v4.sin_port = htons((uint16_t)(job->sport + flow)); /* v6's is at the same place */
	widen(fd);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, family == AF_INET ? IP_TOS : IPV6_TCLASS, &tos,
		   sizeof(tos));
	/* every ICMP error is told to the socket */
	setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, family == AF_INET ? IP_RECVERR : IPV6_RECVERR,
		   &on, sizeof(on));
	if (bind(fd, &from.any, address_len(&from)))
		die(job->source);
	return fd;
}

struct result {
	unsigned int sent, answered, errors;
	int error; /* the last one */
};

static void note_error(struct result *result)
{
	if (errno == EAGAIN)
		return;
	result->errors++;
	result->error = errno;
}

static void collect(const struct job *job, int *fds, struct result *result, long until)
{
	struct pollfd polls[MAX_FLOWS];

	while (result->answered + result->errors < result->sent) {
		long left = until - now_ms();

		for (unsigned int i = 0; i < job->flows; i++)
			polls[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
		if (left <= 0 || poll(polls, job->flows, (int)left) <= 0)
			return;
		for (unsigned int i = 0; i < job->flows; i++) {
			char data[MAX_SIZE];

			if (!polls[i].revents)
				continue;
			if (recv(fds[i], data, sizeof(data), 0) >= 0) {
				result->answered++;
			} else {
				note_error(result);
				recv(fds[i], data, sizeof(data), MSG_ERRQUEUE);
			}
		}
	}
}

static int do_udp(char **words)
{
	const struct job job = parse_job(words);
	const union address to = parse_address(job.destination, job.port);
	const char data[MAX_SIZE] = { 0 };
	struct result result = { 0 };
	int fds[MAX_FLOWS];
	long next = now_ms();

	for (unsigned int i = 0; i < job.flows; i++) {
		fds[i] = open_flow(&job, SOCK_DGRAM, i, &to);
		if (connect(fds[i], &to.any, address_len(&to)))
			die("connect"); /* no route: nothing is sent yet */
	}
	for (unsigned int round = 0; round < job.packets; round++) {
		for (unsigned int i = 0; i < job.flows; i++) {
			result.sent++;
			if (send(fds[i], data, job.size, 0) < 0)
				note_error(&result);
		}
		next += job.every;
		collect(&job, fds, &result, next);
		while (job.every && now_ms() < next)
			poll(NULL, 0, 1);
	}
	collect(&job, fds, &result, now_ms() + job.wait);
	printf("sent %u answered %u", result.sent, result.answered);
	if (result.errors)
		printf(" errors %u: %s", result.errors, strerrorname_np(result.error));
	puts("");
	return result.answered != result.sent;
}

static int do_tcp(char **words)
{
	const struct job job = parse_job(words);
	const union address to = parse_address(job.destination, job.port);
	const int fd = open_flow(&job, SOCK_STREAM, 0, &to);
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t len = sizeof(error);
	char byte = 'x';

	if (connect(fd, &to.any, address_len(&to)) && errno != EINPROGRESS)
		error = errno;
	else if (poll(&wait, 1, (int)job.wait) <= 0)
		error = ETIMEDOUT;
	else
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	wait.events = POLLIN;
	if (!error && (write(fd, &byte, 1) != 1 || poll(&wait, 1, (int)job.wait) <= 0 || read(fd, &byte, 1) != 1))
		error = ETIMEDOUT;
	puts(error ? strerrorname_np(error) : "answered");
	return error != 0;
}

static int do_echo(char **words)
{
	send_echo(words[0], words[1], words[2], !strcmp(words[3], "reply"), (unsigned int)atoi(words[4]));
	return 0;
}

/* ---- the answering side ---- */

static int listener(int family, int type, unsigned int port)
{
	const union address any = parse_address(family == AF_INET ? "0.0.0.0" : "::", port);
	const int fd = socket(family, type | SOCK_NONBLOCK, 0), on = 1;

	widen(fd);
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* the answer comes from the address that was asked */
	setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, family == AF_INET ? IP_PKTINFO : IPV6_RECVPKTINFO,
		   &on, sizeof(on));
	if (fd < 0 || bind(fd, &any.any, address_len(&any)) || (type == SOCK_STREAM && listen(fd, 64)))
		die("listen");
	return fd;
}

static void answer_datagram(int fd)
{
	char data[MAX_SIZE], control[256];
	union address from;
	struct iovec iov = { data, sizeof(data) };
	struct msghdr message = { .msg_name = &from,
				  .msg_namelen = sizeof(from),
				  .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(fd, &message, 0);
	struct cmsghdr *c = len < 0 ? NULL : CMSG_FIRSTHDR(&message);

	if (!c)
		return;
	/* by whatever way routing says, not by the device that it came in by */
	if (c->cmsg_level == IPPROTO_IP) {
		struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(c);

		info->ipi_ifindex = 0;
		info->ipi_spec_dst = info->ipi_addr;
	} else {
		((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_ifindex = 0;
	}
	iov.iov_len = (size_t)len;
	message.msg_flags = 0;
	sendmsg(fd, &message, 0); /* what cannot be sent counts as not answered */
}

/* False: the connection is over. */
static int answer_stream(int fd)
{
	char data[MAX_SIZE];
	ssize_t len = read(fd, data, sizeof(data));

	return len > 0 && write(fd, data, (size_t)len) == len;
}

static _Noreturn void serve(char **words)
{
	struct pollfd polls[MAX_SOCKETS];
	enum { DATAGRAM, LISTENER, STREAM } kinds[MAX_SOCKETS];
	nfds_t n = 0;

	for (; *words; words++)
		for (int i = 0; i < 4; i++) {
			kinds[n] = i & 1 ? LISTENER : DATAGRAM;
			polls[n++] = (struct pollfd){
				.fd = listener(i & 2 ? AF_INET6 : AF_INET, i & 1 ? SOCK_STREAM : SOCK_DGRAM,
					       (unsigned int)atoi(*words)),
				.events = POLLIN,
			};
		}
	signal(SIGPIPE, SIG_IGN);
	into_background();
	for (;;) {
		nfds_t was = n;

		poll(polls, n, -1);
		for (nfds_t i = was; i--;) {
			int fd;

			if (!polls[i].revents)
				continue;
			if (kinds[i] == DATAGRAM) {
				answer_datagram(polls[i].fd);
			} else if (kinds[i] == LISTENER) {
				fd = accept4(polls[i].fd, NULL, NULL, SOCK_NONBLOCK);
				if (fd >= 0 && n == MAX_SOCKETS)
					close(fd);
				else if (fd >= 0) {
					kinds[n] = STREAM;
					polls[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
				}
			} else if (!answer_stream(polls[i].fd)) {
				close(polls[i].fd);
				polls[i] = polls[--n];
				kinds[i] = kinds[n];
			}
		}
	}
}

static int do_serve(char **words)
{
	serve(words);
}

static int do_watch(char **words)
{
	watch(words[0]);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int words;
		int (*run)(char **words);
	} commands[] = { { "watch", 1, do_watch },
			 { "serve", 1, do_serve },
			 { "udp", 3, do_udp },
			 { "tcp", 3, do_tcp },
			 { "echo", 5, do_echo } };

	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(argv[1], commands[i].name) && argc - 2 >= commands[i].words)
			return commands[i].run(argv + 2);
	fputs("usage: see the top of tests/kernel/lab/traffic.c\n", stderr);
	return 64;
}
