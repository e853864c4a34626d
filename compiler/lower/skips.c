/* SPDX-License-Identifier: GPL-2.0-or-later */
/* skips.c - rules by which a packet passes over the rules of paths that are not its own.
 *
 * The kernel walks a family's rules from the front, for every packet, and with mark 0 once more where it validates the
 * source. So the paths' rules are the leaves of a tree. Four ids are a block, four blocks a block of the next level, and
 * so on; before each block but the one that has everything stands
 *
 *	not fwmark (its first id)/(all of the mask but the bits that differ within it) goto (behind it)
 *
 * and before all of them one rule by which a packet without a mark goes behind the last.
 *
 * They can be left out, or be there in any number, old and new beside each other: each passes over rules of paths alone,
 * and over none that could match. Where it goes on at a priority that no rule has, the kernel takes the next rule.
 * What each says depends on its place alone, not on how many paths there are, since the kernel tells no two rules apart
 * by `not` or by where they go on, neither when it adds one nor when it removes one. */
#include "compiler/lower/lower_internal.h"

/* Places of the priorities, from rule_priority: 0 answers to probes, 1 outer packets, 2 packets without a mark, then
 * block 0 of each level, the widest first, and from BLOCKS on the ids' blocks: their skips, and their four ids. */
#define UNMARKED 2
#define BLOCKS 10
#define BLOCK_SIZE 5
#define FAN_BITS 2 /* of an id, from one level to the next */

struct skips {
	struct lower *l;
	enum cni_family family;
	uint32_t n_blocks; /* up to the highest id's */
	unsigned int width; /* bits of the number of a block */
	uint32_t end; /* the priority at which packets are past all of them */
};

static uint32_t block_priority(uint32_t rule_priority, uint32_t block)
{
	return rule_priority + BLOCKS + BLOCK_SIZE * block;
}

uint32_t lower_priority(uint32_t rule_priority, unsigned int id)
{
	return block_priority(rule_priority, id >> FAN_BITS) + 1 + id % (1u << FAN_BITS);
}

static unsigned int width_of(uint32_t n_blocks)
{
	return n_blocks > 1 ? 32 - (unsigned int)__builtin_clz(n_blocks - 1) : 0;
}

/* A path more rarely moves the end. */
uint32_t cni_last_priority(uint32_t rule_priority, unsigned int max_id)
{
	return block_priority(rule_priority, 1u << width_of((max_id >> FAN_BITS) + 1));
}

static uint32_t at_block(const struct skips *s, uint32_t block)
{
	return block_priority(s->l->model->options.rule_priority, block);
}

/* The lowest `bits` bits of the id, in place. */
static uint32_t low_bits(const struct lower *l, unsigned int bits)
{
	return ((1u << bits) - 1) << l->shift & l->id_mask;
}

static unsigned int id_of(const struct lower *l, const struct cni_st_rule *rule)
{
	const unsigned int id = (rule->mark & l->id_mask) >> l->shift;

	return cni_rule_is_by_mark(rule) && rule->mask == l->mask && rule->mark == mark_of(l, id) ? id : 0;
}

/* Whether it is, or is just like, the rule of a path: no packet that could meet it passes over it. */
static bool is_leaf(const struct lower *l, const struct cni_st_rule *rule)
{
	const unsigned int id = id_of(l, rule);

	return id && !rule->other && rule->priority == lower_priority(l->model->options.rule_priority, id);
}

/* Someone else's rule among ours must not be passed over. */
static bool has_foreign(const struct skips *s)
{
	const struct lower *l = s->l;

	for (size_t i = 0; l->observed && i < l->observed->n_rules; i++) {
		const struct cni_st_rule *rule = &l->observed->rules[i];

		if (rule->family == s->family && (!rule->owned || rule->other) &&
		    rule->priority >= l->model->options.rule_priority && rule->priority <= s->end && !is_leaf(l, rule))
			return true;
	}
	return false;
}

static void add(const struct skips *s, struct cni_st_rule rule)
{
	struct cni_state *state = s->l->state;

	rule.family = s->family;
	rule.owned = true;
	*cni_push(s->l->arena, state->rules, state->n_rules) = rule;
}

static void add_block(const struct skips *s, uint32_t block, unsigned int level)
{
	const struct lower *l = s->l;

	add(s, (struct cni_st_rule){ .priority = at_block(s, block) - (block ? 0 : level),
				     .invert = true,
				     .mark = mark_of(l, block << FAN_BITS),
				     .mask = l->mask & ~low_bits(l, FAN_BITS * (level + 1)),
				     .jump = at_block(s, block + (1u << FAN_BITS * level)) });
}

/* Where those go on that pass over the last blocks: a rule that does nothing. */
static void add_end(const struct skips *s, uint32_t block)
{
	add(s, (struct cni_st_rule){ .priority = at_block(s, block) });
}

/* Ids in use have no bits above those that it looks at: with those at 0 it is none of them. */
static void add_unmarked(const struct skips *s)
{
	const struct lower *l = s->l;

	add(s, (struct cni_st_rule){ .priority = l->model->options.rule_priority + UNMARKED,
				     .mask = (l->mask & ~l->id_mask) | low_bits(l, s->width + FAN_BITS),
				     .jump = s->end });
}

static void add_tree(const struct skips *s)
{
	uint32_t size = 1, last = 0;

	add_unmarked(s);
	for (unsigned int level = 0; size < s->n_blocks; level++, size <<= FAN_BITS) {
		uint32_t block = 0;

		for (; block < s->n_blocks; block += size)
			add_block(s, block, level);
		/* a wider level may end later, and that without a mark last of all */
		if (block > last)
			add_end(s, last = block);
	}
	if (1u << s->width > last)
		add_end(s, 1u << s->width);
}

static void skips_of_family(struct lower *l, enum cni_family family)
{
	const size_t least = l->prior->skip_min ? l->prior->skip_min : CNI_SKIP_MIN;
	struct skips s = { .l = l, .family = family };
	unsigned int max = 0;
	size_t n = 0;

	for (size_t i = 0; i < l->state->n_rules; i++) {
		const unsigned int id = l->state->rules[i].family == family ? id_of(l, &l->state->rules[i]) : 0;

		n += id != 0;
		max = id > max ? id : max;
	}
	s.n_blocks = (max >> FAN_BITS) + 1;
	s.width = width_of(s.n_blocks);
	s.end = cni_last_priority(l->model->options.rule_priority, max);
	if (n >= least && s.end < MAIN_PRIORITY && !has_foreign(&s))
		add_tree(&s);
}

void lower_skips(struct lower *l)
{
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		skips_of_family(l, f);
}
