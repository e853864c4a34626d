/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.h - witnesses as bytes, and what bytes that come out have to do with them. Sends and receives nothing.
 *
 * A packet is known again by a tag in a field that routers leave alone: IPv4's identification, IPv6's flow label. */
#ifndef RT_TWIN_PACKET_H
#define RT_TWIN_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "compiler/space/space.h"

#define RT_TWIN_PACKET 96 /* bytes at most */
#define RT_TWIN_MSS 65000 /* of a SYN that is sent: beyond what anything is clamped to */

/* Why no router forwards such a packet, whatever its policy; NULL: they do. */
const char *rt_twin_unfit(const struct cni_header *header);

/* From the IP header on, with TTL 64 and right checksums; TCP is a SYN with RT_TWIN_MSS. Returns the length. */
size_t rt_twin_packet(const struct cni_header *header, uint16_t tag, uint8_t packet[RT_TWIN_PACKET]);

enum rt_twin_kin {
	RT_TWIN_STRANGER,
	RT_TWIN_ITSELF, /* perhaps from another source, or with another MSS */
	RT_TWIN_OUTER, /* GRE with the packet in it */
	RT_TWIN_REFUSAL, /* an ICMP error about it: there is no way */
	RT_TWIN_ANSWER, /* from where it went: it has arrived at this router */
};

/* `source` and `mss` (0: no SYN) are set of ITSELF. */
enum rt_twin_kin rt_twin_recognise(const struct cni_header *header, uint16_t tag, const uint8_t *data, size_t len,
				   struct cni_addr *source, unsigned int *mss);

#endif
