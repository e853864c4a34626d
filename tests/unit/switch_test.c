/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch_test.c - from the routes of one day to those of another, in a kernel: what is sent, what is left alone, and what
 * is borne. In a network namespace of its own. */
#include "tests/unit/netlink_run.h"

#include "compiler/state/down.h"
#include "runtime/track/switch.h"

#define FIRST 20000
#define D (FIRST + 16383)

static struct cni_st_route by(struct cni_arena *arena, uint32_t table, uint32_t metric, const char *device)
{
	struct cni_st_route route = {
		.table = table, .metric = metric, .owned = true, .n_hops = 1, .hops = cni_new(arena, struct cni_st_hop)
	};

	*route.hops = (struct cni_st_hop){ .device = device, .weight = 1 };
	return route;
}

/* Desired: of table 20001, v0 before v1; of 20002, v0. `down` lacks those by v0. */
static struct cni_state *day(struct bench *b, bool down)
{
	struct cni_state *state = cni_new(b->arena, struct cni_state);
	struct cni_st_route *all = NULL;
	size_t n = 0;

	*cni_push(b->arena, all, n) = by(b->arena, FIRST + 1, 10, "v0");
	*cni_push(b->arena, all, n) = by(b->arena, FIRST + 1, 20, "v1");
	*cni_push(b->arena, all, n) = by(b->arena, FIRST + 2, 10, "v0");
	state->all_routes = all;
	state->n_all_routes = n;
	state->down_table = D;
	for (size_t i = 0; i < n; i++)
		if (!down || strcmp(all[i].hops->device, "v0") != 0)
			*cni_push(b->arena, state->routes, state->n_routes) = all[i];
	if (down)
		*cni_push(b->arena, state->routes, state->n_routes) = cni_down_route(FIRST, "v0");
	return state;
}

static const struct cni_state *routes(struct bench *b)
{
	struct cni_state *state;

	assert_int_equal(rt_snapshot_routes(b->nl, b->arena, &state), 0);
	return state;
}

static struct rt_switched to(struct bench *b, const struct cni_state *desired, const struct cni_state *before)
{
	return rt_switch_routes(b->nl, b->arena, desired, before->routes, before->n_routes);
}

static void there_and_back(void **state)
{
	const struct cni_state *seen;
	struct rt_switched switched;
	struct bench b;

	(void)state;
	open_bench(&b);
	switched = to(&b, day(&b, false), routes(&b));
	assert_int_equal(switched.n, 3);
	assert_int_equal(switched.error, 0);
	assert_int_equal(to(&b, day(&b, false), routes(&b)).n, 0);
	switched = to(&b, day(&b, true), day(&b, false));
	assert_int_equal(switched.n, 3); /* what says so, and two that go */
	assert_int_equal(switched.error, 0);
	assert_false(switched.moved);
	seen = routes(&b);
	assert_true(cni_is_down_for(seen, FIRST, "v0"));
	assert_int_equal(to(&b, day(&b, true), seen).n, 0);
	sh("ip -4 route show table 20001 | grep -q 'dev v1'");
	sh("! ip -4 route show table 20001 | grep -q 'dev v0'");
	switched = to(&b, day(&b, false), day(&b, true));
	assert_int_equal(switched.n, 3);
	assert_int_equal(to(&b, day(&b, false), routes(&b)).n, 0);
	close_bench(&b);
}

/* Somebody else did the same at the same time: no failure, but to be looked at. */
static void borne(void **state)
{
	struct rt_switched switched;
	struct bench b;

	(void)state;
	open_bench(&b);
	switched = to(&b, day(&b, true), day(&b, false));
	assert_false(switched.moved);
	switched = to(&b, day(&b, true), day(&b, false));
	assert_int_equal(switched.error, 0);
	assert_true(switched.moved);
	close_bench(&b);
}

static void refused(void **state)
{
	struct rt_switched switched;
	struct cni_state *want;
	struct bench b;

	(void)state;
	open_bench(&b);
	(void)to(&b, day(&b, true), routes(&b));
	want = day(&b, false);
	/* one by a device that is not there is left out; one by a gateway that cannot be is refused, the rest is done */
	want->routes[0].hops->device = "none0";
	want->routes[2].hops->has_via = true;
	want->routes[2].hops->via = (struct cni_addr){ CNI_V4, 0xcb007101 };
	switched = to(&b, want, day(&b, true));
	assert_int_equal(switched.n, 2);
	assert_true(switched.error < 0);
	assert_non_null(strstr(switched.text, "203.0.113.1"));
	assert_false(cni_is_down_for(routes(&b), FIRST, "v0"));
	close_bench(&b);
}

static void of_others(void **state)
{
	struct cni_state *want;
	struct bench b;

	(void)state;
	open_bench(&b);
	(void)to(&b, day(&b, false), routes(&b));
	sh("ip route add 198.51.100.0/24 dev v1 table 20001"); /* a daemon's, in a table of ours */
	sh("ip route add default dev v1 table 20777 proto 93"); /* ours, of no path that is wanted: an apply's */
	want = day(&b, false);
	assert_int_equal(to(&b, want, routes(&b)).n, 0);
	sh("ip -4 route show table 20001 | grep -q 198.51.100.0/24");
	sh("ip -4 route show table 20777 | grep -q default");
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(borne),
		cmocka_unit_test(refused),
		cmocka_unit_test(of_others),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, enter, NULL);
}
