/* SPDX-License-Identifier: GPL-2.0-or-later */
/* air.c - see air.h.
 *
 * Nothing is waited for that can be known: a packet that comes in is followed by a marker, by the same port and so on the
 * same processor, and what the kernel sends is seen before it takes the marker in. What the router sends itself is through
 * when the call returns. */
#include "runtime/twin/air.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/twin/device.h"

#define ETHERTYPE_MARKER 0x88b5 /* for experiments: IEEE 802, 9.2.4 */
#define PATIENCE 1000 /* ms that a marker may take */
#define FRAME 2048 /* larger than any that is sent */

static const int pauses[] = { 100,
			      1200 }; /* ms before asking again; a source's ICMP errors are one a second after five */

int rt_twin_air_open(struct rt_twin_air *air, const struct rt_twin_lab *lab)
{
	*air = (struct rt_twin_air){ .lab = lab, .link = -1, .raw = { -1, -1 } };
	air->link = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
	air->raw[CNI_V4] = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	air->raw[CNI_V6] = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (air->link >= 0 && air->raw[CNI_V4] >= 0 && air->raw[CNI_V6] >= 0)
		return 0;
	rt_twin_air_close(air);
	return -errno;
}

void rt_twin_air_close(struct rt_twin_air *air)
{
	const int fds[] = { air->link, air->raw[CNI_V4], air->raw[CNI_V6] };
	const int error = errno;

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	errno = error;
}

/* ---- in ---- */

