/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_foreign_test.c - what others own: used when it is the same, an error when it stands in the way, never
 * touched; and which steps say that they disturb traffic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "compiler/arena.h"
#include "compiler/plan.h"

struct scene {
	struct cni_arena *arena;
	struct cni_state has, want;
	struct cni_diags diags;
	struct cni_plan *plan;
};

static int setup(void **state)
{
	struct cni_arena *arena = cni_arena_new();
	struct scene *s = cni_new(arena, struct scene);

	s->arena = arena;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	cni_arena_free(((struct scene *)*state)->arena);
	return 0;
}

static const struct cni_step *plan(struct scene *s, size_t n_steps)
{
	cni_diags_init(&s->diags, s->arena);
	cni_state_sort(&s->has);
	cni_state_sort(&s->want);
	s->plan = cni_plan(s->arena, &s->has, &s->want, &s->diags);
	assert_int_equal(s->plan->n_steps, n_steps);
	return s->plan->steps;
}

static void refused(struct scene *s, enum cni_code code)
{
	plan(s, 0);
	assert_int_equal(s->diags.n_errors, 1);
	assert_int_equal(s->diags.first->code, code);
}

#define PUT(state, list, ...) (*cni_push(s->arena, (state).list, (state).n_##list) = (__VA_ARGS__))

static const struct cni_st_link gre = { .name = "cf1",
					.owned = true,
					.type = CNI_DEV_GRE,
					.kind = "gre",
					.up = true,
					.mtu = 1476,
					.ttl = 64,
					.local.v = 1,
					.remote.v = 2 };
static const struct cni_st_link vlan = { .name = "eth1.5",
					 .owned = true,
					 .type = CNI_DEV_VLAN,
					 .kind = "vlan",
					 .up = true,
					 .mtu = 1500,
					 .vlan = 5,
					 .parent = "eth1" };

static struct cni_st_link foreign(struct cni_st_link link)
{
	link.owned = false;
	return link;
}

static void test_no_device(void **state)
{
	struct scene *s = *state;

	PUT(s->has, links, (struct cni_st_link){ .name = "eth2" });
	PUT(s->want, links, (struct cni_st_link){ .name = "eht2", .kind = "" });
	refused(s, CNI550);
	assert_string_equal(s->diags.first->help, "did you mean `eth2`?");
}

static void test_foreign_tunnel(void **state)
{
	struct scene *s = *state;

	PUT(s->has, links, foreign(gre));
	PUT(s->want, links, gre);
	refused(s, CNI551);
}

static void test_foreign_vlan(void **state)
{
	struct scene *s = *state;

	PUT(s->has, links, foreign(vlan));
	PUT(s->want, links, vlan);
	s->has.links->up = false; /* its maker's business */
	plan(s, 0);
	assert_int_equal(s->diags.n_errors, 0);
	s->has.links->vlan = 6;
	refused(s, CNI552);
}

static void test_foreign_endpoints(void **state)
{
	struct scene *s = *state;

	PUT(s->has, links, foreign(gre));
	s->has.links->name = "other";
	PUT(s->want, links, gre);
	plan(s, 1);
	assert_int_equal(s->diags.first->code, CNI554);
	s->has.links->has_key = true; /* another tunnel */
	plan(s, 1);
	assert_int_equal(s->diags.n_errors, 0);
}

static void test_foreign_route(void **state)
{
	struct scene *s = *state;
	const struct cni_st_route route = { .table = 900, .metric = 10, .type = CNI_RT_UNREACHABLE };

	PUT(s->has, routes, route);
	PUT(s->want, routes, route);
	s->want.routes->owned = true;
	plan(s, 0);
	assert_int_equal(s->diags.n_errors, 0);
	s->has.routes->type = CNI_RT_BLACKHOLE;
	refused(s, CNI553);
	s->want.n_routes = 0;
	plan(s, 0);
	assert_int_equal(s->diags.n_errors, 0);
}

