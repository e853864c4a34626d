/* SPDX-License-Identifier: GPL-2.0-or-later */
/* down_test.c - what routes there are to be while targets are down, and that an apply keeps them so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/emit/emit.h"
#include "compiler/plan.h"
#include "compiler/state/down.h"
#include "tests/unit/lowered.h"

#define TRACK "track { every 1s; down 3; up 5; }"
#define LINKS                                                                                                          \
	"lan l { device eth2; prefix 10.0.0.0/8; }"                                                                    \
	"link a { kind pni; device eth0; address 192.0.2.1/31; " TRACK " }"                                            \
	"link b { kind pni; device eth1; address 192.0.2.3/31; " TRACK " }"                                            \
	"link c { kind pni; device eth3; address 192.0.2.5/31; }"
#define POLICY(routes) LINKS "policy p on eth2 {" routes "}"
#define ORDERED POLICY("route x via a then b then c else drop;")
#define D 36383 /* 20000 + 16383 */

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

/* A table's IPv4 routes: metric (0: the guard), and the next hops with their weights. */
static const char *routes_of(struct cni_arena *arena, const struct cni_state *state, uint32_t table)
{
	struct cni_text text = { .arena = arena };

	cni_text_puts(&text, "");
	for (size_t i = 0; i < state->n_routes; i++) {
		const struct cni_st_route *r = &state->routes[i];

		if (r->table != table || r->family != CNI_V4)
			continue;
		cni_text_printf(&text, "%s%u", text.len ? " " : "", r->metric == CNI_GUARD_METRIC ? 0 : r->metric);
		for (size_t h = 0; h < r->n_hops; h++)
			cni_text_printf(&text, ":%s*%u", r->hops[h].device, r->hops[h].weight);
	}
	return text.data;
}

static uint32_t table_of(const struct cni_state *state, const char *comment)
{
	unsigned int id = 0;

	for (size_t i = 0; i < state->n_counters; i++)
		if (state->counters[i].comment && !strcmp(state->counters[i].comment, comment))
			sscanf(state->counters[i].name, "path.%u", &id);
	assert_int_not_equal(id, 0);
	return 20000 + id;
}

static struct cni_state *down(struct cni_arena *arena, struct cni_state *state, const char *a, const char *b)
{
	const char *const names[] = { a, b };

	cni_state_follow_names(arena, state, names, !!a + !!b);
	return state;
}

static bool is_sorted(const struct cni_state *state)
{
	for (size_t i = 1; i < state->n_routes; i++)
		if (cni_route_cmp(&state->routes[i - 1], &state->routes[i]) >= 0)
			return false;
	return true;
}

static void metrics_and_tables(void **state)
{
	const struct cni_st_route route = cni_down_route(20000, "cf1");

	(void)state;
	/* http://www.isthe.com/chongo/tech/comp/fnv: "", "a", "foobar" */
	assert_int_equal(cni_down_metric(""), 0x811c9dc5);
	assert_int_equal(cni_down_metric("a"), 0xe40c292c);
	assert_int_equal(cni_down_metric("foobar"), 0xbf9cf968);
	assert_int_equal(route.table, D);
	assert_true(cni_route_says_down(&route));
}

