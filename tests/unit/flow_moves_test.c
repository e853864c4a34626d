/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_moves_test.c - which flows stay on a backup, which are forgotten, and which go back, by what is up before and
 * after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/text.h"
#include "runtime/track/flow_moves.h"
#include "tests/unit/lowered.h"

#define TRACK "track { every 1s; down 3; up 5; }"
#define LINK(name, device, address) "link " name " { kind internet; device " device "; address " address "; " TRACK " }"
#define POLICY(options, path)                                                                                          \
	"options { " options " } lan l { device eth2; prefix 10.0.0.0/8; }" LINK("a", "eth0", "192.0.2.1/31")          \
		LINK("b", "eth1", "192.0.2.3/31")                                                                      \
			LINK("c", "eth3", "192.0.2.5/31") "policy p on eth2 { route x via " path                       \
							  " else drop; else drop; }"
#define KEEP "on-failback keep;"
#define ORDERED "a masquerade then b masquerade then c masquerade"

static int setup(void **state)
{
	*state = cni_arena_new();
	return 0;
}

static int teardown(void **state)
{
	cni_arena_free(*state);
	return 0;
}

static struct rt_ways ways_of(struct cni_arena *arena, const char *policy)
{
	const struct lowered lowered = lower(arena, policy, NULL);

	return rt_ways_of(arena, lowered.model, lowered.state);
}

/* By the targets of a way, in order: "a>b>c"; those that share with "|" between. */
static const char *way_name(struct cni_arena *arena, const struct rt_ways *ways, uint32_t mark)
{
	struct cni_text text = { .arena = arena };

	for (size_t w = 0; w < ways->desired->n_ways; w++) {
		const struct cni_st_way *way = &ways->desired->ways[w];

		for (size_t i = 0; way->mark == mark && i < way->n_targets; i++)
			cni_text_printf(&text, "%s%s",
					!i						   ? ""
					: way->targets[i].tier == way->targets[i - 1].tier ? "|"
											   : ">",
					way->targets[i].target);
	}
	return text.data ? text.data : "?";
}

/* "WAY=>WAY" of those that get another mark, "WAY!KEEP" of those that are forgotten but for what is bound to KEEP; IPv4
 * alone, and by name. */
static const char *told(struct cni_arena *arena, const struct rt_ways *ways, const struct rt_flow_moves *moves)
{
	struct cni_text text = { .arena = arena };
	char addr[CNI_ADDR_TEXT];

	cni_text_puts(&text, "");
	for (size_t i = 0; i < moves->n_items; i++) {
		const struct rt_flow_move *move = &moves->items[i];

		assert_true(!i || moves->items[i - 1].mark < move->mark ||
			    (moves->items[i - 1].mark == move->mark && moves->items[i - 1].family < move->family));
		if (move->family != CNI_V4)
			continue;
		cni_text_printf(&text, "%s%s", text.len ? " " : "", way_name(arena, ways, move->mark));
		if (move->forget)
			cni_text_printf(&text, "!%s", move->has_keep ? cni_addr_format(move->keep, addr) : "");
		if (move->marks)
			cni_text_printf(&text, "=>%s", way_name(arena, ways, move->to));
	}
	return text.data;
}

/* Days by the targets that are down: "", "a", "ab". The three of them are tracked, in this order. */
static const bool *day(struct cni_arena *arena, const char *down)
{
	bool *all = cni_new_array(arena, bool, 3);

	for (; *down; down++)
		all[*down - 'a'] = true;
	return all;
}

static const char *stay(struct cni_arena *arena, const struct rt_ways *ways, const char *from, const char *to)
{
	const struct rt_flow_moves moves = rt_flows_that_stay(arena, ways, day(arena, from), day(arena, to));

	return told(arena, ways, &moves);
}

static const char *moved(struct cni_arena *arena, const struct rt_ways *ways, const char *from, const char *to)
{
	const struct rt_flow_moves moves = rt_flows_that_moved(arena, ways, day(arena, from), day(arena, to));

	return told(arena, ways, &moves);
}

