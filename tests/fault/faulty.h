/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faulty.h - a transport over the real one with which something goes wrong at the n-th message.
 *
 * A message is one netlink message that alters something (each of an nft batch counts, its frames do not) or a write to
 * /proc/sys. What alters nothing, a dump or a look at a setting, is a request, and is counted apart. */
#ifndef FAULTY_H
#define FAULTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/netlink/socket.h"

enum fault {
	/* the kernel's answer is that error, and the message was not carried out: an nft batch, not at all */
	FAULT_ENOMEM,
	FAULT_EBUSY,
	FAULT_EEXIST,
	FAULT_ENODEV,
	FAULT_EPERM,
	FAULT_LOST, /* carried out, and the answer never comes */
	FAULT_OVERRUN, /* the same, and the socket says ENOBUFS, as it does where an answer found no memory */
	FAULT_SHORT, /* not sent as a whole: a netlink socket then sends nothing at all, and says EMSGSIZE */
	N_FAULTS,
	/* not among those that are tried in turn; of these, the n-th datagram is counted: a batch is one */
	FAULT_DEAD = N_FAULTS, /* neither this message nor any after it, nor any request, comes through */
	FAULT_KILL, /* SIGKILL to this process once what holds the message was carried out */
	FAULT_MEDDLE, /* somebody else does something first */
};
extern const char *const fault_names[];

struct answer {
	enum rt_bus bus;
	ssize_t len; /* or -errno */
	unsigned char *data;
};

struct faulty {
	struct rt_transport transport, *real; /* owned */
	enum fault fault;
	size_t at; /* of which message (or datagram), from 1; 0: of none */
	bool on_requests; /* of which request, that is */
	void (*meddle)(void *arg);
	void *arg;
	/* what came of it */
	size_t n_messages, n_datagrams, n_requests; /* since faulty_arm() */
	bool struck;
	struct answer *answers; /* read from the kernel, not yet by the caller */
	size_t n_answers, next_answer;
};

/* Opens the real one in the current namespace. 0 or -errno. rt_netlink_free() frees both. */
int faulty_open(struct faulty **faulty);

/* From now on, counting from here; `at` 0: nothing goes wrong. */
void faulty_arm(struct faulty *faulty, enum fault fault, size_t at);

#endif