/* One that packets would take before a wanted one of the same prefix. */
static void test_outranking_route(void **state)
{
	struct scene *s = *state;
	const struct cni_st_route tier = { .table = 900, .metric = 10, .type = CNI_RT_UNREACHABLE };

	PUT(s->has, rules, (struct cni_st_rule){ .priority = 900, .mask = 1, .mark = 1, .table = 900, .owned = true });
	PUT(s->want, rules, s->has.rules[0]);
	for (unsigned int i = 0; i < 2; i++) {
		PUT(s->has, routes, tier);
		PUT(s->want, routes, tier);
		s->has.routes[i].owned = s->want.routes[i].owned = true;
		s->has.routes[i].metric = s->want.routes[i].metric = 10 + 10 * i;
	}
	PUT(s->has, routes, tier);
	s->has.routes[2].type = CNI_RT_BLACKHOLE;
	for (unsigned int metric = 0; metric < 25; metric += 5) {
		for (size_t i = 0; i < 3; i++)
			if (!s->has.routes[i].owned)
				s->has.routes[i].metric = metric;
		refused(s, CNI553);
	}
	for (size_t i = 0; i < 3; i++)
		if (!s->has.routes[i].owned)
			s->has.routes[i].metric = 30; /* behind all of ours */
	plan(s, 0);
	assert_int_equal(s->diags.n_errors, 0);
	for (size_t i = 0; i < 3; i++)
		if (!s->has.routes[i].owned)
			s->has.routes[i] = (struct cni_st_route){ .table = 900, .to.len = 8, .type = CNI_RT_OTHER };
	plan(s, 0);
	assert_int_equal(s->diags.n_errors, 0);
}

/* Where no mark leads and nothing of ours goes on, a daemon fills the table, and cnic only closes it. */
static void test_daemons_table(void **state)
{
	struct scene *s = *state;
	const struct cni_st_route guard = { .table = 900, .metric = 99, .type = CNI_RT_UNREACHABLE };

	PUT(s->has, routes, guard);
	s->has.routes[0].metric = 20;
	PUT(s->want, rules, (struct cni_st_rule){ .has_from = true, .from.len = 32, .table = 900, .owned = true });
	PUT(s->want, routes, guard);
	s->want.routes[0].owned = true;
	plan(s, 2);
	assert_int_equal(s->diags.n_errors, 0);
}

static void test_foreign_rule_and_address(void **state)
{
	struct scene *s = *state;
	const struct cni_st_rule rule = { .priority = 100, .table = 900 };
	const struct cni_st_addr addr = { .device = "lo", .address = { { CNI_V4, 9 }, 32 } };

	PUT(s->has, rules, rule);
	PUT(s->has, addrs, addr);
	PUT(s->want, rules, rule);
	s->want.rules->owned = true;
	PUT(s->want, addrs, addr);
	s->want.addrs->owned = true;
	plan(s, 0);
	s->want.n_rules = s->want.n_addrs = 0;
	plan(s, 0);
	/* of our protocol, but with what cnic never writes: somebody's hand */
	s->has.rules->owned = s->has.rules->other = true;
	plan(s, 0);
	s->has.rules->other = false;
	assert_int_equal(plan(s, 1)->op, CNI_DELETE);
}

static void test_disturbs(void **state)
{
	struct scene *s = *state;
	const struct cni_step *step;

	PUT(s->has, links, gre);
	PUT(s->want, links, gre);
	s->want.links->ttl = 32;
	step = plan(s, 1);
	assert_int_equal(step->phase, CNI_IN_PLACE);
	assert_int_equal(step->op, CNI_CHANGE);
	assert_non_null(step->disturbs);
	s->want.links->key = 7;
	s->want.links->has_key = true;
	assert_non_null(plan(s, 1)->disturbs);
	s->has.links->up = false; /* nothing passes it */
	step = plan(s, 1);
	assert_int_equal(step->phase, CNI_EXPAND);
	assert_null(step->disturbs);
	*s->has.links = vlan;
	*s->want.links = vlan;
	s->want.links->vlan = 6;
	step = plan(s, 1);
	assert_int_equal(step->op, CNI_REPLACE);
	assert_non_null(step->disturbs);
}

