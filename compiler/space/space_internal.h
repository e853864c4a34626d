/* SPDX-License-Identifier: GPL-2.0-or-later */
/* space_internal.h - where the fields are among BuDDy's variables, and how its nodes are held. Variables are never
 * reordered: a variable is its own level. */
#ifndef CNI_SPACE_INTERNAL_H
#define CNI_SPACE_INTERNAL_H

#include "compiler/arena.h"
#include "compiler/space/space.h"

#include <bdd.h>

#define FALSE_NODE 0
#define TRUE_NODE 1
#define LABEL_BITS 20

struct cni_spaces {
	struct cni_arena *arena;
	enum cni_header_field order[CNI_N_FIELDS];
	int first[CNI_N_FIELDS]; /* variable of the field's highest bit; addresses of IPv4 use the first 32 */
	int labels; /* of the label's highest bit: behind all fields */
	bool failed;
	bool (*is_late)(void *arg); /* NULL: nobody asks */
	void *late_arg;
	unsigned int steps; /* since it was asked */
	int *held; /* one reference each */
	size_t n_held, room;
	struct cni_arena *held_arena, *notes_arena; /* of these alone: what they have outgrown is given back */
	int fields[CNI_N_FIELDS]; /* all variables of a field, as BuDDy wants to have them; held for ever */
	int label_bits; /* the same of labels */
	struct cni_space proper[CNI_N_FAMILIES]; /* held for ever */
	struct note {
		unsigned int walk; /* in which it was made */
		int result;
	} * notes; /* by node */
	size_t room_notes;
	unsigned int walk;
	int *label_nodes; /* by label; 0: it was not asked for; held for ever */
	size_t room_label_nodes;
};

static inline unsigned int field_width(enum cni_family family, enum cni_header_field field)
{
	static const unsigned int width[CNI_N_FIELDS] = {
		[CNI_FIELD_PROTO] = 8, [CNI_FIELD_SPORT] = 16, [CNI_FIELD_DPORT] = 16,
		[CNI_FIELD_DSCP] = 6,  [CNI_FIELD_TYPE] = 8,
	};

	return width[field] ? width[field] : cni_width(family);
}

static inline cni_u128 field_last(enum cni_family family, enum cni_header_field field)
{
	unsigned int width = field_width(family, field);

	return width == 128 ? ~(cni_u128)0 : ((cni_u128)1 << width) - 1;
}

/* The variable of bit `depth`, counted from the highest. */
static inline int field_var(const struct cni_spaces *s, enum cni_header_field field, unsigned int depth)
{
	return s->first[field] + (int)depth;
}

/* Every operation, and every step of a long walk, asks whether all is given up. */
bool has_failed(struct cni_spaces *s);
/* What `*arena` holds alone, with more room, which is zeroed; in another arena. */
void *outgrow(struct cni_arena **arena, const void *old, size_t old_size, size_t new_size);
/* Holds a node until its mark is released; what comes after a failure is the empty space. */
int hold(struct cni_spaces *s, int node);
/* Releases all since the mark but that node, which is the empty space after a failure. */
int keep_node(struct cni_spaces *s, size_t mark, int node);
/* The node that asks `var` and goes on to `low` or `high`, which ask later ones. Held. */
int make_node(struct cni_spaces *s, int var, int low, int high);

/* The label that a node behind all fields stands for. */
unsigned int label_of(int node);

static inline bool is_constant(int node)
{
	return node <= TRUE_NODE;
}

/* See cni_space_proper(). */
struct cni_space proper_packets(struct cni_spaces *s, enum cni_family family);

/* A node's variable; of a constant, one behind all others. */
static inline int var_of(int node)
{
	return is_constant(node) ? INT32_MAX : bdd_var(node);
}

/* Where a node leads that asks `var`; one that does not leads to itself. */
static inline int branch(int node, int var, bool high)
{
	return var_of(node) != var ? node : high ? bdd_high(node) : bdd_low(node);
}

/* Results of a walk by the nodes of one, two or three diagrams that it was at: each once. */
struct memo {
	struct cni_arena *arena; /* of its own */
	struct memo_entry {
		int a, b, c;
		int result;
		bool used;
	} * entries;
	size_t room, n;
};

void memo_begin(struct memo *memo);
void memo_end(struct memo *memo);
bool memo_find(const struct memo *memo, int a, int b, int c, int *result);
void memo_add(struct memo *memo, int a, int b, int c, int result);

/* The same of one diagram: by number. One walk at a time; nodes that the walk makes are not walked over. */
void notes_begin(struct cni_spaces *s);
bool notes_find(const struct cni_spaces *s, int node, int *result);
void notes_add(struct cni_spaces *s, int node, int result);

#endif
