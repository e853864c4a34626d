/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prober.h - health probes as the provider sends them, and by which way each of them is answered.
 *
 * A probe is an ICMP echo. One of the request type goes from them to us, and the router answers it. One of the reply
 * type is an echo reply from our own address to theirs: the router sends it back as it came. Either way an echo reply
 * from us to them is to come back, by a port (a device of the far side) as plain IP, or within GRE by a port of the
 * outer packet and then out of a tunnel, which is a port too. */
#ifndef PROBER_H
#define PROBER_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_PORTS 48
#define MAX_CLASSES 160
#define MAX_PHASES 16
#define NAME_LEN 48
#define PATH_LEN 256
#define PACKET_MAX 64 /* bytes of a probe: more than an IPv6 header and an echo of 16 bytes */

struct port {
	char name[NAME_LEN], netns[PATH_LEN], device[IFNAMSIZ];
	int device_index; /* within netns */
	uint8_t router[6]; /* the router's MAC address there; a tunnel has none */
	int sock; /* sees what comes in, and sends into the device */
	bool is_mute; /* what comes is not taken for an answer */
};

/* By which ways answers come: the port where they come out, and that of the outer packet. */
struct way {
	uint8_t port, outer; /* indices and 1; outer 0: not within GRE */
};

struct class
{
	char name[NAME_LEN];
	bool is_v6, is_reply;
	int port; /* the probes are sent into it */
	uint8_t theirs[16], ours[16]; /* an IPv4 address has four bytes */
	unsigned int n_theirs; /* that many of them in turn, counted on from `theirs`: the provider has many servers */
	unsigned int rate, n_ids; /* probes a second; echo identifiers in turn: each is a flow of its own */
	uint16_t id;
	struct way want[2]; /* on a day with the primary, and without */
	uint32_t n_sent;
	uint64_t next_ns;
};

/* Which of a class's ways are right. */
enum wanted { WANT_FIRST, WANT_EITHER /* and some may be lost */, WANT_SECOND };

struct phase {
	char name[NAME_LEN];
	enum wanted wanted;
	uint64_t n_machine; /* what a machine that is too slow has lost in it, at most */
};

struct probe {
	uint64_t sent_ns;
	uint32_t nth; /* of its class */
	uint8_t class, phase;
	struct way way; /* port 0: not answered */
	bool is_twice, is_forged; /* answered more than once; the answer has another source or destination */
};

struct prober {
	struct port ports[MAX_PORTS];
	struct class classes[MAX_CLASSES];
	struct phase phases[MAX_PHASES];
	int n_ports, n_classes, n_phases, phase; /* phase: the one that we are in */
	struct probe *probes; /* by number */
	uint32_t n_probes, max_probes;
	int counters[2]; /* of the router: /proc/net/snmp and snmp6 */
	uint64_t losses_before; /* the machine's, when the phase began */
	int former; /* the phase before, while packets of it may still be under way; -1: none are */
	uint64_t former_losses, former_ns; /* the machine's when that one began; when it ended */
	uint64_t n_refused; /* by the sender's own kernel: they count as sent */
	uint64_t late_ns; /* by so much the sender was late at worst */
};

/* An echo reply that came back. */
struct answer {
	uint32_t number;
	bool is_v6, in_gre;
	uint8_t source[16], destination[16];
};

_Noreturn void die(const char *what);

/* spec.c */
void read_spec(struct prober *p, const char *file);

/* packet.c: the class's probe of that number into `packet`; its length. */
size_t build_probe(const struct class *class, uint32_t number, uint8_t packet[PACKET_MAX]);
/* The address of the far side that the class's nth probe has. */
void theirs_of(const struct class *class, uint32_t n, uint8_t address[16]);
/* False: not an answer to a probe of ours. */
bool parse_answer(const uint8_t *packet, size_t len, struct answer *answer);

/* port.c: opens all ports, each in its namespace. */
void open_ports(struct prober *p);
/* True: the kernel has taken it. */
bool send_probe(const struct prober *p, const struct class *class, const uint8_t *packet, size_t len);
/* Gives what has come to each port to `each`. */
typedef void on_packet(struct prober *p, int port, const uint8_t *packet, size_t len);
void drain_ports(struct prober *p, on_packet *each);
void open_counters(struct prober *p, const char *router);
/* What a machine that is too slow has lost so far: packets that its processors had no room for in their queues, answers
 * that the router's own ICMP had none for, and probes that could not be sent. */
uint64_t machine_losses(const struct prober *p);
/* Answers that the sockets had no room for. */
uint64_t socket_drops(const struct prober *p);

/* report.c: the table; false: a probe has not been answered as it should have been. */
bool report(const struct prober *p);

#endif
