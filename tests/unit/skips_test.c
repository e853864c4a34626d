/* SPDX-License-Identifier: GPL-2.0-or-later */
/* skips_test.c - rules that pass over other rules: every packet meets the rule of its path, or none, with all of them,
 * with some, with those of two policies beside each other; and few on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "compiler/plan.h"
#include "compiler/text.h"
#include "tests/unit/lowered.h"

enum { TABLE = 20000, PRIORITY = 1000 };

struct case_of { /* two ids a link: its path's, and its return path's */
	unsigned int n_links, mask;
	size_t most, average; /* rules that a packet of a path meets at most */
};

static const struct case_of cases[] = {
	{ 1, 0xffff, 3, 2 },	     { 2, 0xff, 5, 4 },		{ 4, 0x7f8, 7, 4 },	  { 8, 0xffff, 10, 6 },
	{ 15, 0xff, 10, 7 },	     { 31, 0xff800000, 12, 8 }, { 32, 0x3ff0000, 14, 9 }, { 33, 0xffff, 14, 9 },
	{ 250, 0xffff0000, 18, 12 }, { 500, 0x1fff, 20, 13 },	{ 1000, 0xffff, 22, 14 },
};
#define N_CASES (sizeof(cases) / sizeof(*cases))

static const char *policy_of(struct cni_arena *arena, unsigned int n, uint32_t mask, unsigned int priority)
{
	struct cni_text text = { .arena = arena };

	cni_text_printf(&text,
			"options { mark-mask 0x%08x; rule-priority %u; } lan l { device lan0; prefix 10.0.0.0/8; }",
			mask, priority);
	for (unsigned int i = 0; i < n; i++)
		cni_text_printf(&text, "link l%u { kind pni; device e%u; address 172.16.%u.%u/31%s; track off; }\n", i,
				i, i >> 7, (i & 127) * 2, i ? "" : ", 2001:db8::/127");
	cni_text_puts(&text, "policy p on lan0 {\n");
	for (unsigned int i = 0; i < n; i++)
		cni_text_printf(&text, "route r%u to 20.%u.%u.0/24 via l%u else drop;\n", i, i >> 8, i & 255, i);
	cni_text_puts(&text, "else drop; }\n");
	return text.data;
}

static struct cni_state *state_of(struct cni_arena *arena, unsigned int n, uint32_t mask,
				  const struct cni_state *observed)
{
	const struct cni_prior prior = { .observed = observed, .skip_min = 1 };

	return lower_with(arena, policy_of(arena, n, mask, PRIORITY), &prior).state;
}

/* As net/core/fib_rules.c does. */
static uint32_t lookup(const struct cni_state *state, uint32_t mark, size_t *n_met)
{
	*n_met = 0;
	for (size_t i = 0, to; i < state->n_rules; i++) {
		const struct cni_st_rule *rule = &state->rules[i];

		if (rule->family != CNI_V4)
			continue;
		++*n_met;
		if ((((mark ^ rule->mark) & rule->mask) == 0) == rule->invert)
			continue;
		if (rule->table)
			return rule->table;
		for (to = i + 1; rule->jump && to < state->n_rules; to++)
			if (state->rules[to].priority >= rule->jump || state->rules[to].family != CNI_V4)
				break;
		/* where no rule is: with the next */
		if (rule->jump && to < state->n_rules && state->rules[to].priority == rule->jump &&
		    state->rules[to].family == CNI_V4)
			i = to - 1;
	}
	return 0;
}

static uint32_t leaf(const struct cni_state *state, uint32_t mark)
{
	for (size_t i = 0; i < state->n_rules; i++)
		if (state->rules[i].family == CNI_V4 && cni_rule_is_by_mark(&state->rules[i]) &&
		    (mark & state->rules[i].mask) == state->rules[i].mark)
			return state->rules[i].table;
	return 0;
}

static uint32_t mark_of(uint32_t mask, unsigned int id)
{
	return id << __builtin_ctz(mask);
}

