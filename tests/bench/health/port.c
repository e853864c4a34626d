/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port.c - the far side's devices: packet sockets, each in the namespace of its device. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "prober.h"

#define ROOM (4 << 20) /* bytes of a socket: a machine that stands still must not lose what the router did not */

static void enter_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

void open_ports(struct prober *p)
{
	const int room = ROOM, on = 1;

	for (int i = 0; i < p->n_ports; i++) {
		struct port *port = &p->ports[i];
		struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };

		enter_netns(port->netns);
		at.sll_ifindex = port->device_index = (int)if_nametoindex(port->device);
		if (!at.sll_ifindex)
			die(port->device);
		port->sock = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (port->sock < 0 || setsockopt(port->sock, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
		    setsockopt(port->sock, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
		    bind(port->sock, (struct sockaddr *)&at, sizeof(at)))
			die(port->device);
	}
}

bool send_probe(const struct prober *p, const struct class *class, const uint8_t *packet, size_t len)
{
	const struct port *port = &p->ports[class->port];
	/* ip6gre's devices have longer addresses than sockaddr_ll has room for */
	struct {
		struct sockaddr_ll at;
		uint8_t rest[8];
	} link = { .at = { .sll_family = AF_PACKET,
			   .sll_protocol = htons(class->is_v6 ? ETH_P_IPV6 : ETH_P_IP),
			   .sll_ifindex = port->device_index,
			   .sll_halen = sizeof(port->router) } };

	memcpy(link.at.sll_addr, port->router, sizeof(port->router));
	return sendto(port->sock, packet, len, 0, (struct sockaddr *)&link, sizeof(link)) >= 0;
}

void drain_ports(struct prober *p, on_packet *each)
{
	uint8_t packet[2048];
	ssize_t len;

	for (int i = 0; i < p->n_ports; i++)
		while ((len = recv(p->ports[i].sock, packet, sizeof(packet), 0)) >= 0)
			each(p, i, packet, (size_t)len);
}

/* ---- what the machine loses ---- */

void open_counters(struct prober *p, const char *router)
{
	enter_netns(router);
	p->counters[0] = open("/proc/thread-self/net/snmp", O_RDONLY | O_CLOEXEC);
	p->counters[1] = open("/proc/thread-self/net/snmp6", O_RDONLY | O_CLOEXEC);
	if (p->counters[0] < 0 || p->counters[1] < 0)
		die("/proc/net/snmp");
}

static const char *read_all(int fd, char *text, size_t size)
{
	ssize_t len = pread(fd, text, size - 1, 0);

	if (len <= 0)
		die("a file of counters");
	text[len] = '\0';
	return text;
}

/* ICMP errors of the sender: the socket by which the kernel answers echoes had no room. */
static uint64_t icmp_errors(const struct prober *p)
{
	unsigned long v4 = 0, v6 = 0;
	char text[8192];
	const char *at;

	at = strstr(read_all(p->counters[0], text, sizeof(text)),
		    "\nIcmp: "); /* a line of names, then one of figures */
	at = at ? strstr(at + 1, "\nIcmp: ") : NULL;
	if (!at || !strstr(text, " OutMsgs OutErrors ") ||
	    sscanf(at, "\nIcmp: %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu", &v4) != 1)
		die("/proc/net/snmp");
	at = strstr(read_all(p->counters[1], text, sizeof(text)), "Icmp6OutErrors");
	if (!at || sscanf(at, "Icmp6OutErrors %lu", &v6) != 1)
		die("/proc/net/snmp6");
	return v4 + v6;
}

/* The second figure of each processor: Documentation/networking/scaling, /proc/net/softnet_stat. */
static uint64_t queue_drops(void)
{
	FILE *in = fopen("/proc/net/softnet_stat", "re");
	unsigned int drops;
	uint64_t n = 0;

	if (!in)
		die("/proc/net/softnet_stat");
	while (fscanf(in, "%*x %x%*[^\n]", &drops) == 1)
		n += drops;
	fclose(in);
	return n;
}

uint64_t machine_losses(const struct prober *p)
{
	return icmp_errors(p) + queue_drops() + p->n_refused;
}

uint64_t socket_drops(const struct prober *p)
{
	uint64_t n = 0;

	for (int i = 0; i < p->n_ports; i++) {
		struct tpacket_stats stats;
		socklen_t len = sizeof(stats);

		if (getsockopt(p->ports[i].sock, SOL_PACKET, PACKET_STATISTICS, &stats, &len))
			die("PACKET_STATISTICS");
		n += stats.tp_drops;
	}
	return n;
}
