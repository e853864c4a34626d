/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netlink.h - requests, dumps and batches over a transport, with what the kernel refused and why. */
#ifndef RT_NETLINK_H
#define RT_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/diag.h"
#include "runtime/netlink/socket.h"

struct nlmsghdr;

struct rt_netlink {
	struct rt_transport *transport; /* owned */
	uint32_t seq; /* of the last message sent */
	size_t n_changes; /* messages sent that alter state, and writes to /proc/sys; frames of a batch not counted */
	size_t n_batches; /* nft batches that the kernel took: each moved the generation id by one */
	struct rt_device { /* devices by name, as far as they were asked for; forgotten when cnic changes one */
		char name[16];
		unsigned int ifindex;
	} * devices;
	size_t n_devices, room_devices;
	unsigned char buffer[RT_RECEIVE_SIZE] __attribute__((aligned(8)));
};

/* Takes the transport over, also on failure. NULL: no memory. */
struct rt_netlink *rt_netlink_new(struct rt_transport *transport);
/* Over real sockets, in the namespace of the calling thread. -errno, with a diagnostic. */
int rt_netlink_open(struct rt_netlink **nl, struct cni_diags *diags);
/* The same, without notifications (RT_EVENTS): for who stays, and would have to read them away. */
int rt_netlink_open_silent(struct rt_netlink **nl, struct cni_diags *diags);
void rt_netlink_free(struct rt_netlink *nl); /* NULL is allowed */
static inline void rt_netlink_freep(struct rt_netlink **nl)
{
	rt_netlink_free(*nl);
}
#define rt_auto_netlink __attribute__((cleanup(rt_netlink_freep)))

/* What the kernel said no to. */
struct rt_refusal {
	int error; /* -errno */
	size_t message; /* index in the batch; of an nft batch as a whole: 0, its opening frame */
	size_t rule; /* of an nft rule: its number among those of its step, from 0 */
	bool is_rule;
	char text[160]; /* extack: the kernel's own words; "" when it had none */
	char part[32]; /* of an nft rule: the expression that it did not take; else "" */
};

/* Messages to be sent in one datagram. Errors of memory are kept, and come out of rt_exchange(). */
struct rt_batch {
	unsigned char *data;
	size_t len, room, n; /* n: messages */
	size_t *tags; /* of each message: the number given to rt_batch_add(), to know a refused one by */
	int error; /* -errno of the building: -ENOMEM, or what an encoder reports */
	size_t failed; /* the tag of what could not be written */
	bool open; /* the last message is still being written */
	/* refusals that are none, such as of what is there already; NULL: every one counts */
	bool (*bears)(const struct nlmsghdr *message, int error);
	size_t n_borne;
};
#define RT_NO_TAG SIZE_MAX
#define RT_MESSAGE_ROOM (72 * 1024) /* of one message: an attribute ends at 64 KiB */

void rt_batch_free(struct rt_batch *batch); /* what it holds, not itself; zeroed, it is an empty one again */
#define rt_auto_batch __attribute__((cleanup(rt_batch_free)))

/* A new message with its family header zeroed, to write attributes into (at most RT_MESSAGE_ROOM in all). It ends
 * where the next begins. Never NULL: when memory for more runs out, batch->error is set and nothing is sent. */
struct nlmsghdr *rt_batch_add(struct rt_batch *batch, size_t tag, uint16_t type, uint16_t flags, size_t header);

/* Sends, and reads every answer; only the last message's ack is asked for. 0, or -errno: of the first refusal, in
 * *refusal (of the building, with nothing sent, likewise); or of the transport, with refusal->message SIZE_MAX
 * (-EPROTO: the ack did not come, and what came of the batch is not known). */
int rt_exchange(struct rt_netlink *nl, enum rt_bus bus, struct rt_batch *batch, struct rt_refusal *refusal);

/* Sends one request that changes nothing and gives each answer to `each`, up to the end of the dump or the ack.
 * Returns each's failure, the kernel's, or -EINTR for a dump that something moved under. */
typedef int rt_each(const struct nlmsghdr *message, void *arg);
int rt_request(struct rt_netlink *nl, enum rt_bus bus, struct nlmsghdr *request, rt_each *each, void *arg);

/* 0 when there is none. */
unsigned int rt_ifindex(struct rt_netlink *nl, const char *device);
void rt_forget_devices(struct rt_netlink *nl);

/* Waiting notifications are read away. 0: there was none; 1: only of routes that are not ours; 2: of something
 * else, or some were lost. */
int rt_events(struct rt_netlink *nl);

#endif