/* Every mark of the mask, the epoch's bits too, and others' bits beside it. */
static void assert_all_found(const struct cni_state *state, uint32_t mask)
{
	const unsigned int last = mask >> __builtin_ctz(mask), step = last > 4096 ? 7 : 1;
	size_t n_met;

	for (unsigned int id = 0; id <= last; id += id < 2100 ? 1 : step) {
		const uint32_t mark = mark_of(mask, id) | (0x5a5a5a5a & ~mask);
		const uint32_t want = id < 2100 ? leaf(state, mark) : 0;

		if (lookup(state, mark, &n_met) != want)
			fail_msg("mark 0x%x is led to table %u, not %u", mark, lookup(state, mark, &n_met), want);
	}
}

static void test_found(void **state)
{
	for (size_t i = 0; i < N_CASES; i++) {
		const struct case_of *c = &cases[i];
		struct cni_arena *arena = cni_arena_new();
		const struct cni_state *s = state_of(arena, c->n_links, c->mask, NULL);
		size_t most = 0, sum = 0, n_met;

		assert_all_found(s, c->mask);
		for (unsigned int id = 1; id <= 2 * c->n_links; id++) {
			assert_int_equal(lookup(s, mark_of(c->mask, id), &n_met), TABLE + id);
			most = n_met > most ? n_met : most;
			sum += n_met;
		}
		print_message("# %u paths: a packet meets %zu rules at most, %.1f on average\n", 2 * c->n_links, most,
			      (double)sum / (2.0 * c->n_links));
		assert_in_range(most, 1, c->most);
		assert_in_range(sum / (2 * c->n_links), 1, c->average);
		assert_int_equal(lookup(s, 0, &n_met), 0);
		assert_in_range(n_met, 1, 2);
		cni_arena_free(arena);
	}
	(void)state;
}

static bool is_path(const struct cni_st_rule *rule)
{
	return cni_rule_is_by_mark(rule);
}

/* Those of two policies, without any share of those that pass over others. */
static struct cni_state *some_of(struct cni_arena *arena, const struct cni_state *a, const struct cni_state *b,
				 int percent)
{
	struct cni_state *s = cni_new(arena, struct cni_state);

	for (size_t i = 0; i < a->n_rules; i++)
		if (is_path(&a->rules[i]) || rand() % 100 < percent)
			*cni_push(arena, s->rules, s->n_rules) = a->rules[i];
	for (size_t i = 0; i < b->n_rules; i++)
		if (is_path(&b->rules[i]) || rand() % 100 < percent)
			*cni_push(arena, s->rules, s->n_rules) = b->rules[i];
	cni_state_sort(s);
	return s;
}

static void test_any_of_them(void **state)
{
	static const unsigned int sizes[] = { 1, 3, 9, 31, 34, 120 };

	(void)state;
	srand(1);
	for (size_t i = 0; i < 60; i++) {
		struct cni_arena *arena = cni_arena_new();
		const unsigned int n = sizes[rand() % 6], m = sizes[rand() % 6];
		const struct cni_state *a = state_of(arena, n, 0x7ff0, NULL), *b = state_of(arena, m, 0x7ff0, NULL);

		assert_all_found(some_of(arena, a, b, rand() % 101), 0x7ff0);
		cni_arena_free(arena);
	}
}

/* The kernel knows a rule of the same priority, mark, mask and action as the same one. */
static void test_told_apart(void **state)
{
	struct cni_arena *arena = cni_arena_new();
	struct cni_state *all = cni_new(arena, struct cni_state);

	(void)state;
	for (unsigned int n = 1; n <= 140; n++) {
		const struct cni_state *s = state_of(arena, n, 0xffff, NULL);

		for (size_t i = 0; i < s->n_rules; i++)
			*cni_push(arena, all->rules, all->n_rules) = s->rules[i];
	}
	for (size_t i = 0; i < all->n_rules; i++)
		all->rules[i].span = (struct cni_span){ 0 };
	cni_state_sort(all);
	for (size_t i = 1; i < all->n_rules; i++) {
		struct cni_st_rule other = all->rules[i - 1];

		if (!cni_rule_cmp(&other, &all->rules[i]) || !other.jump != !all->rules[i].jump)
			continue;
		other.jump = all->rules[i].jump;
		other.invert = all->rules[i].invert;
		assert_int_not_equal(cni_rule_cmp(&other, &all->rules[i]), 0);
	}
	cni_arena_free(arena);
}