static bool has(const char *text, const char *word)
{
	const char *at = strstr(text, word);
	const size_t len = strlen(word);

	for (; at; at = strstr(at + 1, word))
		if ((at == text || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	return false;
}

static void tiers(void **state)
{
	struct cni_arena *arena = *state;
	const struct rt_ways ways = ways_of(arena, POLICY(KEEP, "a then b then c"));
	size_t only, at = 0;

	while (strcmp(way_name(arena, &ways, ways.desired->ways[at].mark), "a>b>c") != 0)
		at++;
	assert_int_equal(rt_way_tier(&ways, at, CNI_V4, day(arena, ""), &only), 0);
	assert_int_equal(only, 0);
	assert_int_equal(rt_way_tier(&ways, at, CNI_V4, day(arena, "ab"), &only), 2);
	assert_int_equal(only, 2);
	assert_true(rt_way_tier(&ways, at, CNI_V4, day(arena, "abc"), &only) == UINT32_MAX);
	assert_true(rt_way_tier(&ways, at, CNI_V6, day(arena, ""), &only) == UINT32_MAX); /* none carries it */
}

static void failing(void **state)
{
	struct cni_arena *arena = *state;
	const struct rt_ways ways = ways_of(arena, POLICY(KEEP, ORDERED));
	const char *text = moved(arena, &ways, "", "a");

	/* every way that had a first: what is bound to b stays */
	assert_true(has(text, "a>b>c!192.0.2.3"));
	assert_false(has(text, "b>a>c!192.0.2.3"));
	assert_string_equal(stay(arena, &ways, "", "a"), "");
	assert_true(has(moved(arena, &ways, "a", "ab"), "a>b>c!192.0.2.5"));
	/* those that have no way any more wait for one */
	assert_string_equal(moved(arena, &ways, "ab", "abc"), "");
	/* and are looked at when there is one again: it may be another */
	assert_true(has(moved(arena, &ways, "abc", "ac"), "a>b>c!192.0.2.3"));
}

static void untranslated(void **state)
{
	struct cni_arena *arena = *state;
	const struct rt_ways ways = ways_of(arena, POLICY(KEEP, "a then b then c"));

	assert_string_equal(moved(arena, &ways, "", "a"), "");
	assert_string_equal(moved(arena, &ways, "a", ""), "");
	assert_true(has(stay(arena, &ways, "a", ""), "a>b>c=>b>a>c"));
}

static void coming_back(void **state)
{
	struct cni_arena *arena = *state;
	const struct rt_ways keep = ways_of(arena, POLICY(KEEP, ORDERED));
	const struct rt_ways flush = ways_of(arena, POLICY("on-failback flush;", ORDERED));
	struct rt_flow_moves back;
	const char *text;

	/* who is on b stays on it, by the way that has b first; who is on c, by that of c */
	assert_true(has(stay(arena, &keep, "a", ""), "a>b>c=>b>a>c"));
	assert_true(has(stay(arena, &keep, "ab", ""), "a>b>c=>c>a>b"));
	assert_true(has(stay(arena, &keep, "ab", "a"), "a>b>c=>c>a>b"));
	/* one that stayed on b, and had to go to a when that failed, is on its own way again */
	assert_true(has(stay(arena, &keep, "b", ""), "b>a>c=>a>b>c"));
	/* on nothing, there is nothing to stay on */
	assert_false(has(stay(arena, &keep, "abc", "bc"), "a>b>c=>b>a>c"));
	/* who did not stay is forgotten by conntrack */
	assert_string_equal(stay(arena, &flush, "a", ""), "");
	assert_true(has(moved(arena, &flush, "a", ""), "a>b>c!192.0.2.1"));
	/* after a while */
	back = rt_flows_that_return(arena, &keep, day(arena, ""));
	text = told(arena, &keep, &back);
	assert_true(has(text, "b>a>c!192.0.2.1=>a>b>c"));
	assert_true(has(text, "c>a>b!192.0.2.1=>a>b>c"));
	assert_false(has(text, "a>b>c!192.0.2.1=>b>a>c"));
	back = rt_flows_that_return(arena, &flush, day(arena, ""));
	assert_int_equal(back.n_items, 0);
}

/* Shares: each member's way has the others behind it, together. */
static void weighted(void **state)
{
	struct cni_arena *arena = *state;
	const struct rt_ways ways = ways_of(arena, POLICY(KEEP, "a weight 2 masquerade, b masquerade, c masquerade"));

	/* b and c share what was a's: who is on which cannot be told */
	assert_false(has(stay(arena, &ways, "a", ""), "a>b|c=>b>a|c"));
	assert_true(has(moved(arena, &ways, "a", ""), "a>b|c!192.0.2.1"));
	/* one of them alone can */
	assert_true(has(stay(arena, &ways, "ab", ""), "a>b|c=>c>a|b"));
	/* where one of two that share goes, translations are made anew */
	assert_true(has(moved(arena, &ways, "a", "ab"), "a>b|c!192.0.2.5"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tiers, setup, teardown),
		cmocka_unit_test_setup_teardown(failing, setup, teardown),
		cmocka_unit_test_setup_teardown(untranslated, setup, teardown),
		cmocka_unit_test_setup_teardown(coming_back, setup, teardown),
		cmocka_unit_test_setup_teardown(weighted, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
