/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prober.h - echoes to many addresses over one raw socket a family: a socket for each would be given every answer to all
 * of them. Each question names its device, its source and its mark, and has an id of its address, a sequence number and
 * a random cookie; what comes back is an answer only with all of these, once, from the address that was asked and by the
 * device. Times are ns of CLOCK_MONOTONIC; nothing waits. */
#ifndef RT_TRACK_PROBER_H
#define RT_TRACK_PROBER_H

#include "runtime/probe/packet.h"
#include "runtime/track/track.h"

#define RT_QUESTIONS_MAX                                                                                               \
	1024 /* of one address that may be open at once: a `timeout` of more than so many `every` is cut */

struct rt_question {
	uint64_t sent;
	uint8_t cookie[8];
	uint16_t sequence;
	enum rt_question_state { RT_NOT_ASKED, RT_WAITING, RT_ANSWERED, RT_LOST } state;
};

/* An address that is probed. */
struct rt_aim {
	struct cni_addr target;
	/* how its probes leave; may be changed at any time */
	unsigned int ifindex; /* 0: there is no such device now */
	bool has_source;
	struct cni_addr source;
	uint32_t mark;
	uint64_t timeout; /* ns */
	struct rt_track_probe *probe; /* counted here are n_sent, n_late, n_refused */
	void *owner; /* the caller's */
	/* the prober's */
	uint16_t id, sequence; /* of the next question */
	uint16_t oldest; /* of those that may still be waited for */
	uint32_t room; /* of questions: a power of two */
	struct rt_question *questions; /* by sequence modulo room */
};

struct rt_prober;

/* `answered` is called by rt_prober_receive(), with when it came and how long that was after the question. -errno. */
int rt_prober_new(struct rt_prober **prober,
		  void (*answered)(struct rt_aim *aim, uint64_t came, uint64_t rtt, void *arg), void *arg);
void rt_prober_free(struct rt_prober *prober); /* NULL is allowed; every aim was removed */

int rt_prober_fd(const struct rt_prober *prober, enum cni_family family); /* to poll for reading */
uint64_t rt_prober_strays(const struct rt_prober *prober); /* answers that were of no address's id */

/* A question each `every` at most. NULL: no memory, or 65,535 of them. */
struct rt_aim *rt_prober_add(struct rt_prober *prober, struct cni_addr target, uint64_t every, uint64_t timeout);
void rt_prober_remove(struct rt_prober *prober, struct rt_aim *aim); /* and frees it; NULL is allowed */

/* Asks. 0; -EAGAIN: this machine has no room for it now, and nothing was asked; or -errno: it has no way there. */
int rt_prober_send(struct rt_prober *prober, struct rt_aim *aim);

/* Reads all that has come so far. An answer counts by when the kernel got it, however late that is read: call it before
 * rt_aim_overdue(). */
void rt_prober_receive(struct rt_prober *prober);

/* Takes one question that was not answered in time; false: there is none. */
bool rt_aim_overdue(struct rt_aim *aim, uint64_t now);
/* When the next one will be; UINT64_MAX: none is waited for. */
uint64_t rt_aim_deadline(struct rt_aim *aim);

uint64_t rt_track_now(void); /* ns */

#endif
