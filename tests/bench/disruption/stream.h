/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stream.h - a stream of numbered packets through a router, while commands change how it steers them.
 *
 * Two policies, first and second, say of each class of packets by which port they arrive, with which MSS and which
 * source. What arrives is held against both: it is the work of the one, or of the other, or of neither, and then it
 * is astray (a port that neither gives) or mixed (such a port, but not as that policy treats its packets). */
#ifndef STREAM_H
#define STREAM_H

#include <net/if.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_PORTS 16
#define MAX_CLASSES 32
#define NAME_LEN 32
#define PATH_LEN 256
#define FRAME_MAX 160 /* bytes of a packet of ours; more than all headers and the stamp */
#define SLOTS 1000 /* the stream repeats itself after so many packets */

/* A device at the far end of one of the router's wires. */
struct port {
	char name[NAME_LEN], netns[PATH_LEN], device[IFNAMSIZ];
	char peer[IFNAMSIZ]; /* the router's end */
	uint8_t router[6]; /* its MAC address */
	int sock; /* packets both ways */
	uint8_t *ring; /* of TPACKET_V2 frames */
	unsigned int next_frame;
	uint64_t drops_before, peer_drops_before; /* the kernel's counts when the stream began */
};

struct treatment {
	int port;
	bool in_tunnel; /* arrives within GRE */
	uint16_t mss; /* 0: any */
	bool has_source;
	uint8_t source[16]; /* as an IPv4 address it has four bytes; without one: as it was sent */
};

enum kind {
	KIND_UDP, /* flows that live as long as the stream */
	KIND_SYN, /* every packet is the first one of a new flow */
	KIND_PINNED, /* flows that are translated: each stays as its first packet went */
};

struct class
{
	char name[NAME_LEN];
	enum kind kind;
	bool is_v6, is_answer; /* an answer has source and destination the other way round */
	int in; /* the port that it is sent by */
	uint8_t from[16], to[16]; /* flow i is from + i % n_from, to + step * (i % n_to), sport + i / n_from */
	unsigned int n_from, n_to, step; /* IPv6 counts in networks of 64 bits */
	uint16_t sport, dport;
	unsigned int n_flows; /* of KIND_SYN there is no end */
	unsigned int share; /* of SLOTS packets */
	struct treatment want[2];
	uint32_t next_flow;
	uint8_t *first; /* [n_flows] of KIND_PINNED: FATE_BY bits of its first packet */
};

/* What became of a packet, by its number. */
#define FATE_CLASS 0x1fu
#define FATE_SENT 0x20u
#define FATE_SEEN 0x40u
#define FATE_TWICE 0x80u
#define FATE_ASTRAY 0x100u
#define FATE_MIXED 0x200u
#define FATE_BY(policy) (0x400u << (policy)) /* 0 and 1: that policy would have done this */

struct stamp { /* the payload; in host order */
	uint32_t magic, number, flow;
	uint32_t class;
};

struct arrival {
	struct stamp stamp;
	bool in_tunnel, is_v6;
	uint16_t mss;
	uint8_t source[16];
};

struct update {
	uint32_t first, last; /* numbers of the next packet when it began, and when it had ended */
	uint64_t ns;
};

struct stream {
	struct port ports[MAX_PORTS];
	struct class classes[MAX_CLASSES];
	int n_ports, n_classes;
	char router[PATH_LEN]; /* its namespace */
	uint8_t slots[SLOTS]; /* class of each */
	unsigned int rate; /* packets a second */
	uint16_t *fate;
	uint32_t max_packets;
	atomic_uint next; /* number */
	atomic_bool stop_sending, stop_receiving;
	uint64_t ns_sending, ns_worst_gap; /* the gap: how long the machine kept the sender waiting */
	uint64_t n_refused; /* by the device that they were sent into, hence not sent */
	uint64_t n_strange; /* TCP, UDP or ICMP that is not of the stream: the router's own word */
	uint64_t n_overrun; /* came to a port whose ring was full */
	struct update *updates;
	unsigned int n_updates, n_failed;
};

_Noreturn void die(const char *what);
uint64_t now_ns(void);

/* spec.c: reads the lines that describe ports and classes; see there. */
void read_spec(struct stream *s, const char *file);

/* packet.c: a packet of the class into `frame`, from the Ethernet header on; its length. */
size_t build_packet(const struct class *class, const uint8_t router[6], const struct stamp *stamp, uint8_t *frame);
/* What a frame is: ours, other traffic that the router answered or made, or neighbours' talk. */
enum parsed {
	PARSED_TALK,
	PARSED_STRANGE,
	PARSED_OURS
} parse_packet(const uint8_t *frame, size_t len, struct arrival *arrival);
/* The source that a flow is sent with. */
void flow_source(const struct class *class, uint32_t flow, uint8_t source[16]);

/* port.c */
void enter_netns(const char *path);
void open_ports(struct stream *s);
typedef void on_frame(struct stream *s, const struct port *port, const uint8_t *frame, size_t len);
/* Gives what has come to `each`; false: nothing had. */
bool drain_port(struct stream *s, struct port *port, on_frame *each);
/* Packets that wires and rings lost since the ports were opened. */
uint64_t machine_drops(struct stream *s);

/* send.c, judge.c: threads; their argument is the stream. report.c: at the end. */
void *send_stream(void *stream);
void *judge_stream(void *stream);
void report(struct stream *s, bool by_class);

#endif
