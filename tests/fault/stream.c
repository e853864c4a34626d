/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stream.c - see stream.h. */
#include "tests/fault/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/fault/router.h"

#define PACKETS (1 << 17) /* of one flow, until the program ends */
#define FLOWS_A_TICK 2
/* Of flows whose every packet is new, one more so often: each may go another way. Conntrack keeps each for half a minute
 * and until its collector comes by, a minute at most, and drops new ones when it is full: hence ROOM. */
#define FRESH_TICKS 4
#define ROOM 65536 /* the test machine begins with 4,096 */
#define SERVICES 10
#define PLAIN_FLOWS (3 * SERVICES) /* behind them, two whose every packet is a new flow's first */

const char *const stream_devices[STREAM_DEVICES] = { "far0", "far1", "far3", "far1.100", "cf1", "cf2", NULL };

struct stream {
	volatile bool over;
	volatile unsigned int n_ready;
	volatile uint32_t next[STREAM_FLOWS];
	uint32_t begun[STREAM_FLOWS], ended[STREAM_FLOWS];
	volatile uint8_t arrived[STREAM_FLOWS][PACKETS]; /* 1 + the device's number; 0: not yet */
	pid_t lan, far;
	unsigned int tick_us;
};

struct payload {
	uint32_t flow, number;
};

/* ---- flows ---- */

static const uint16_t services[SERVICES] = { 53, 445, 5060, 12000, 8001, 873, 9, 2049, 30001, 30002 };
static const char *const sources[] = { "10.10.0.5", "10.1.0.5", "2001:db8:10::5" };
static const char *const destinations[] = { "198.18.0.1", "203.0.113.130", "2001:db8:5a::1" };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t fill(union address *a, const char *text, uint16_t port)
{
	*a = (union address){ 0 };
	if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		return sizeof(a->v4);
	}
	inet_pton(AF_INET6, text, &a->v6.sin6_addr);
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(port);
	return sizeof(a->v6);
}

static const char *source_of(size_t flow)
{
	return flow < PLAIN_FLOWS ? sources[flow / SERVICES] : sources[0];
}

/* IPv4 flows go to two places in turn. */
static const char *destination_of(size_t flow)
{
	return flow / SERVICES == 2 ? destinations[2] : destinations[flow & 1];
}

static uint16_t port_of(size_t flow)
{
	return flow < PLAIN_FLOWS ? services[flow % SERVICES] : services[flow - PLAIN_FLOWS];
}

const char *stream_flow(size_t flow, char text[96])
{
	snprintf(text, 96, "%s > %s udp %u%s", source_of(flow), destination_of(flow), port_of(flow),
		 flow < PLAIN_FLOWS ? "" : ", each packet a new flow");
	return text;
}

static int open_flow(size_t flow, uint16_t source_port)
{
	union address from, to;
	socklen_t len = fill(&from, source_of(flow), source_port);
	int fd = socket(from.any.sa_family, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, &from.any, len))
		bail_out("the LAN cannot send from %s: %s", source_of(flow), strerror(errno));
	len = fill(&to, destination_of(flow), port_of(flow));
	if (connect(fd, &to.any, len))
		bail_out("the LAN cannot send to %s: %s", destination_of(flow), strerror(errno));
	return fd;
}

/* ---- the LAN ---- */

static void send_one(struct stream *s, const int fds[], size_t flow)
{
	const struct payload payload = { (uint32_t)flow, s->next[flow] };
	const uint16_t fresh = (uint16_t)(10000 + payload.number % 30000) /* below those of the others */;
	int fd = flow < PLAIN_FLOWS ? fds[flow] : open_flow(flow, fresh);

	if (send(fd, &payload, sizeof(payload), 0) == sizeof(payload))
		s->next[flow]++;
	if (flow >= PLAIN_FLOWS)
		close(fd);
}

static void run_lan(struct stream *s)
{
	const struct timespec tick = { 0, s->tick_us * 1000L };
	int fds[PLAIN_FLOWS];

	for (size_t i = 0; i < PLAIN_FLOWS; i++)
		fds[i] = open_flow(i, (uint16_t)(40000 + i));
	s->n_ready++;
	for (size_t i = 0, n = 0; !s->over; i = (i + FLOWS_A_TICK) % STREAM_FLOWS, n++) {
		const size_t fresh = PLAIN_FLOWS + n / FRESH_TICKS % (STREAM_FLOWS - PLAIN_FLOWS);

		for (size_t j = 0; j < FLOWS_A_TICK; j++)
			if (s->next[i + j] < PACKETS)
				send_one(s, fds, i + j);
		if (n % FRESH_TICKS == 0 && s->next[fresh] < PACKETS)
			send_one(s, fds, fresh);
		nanosleep(&tick, NULL);
	}
}

