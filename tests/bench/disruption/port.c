/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port.c - the ends of the router's wires: packet sockets with rings, each in the namespace of its device. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream.h"

#define RING_FRAME 256 /* bytes: TPACKET_V2's header and a packet of ours */
#define RING_BLOCK (1u << 18)
#define RING_BLOCKS 64 /* 65,536 packets: seconds of the stream by one port */

void enter_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

/* What the kernel could not hand over from a wire's end to the other, as it counts in the namespace we are in. */
static uint64_t wire_drops(const char *device)
{
	FILE *in = fopen("/proc/thread-self/net/dev", "re");
	unsigned long long drops = 0;
	char line[512], *colon;

	if (!in)
		die("/proc/thread-self/net/dev");
	while (fgets(line, sizeof(line), in)) {
		colon = strchr(line, ':');
		if (!colon)
			continue;
		*colon = '\0';
		if (!strcmp(line + strspn(line, " "), device) &&
		    sscanf(colon + 1, "%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu", &drops) != 1)
			die(device);
	}
	fclose(in);
	return drops;
}

static void set(int sock, int option, const void *value, socklen_t len, const char *what)
{
	if (setsockopt(sock, SOL_PACKET, option, value, len))
		die(what);
}

static void open_port(struct port *port)
{
	const struct tpacket_req ring = { .tp_block_size = RING_BLOCK,
					  .tp_block_nr = RING_BLOCKS,
					  .tp_frame_size = RING_FRAME,
					  .tp_frame_nr = RING_BLOCK / RING_FRAME * RING_BLOCKS };
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	const int version = TPACKET_V2, on = 1;

	port->sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	at.sll_ifindex = (int)if_nametoindex(port->device);
	if (port->sock < 0 || !at.sll_ifindex)
		die(port->device);
	set(port->sock, PACKET_VERSION, &version, sizeof(version), "PACKET_VERSION");
	set(port->sock, PACKET_RX_RING, &ring, sizeof(ring), "PACKET_RX_RING");
	set(port->sock, PACKET_QDISC_BYPASS, &on, sizeof(on), "PACKET_QDISC_BYPASS");
	set(port->sock, PACKET_IGNORE_OUTGOING, &on, sizeof(on), "PACKET_IGNORE_OUTGOING");
	port->ring = mmap(NULL, (size_t)RING_BLOCK * RING_BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, port->sock, 0);
	if (port->ring == MAP_FAILED)
		die("mmap");
	if (bind(port->sock, (struct sockaddr *)&at, sizeof(at)))
		die("bind");
	port->drops_before = wire_drops(port->device);
}

void open_ports(struct stream *s)
{
	for (int i = 0; i < s->n_ports; i++) {
		enter_netns(s->ports[i].netns);
		open_port(&s->ports[i]);
		enter_netns(s->router);
		s->ports[i].peer_drops_before = wire_drops(s->ports[i].peer);
	}
}

bool drain_port(struct stream *s, struct port *port, on_frame *each)
{
	bool any = false;

	for (;;) {
		uint8_t *frame = port->ring + (size_t)port->next_frame * RING_FRAME;
		struct tpacket2_hdr *head = (struct tpacket2_hdr *)(void *)frame;

		if (!(__atomic_load_n(&head->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			return any;
		each(s, port, frame + head->tp_mac, head->tp_snaplen);
		__atomic_store_n(&head->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		port->next_frame = (port->next_frame + 1) % (RING_BLOCK / RING_FRAME * RING_BLOCKS);
		any = true;
	}
}

uint64_t machine_drops(struct stream *s)
{
	uint64_t n = 0;

	for (int i = 0; i < s->n_ports; i++) {
		struct port *port = &s->ports[i];
		struct tpacket_stats stats;
		socklen_t len = sizeof(stats);

		if (getsockopt(port->sock, SOL_PACKET, PACKET_STATISTICS, &stats, &len))
			die("PACKET_STATISTICS");
		s->n_overrun += stats.tp_drops;
		enter_netns(port->netns);
		n += wire_drops(port->device) - port->drops_before;
		enter_netns(s->router);
		n += wire_drops(port->peer) - port->peer_drops_before;
	}
	return n + s->n_overrun;
}
