/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine.h - chains run over all packets at once: what a hook does is a map from packets to outcomes.
 *
 * Marks, devices and what conntrack knows are values; headers are sets. A chain is run backwards, and once for each
 * state that packets come to it in: what follows a rule is known before the rule is. From where its rules neither ask for
 * marks nor change any, it is run once for all marks, which are given to the classes that come of it. Where a rule asks a
 * hash, both answers are kept, and become a choice by weight. */
#ifndef CNI_PROOF_MACHINE_H
#define CNI_PROOF_MACHINE_H

#include "compiler/proof/classes.h"
#include "compiler/proof/ruleset.h"

/* What the packets of one run have in common. */
struct surroundings {
	enum cni_family family;
	const char *iif, *oif; /* NULL: none */
	bool reply; /* direction within the flow */
	uint32_t ct_status; /* IPS_* */
	uint32_t fib_type; /* RTN_*: what the router thinks of the destination */
	bool before_conntrack; /* nothing is known of the flow yet */
};

/* Parts of the surroundings, as bits: what a chain has read of them decides when its map is good again. */
enum {
	READS_FAMILY = 1,
	READS_IIF = 2,
	READS_OIF = 4,
	READS_FLOW = 8, /* direction, status, mark, whether conntrack was there */
	READS_FIB = 16,
};

/* What rules leave in a packet and its flow. Zeroed before it is filled: compared by bytes. */
struct marks {
	uint32_t mark, ct_mark;
	uint32_t mss; /* that a SYN is clamped to; 0: not */
	uint32_t untracked;
};

enum outcome_kind {
	OUT_ACCEPT,
	OUT_DROP,
	OUT_REJECT,
	OUT_RETURN, /* from the chain: never of a hook */
	OUT_MASQUERADE,
	OUT_SNAT,
	OUT_CHOICE, /* `below` while the hash is below `limit` of `modulus`, else `other` */
	OUT_GOTO, /* on to `chain`, with whatever marks there are: while it is run for all; never of a hook */
};

struct outcome {
	enum outcome_kind kind;
	struct marks marks; /* of ACCEPT, RETURN, MASQUERADE, SNAT */
	uint32_t limit, modulus, hash; /* hash: which one; equal numbers are one hash of the same fields */
	unsigned int below, other; /* labels */
	uint8_t address[16]; /* of SNAT */
	struct chain *chain; /* of GOTO */
	uint32_t is_inner; /* of GOTO: out of a chain that was jumped to, where it must not come back to */
};

struct machine {
	struct decoder *d; /* where failures go, and the ruleset */
	struct cni_spaces *spaces;
	struct surroundings now;
	struct outcome *outcomes; /* by label */
	size_t n_outcomes;
	unsigned int *slots; /* of an open hash table: labels, from 1 */
	size_t n_slots;
	struct memory *memories; /* what chains come to: an open hash table */
	size_t n_memories, room_memories;
	struct surroundings *kept; /* by the newest of them */
	struct chain **base; /* chains of all hooks, once has_base */
	size_t n_base;
	bool has_base;
	unsigned int reads; /* of the surroundings, by what runs at the moment */
	unsigned int depth; /* of jumps */
	struct classing classing; /* labels are of `outcomes` */
	struct bit_hash *hashes;
	size_t n_hashes;
};

void machine_init(struct machine *m, struct decoder *d, struct cni_spaces *spaces);

/* All base chains of a hook (NF_INET_*), in order of priority, for packets that come with `marks`. Labels are of
 * m->outcomes, and none is a RETURN. In prerouting and output conntrack comes at its own priority. */
struct classes machine_hook(struct machine *m, uint32_t hook, struct marks marks);

unsigned int machine_outcome(struct machine *m, const struct outcome *outcome); /* its label */

/* A packet of label x, which is no choice, goes on as after(x, arg) says. */
typedef struct classes proof_after(struct machine *m, unsigned int label, void *arg);
struct classes machine_bind(struct machine *m, struct classes from, proof_after *after, void *arg);
/* `below` where the hash that `of` names is below its limit, else `other`. */
struct classes machine_choice(struct machine *m, const struct outcome *of, struct classes below, struct classes other);

/* ---- registers.c: what one rule has in its registers ---- */

enum bit_kind {
	BIT_UNSET,
	BIT_CONSTANT, /* `flip` */
	BIT_UNKNOWN, /* of the header, but of no field that packets are told apart by */
	BIT_FIELD, /* of a field, `depth` from its highest; turned over by `flip` */
	BIT_TRANSPORT, /* the first octet of the transport header: a type or a port, as the protocol is */
	BIT_TCP_FLAG, /* of a SYN, `flip`; TCP alone has it */
	BIT_HASH, /* `depth` from the highest of 32 */
};

struct bit {
	uint8_t kind, field, depth, flip;
};

#define REGISTER_BITS (64 * 8)

struct registers {
	struct bit bits[REGISTER_BITS];
	uint32_t hash, modulus; /* that the bits of a hash are of */
};

void registers_value(struct registers *r, size_t reg, const void *value, size_t len);
bool registers_payload(struct registers *r, const struct expr *x, enum cni_family family);
void registers_field(struct registers *r, size_t reg, enum cni_header_field field, unsigned int width);
void registers_hash(struct registers *r, size_t reg);
bool registers_bitwise(struct registers *r, const struct expr *x);
void registers_swap(struct registers *r, const struct expr *x);
/* False: not all of them are constant. */
bool registers_constant(const struct registers *r, size_t reg, void *value, size_t len);
bool registers_has_hash(const struct registers *r, size_t reg);

/* Whether len bytes from reg on are all of that field, as it is. */
bool registers_is_field(const struct registers *r, size_t reg, size_t len, enum cni_family family,
			enum cni_header_field field);
/* Packets of `where` for which len bytes from reg on are within lo..hi, both included, as memcmp() has it. */
struct cni_space registers_within(struct machine *m, const struct registers *r, size_t reg, size_t len,
				  const uint8_t *lo, const uint8_t *hi, struct cni_space where);

/* ---- lookup.c ---- */

/* Packets of `where` whose key is in the set. */
struct cni_space set_space(struct machine *m, const struct registers *r, size_t reg, const struct set *set,
			   struct cni_space where);
/* Packets whose key is in element i come to then[i], others to `otherwise`. */
struct cni_map set_map(struct machine *m, const struct registers *r, size_t reg, const struct set *set,
		       const struct cni_map *then, struct cni_map otherwise);

#endif
