/* SPDX-License-Identifier: GPL-2.0-or-later */
/* space.h - exact sets of packets of one family, and maps from packets to small numbers, as decision diagrams.
 *
 * A packet is its addresses, protocol, ports, DSCP and ICMP type; family and device are kept outside: one space for
 * each. Ports and types stand behind their protocol: a space that is made by these functions from matches never tells
 * packets apart by a field that their protocol does not have. Diagrams are canonical: two spaces, or two maps, are the
 * same exactly when their `node` is.
 *
 * The diagrams are made by BuDDy, whose memory is global: only one struct cni_spaces may be there at a time.
 * Every result is held until cni_spaces_release() goes back to a mark from before it. When the limit of nodes is
 * reached, that operation and all after it give the empty space, and cni_spaces_failed() says so until the end: test it
 * once, before an answer is believed. */
#ifndef CNI_SPACE_H
#define CNI_SPACE_H

#include "compiler/model.h"
#include "compiler/text.h"

enum cni_header_field {
	CNI_FIELD_FROM,
	CNI_FIELD_TO,
	CNI_FIELD_PROTO,
	CNI_FIELD_SPORT,
	CNI_FIELD_DPORT,
	CNI_FIELD_DSCP,
	CNI_FIELD_TYPE, /* of ICMP and ICMPv6 */
	CNI_N_FIELDS
};

/* to, from, proto, dport, sport, dscp, type */
extern const enum cni_header_field cni_usual_order[CNI_N_FIELDS];

struct cni_spaces;

struct cni_space {
	int node;
};

/* Every packet has one label. */
struct cni_map {
	int node;
};

#define CNI_MAX_LABEL ((1U << 20) - 1)
#define CNI_DEFAULT_NODES 20000000 /* about 1 GB at most */

/* ---- the manager ---- */

/* `order`: all fields, the one that tells most apart first, of addresses; NULL: the usual one.
 * `max_nodes` (each about 40 bytes) that are in use at a time; at least 10,000. To be freed before `arena` is. */
struct cni_spaces *cni_spaces_new(struct cni_arena *arena, const enum cni_header_field *order, unsigned int max_nodes);
void cni_spaces_free(struct cni_spaces *s); /* NULL is allowed */

/* Asked now and then whether to give up: then it is as if the limit of nodes were reached. */
void cni_spaces_give_up_when(struct cni_spaces *s, bool (*is_late)(void *arg), void *arg);

bool cni_spaces_failed(const struct cni_spaces *s); /* the limit was reached: no result since means anything */

/* What the diagrams have needed so far. */
struct cni_spaces_use {
	size_t nodes; /* room for so many was made */
	size_t bytes; /* for nodes and caches */
};
struct cni_spaces_use cni_spaces_use(const struct cni_spaces *s);

size_t cni_spaces_mark(const struct cni_spaces *s);
/* Forgets every space and map made since the mark, but for `keep` (or -1), which is returned and held. */
int cni_spaces_release(struct cni_spaces *s, size_t mark, int keep);

/* ---- making spaces ---- */

struct cni_space cni_space_none(void);
struct cni_space cni_space_all(void);
/* `family` tells how wide addresses are; for other fields it does not matter. */
struct cni_space cni_space_value(struct cni_spaces *s, enum cni_family family, enum cni_header_field field,
				 cni_u128 value);
/* lo..hi, both included. */
struct cni_space cni_space_range(struct cni_spaces *s, enum cni_family family, enum cni_header_field field, cni_u128 lo,
				 cni_u128 hi);
/* The bits of `mask` are those of `value`. */
struct cni_space cni_space_masked(struct cni_spaces *s, enum cni_family family, enum cni_header_field field,
				  cni_u128 value, cni_u128 mask);
struct cni_space cni_space_prefix(struct cni_spaces *s, enum cni_header_field field, struct cni_prefix prefix);
/* Canonical ranges: those of the family. */
struct cni_space cni_space_ranges(struct cni_spaces *s, enum cni_family family, enum cni_header_field field,
				  const struct cni_ranges *ranges);
/* The values that `from` or `to` has in a space: canonical, in `arena`. */
struct cni_ranges cni_space_values(struct cni_spaces *s, struct cni_arena *arena, enum cni_family family,
				   enum cni_header_field field, struct cni_space a);
/* Bit i is value i; `n` is the number of bits, the field's values. */
struct cni_space cni_space_bits(struct cni_spaces *s, enum cni_header_field field, const uint64_t *bits,
				unsigned int n);
/* A match as the language means it (check/evaluate.h). */
struct cni_space cni_space_match(struct cni_spaces *s, enum cni_family family, const struct cni_match *match);
/* Ports where the protocol has some and 0 elsewhere, types likewise: each packet once. */
struct cni_space cni_space_proper(const struct cni_spaces *s, enum cni_family family);

/* ---- algebra ---- */

struct cni_space cni_space_and(struct cni_spaces *s, struct cni_space a, struct cni_space b);
struct cni_space cni_space_or(struct cni_spaces *s, struct cni_space a, struct cni_space b);
struct cni_space cni_space_minus(struct cni_spaces *s, struct cni_space a, struct cni_space b);
struct cni_space cni_space_not(struct cni_spaces *s, struct cni_space a);
/* Some set that is `a` within `care`, which is not empty, and whatever is simplest outside. */
struct cni_space cni_space_simplify(struct cni_spaces *s, struct cni_space a, struct cni_space care);
/* Packets that are in `a` with some value of the fields (a bit each: 1 << CNI_FIELD_TO). */
struct cni_space cni_space_exists(struct cni_spaces *s, struct cni_space a, unsigned int fields);
bool cni_space_covers(struct cni_spaces *s, struct cni_space outer, struct cni_space inner);

