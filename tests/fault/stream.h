/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stream.h - a steady stream of packets through the router: from a LAN in a namespace of its own to a far side in
 * another, which notes of each by which of its devices it arrived. */
#ifndef FAULT_STREAM_H
#define FAULT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_FLOWS 32
#define STREAM_DEVICES 8 /* bits of a mask; see stream_devices */
extern const char *const stream_devices[STREAM_DEVICES]; /* of the far side; NULL: no more */

struct stream; /* shared by three processes */

/* Conntrack has room for the flows, or the program ends. Before router_enter(): the limit is the machine's. */
void stream_make_room(void);

/* The calling process's namespace is the router's, with its ports; makes the two others, with the far side's devices
 * named for the router's ports, its VLANs and its tunnels if `tunnels`. Bails out. */
struct stream *stream_start(bool tunnels);
void stream_stop(struct stream *stream);

/* What is sent from now on, until stream_end(), which waits for what is on its way. */
void stream_begin(struct stream *stream);
void stream_end(struct stream *stream);

/* Until something of every flow was sent since the beginning, and n packets of those whose packets go by several ways. */
void stream_wait(const struct stream *stream, uint32_t n);

/* Of what was sent between the two: by which devices each flow's packets arrived, as a mask. */
void stream_seen(const struct stream *stream, uint8_t seen[STREAM_FLOWS]);

struct stream_count {
	size_t sent, arrived, astray /* by a device outside of its mask */, lost /* of flows that must arrive */;
	size_t flow; /* one that went astray or was lost */
	uint32_t at, of; /* which of its packets */
	uint8_t device; /* by which; 0: lost */
};
struct stream_count stream_judge(const struct stream *stream, const uint8_t allowed[STREAM_FLOWS],
				 const bool must_arrive[STREAM_FLOWS]);

/* How many packets conntrack has dropped so far for want of room, in the router: no apply loses those. */
unsigned long stream_no_room(void);

/* A flow in words. */
const char *stream_flow(size_t flow, char text[96]);

#endif
