/* SPDX-License-Identifier: GPL-2.0-or-later */
/* space.c - the manager, what it holds, and the algebra of spaces; see space.h. */
#include "compiler/space/space_internal.h"

#include <assert.h>
#include <string.h>

#define FIRST_NODES 100000
#define STEPS 4096 /* between two questions whether to give up: about a millisecond */
#define CACHE_RATIO 8 /* nodes to a cache's entries */
#define BYTES_PER_NODE (20 + 7 * 24 / CACHE_RATIO) /* BuDDy's struct, and its seven caches */

/* BuDDy's memory is global, and its error hook is told nothing but the error. */
static struct cni_spaces *running;

static void on_error(int code)
{
	(void)code; /* the limit, or no memory */
	running->failed = true;
}

const enum cni_header_field cni_usual_order[CNI_N_FIELDS] = { CNI_FIELD_TO,    CNI_FIELD_FROM,	CNI_FIELD_PROTO,
							      CNI_FIELD_DPORT, CNI_FIELD_SPORT, CNI_FIELD_DSCP,
							      CNI_FIELD_TYPE };

/* Variables as BuDDy wants to have them; for ever. */
static int all_of(int first, int n)
{
	int vars[128];

	for (int i = 0; i < n; i++)
		vars[i] = first + i;
	return bdd_addref(bdd_makeset(vars, n));
}

struct cni_spaces *cni_spaces_new(struct cni_arena *arena, const enum cni_header_field *order, unsigned int max_nodes)
{
	struct cni_spaces *s = cni_new(arena, struct cni_spaces);
	int next = 0;

	assert(!running && max_nodes >= 10000);
	running = s;
	s->arena = arena;
	memcpy(s->order, order ? order : cni_usual_order, sizeof(s->order));
	/* BuDDy takes the next prime: stay below the limit */
	if (bdd_init((int)(max_nodes / 2 < FIRST_NODES ? max_nodes / 2 : FIRST_NODES), FIRST_NODES / CACHE_RATIO) < 0)
		s->failed = true;
	bdd_error_hook(on_error);
	bdd_clear_error();
	bdd_gbc_hook(NULL); /* the usual one prints */
	bdd_resize_hook(NULL);
	bdd_setmaxnodenum((int)max_nodes);
	bdd_setmaxincrease((int)max_nodes); /* doubled each time */
	bdd_setcacheratio(CACHE_RATIO);
	bdd_setminfreenodes(50); /* percent: rather more room than another sweep */
	for (unsigned int i = 0; i < CNI_N_FIELDS; i++) {
		s->first[s->order[i]] = next;
		next += (int)field_width(CNI_V6, s->order[i]);
	}
	s->labels = next;
	bdd_setvarnum(next + LABEL_BITS);
	for (enum cni_header_field f = 0; f < CNI_N_FIELDS; f++)
		s->fields[f] = all_of(s->first[f], (int)field_width(CNI_V6, f));
	s->label_bits = all_of(s->labels, LABEL_BITS);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		s->proper[f] = proper_packets(s, f);
	return s;
}

void cni_spaces_free(struct cni_spaces *s)
{
	if (!s)
		return;
	assert(running == s);
	bdd_done();
	cni_arena_free(s->held_arena);
	cni_arena_free(s->notes_arena);
	running = NULL;
}

bool cni_spaces_failed(const struct cni_spaces *s)
{
	return s->failed;
}

void cni_spaces_give_up_when(struct cni_spaces *s, bool (*is_late)(void *arg), void *arg)
{
	s->is_late = is_late;
	s->late_arg = arg;
}

bool has_failed(struct cni_spaces *s)
{
	if (s->is_late && !(++s->steps % STEPS))
		s->failed |= s->is_late(s->late_arg);
	return s->failed;
}

struct cni_spaces_use cni_spaces_use(const struct cni_spaces *s)
{
	size_t nodes = (size_t)bdd_getallocnum();

	(void)s;
	return (struct cni_spaces_use){ nodes, nodes * BYTES_PER_NODE };
}

/* ---- what is held ---- */

void *outgrow(struct cni_arena **arena, const void *old, size_t old_size, size_t new_size)
{
	struct cni_arena *larger = cni_arena_new();
	void *new = cni_regrow(larger, old, old_size, new_size);

	cni_arena_free(*arena);
	*arena = larger;
	return new;
}