/* A live table is changed next to the flip, one that nothing looks into before. */
static void test_live_table(void **state)
{
	struct scene *s = *state;

	PUT(s->has, routes, (struct cni_st_route){ .table = 900, .owned = true, .type = CNI_RT_BLACKHOLE });
	PUT(s->want, routes, (struct cni_st_route){ .table = 900, .owned = true, .type = CNI_RT_UNREACHABLE });
	assert_int_equal(plan(s, 1)->phase, CNI_EXPAND);
	PUT(s->has, rules, (struct cni_st_rule){ .priority = 1, .table = 900 });
	assert_int_equal(plan(s, 1)->phase, CNI_IN_PLACE);
	assert_non_null(s->plan->steps->disturbs);
}

/* What a setting was is noted before it is changed, kept while it is, and forgotten when it is put back. */
static void test_former(void **state)
{
	struct scene *s = *state;
	const struct cni_st_set *noted;
	const struct cni_step *step;

	s->has.has_table = s->want.has_table = true;
	PUT(s->has, settings, (struct cni_st_setting){ .device = "", .key = CNI_SET_MULTIPATH_HASH, .value = 0 });
	PUT(s->has, settings, (struct cni_st_setting){ .device = "eth0", .value = 1 });
	PUT(s->has, settings, (struct cni_st_setting){ .device = "eth0", .key = CNI_SET_ACCEPT_LOCAL, .value = 1 });
	PUT(s->want, settings, (struct cni_st_setting){ .device = "", .key = CNI_SET_MULTIPATH_HASH, .value = 1 });
	PUT(s->want, settings, (struct cni_st_setting){ .device = "eth0", .value = 2 });
	PUT(s->want, settings, (struct cni_st_setting){ .device = "eth0", .key = CNI_SET_ACCEPT_LOCAL, .value = 1 });
	step = plan(s, 3);
	assert_int_equal(step[0].object, CNI_SET);
	assert_int_equal(step[0].phase, CNI_EXPAND);
	assert_int_equal(step[1].phase, CNI_IN_PLACE);
	noted = step[0].after;
	assert_string_equal(noted->name, "former");
	assert_int_equal(noted->n_elems, 2);
	assert_memory_equal(noted->keys, "-\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0eth0\0\0\0\0\0\0\0\0\0\0\0", 32);
	assert_string_equal(noted->comments[0], "fib_multipath_hash_policy=0");
	assert_string_equal(noted->comments[1], "rp_filter=1"); /* accept_local was as it is wanted */
	assert_true(cni_set_same(&s->plan->desired->sets[0], noted));

	PUT(s->has, sets, *noted);
	s->has.settings[0].value = 1;
	s->has.settings[0].has_former = true;
	s->has.settings[1].value = 2;
	s->has.settings[1].has_former = true;
	s->has.settings[1].former = 1;
	plan(s, 0);
	s->want.n_settings = 1; /* rp_filter is no more wanted */
	step = plan(s, 2);
	assert_int_equal(step[0].object, CNI_SETTING);
	assert_int_equal(step[0].phase, CNI_CONTRACT);
	assert_int_equal(((const struct cni_st_setting *)step[0].after)->value, 1);
	assert_int_equal(((const struct cni_st_set *)step[1].after)->n_elems, 1);
	s->want = *cni_state_without(s->arena, &s->has);
	step = plan(s, 4); /* two settings, the set, the table */
	assert_int_equal(step[2].object, CNI_SET);
	assert_int_equal(step[3].object, CNI_TABLE_NFT);
}

/* A comment cannot be changed while a rule uses the counter. */
static void test_counter_comment(void **state)
{
	struct scene *s = *state;
	struct cni_expr count = { .op = CNI_X_COUNTER, .name = "path.1" };
	struct cni_st_rule_nft rule = { .exprs = &count, .n_exprs = 1 };
	const struct cni_st_chain chain = { .name = "c", .rules = &rule, .n_rules = 1 };

	s->has.has_table = s->want.has_table = true;
	PUT(s->has, counters, (struct cni_st_counter){ .name = "path.1", .comment = "a" });
	PUT(s->want, counters, (struct cni_st_counter){ .name = "path.1", .comment = "b" });
	assert_int_equal(plan(s, 1)->op, CNI_REPLACE);
	PUT(s->has, chains, chain);
	PUT(s->want, chains, chain);
	plan(s, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_tunnel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_vlan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_endpoints, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_route, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outranking_route, setup, teardown),
		cmocka_unit_test_setup_teardown(test_daemons_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_rule_and_address, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disturbs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_live_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_former, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counter_comment, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