static void ordered(void **state)
{
	struct cni_arena *arena = *state;
	struct cni_state *s = lower(arena, ORDERED, NULL).state;
	const uint32_t table = table_of(s, "a[eth0 192.0.2.0] then b[eth1 192.0.2.2] then c[eth3 192.0.2.4] else drop");
	const size_t n_all = s->n_routes;

	assert_ptr_equal(s->routes, s->all_routes);
	assert_string_equal(routes_of(arena, s, table), "10:eth0*1 20:eth1*1 30:eth3*1 0");
	assert_string_equal(routes_of(arena, down(arena, s, "a", NULL), table), "20:eth1*1 30:eth3*1 0");
	assert_true(is_sorted(s));
	assert_true(cni_is_down(s, "a"));
	assert_false(cni_is_down(s, "b"));
	assert_string_equal(routes_of(arena, down(arena, s, "b", NULL), table), "10:eth0*1 30:eth3*1 0");
	assert_string_equal(routes_of(arena, down(arena, s, "b", "a"), table), "30:eth3*1 0");
	assert_true(is_sorted(s));
	/* c has no track, and nobody has heard of d */
	assert_string_equal(routes_of(arena, down(arena, s, "c", "d"), table), "10:eth0*1 20:eth1*1 30:eth3*1 0");
	/* answers to what came in by it */
	down(arena, s, "a", "a");
	assert_string_equal(routes_of(arena, s, table_of(s, "return a[eth0 192.0.2.0]")), "10:eth0*1 0");
	/* three less, of a path and of its two pinned ways, and one that says so */
	assert_int_equal(s->n_routes, n_all - 2);
	assert_string_equal(routes_of(arena, s, D), "3826002220");
	down(arena, s, NULL, NULL);
	assert_ptr_equal(s->routes, s->all_routes);
	assert_int_equal(s->n_routes, n_all);
}

static void weighted(void **state)
{
	struct cni_arena *arena = *state;
	struct cni_state *s =
		lower(arena, POLICY("route x via a weight 3, b weight 2, c weight 2 else main; else drop;"), NULL)
			.state;
	const uint32_t table =
		table_of(s, "a[eth0 192.0.2.0] then b[eth1 192.0.2.2] weight 2, c[eth3 192.0.2.4] weight 2 else main");

	assert_string_equal(routes_of(arena, s, table), "10:eth0*1 20:eth1*2:eth3*2");
	assert_string_equal(routes_of(arena, down(arena, s, "b", NULL), table), "10:eth0*1 20:eth3*1");
	assert_string_equal(routes_of(arena, down(arena, s, "a", "b"), table), "20:eth3*1");
	s = lower(arena, POLICY("route x via a, b else main; else drop;"), NULL).state;
	assert_string_equal(routes_of(arena, down(arena, s, "a", "b"),
				      table_of(s, "a[eth0 192.0.2.0] then b[eth1 192.0.2.2] else main")),
			    "");
}

/* The last way of an outer packet, and of an answer that leaves outside of the tunnel, is never taken. */
static void outer_packets(void **state)
{
	struct cni_arena *arena = *state;
	struct cni_state *s = lower(arena,
				    LINKS "options { provider other; }"
					  "tunnel t { kind gre; over a then b; local 198.51.100.1; remote 203.0.113.1;"
					  " address 10.9.0.1/31; health { direction unidirectional; type request; }"
					  " track off; } policy p on eth2 { route x via t else drop; else drop; }",
				    NULL)
				      .state;
	uint32_t outer = 0, answers = 0;

	for (size_t i = 0; i < s->n_rules; i++)
		if (s->rules[i].table > D)
			*(s->rules[i].ipproto ? &answers : &outer) = s->rules[i].table;
	/* the guard of outer packets leads to another prefix than their routes */
	assert_string_equal(routes_of(arena, s, outer), "0 10:eth0*1 20:eth1*1");
	assert_string_equal(routes_of(arena, s, answers), "10:eth0*1 20:eth1*1 0");
	down(arena, s, "a", NULL);
	assert_string_equal(routes_of(arena, s, outer), "0 20:eth1*1");
	assert_string_equal(routes_of(arena, s, answers), "20:eth1*1 0");
	down(arena, s, "b", NULL);
	assert_string_equal(routes_of(arena, s, outer), "0 10:eth0*1");
	assert_string_equal(routes_of(arena, s, answers), "10:eth0*1 0");
	down(arena, s, "a", "b");
	assert_string_equal(routes_of(arena, s, outer), "0 10:eth0*1 20:eth1*1");
	assert_string_equal(routes_of(arena, s, answers), "10:eth0*1 20:eth1*1 0");
}

