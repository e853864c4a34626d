/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ways_test.c - from policy to policy: a table that packets are led to holds the same for as long as they are; what a
 * change leaves behind for flows that may not move; and options that cannot change under a live policy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "compiler/plan.h"
#include "compiler/text.h"
#include "tests/unit/lowered.h"

enum { CHAINS = 60, CHANGES = 12, TABLE = 20000, FIRST_UNDERLAY = TABLE + 16384 };

#define ONE_OF(...)                                                                                                    \
	(((const char *const[]){                                                                                       \
		__VA_ARGS__ })[(unsigned int)rand() % (sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *))])

/* A policy in which everything that a path's table depends on varies: kinds, families, gateways, devices, order,
 * weights, verdicts, translation. (Not the address of a device within its subnet: routes over it go with the old one.) */
static const char *random_policy(struct cni_arena *arena)
{
	struct cni_text text = { .arena = arena };

	cni_text_printf(&text, "options { established %s; } lan l { device eth9; prefix 10.0.0.0/8; }",
			ONE_OF("follow", "keep"));
	cni_text_printf(
		&text, "link a { kind internet; device %s; address %s; track off; }", ONE_OF("eth0", "eth3"),
		ONE_OF("192.0.2.1/31", "192.0.2.7/31", "192.0.2.1/31, 2001:db8:a::1/127", "2001:db8:a::1/127", "dhcp"));
	cni_text_printf(&text, "link b { kind internet; device eth1; address 198.51.100.5/24; gateway 198.51.100.%s; }",
			ONE_OF("9", "10"));
	for (int i = 1; i <= 3; i++)
		cni_text_printf(&text,
				"tunnel t%d { kind gre; over %s; local 198.51.99.%d; remote 203.0.113.%d;"
				"address %s; health off; track off; }",
				i, ONE_OF("a", "b", "a then b", "b then a"), i, i,
				ONE_OF(cni_printf(arena, "10.9.%d.1/31", i),
				       cni_printf(arena, "10.9.%d.1/31, 2001:db8:f%d::1/127", i, i),
				       cni_printf(arena, "2001:db8:f%d::1/127", i)));
	cni_text_puts(&text, "policy p on eth9, local {");
	cni_text_printf(&text, "route r1 udp dport 1 via %s else %s;",
			ONE_OF("t1", "t1 then t2", "t2 then t1", "t1 then a masquerade", "a masquerade", "b"),
			ONE_OF("drop", "reject", "main"));
	cni_text_printf(&text, "route r2 udp dport 2 via t1 weight %s, t2 weight %s, %s else %s;", ONE_OF("1", "2"),
			ONE_OF("1", "3"), ONE_OF("t3", "t3 weight 2", "b masquerade", "a weight 9"),
			ONE_OF("drop", "reject", "main"));
	cni_text_printf(&text, "route r3 udp dport 3 %s;", ONE_OF("drop", "reject", "via main", "via main masquerade"));
	cni_text_printf(&text, "else %s; }", ONE_OF("drop", "main"));
	return text.data;
}

static bool leads_to(const struct cni_state *state, const struct cni_st_route *route)
{
	for (size_t i = 0; i < state->n_rules; i++)
		if (state->rules[i].table == route->table && state->rules[i].family == route->family)
			return true;
	return false;
}

static bool has_device(const struct cni_state *state, const char *name)
{
	for (size_t i = 0; i < state->n_links; i++)
		if (!strcmp(state->links[i].name, name))
			return true;
	return false;
}

static bool reaches(const struct cni_state *state, const struct cni_st_hop *hop)
{
	for (size_t i = 0; i < state->n_addrs; i++)
		if (!strcmp(state->addrs[i].device, hop->device) && cni_prefix_has(state->addrs[i].address, hop->via))
			return true;
	return false;
}

/* Whether its devices are still there, with an address that reaches its gateways: else it cannot stay. */
static bool can_stay(const struct cni_state *state, const struct cni_st_route *route)
{
	for (size_t i = 0; i < route->n_hops; i++)
		if (!has_device(state, route->hops[i].device) ||
		    (route->hops[i].has_via && !reaches(state, &route->hops[i])))
			return false;
	return true;
}

static bool is_of_a_way(const struct cni_st_route *route)
{
	return route->table >= TABLE && route->table < FIRST_UNDERLAY;
}

/* Whether only flows of an earlier policy are on it. It may have lost targets; it gets them back with its policy. */
static bool is_former(const struct cni_state *state, uint32_t table)
{
	char path[16], classify[24];

	snprintf(path, sizeof(path), "path.%u", table - TABLE);
	snprintf(classify, sizeof(classify), "classify.%u.", table - TABLE);
	for (size_t i = 0; i < state->n_chains; i++)
		if (!strncmp(state->chains[i].name, classify, strlen(classify)))
			return false;
	for (size_t i = 0; i < state->n_counters; i++)
		if (!strcmp(state->counters[i].name, path))
			return strncmp(state->counters[i].comment, "return ", 7) != 0;
	return false;
}

/* No step adds to a path's table, takes from it, or changes it, while a rule leads there on both sides of the step. */
static void assert_tables_stay(const struct cni_plan *plan, const char *before, const char *after)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct cni_step *step = &plan->steps[i];
		const struct cni_st_route *route = step->after ? step->after : step->before;

		if (step->object == CNI_RULE && step->before && step->after)
			fail_msg("a rule is changed: %s\n%s", before, after);
		if (step->object != CNI_ROUTE || !is_of_a_way(route) || !leads_to(plan->observed, route) ||
		    !leads_to(plan->desired, route) || !can_stay(plan->desired, route) ||
		    is_former(plan->observed, route->table))
			continue;
		fail_msg("table %u, metric %u, IPv%d is changed in phase %d:\n%s\n%s", route->table, route->metric,
			 route->family == CNI_V4 ? 4 : 6, (int)step->phase, before, after);
	}
}

