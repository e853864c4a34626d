/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port.c - the far side's devices: packet sockets, each in the namespace of its device, and sockets for what is routed. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
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

static int raw_socket(int family)
{
	const int on = 1;
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);

	if (fd < 0 || (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on))))
		die("raw socket");
	return fd;
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
		port->raw[0] = raw_socket(AF_INET);
		port->raw[1] = raw_socket(AF_INET6);
	}
}

bool send_probe(const struct prober *p, const struct class *class, const uint8_t *packet, size_t len)
{
	const struct port *port = &p->ports[class->port];
	/* ip6gre's devices have longer addresses than sockaddr_ll has room for */
	const struct {
		struct sockaddr_ll at;
		uint8_t rest[8];
	} link = { .at = { .sll_family = AF_PACKET,
			   .sll_protocol = htons(class->is_v6 ? ETH_P_IPV6 : ETH_P_IP),
			   .sll_ifindex = port->device_index } };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (!class->is_routed)
		return sendto(port->sock, packet, len, 0, (const struct sockaddr *)&link, sizeof(link)) >= 0;
	memcpy(&v4.sin_addr, packet + 16, 4);
	memcpy(&v6.sin6_addr, packet + 24, 16);
	if (class->is_v6)
		return sendto(port->raw[1], packet, len, 0, (struct sockaddr *)&v6, sizeof(v6)) >= 0;
	return sendto(port->raw[0], packet, len, 0, (struct sockaddr *)&v4, sizeof(v4)) >= 0;
}

void drain_ports(struct prober *p, on_packet *each)
{
	uint8_t packet[2048];
	ssize_t len;

	for (int i = 0; i < p->n_ports; i++)
		while ((len = recv(p->ports[i].sock, packet, sizeof(packet), 0)) >= 0)
			each(p, i, packet, (size_t)len);
}

/* The second figure of each processor: Documentation/networking/scaling, /proc/net/softnet_stat. */
uint64_t backlog_drops(void)
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