/* What is observed as down stays down, by the policy that is there and by another; what is tracked no longer is up. */
static void apply_follows(void **state)
{
	struct cni_arena *arena = *state;
	struct cni_state *s = down(arena, lower(arena, ORDERED, NULL).state, "a", NULL);
	const struct {
		const char *text;
		const char *key, *routes, *down;
	} cases[] = {
		{ ORDERED, "a[eth0 192.0.2.0] then b[eth1 192.0.2.2] then c[eth3 192.0.2.4] else drop",
		  "20:eth1*1 30:eth3*1 0", "3826002220" },
		{ POLICY("route x via b then a else drop;"), "b[eth1 192.0.2.2] then a[eth0 192.0.2.0] else drop",
		  "10:eth1*1 0", "3826002220" },
		{ "lan l { device eth2; prefix 10.0.0.0/8; } link a { kind pni; device eth0; address 192.0.2.1/31; }"
		  "policy p on eth2 { route x via a else drop; }",
		  "a[eth0 192.0.2.0] else drop", "10:eth0*1 0", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cni_state *next = lower(arena, cases[i].text, s).state;

		assert_string_equal(routes_of(arena, next, table_of(next, cases[i].key)), cases[i].routes);
		assert_string_equal(routes_of(arena, next, D), cases[i].down);
	}
}

/* ---- flows that stay ---- */

static uint32_t mark_of(const struct cni_state *s, const char *comment)
{
	return table_of(s, comment) - 20000;
}

/* Where a flow of this way that is on `target` is moved to; 0: nowhere. */
static uint32_t pinned(const struct cni_state *s, uint32_t mark, const char *target)
{
	for (size_t i = 0; i < s->n_pins; i++)
		if (s->pins[i].mark == mark && !strcmp(s->pins[i].target, target))
			return s->pins[i].pinned;
	return 0;
}

static const struct cni_st_way *way_of(const struct cni_state *s, uint32_t mark)
{
	for (size_t i = 0; i < s->n_ways; i++)
		if (s->ways[i].mark == mark)
			return &s->ways[i];
	fail_msg("no way has mark %u", mark);
	return NULL;
}

static bool has_chain(const struct cni_state *s, uint32_t id)
{
	char name[32];

	snprintf(name, sizeof(name), "classify.%u", id);
	for (size_t i = 0; i < s->n_chains; i++)
		if (!strcmp(s->chains[i].name, name))
			return true;
	return false;
}

#define HOP_A "a[eth0 192.0.2.0]"
#define HOP_B "b[eth1 192.0.2.2]"
#define HOP_C "c[eth3 192.0.2.4]"

static void pins(void **state)
{
	struct cni_arena *arena = *state;
	struct cni_state *s = lower(arena, ORDERED, NULL).state;
	const uint32_t abc = mark_of(s, HOP_A " then " HOP_B " then " HOP_C " else drop");
	const uint32_t bac = mark_of(s, HOP_B " then " HOP_A " then " HOP_C " else drop");
	const uint32_t cab = mark_of(s, HOP_C " then " HOP_A " then " HOP_B " else drop");
	const struct cni_st_way *way = way_of(s, bac);

	assert_int_equal(s->n_pins, 6);
	assert_int_equal(s->id_mask, 0x1fff);
	assert_int_equal(pinned(s, abc, "b"), bac);
	assert_int_equal(pinned(s, abc, "c"), cab);
	assert_int_equal(pinned(s, bac, "a"), abc);
	assert_int_equal(pinned(s, bac, "c"), cab);
	assert_int_equal(pinned(s, abc, "a"), 0);
	/* no new flow comes there */
	assert_true(has_chain(s, abc));
	assert_false(has_chain(s, bac));
	assert_false(way_of(s, abc)->is_pinned);
	assert_true(way->is_pinned && !way->nats && !way->is_return);
	assert_int_equal(way->n_targets, 3);
	assert_string_equal(way->targets[0].target, "b");
	assert_string_equal(way->targets[1].target, "a");
	assert_int_equal(way->targets[2].tier, 2);
	assert_true(way->targets[2].carries[CNI_V4] && !way->targets[2].carries[CNI_V6]);
	assert_true(way_of(s, mark_of(s, "return " HOP_A))->is_return);
	assert_string_equal(routes_of(arena, s, 20000 + bac), "10:eth1*1 20:eth0*1 30:eth3*1 0");
	assert_string_equal(routes_of(arena, down(arena, s, "b", NULL), 20000 + bac), "20:eth0*1 30:eth3*1 0");
}

/* A way that is written goes on as it is written, though it is another path's pinned way too. */
static void written_ways_come_first(void **state)
{
	struct cni_state *s = lower(*state,
				    POLICY("route x tcp dport 1 via a then b then c else drop;"
					   "route y via b then a then c else drop;"),
				    NULL)
				      .state;
	const uint32_t bac = mark_of(s, HOP_B " then " HOP_A " then " HOP_C " else drop");

	assert_int_equal(pinned(s, bac, "c"), mark_of(s, HOP_C " then " HOP_B " then " HOP_A " else drop"));
	assert_int_equal(pinned(s, bac, "a"), mark_of(s, HOP_A " then " HOP_B " then " HOP_C " else drop"));
	assert_true(has_chain(s, bac));
	assert_false(way_of(s, bac)->is_pinned);
}

static void weighted_paths_have_them(void **state)
{
	struct cni_state *s = lower(*state, POLICY("route x via a weight 3, b else drop;"), NULL).state;
	const uint32_t ab = mark_of(s, HOP_A " then " HOP_B " else drop"),
		       ba = mark_of(s, HOP_B " then " HOP_A " else drop");

	assert_int_equal(s->n_pins, 2);
	assert_int_equal(pinned(s, ab, "b"), ba);
	assert_int_equal(pinned(s, ba, "a"), ab);
	assert_true(has_chain(s, ab) && has_chain(s, ba));
}

/* Where nothing is tracked, or flows go back at once, nothing is made for them. */
static void nobody_stays(void **state)
{
	static const char *const texts[] = {
		"options { on-failback flush; }" ORDERED,
		"lan l { device eth2; prefix 10.0.0.0/8; } link a { kind pni; device eth0; address 192.0.2.1/31; }"
		"link b { kind pni; device eth1; address 192.0.2.3/31; } policy p on eth2 { route x via a then b else "
		"drop; }",
		POLICY("route x tcp dport 1 via a else drop; route y via b else drop;"),
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct cni_state *s = lower(*state, texts[i], NULL).state;

		assert_int_equal(s->n_pins, 0);
		for (size_t w = 0; w < s->n_ways; w++)
			assert_false(s->ways[w].is_pinned);
	}
}

static size_t steps(struct cni_arena *arena, const struct cni_state *from, const struct cni_state *to)
{
	struct cni_diags diags;

	cni_diags_init(&diags, arena);
	return cni_plan(arena, from, to, &diags)->n_steps;
}

static void nothing_to_do(void **state)
{
	struct cni_arena *arena = *state;
	struct cni_state *s = down(arena, lower(arena, ORDERED, NULL).state, "a", NULL);

	assert_int_equal(steps(arena, s, lower(arena, ORDERED, s).state), 0);
	/* a router without a policy has nothing to say of what is down */
	assert_int_equal(cni_state_without(arena, s)->n_routes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(metrics_and_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(ordered, setup, teardown),
		cmocka_unit_test_setup_teardown(weighted, setup, teardown),
		cmocka_unit_test_setup_teardown(outer_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(apply_follows, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_to_do, setup, teardown),
		cmocka_unit_test_setup_teardown(pins, setup, teardown),
		cmocka_unit_test_setup_teardown(written_ways_come_first, setup, teardown),
		cmocka_unit_test_setup_teardown(weighted_paths_have_them, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_stays, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
