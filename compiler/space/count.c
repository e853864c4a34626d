/* SPDX-License-Identifier: GPL-2.0-or-later */
/* count.c - how many packets a space has, exactly, and as a reader wants to know it; see space.h. */
#include "compiler/space/space_internal.h"

#include <string.h>

#define WORDS 5

static void add(struct cni_count *sum, const struct cni_count *more)
{
	unsigned __int128 carry = 0;

	for (size_t i = 0; i < WORDS; i++) {
		carry += (unsigned __int128)sum->word[i] + more->word[i];
		sum->word[i] = (uint64_t)carry;
		carry >>= 64;
	}
}

static void shift(struct cni_count *count, unsigned int by)
{
	struct cni_count out = { 0 };
	unsigned int words = by / 64, bits = by % 64;

	for (size_t i = words; i < WORDS; i++) {
		out.word[i] = count->word[i - words] << bits;
		if (bits && i > words)
			out.word[i] |= count->word[i - words - 1] >> (64 - bits);
	}
	*count = out;
}

/* ---- counting ---- */

struct counting {
	const struct cni_spaces *s;
	int rank[2 * 128 + 64]; /* of a variable among those that count; of the first label's, their number */
	struct cni_arena *arena;
	struct memo memo; /* node to index */
	struct cni_count *counts;
	size_t n_counts;
};

static unsigned int rank_of(const struct counting *c, int node)
{
	int var = var_of(node);

	return (unsigned int)c->rank[var < c->s->labels ? var : c->s->labels];
}

/* The ways from a node through the variables from its own on. */
static struct cni_count ways_from(struct counting *c, int node)
{
	struct cni_count count = { { node == TRUE_NODE } }, high;
	int low_node, high_node, known;

	if (is_constant(node))
		return count;
	if (memo_find(&c->memo, node, 0, 0, &known))
		return c->counts[known];
	low_node = bdd_low(node);
	high_node = bdd_high(node);
	count = ways_from(c, low_node);
	shift(&count, rank_of(c, low_node) - rank_of(c, node) - 1);
	high = ways_from(c, high_node);
	shift(&high, rank_of(c, high_node) - rank_of(c, node) - 1);
	add(&count, &high);
	memo_add(&c->memo, node, 0, 0, (int)c->n_counts);
	*cni_push(c->arena, c->counts, c->n_counts) = count;
	return count;
}

/* Over the fields in `fields`, which are all that the node speaks of. */
static struct cni_count count_over(const struct cni_spaces *s, enum cni_family family, int node, unsigned int fields)
{
	struct counting c = { .s = s, .arena = cni_arena_new() };
	struct cni_count count;
	int rank = 0;

	for (unsigned int i = 0; i < CNI_N_FIELDS; i++) {
		enum cni_header_field f = s->order[i];
		int width = fields >> f & 1 ? (int)field_width(family, f) : 0;

		for (int bit = 0; bit < (int)field_width(CNI_V6, f); bit++)
			c.rank[s->first[f] + bit] = rank + (bit < width ? bit : width);
		rank += width;
	}
	c.rank[s->labels] = rank;
	memo_begin(&c.memo);
	count = ways_from(&c, node);
	shift(&count, rank_of(&c, node));
	memo_end(&c.memo);
	cni_arena_free(c.arena);
	return count;
}

struct cni_count cni_space_count(struct cni_spaces *s, enum cni_family family, struct cni_space a)
{
	size_t mark = cni_spaces_mark(s);
	struct cni_space each_once = cni_space_and(s, a, cni_space_proper(s, family));
	struct cni_count count = count_over(s, family, each_once.node, (1U << CNI_N_FIELDS) - 1);

	cni_spaces_release(s, mark, -1);
	return count;
}

struct cni_count cni_space_count_field(struct cni_spaces *s, enum cni_family family, enum cni_header_field field,
				       struct cni_space a)
{
	size_t mark = cni_spaces_mark(s);
	struct cni_space values = cni_space_exists(s, a, ((1U << CNI_N_FIELDS) - 1) & ~(1U << field));
	struct cni_count count = count_over(s, family, values.node, 1U << field);

	cni_spaces_release(s, mark, -1);
	return count;
}

/* ---- printing ---- */

bool cni_count_is(const struct cni_count *count, uint64_t number)
{
	const struct cni_count other = { { number } };

	return !memcmp(count, &other, sizeof(other));
}

static int top_bit(const struct cni_count *count)
{
	for (int bit = WORDS * 64 - 1; bit >= 0; bit--)
		if (count->word[bit / 64] >> (bit % 64) & 1)
			return bit;
	return -1;
}

void cni_count_decimal(struct cni_text *text, const struct cni_count *count)
{
	struct cni_count left = *count;
	char digits[100];
	size_t at = sizeof(digits);

	do {
		unsigned __int128 rest = 0;

		for (size_t i = WORDS; i-- > 0;) {
			rest = rest << 64 | left.word[i];
			left.word[i] = (uint64_t)(rest / 10);
			rest %= 10;
		}
		digits[--at] = (char)('0' + (int)rest);
	} while (!cni_count_is(&left, 0));
	cni_text_add(text, digits + at, sizeof(digits) - at);
}

void cni_count_print(struct cni_text *text, const struct cni_count *count)
{
	int top = top_bit(count);
	struct cni_count power = { { 1 } };

	if (top <= 20) {
		cni_count_decimal(text, count);
		return;
	}
	shift(&power, (unsigned int)top);
	cni_text_printf(text, "%s2^%d", memcmp(&power, count, sizeof(power)) ? "more than " : "", top);
}