/* A policy replaces another one while its flows go on, or none are left. */
static bool some_are(void *arg, uint32_t mask, uint32_t mark)
{
	(void)arg;
	return mask && mark && rand() % 2;
}

static void live_tables_are_not_edited(void **state)
{
	for (unsigned int seed = 1; seed <= CHAINS; seed++) {
		const struct cni_state *observed = NULL;
		const char *before = NULL;

		srand(seed);
		for (int i = 0; i < CHANGES; i++) {
			const char *after = random_policy(*state);
			const struct cni_prior prior = { .observed = observed,
							 .keep_former = i % 3 == 0,
							 .in_use = i % 3 == 1 ? some_are : NULL };
			struct lowered lowered = lower_with(*state, after, &prior);

			assert_non_null(lowered.state);
			if (observed)
				assert_tables_stay(cni_plan(*state, observed, lowered.state, lowered.diags), before,
						   after);
			observed = lowered.state;
			before = after;
		}
	}
}

/* ---- paths of the policy before ---- */

#define LINKS                                                                                                          \
	"lan l { device eth2; prefix 10.0.0.0/8; }"                                                                    \
	"link a { kind internet; device eth0; address 192.0.2.1/31; }"                                                 \
	"link b { kind internet; device eth1; address 192.0.2.3/31; }"
#define VIA(options, path) options LINKS "policy p on eth2 { route x via " path "; else drop; }"
#define A VIA("", "a masquerade else drop")
#define B VIA("", "b masquerade else drop")

static bool none_is(void *arg, uint32_t mask, uint32_t mark)
{
	(void)arg;
	(void)mask;
	(void)mark;
	return false;
}

static bool all_are(void *arg, uint32_t mask, uint32_t mark)
{
	(void)arg;
	return mask && mark;
}

static const char *live(const struct cni_state *state)
{
	for (size_t i = 0; i < state->n_chains; i++)
		if (!strcmp(state->chains[i].name, "prerouting"))
			return state->chains[i].rules[0].exprs[0].name;
	return "";
}

static size_t n_steps(struct cni_arena *arena, const struct cni_state *from, struct lowered to)
{
	return cni_plan(arena, from, to.state, to.diags)->n_steps;
}

/* The order of an apply, as lower.h has it. */
static void former_paths_are_let_go_after_the_flip(void **state)
{
	const struct cni_state *first = lower(*state, A, NULL).state, *flipped, *last;
	struct cni_prior prior = { .observed = first, .keep_former = true, .in_use = none_is };

	flipped = lower_with(*state, B, &prior).state;
	assert_int_equal(flipped->n_former, 1);
	assert_int_equal(strncmp(live(flipped), "steer.2.", 8), 0);

	/* killed here, the next apply finds nothing to do at first */
	prior.observed = flipped;
	assert_int_equal(n_steps(*state, flipped, lower_with(*state, B, &prior)), 0);

	/* with flows it stays, without it goes, and no other flow moves */
	prior.keep_former = false;
	prior.in_use = all_are;
	assert_int_equal(n_steps(*state, flipped, lower_with(*state, B, &prior)), 0);
	prior.in_use = none_is;
	last = lower_with(*state, B, &prior).state;
	assert_int_equal(last->n_former, 0);
	assert_int_equal(strncmp(live(last), "steer.2.", 8), 0);
	assert_int_equal(last->stale.mask, 0);

	/* then both are empty */
	prior.observed = last;
	assert_int_equal(n_steps(*state, last, lower_with(*state, B, &prior)), 0);
	prior.keep_former = true;
	assert_int_equal(n_steps(*state, last, lower_with(*state, B, &prior)), 0);
}

/* ---- options ---- */

static void assert_refused(struct cni_arena *arena, const char *options, const struct cni_state *observed)
{
	char text[512];
	struct lowered lowered;

	snprintf(text, sizeof(text), "%s" A, options);
	lowered = lower(arena, text, observed);
	assert_null(lowered.state);
	assert_int_equal(lowered.diags->n_errors, 1);
	assert_int_equal(lowered.diags->first->code, CNI505);
}

static void numbers_of_a_live_policy_stay(void **state)
{
	static const struct cni_state nothing;
	const struct cni_state *observed = lower(*state, A, NULL).state;

	assert_refused(*state, "options { mark-mask 0xffff0000; }", observed);
	assert_refused(*state, "options { mark-mask 0xff; }", observed);
	assert_refused(*state, "options { table 20001; }", observed);
	assert_refused(*state, "options { rule-priority 900; }", observed);
	assert_non_null(lower(*state, VIA("options { mark-mask 0xff; }", "a else drop"), &nothing).state);
	assert_non_null(lower(*state, VIA("options { return none; }", "a else drop"), observed).state);
	/* a policy without rules has marks */
	observed = lower(*state, VIA("options { return none; }", "main"), NULL).state;
	assert_refused(*state, "options { mark-mask 0xff; }", observed);
}

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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(live_tables_are_not_edited, setup, teardown),
		cmocka_unit_test_setup_teardown(former_paths_are_let_go_after_the_flip, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_of_a_live_policy_stay, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