static size_t count(const struct cni_state *state, enum cni_family family)
{
	size_t n = 0;

	for (size_t i = 0; i < state->n_rules; i++)
		n += state->rules[i].family == family && !is_path(&state->rules[i]);
	return n;
}

static void test_only_where_it_pays(void **state)
{
	const struct cni_prior none = { 0 };
	struct cni_arena *arena = cni_arena_new();
	const struct cni_state *few = lower_with(arena, policy_of(arena, 7, 0xffff, PRIORITY), &none).state;
	const struct cni_state *many = lower_with(arena, policy_of(arena, 8, 0xffff, PRIORITY), &none).state;
	/* paths fit before main's rule, but not what goes behind them */
	const struct cni_state *late = lower_with(arena, policy_of(arena, 10, 0xffff, 32720), &none).state;

	(void)state;
	assert_int_equal(count(few, CNI_V4), 0);
	assert_int_not_equal(count(many, CNI_V4), 0);
	assert_int_equal(count(late, CNI_V4), 0);
	cni_arena_free(arena);
}

static void test_foreign(void **state)
{
	static const struct {
		struct cni_st_rule rule;
		bool in_the_way;
	} table[] = {
		{ { .priority = 1020, .table = 7 }, true },
		{ { .priority = 1002, .table = 7 }, true },
		{ { .priority = 1020, .table = 7, .owned = true, .other = true }, true },
		{ { .priority = 1020, .table = 7, .family = CNI_V6 }, false },
		{ { .priority = 1020, .table = 7, .owned = true }, false },
		{ { .priority = 1000, .table = 7 }, true },
		{ { .priority = 999, .table = 7 }, false },
		{ { .priority = 1200, .table = 7 }, false },
		/* just like a path's */
		{ { .priority = 1012, .mark = 1, .mask = 0xffff, .table = 20001 }, false },
		{ { .priority = 1013, .mark = 1, .mask = 0xffff, .table = 20001 }, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct cni_arena *arena = cni_arena_new();
		struct cni_st_rule rule = table[i].rule;
		const struct cni_state observed = { .rules = &rule, .n_rules = 1 };
		const struct cni_state *s = state_of(arena, 20, 0xffff, &observed);

		assert_int_equal(count(s, CNI_V4) == 0, table[i].in_the_way);
		cni_arena_free(arena);
	}
}

/* A path more is its rules and, at times, one that passes over them; the last priority comes first. */
static void test_small_change(void **state)
{
	struct cni_arena *arena = cni_arena_new();
	struct cni_diags diags;
	struct cni_state *before = state_of(arena, 100, 0xffff, NULL);
	const struct cni_plan *plan;
	uint32_t last = UINT32_MAX;
	size_t n = 0;

	(void)state;
	cni_diags_init(&diags, arena);
	plan = cni_plan(arena, before, state_of(arena, 101, 0xffff, before), &diags);
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct cni_step *step = &plan->steps[i];
		const struct cni_st_rule *rule = step->after ? step->after : step->before;

		if (step->object != CNI_RULE || rule->family != CNI_V4)
			continue;
		n++;
		if (step->phase != CNI_EXPAND)
			continue;
		assert_in_range(rule->priority, 1, last);
		last = rule->priority;
	}
	assert_in_range(n, 2, 6);
	cni_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),	   cmocka_unit_test(test_any_of_them),
		cmocka_unit_test(test_told_apart), cmocka_unit_test(test_only_where_it_pays),
		cmocka_unit_test(test_foreign),	   cmocka_unit_test(test_small_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