/* Not by cni_push(), which takes a count that comes to a power of two again for one that grows. */
static void push(struct cni_spaces *s, int node)
{
	if (s->n_held == s->room) {
		s->room = s->room ? 2 * s->room : 1024;
		s->held = outgrow(&s->held_arena, s->held, s->n_held * sizeof(*s->held), s->room * sizeof(*s->held));
	}
	s->held[s->n_held++] = node;
}

int hold(struct cni_spaces *s, int node)
{
	if (has_failed(s))
		return FALSE_NODE;
	push(s, bdd_addref(node));
	return node;
}

size_t cni_spaces_mark(const struct cni_spaces *s)
{
	return s->n_held;
}

int cni_spaces_release(struct cni_spaces *s, size_t mark, int keep)
{
	if (keep >= 0)
		bdd_addref(keep);
	while (s->n_held > mark)
		bdd_delref(s->held[--s->n_held]);
	if (keep >= 0)
		push(s, keep);
	return keep;
}

int keep_node(struct cni_spaces *s, size_t mark, int node)
{
	return cni_spaces_release(s, mark, s->failed ? FALSE_NODE : node);
}

int make_node(struct cni_spaces *s, int var, int low, int high)
{
	return s->failed || low == high ? low : hold(s, bdd_ite(bdd_ithvar(var), high, low));
}

/* ---- algebra ---- */

struct cni_space cni_space_none(void)
{
	return (struct cni_space){ FALSE_NODE };
}

struct cni_space cni_space_all(void)
{
	return (struct cni_space){ TRUE_NODE };
}

static struct cni_space apply(struct cni_spaces *s, struct cni_space a, struct cni_space b, int operation)
{
	return (struct cni_space){ s->failed ? FALSE_NODE : hold(s, bdd_apply(a.node, b.node, operation)) };
}

struct cni_space cni_space_and(struct cni_spaces *s, struct cni_space a, struct cni_space b)
{
	return apply(s, a, b, bddop_and);
}

struct cni_space cni_space_or(struct cni_spaces *s, struct cni_space a, struct cni_space b)
{
	return apply(s, a, b, bddop_or);
}

struct cni_space cni_space_minus(struct cni_spaces *s, struct cni_space a, struct cni_space b)
{
	return apply(s, a, b, bddop_diff);
}

struct cni_space cni_space_not(struct cni_spaces *s, struct cni_space a)
{
	return apply(s, cni_space_all(), a, bddop_diff);
}

struct cni_space cni_space_simplify(struct cni_spaces *s, struct cni_space a, struct cni_space care)
{
	return (struct cni_space){ s->failed ? FALSE_NODE : hold(s, bdd_simplify(a.node, care.node)) };
}

bool cni_space_covers(struct cni_spaces *s, struct cni_space outer, struct cni_space inner)
{
	size_t mark = cni_spaces_mark(s);
	struct cni_space rest = cni_space_minus(s, inner, outer);

	cni_spaces_release(s, mark, -1);
	return cni_space_is_empty(rest);
}

struct cni_space cni_space_exists(struct cni_spaces *s, struct cni_space a, unsigned int fields)
{
	size_t mark = cni_spaces_mark(s);

	for (enum cni_header_field f = 0; f < CNI_N_FIELDS && !s->failed; f++)
		if (fields >> f & 1)
			a.node = hold(s, bdd_exist(a.node, s->fields[f]));
	return (struct cni_space){ keep_node(s, mark, a.node) };
}

/* The value of a variable in a packet. */
static bool bit_of(const struct cni_spaces *s, const struct cni_header *packet, int var)
{
	for (enum cni_header_field f = 0; f < CNI_N_FIELDS; f++) {
		int depth = var - s->first[f];

		if (depth >= 0 && depth < (int)field_width(packet->family, f))
			return packet->field[f] >> ((int)field_width(packet->family, f) - 1 - depth) & 1;
	}
	assert(!"a variable of the other family");
	return false;
}

/* Down to the first node behind the fields. */
static int walk(const struct cni_spaces *s, int node, const struct cni_header *packet)
{
	while (var_of(node) < s->labels)
		node = bit_of(s, packet, bdd_var(node)) ? bdd_high(node) : bdd_low(node);
	return node;
}

bool cni_space_has(const struct cni_spaces *s, struct cni_space a, const struct cni_header *packet)
{
	return walk(s, a.node, packet) == TRUE_NODE;
}

unsigned int cni_map_label(const struct cni_spaces *s, struct cni_map map, const struct cni_header *packet)
{
	return label_of(walk(s, map.node, packet));
}