/* ---- the far side ---- */

static int listen_on(int family, uint16_t port)
{
	const int on = 1, room = 8 << 20, fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	union address any;
	socklen_t len = fill(&any, family == AF_INET ? "0.0.0.0" : "::", port);

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (fd < 0 || bind(fd, &any.any, len))
		bail_out("the far side cannot listen: %s", strerror(errno));
	return fd;
}

static unsigned int device_of(const struct msghdr *message)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(message);

	if (c && c->cmsg_level == IPPROTO_IP)
		return (unsigned int)((const struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex;
	return c ? ((const struct in6_pktinfo *)CMSG_DATA(c))->ipi6_ifindex : 0;
}

static void receive(struct stream *s, int fd, const unsigned int devices[])
{
	struct payload payload;
	char control[256];
	struct iovec iov = { &payload, sizeof(payload) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };

	for (;;) {
		unsigned int device;

		message.msg_controllen = sizeof(control);
		if (recvmsg(fd, &message, 0) != sizeof(payload))
			return;
		device = device_of(&message);
		for (uint8_t i = 0; i < STREAM_DEVICES; i++)
			if (devices[i] == device && payload.flow < STREAM_FLOWS && payload.number < PACKETS)
				s->arrived[payload.flow][payload.number] = (uint8_t)(i + 1);
	}
}

static void run_far(struct stream *s)
{
	struct pollfd polls[2 * SERVICES];
	unsigned int devices[STREAM_DEVICES] = { 0 };

	for (size_t i = 0; i < STREAM_DEVICES; i++)
		devices[i] = stream_devices[i] ? if_nametoindex(stream_devices[i]) : 0;
	for (size_t i = 0; i < SERVICES; i++) {
		polls[2 * i] = (struct pollfd){ .fd = listen_on(AF_INET, services[i]), .events = POLLIN };
		polls[2 * i + 1] = (struct pollfd){ .fd = listen_on(AF_INET6, services[i]), .events = POLLIN };
	}
	s->n_ready++;
	while (!s->over) {
		poll(polls, 2 * SERVICES, 100);
		for (size_t i = 0; i < 2 * SERVICES; i++)
			if (polls[i].revents)
				receive(s, polls[i].fd, devices);
	}
}

/* ---- all three ---- */

static const char lan_lab[] = "ip link set lo up; ip link set eth0 up; ip address add 10.10.0.5/16 dev eth0;"
			      " ip address add 10.1.0.5/24 dev eth0; ip address add 2001:db8:10::5/48 dev eth0 nodad;"
			      " ip route add default via 10.10.0.1; ip route add default via 2001:db8:10::1";

/* Next hops of every policy are answered for by any of its ports: IPv4 neighbours do not mind. */
static const char far_lab[] =
	"for c in all default; do echo 0 >/proc/sys/net/ipv4/conf/$c/rp_filter; done; ip link set lo up;"
	" for d in 0 1 3; do echo 0 >/proc/sys/net/ipv4/conf/far$d/rp_filter; ip link set far$d up; done;"
	" for a in 198.18.0.1 203.0.113.130 198.51.100.1 192.0.2.10 192.0.2.20 198.51.100.32"
	" 198.51.100.34 198.51.100.64 198.51.100.40 198.51.100.42; do ip address add $a/32 dev lo; done;"
	" ip address add 2001:db8:5a::1/128 dev lo nodad";

static const char far_tunnels[] = "for a in 203.0.113.200 203.0.113.201; do ip address add $a/32 dev lo; done;"
				  " ip link add link far1 name far1.100 up type vlan id 100;"
				  " ip link add cf1 up type gre local 203.0.113.200 remote 198.51.100.130 ttl 64;"
				  " ip link add cf2 up type gre local 203.0.113.201 remote 198.51.100.2 ttl 64;"
				  " for d in far1.100 cf1 cf2; do echo 0 >/proc/sys/net/ipv4/conf/$d/rp_filter; done";

static const char router_lab[] =
	"echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding;"
	" for d in far0 far1 far3; do ip link set $d netns %d; done; "
	" ip link set far2 name eth0 netns %d";

/* The child waits with its devices until they are there: until something comes by *go. */
static pid_t spawn(struct stream *s, void (*run)(struct stream *s), const char *lab, const char *more, int *go)
{
	const unsigned int before = s->n_ready;
	int ends[2];
	char byte;
	pid_t pid;

	if (pipe(ends) || (pid = fork()) < 0)
		bail_out("no process to be had");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET))
			bail_out("no network namespace to be had");
		s->n_ready++;
		if (read(ends[0], &byte, 1) != 1)
			_exit(1);
		shell(lab);
		shell(more);
		run(s);
		_exit(0);
	}
	close(ends[0]);
	*go = ends[1];
	while (s->n_ready == before)
		usleep(1000);
	return pid;
}

