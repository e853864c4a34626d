/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flood.c - flood [-k] [-n PACKETS] [-t MS] END ROUTER,IN,OUT,SOURCE,DESTINATION,DPORT...
 *
 * What the namespaces ROUTER take to forward a packet: UDP from SOURCE's /24 to DESTINATION's is sent by IN and counted
 * at OUT, both of them devices in END. Every packet is the first one of a flow, with -k of one of few that are known.
 * Prints for each router nanoseconds a packet, the packets sent and those that arrived; 1: it cannot be measured.
 *
 * A packet that goes by a veth without a queue is received, forwarded and received again in a softirq of the sender's
 * own, before the call that sends it is over. So the time of that call is the time of it all, on one core, and no
 * throughput of two that get in each other's way. The routers take turns at a few packets each, and so do packets that
 * the first router's device throws away, being for another station. The medians' difference from that is what is
 * printed: sending cancels out, interruptions do not count, and a slower machine is slower for all alike. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LEAD 4 /* packets that are not timed: they bring the caches to what follows */
#define CHUNK 16 /* packets that are timed together */
#define TURN (LEAD + CHUNK)
#define MAX_TURNS 8192
#define MAX_WAYS 4
#define KNOWN_FLOWS 256
#define HOSTS 250 /* of a /24 */
#define SPORT 2000 /* the first one; flows take no more than the 1,000 that follow */
#define PAYLOAD 18 /* the smallest frame */
#define ARRIVE_MS 500 /* should packets be late after all */

struct frame {
	struct ethhdr ether;
	struct iphdr ip;
	struct udphdr udp;
	uint8_t payload[PAYLOAD];
} __attribute__((packed));

struct way {
	int sock, conntrack; /* in END, in ROUTER */
	const char *router, *in, *out;
	uint32_t source, destination; /* in host order, as the port */
	uint16_t dport;
	uint32_t next, before, arrived; /* packets */
	uint64_t ns[MAX_TURNS];
};

struct flood {
	struct way ways[MAX_WAYS];
	const char *end;
	bool is_known;
	unsigned int n_ways, n_turns, ms;
	struct frame frames[TURN];
	struct iovec parts[TURN];
	struct mmsghdr messages[TURN];
	uint64_t aside[MAX_TURNS]; /* ns */
	unsigned int n_timed;
};

static const uint8_t router_mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t other_mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 0x99 };

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void enter_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

static void open_conntrack(struct way *way)
{
	way->conntrack = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (way->conntrack < 0)
		die("netfilter");
}

/* Without a tuple, every flow of the namespace goes. */
static void forget_flows(const struct way *way)
{
	const struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
	} all = { .header = { .nlmsg_len = sizeof(all),
			      .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
			      .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK } };
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer;

	if (send(way->conntrack, &all, sizeof(all), 0) < 0 ||
	    recv(way->conntrack, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer))
		die("conntrack");
	errno = -answer.error.error;
	if (errno)
		die("conntrack");
}

static void open_in(struct way *way)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(way->in) };
	const int on = 1;

	way->sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (way->sock < 0 || !at.sll_ifindex ||
	    setsockopt(way->sock, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) ||
	    bind(way->sock, (struct sockaddr *)&at, sizeof(at)))
		die(way->in);
}

/* What has come in by OUT since the device is there. We are in END. */
static uint32_t arrivals(const struct way *way)
{
	FILE *in = fopen("/proc/thread-self/net/dev", "re");
	unsigned long long packets = 0;
	char line[512], *colon;
	bool found = false;

	if (!in)
		die("/proc/thread-self/net/dev");
	while (!found && fgets(line, sizeof(line), in)) {
		colon = strchr(line, ':');
		if (!colon)
			continue;
		*colon = '\0';
		found = !strcmp(line + strspn(line, " "), way->out) && sscanf(colon + 1, "%*u %llu", &packets) == 1;
	}
	fclose(in);
	errno = ENODEV;
	if (!found)
		die(way->out);
	return (uint32_t)packets;
}

static void open_ways(struct flood *flood)
{
	for (unsigned int i = 0; i < flood->n_ways; i++) {
		struct way *way = &flood->ways[i];

		enter_netns(way->router);
		open_conntrack(way);
		forget_flows(way);
		enter_netns(flood->end);
		open_in(way);
		way->before = arrivals(way);
	}
}

static uint16_t ip_checksum(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < sizeof(struct iphdr); i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	return htons((uint16_t) ~(sum + (sum >> 16)));
}

static void build_frame(const struct way *way, uint32_t flow, struct frame *frame)
{
	*frame = (struct frame){
		.ether.h_proto = htons(ETH_P_IP),
		.ip = { .version = 4,
			.ihl = 5,
			.tot_len = htons(sizeof(*frame) - sizeof(frame->ether)),
			.ttl = 64,
			.protocol = IPPROTO_UDP,
			.saddr = htonl(way->source + 1 + flow % HOSTS),
			.daddr = htonl(way->destination + 1 + flow % HOSTS) },
		.udp = { .source = htons((uint16_t)(SPORT + flow / HOSTS)),
			 .dest = htons(way->dport),
			 .len = htons(sizeof(frame->udp) + sizeof(frame->payload)) },
	};
	memcpy(frame->ether.h_source, other_mac, ETH_ALEN);
	frame->ip.check = ip_checksum((const uint8_t *)&frame->ip);
}