static int send_frame(struct rt_twin_air *air, const struct rt_twin_port *port, unsigned int type, const void *data,
		      size_t len)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)port->peer_ifindex };
	uint8_t frame[ETH_HLEN + RT_TWIN_PACKET] = { 0 };

	memcpy(frame, rt_twin_port_mac, ETH_ALEN);
	memcpy(frame + ETH_ALEN, rt_twin_port_mac, ETH_ALEN);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	memcpy(frame + ETH_HLEN, data, len);
	return sendto(air->link, frame, ETH_HLEN + len, 0, (const struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

static const struct rt_twin_port *port_of(const struct rt_twin_lab *lab, const char *name)
{
	for (size_t i = 0; i < lab->n_ports; i++)
		if (!strcmp(lab->ports[i].name, name))
			return &lab->ports[i];
	return NULL;
}

static int send_in(struct rt_twin_air *air, const struct rt_twin_job *job, const uint8_t *packet, size_t len)
{
	const struct rt_twin_port *port = port_of(air->lab, job->device);
	int rc;

	if (!port)
		return -ENODEV;
	rc = send_frame(air, port, job->packet.family == CNI_V4 ? ETH_P_IP : ETH_P_IPV6, packet, len);
	air->marker++;
	return rc ? rc : send_frame(air, port, ETHERTYPE_MARKER, &air->marker, sizeof(air->marker));
}

/* Returns what the kernel says of it: 0, or -errno. */
static int send_out(struct rt_twin_air *air, const struct rt_twin_job *job, const uint8_t *packet, size_t len)
{
	const struct cni_addr to = { job->packet.family, job->packet.field[CNI_FIELD_TO] };
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = { 0 };
	uint8_t bytes[16];
	const size_t n = cni_addr_to_bytes(to, bytes);

	address.any.sa_family = to.family == CNI_V4 ? AF_INET : AF_INET6;
	memcpy(to.family == CNI_V4 ? (void *)&address.v4.sin_addr : (void *)&address.v6.sin6_addr, bytes, n);
	return sendto(air->raw[to.family], packet, len, 0, &address.any, sizeof(address)) < 0 ? -errno : 0;
}

/* ---- out ---- */

struct watch {
	struct rt_twin_air *air;
	const struct rt_twin_job *job;
	uint16_t tag;
	struct rt_twin_seen *seen;
	bool is_through; /* the marker has come */
};

static bool is_peer(const struct rt_twin_lab *lab, unsigned int ifindex)
{
	for (size_t i = 0; i < lab->n_ports; i++)
		if (lab->ports[i].peer_ifindex == ifindex)
			return true;
	return false;
}

static bool is_tunnel(const struct rt_twin_lab *lab, const char *device)
{
	for (size_t i = 0; lab->state && i < lab->state->n_links; i++)
		if (!strcmp(lab->state->links[i].name, device))
			return lab->state->links[i].type == CNI_DEV_GRE || lab->state->links[i].type == CNI_DEV_IP6GRE;
	return false;
}

static struct rt_twin_way way_of(const struct rt_twin_lab *lab, const struct sockaddr_ll *from, const uint8_t *mac)
{
	const size_t hop = mac ? rt_twin_hop_of(lab, mac) : SIZE_MAX;
	char device[IF_NAMESIZE] = "";
	struct rt_twin_way way = { .has_hop = hop != SIZE_MAX };

	(void)if_indextoname((unsigned int)from->sll_ifindex, device);
	snprintf(way.device, sizeof(way.device), "%s", device);
	if (way.has_hop)
		way.hop = lab->hops[hop];
	return way;
}

/* A packet passes by a VLAN's device before it does by its port: the first time counts. */
static void note_itself(struct watch *w, const struct rt_twin_way *way, const struct sockaddr_ll *from,
			struct cni_addr source, unsigned int mss)
{
	struct rt_twin_seen *seen = w->seen;

	if (seen->end != RT_TWIN_UNTRIED)
		return;
	seen->end = from->sll_ifindex == (int)w->air->lab->main->ifindex ? RT_TWIN_BY_MAIN
		    : !strcmp(way->device, "lo")			 ? RT_TWIN_HERE
									 : RT_TWIN_LEFT;
	seen->way = *way;
	seen->wraps = is_tunnel(w->air->lab, way->device);
	seen->source = source;
	seen->mss = mss;
}

static void note(struct watch *w, const struct rt_twin_way *way, const struct sockaddr_ll *from, const uint8_t *data,
		 size_t len)
{
	struct rt_twin_seen *seen = w->seen;
	struct cni_addr source = { 0 };
	unsigned int mss = 0;

	switch (rt_twin_recognise(&w->job->packet, w->tag, data, len, &source, &mss)) {
	case RT_TWIN_ITSELF:
		note_itself(w, way, from, source, mss);
		break;
	case RT_TWIN_OUTER:
		if (!seen->has_outer)
			seen->outer = *way;
		seen->has_outer = true;
		break;
	case RT_TWIN_REFUSAL:
		if (seen->end == RT_TWIN_UNTRIED)
			seen->end = RT_TWIN_REJECTED;
		break;
	case RT_TWIN_ANSWER:
		if (seen->end == RT_TWIN_UNTRIED)
			seen->end = RT_TWIN_HERE;
		break;
	case RT_TWIN_STRANGER:
		break;
	}
}

static void take(struct watch *w, const struct sockaddr_ll *from, const uint8_t *frame, size_t len)
{
	const bool is_ethernet = from->sll_hatype == ARPHRD_ETHER || from->sll_hatype == ARPHRD_LOOPBACK;
	const size_t header = is_ethernet ? ETH_HLEN : 0;
	struct rt_twin_way way;

	if (len < header)
		return;
	if (from->sll_pkttype != PACKET_OUTGOING) {
		w->is_through |= ntohs(from->sll_protocol) == ETHERTYPE_MARKER &&
				 len >= header + sizeof(w->air->marker) &&
				 !memcmp(frame + header, &w->air->marker, sizeof(w->air->marker));
		return;
	}
	if (is_peer(w->air->lab, (unsigned int)from->sll_ifindex))
		return;
	way = way_of(w->air->lab, from, is_ethernet ? frame : NULL);
	note(w, &way, from, frame + header, len - header);
}

/* Reads what is there; with `patience`, until the marker has come. */
static int listen_for(struct watch *w, int patience)
{
	struct pollfd poller = { .fd = w->air->link, .events = POLLIN };
	uint8_t frame[FRAME];

	for (;;) {
		struct sockaddr_ll from;
		socklen_t room = sizeof(from);
		ssize_t len = recvfrom(w->air->link, frame, sizeof(frame), 0, (struct sockaddr *)&from, &room);

		if (len >= 0)
			take(w, &from, frame, (size_t)len);
		else if (errno == ENETDOWN || errno == EINTR)
			continue; /* of a device that was taken down: told once */
		else if (errno != EAGAIN)
			return -errno;
		else if (!patience || w->is_through)
			return 0;
		else if (poll(&poller, 1, patience) <= 0)
			return -ETIMEDOUT;
	}
}

/* ---- one packet ---- */

static int ask_once(struct watch *w)
{
	const bool is_local = !strcmp(w->job->device, "local");
	rt_auto_batch struct rt_batch batch = { 0 };
	uint8_t packet[RT_TWIN_PACKET];
	const size_t len = rt_twin_packet(&w->job->packet, w->tag, packet);
	struct rt_refusal refusal;
	int rc;

	rt_twin_forget_flows(&batch);
	(void)rt_exchange(w->air->lab->nl, RT_NETFILTER, &batch, &refusal); /* without conntrack there are none */
	*w->seen = (struct rt_twin_seen){ 0 };
	w->is_through = false;
	if (!is_local) {
		rc = send_in(w->air, w->job, packet, len);
		return rc ? rc : listen_for(w, PATIENCE);
	}
	rc = send_out(w->air, w->job, packet, len);
	if (rc == -EHOSTUNREACH || rc == -ENETUNREACH)
		w->seen->end = RT_TWIN_REJECTED;
	else if (rc && rc != -EINVAL && rc != -EPERM) /* what a blackhole says, and a drop */
		return rc;
	return listen_for(w, 0);
}

int rt_twin_ask(struct rt_twin_air *air, const struct rt_twin_job *job, uint16_t tag, struct rt_twin_seen *seen)
{
	struct watch w = { .air = air, .job = job, .tag = tag, .seen = seen };
	int rc = ask_once(&w);

	for (size_t i = 0; i < sizeof(pauses) / sizeof(*pauses); i++) {
		if (rc && rc != -ETIMEDOUT)
			return rc;
		if (!rc && (seen->end != RT_TWIN_UNTRIED || job->may_be_silent))
			break;
		usleep((useconds_t)pauses[i] * 1000);
		rc = ask_once(&w);
	}
	if (!rc && seen->end == RT_TWIN_UNTRIED)
		seen->end = RT_TWIN_SILENT;
	return rc;
}