void stream_make_room(void)
{
	static const char room[] = "m=/proc/sys/net/netfilter/nf_conntrack_max;"
				   " [ \"$(uname -n)\" != cnic-vm ] || echo %d >$m; [ $(cat $m) -ge %d ]";
	char command[sizeof(room) + 32];

	snprintf(command, sizeof(command), room, ROOM, ROOM);
	shell(command);
}

struct stream *stream_start(bool tunnels)
{
	struct stream *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char command[sizeof(router_lab) + 32];
	int go_lan, go_far;

	if (s == MAP_FAILED)
		bail_out("no memory to be had");
	s->tick_us = tunnels ? 4000 : 1000; /* what has tunnels is the slower machine */
	s->lan = spawn(s, run_lan, lan_lab, ":", &go_lan);
	s->far = spawn(s, run_far, far_lab, tunnels ? far_tunnels : ":", &go_far);
	snprintf(command, sizeof(command), router_lab, (int)s->far, (int)s->lan);
	shell(command);
	if (write(go_lan, "", 1) != 1 || write(go_far, "", 1) != 1)
		bail_out("the others are gone");
	while (s->n_ready < 4)
		usleep(1000);
	return s;
}

void stream_stop(struct stream *s)
{
	s->over = true;
	waitpid(s->lan, NULL, 0);
	waitpid(s->far, NULL, 0);
	munmap(s, sizeof(*s));
}

void stream_begin(struct stream *s)
{
	for (size_t i = 0; i < STREAM_FLOWS; i++)
		s->begun[i] = s->next[i];
}

void stream_wait(const struct stream *s, uint32_t n)
{
	for (size_t i = 0; i < STREAM_FLOWS; i++)
		while (s->next[i] - s->begun[i] < (i < PLAIN_FLOWS ? 1 : n))
			usleep(1000);
}

/* Of the flows that arrived at all, the last packet has. */
static bool is_settled(const struct stream *s)
{
	for (size_t i = 0; i < STREAM_FLOWS; i++) {
		bool any = false;

		for (uint32_t n = s->begun[i]; n < s->ended[i] && !any; n++)
			any = s->arrived[i][n];
		if (any && !s->arrived[i][s->ended[i] - 1])
			return false;
	}
	return true;
}

/* The far side may stand still for a while on a busy machine: what comes later than the longest wait is lost. */
void stream_end(struct stream *s)
{
	for (size_t i = 0; i < STREAM_FLOWS; i++)
		s->ended[i] = s->next[i];
	usleep(300 * 1000);
	for (int i = 0; i < 40 && !is_settled(s); i++)
		usleep(100 * 1000);
}

void stream_seen(const struct stream *s, uint8_t seen[STREAM_FLOWS])
{
	for (size_t i = 0; i < STREAM_FLOWS; i++) {
		seen[i] = 0;
		for (uint32_t n = s->begun[i]; n < s->ended[i]; n++)
			if (s->arrived[i][n])
				seen[i] |= (uint8_t)(1u << (s->arrived[i][n] - 1));
	}
}

struct stream_count stream_judge(const struct stream *s, const uint8_t allowed[STREAM_FLOWS],
				 const bool must_arrive[STREAM_FLOWS])
{
	struct stream_count count = { 0 };

	for (size_t i = 0; i < STREAM_FLOWS; i++)
		for (uint32_t n = s->begun[i]; n < s->ended[i]; n++) {
			const uint8_t device = s->arrived[i][n];
			const bool astray = device && !(allowed[i] & 1u << (device - 1));
			const bool lost = !device && must_arrive[i];

			count.sent++;
			count.arrived += !!device;
			count.astray += astray;
			count.lost += lost;
			if (astray || lost) {
				count.flow = i;
				count.device = device;
				count.at = n - s->begun[i];
				count.of = s->ended[i] - s->begun[i];
			}
		}
	return count;
}

unsigned long stream_no_room(void)
{
	FILE *f = fopen("/proc/self/net/stat/nf_conntrack", "re");
	char line[256];
	unsigned long sum = 0, dropped;

	/* one line for each processor; the eleventh column is drop */
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %lx", &dropped) == 1)
			sum += dropped;
	if (f)
		fclose(f);
	return sum;
}