static void build_turn(struct flood *flood, struct way *way)
{
	for (unsigned int i = 0; i < TURN; i++) {
		const uint32_t number = way->next++;

		build_frame(way, flood->is_known ? number % KNOWN_FLOWS : number, &flood->frames[i]);
		flood->parts[i] = (struct iovec){ &flood->frames[i], sizeof(flood->frames[i]) };
		flood->messages[i].msg_hdr = (struct msghdr){ .msg_iov = &flood->parts[i], .msg_iovlen = 1 };
	}
}

static void send_frames(struct flood *flood, const struct way *way, unsigned int first, unsigned int n)
{
	if (sendmmsg(way->sock, flood->messages + first, n, 0) != (int)n)
		die("sendmmsg");
}

/* Sends what was built. Returns the nanoseconds that a chunk took. */
static uint64_t send_turn(struct flood *flood, const struct way *way, const uint8_t mac[ETH_ALEN])
{
	uint64_t start;

	for (unsigned int i = 0; i < TURN; i++)
		memcpy(flood->frames[i].ether.h_dest, mac, ETH_ALEN);
	send_frames(flood, way, 0, LEAD);
	start = now_ns();
	send_frames(flood, way, LEAD, CHUNK);
	return now_ns() - start;
}

/* Stay on the core that the scheduler found to be the idlest. */
static void pin(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET((unsigned int)sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		die("sched_setaffinity");
	setpriority(PRIO_PROCESS, 0, -10);
}

static void make_known(struct flood *flood)
{
	for (unsigned int i = 0; i < flood->n_ways; i++)
		for (unsigned int n = 0; n <= KNOWN_FLOWS / TURN; n++) {
			build_turn(flood, &flood->ways[i]);
			send_turn(flood, &flood->ways[i], router_mac);
		}
}

static void measure(struct flood *flood)
{
	const uint64_t end = now_ns() + flood->ms * (uint64_t)1000000u;

	while (flood->n_timed < flood->n_turns && now_ns() < end) {
		const unsigned int n = flood->n_timed++;

		for (unsigned int i = 0; i < flood->n_ways; i++) {
			build_turn(flood, &flood->ways[i]);
			flood->ways[i].ns[n] = send_turn(flood, &flood->ways[i], router_mac);
		}
		flood->aside[n] = send_turn(flood, &flood->ways[0], other_mac);
	}
}

static void await(struct way *way)
{
	const uint64_t end = now_ns() + ARRIVE_MS * (uint64_t)1000000u;
	const struct timespec tick = { .tv_nsec = 1000000 };

	while ((way->arrived = arrivals(way) - way->before) < way->next && now_ns() < end)
		nanosleep(&tick, NULL);
}

static int compare(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static double median(uint64_t *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare);
	return (double)values[n / 2];
}

static void report(struct flood *flood)
{
	const double aside = median(flood->aside, flood->n_timed);

	for (unsigned int i = 0; i < flood->n_ways; i++) {
		struct way *way = &flood->ways[i];

		await(way);
		forget_flows(way);
		printf("%.0f %u %u\n", (median(way->ns, flood->n_timed) - aside) / CHUNK, way->next, way->arrived);
	}
}

static void read_address(const char *text, uint32_t *address)
{
	struct in_addr in;

	errno = EINVAL;
	if (inet_pton(AF_INET, text, &in) != 1)
		die(text);
	*address = ntohl(in.s_addr);
}

static void read_way(struct way *way, char *text)
{
	const char *part[6];

	for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++) {
		part[i] = strsep(&text, ",");
		errno = EINVAL;
		if (!part[i])
			die("a way has six parts");
	}
	way->router = part[0];
	way->in = part[1];
	way->out = part[2];
	read_address(part[3], &way->source);
	read_address(part[4], &way->destination);
	way->dport = (uint16_t)strtoul(part[5], NULL, 10);
}

static void read_options(struct flood *flood, int argc, char **argv)
{
	for (int opt; (opt = getopt(argc, argv, "kn:t:")) != -1;) {
		if (opt == 'k')
			flood->is_known = true;
		else if (opt == 'n')
			flood->n_turns = (unsigned int)strtoul(optarg, NULL, 10) / TURN;
		else if (opt == 't')
			flood->ms = (unsigned int)strtoul(optarg, NULL, 10);
		else
			exit(1);
	}
	flood->n_ways = (unsigned int)(argc - optind - 1);
	if (argc - optind < 2 || flood->n_ways > MAX_WAYS || !flood->n_turns || flood->n_turns > MAX_TURNS ||
	    !flood->ms) {
		fprintf(stderr, "flood: [-k] [-n PACKETS] [-t MS] END ROUTER,IN,OUT,SOURCE,DESTINATION,DPORT...\n");
		exit(1);
	}
	flood->end = argv[optind];
	for (unsigned int i = 0; i < flood->n_ways; i++)
		read_way(&flood->ways[i], argv[optind + 1 + (int)i]);
}

int main(int argc, char **argv)
{
	static struct flood flood = { .n_turns = 4096 / TURN, .ms = 100 };

	read_options(&flood, argc, argv);
	open_ways(&flood);
	pin();
	if (flood.is_known)
		make_known(&flood);
	measure(&flood);
	report(&flood);
	return 0;
}