static inline bool cni_space_is_empty(struct cni_space a)
{
	return a.node == cni_space_none().node;
}

static inline bool cni_space_equal(struct cni_space a, struct cni_space b)
{
	return a.node == b.node;
}

/* Whether one packet is in it: of the family; all fields are read. */
struct cni_header {
	enum cni_family family;
	cni_u128 field[CNI_N_FIELDS];
};
bool cni_space_has(const struct cni_spaces *s, struct cni_space a, const struct cni_header *packet);

/* ---- maps ---- */

struct cni_map cni_map_all(struct cni_spaces *s, unsigned int label); /* every packet has it */
struct cni_map cni_map_ite(struct cni_spaces *s, struct cni_space where, struct cni_map then, struct cni_map otherwise);
/* Packets whose addresses are in ranges, or in none of them, and that are in a space of all other fields. */
struct cni_product {
	const struct cni_ranges *from, *to; /* canonical; NULL: any */
	bool not_from, not_to;
	struct cni_space rest; /* asks for no address */
	struct cni_map then; /* what they are mapped to */
};
/* By the first product that a packet is in, else by `otherwise`. */
struct cni_map cni_map_products(struct cni_spaces *s, enum cni_family family, const struct cni_product *products,
				size_t n, struct cni_map otherwise);
/* Every label becomes table[label]; labels are below `n`. */
struct cni_map cni_map_relabel(struct cni_spaces *s, struct cni_map map, const unsigned int *table, size_t n);
/* A packet of labels x and y gets join(x, y), which is asked once at least for each pair that some packet has. */
struct cni_map cni_map_join(struct cni_spaces *s, struct cni_map a, struct cni_map b,
			    unsigned int (*join)(unsigned int x, unsigned int y, void *arg), void *arg);
/* The packets that have another label in `b` than in `a`. */
struct cni_space cni_map_differ(struct cni_spaces *s, struct cni_map a, struct cni_map b);
/* The packets that have the label. */
struct cni_space cni_map_where(struct cni_spaces *s, struct cni_map map, unsigned int label);
/* All that some packet has, ascending, each once. Allocated in the arena. */
struct cni_labels {
	unsigned int *items;
	size_t n_items;
};
struct cni_labels cni_map_labels(struct cni_spaces *s, struct cni_arena *arena, struct cni_map map);
/* All pairs of a label in `a` and one in `b` that some packet of `where` has, each once. Makes no nodes. */
struct cni_pairs {
	struct cni_pair {
		unsigned int a, b;
	} * items;
	size_t n_items;
};
struct cni_pairs cni_map_pairs(struct cni_spaces *s, struct cni_arena *arena, struct cni_map a, struct cni_map b,
			       struct cni_space where);
unsigned int cni_map_label(const struct cni_spaces *s, struct cni_map map, const struct cni_header *packet);

/* ---- for readers ---- */

/* How many packets, exactly: 320 bits, low words first. Ports and types count where the protocol has them. */
struct cni_count {
	uint64_t word[5];
};
struct cni_count cni_space_count(struct cni_spaces *s, enum cni_family family, struct cni_space a);
/* How many addresses `from` or `to` has in it. */
struct cni_count cni_space_count_field(struct cni_spaces *s, enum cni_family family, enum cni_header_field field,
				       struct cni_space a);
bool cni_count_is(const struct cni_count *count, uint64_t number);
/* "65536", "2^24", "more than 2^91"; and the exact number in decimal. Written at the end of `text`. */
void cni_count_print(struct cni_text *text, const struct cni_count *count);
void cni_count_decimal(struct cni_text *text, const struct cni_count *count);

/* The simplest packet of a space that is not empty: of `hints`, the first that fits gives its first good host
 * (.5, .9, ::5 …); else round addresses of the largest block; well-known ports; TCP rather than UDP than others. */
struct cni_hints {
	struct cni_prefix *items;
	size_t n_items;
};
struct cni_header cni_space_witness(struct cni_spaces *s, enum cni_family family, struct cni_space a,
				    const struct cni_hints *from, const struct cni_hints *to);

/* A box is a product: each field is in its ranges, or anything when there are none. */
struct cni_box {
	struct cni_box_field {
		struct cni_range6 *items; /* ascending */
		size_t n_items;
		bool negated; /* the field is in none of them: where that is shorter */
		bool more; /* there are others */
	} field[CNI_N_FIELDS];
};

struct cni_boxes { /* disjoint; all of the space, unless there is `more`, here or in a field */
	enum cni_family family;
	struct cni_box *items;
	size_t n_items;
	bool more;
};

/* At most `max_boxes`, each with at most `max_ranges` (4096 at most) ranges a field. */
struct cni_boxes cni_space_boxes(struct cni_spaces *s, struct cni_arena *arena, enum cni_family family,
				 struct cni_space a, size_t max_boxes, size_t max_ranges);
/* "from 10.0.0.0/8 to 192.0.2.1, 192.0.2.8-192.0.2.11 udp dport 53"; "any packet" for a box without limits. */
void cni_box_print(struct cni_text *text, enum cni_family family, const struct cni_box *box);
/* "from 10.1.0.5 to 192.0.2.1 tcp sport 40000 dport 443 dscp 0": what an `expect` takes. */
void cni_header_print(struct cni_text *text, const struct cni_header *packet);

#endif
