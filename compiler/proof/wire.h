/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire.h - reading netlink attributes with every length checked. Shares nothing with what writes them. */
#ifndef CNI_PROOF_WIRE_H
#define CNI_PROOF_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/arena.h"

struct bytes {
	const uint8_t *at; /* NULL: there are none, which is not the same as none of length 0 */
	size_t len;
};

/* The first thing that is not understood ends a decoding: nothing is guessed. */
struct decoder {
	struct cni_arena *arena;
	struct ruleset *to;
	bool is_dump; /* what a kernel tells of what it holds, not what is sent to one */
	bool in_batch; /* of nfnetlink */
	const char *error; /* NULL: none so far */
};

void proof_fail(struct decoder *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define MAX_ATTRS 40

struct attrs {
	const char *what; /* they are of, for messages */
	struct bytes at[MAX_ATTRS]; /* payloads, by number */
};

/* A bit a number, for numbers below 64. */
#define ATTR(number) ((uint64_t)1 << (number))

/* Attributes that only a dump has, and that say nothing of what becomes of a packet, or are looked at there. */
static inline uint64_t proof_in_dump(const struct decoder *d, uint64_t mask)
{
	return d->is_dump ? mask : 0;
}

/* Reads all of `in`. An attribute that is not in `known`, that comes twice or that is cut short is an error. */
struct attrs proof_attrs(struct decoder *d, const char *what, struct bytes in, uint64_t known);

static inline bool proof_has(const struct attrs *attrs, unsigned int number)
{
	return attrs->at[number].at;
}

/* One that is not there or has another size is an error; 0 or "" then. */
uint32_t proof_be32(struct decoder *d, const struct attrs *attrs, unsigned int number); /* in network order */
uint32_t proof_u32(struct decoder *d, const struct attrs *attrs, unsigned int number); /* in host order */
uint8_t proof_u8(struct decoder *d, const struct attrs *attrs, unsigned int number);
const char *proof_string(struct decoder *d, const struct attrs *attrs, unsigned int number);

/* The next element of a list, whose attributes are all numbered `number`; false at its end, or at an error. */
bool proof_next(struct decoder *d, const char *what, struct bytes *list, unsigned int number, struct bytes *element);

/* Takes a structure's size off the front; false: it is cut short. */
bool proof_take(struct decoder *d, const char *what, struct bytes *in, void *header, size_t size);

#endif
