/* SPDX-License-Identifier: GPL-2.0-or-later */
/* foreign_state_test.c - what others did within what is cnic's: rules and sets that it never writes, routes of its
 * protocol that it never makes, routes of others in its tables and in main. */
#include <arpa/inet.h> /* before linux/netfilter.h, which then leaves its own out */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "tests/unit/netlink_run.h"

#include "runtime/netlink/encode.h"
#include "runtime/netlink/expr.h"
#include "runtime/netlink/nft.h"

static bool is_told(const struct bench *b, enum cni_code code, const char *part)
{
	for (const struct cni_diag *d = b->diags.first; d; d = d->next)
		if (d->code == code && strstr(d->message, part))
			return true;
	return false;
}

/* nft 1.0.6 falls over its own feet here. */
static void add_catch_all(struct bench *b, const char *map)
{
	rt_auto_batch struct rt_batch batch = { 0 };
	struct rt_writer w = { .nl = b->nl, .batch = &batch };
	struct nlattr *list, *element, *data, *verdict;
	struct rt_refusal refusal;
	struct nlmsghdr *message;

	rt_nft_begin(&w, 0);
	message = rt_nft_message(&w, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, map);
	list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
	mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_CATCHALL));
	data = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
	verdict = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(message, NFTA_VERDICT_CODE, htonl(NF_ACCEPT));
	mnl_attr_nest_end(message, verdict);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, element);
	mnl_attr_nest_end(message, list);
	rt_nft_end(&w);
	assert_int_equal(rt_exchange(b->nl, RT_NETFILTER, &batch, &refusal), 0);
}

/* From A, to which somebody does `command` (NULL: adds an element for all else), to B, and back. */
static void go_and_return(struct bench *b, const char *command, struct rt_result *result)
{
	const struct cni_plan *plan;

	must_apply(b, policy(b, 'a'), result);
	if (command)
		sh(command);
	else
		add_catch_all(b, "map.a");
	plan = cni_plan(b->arena, look(b), policy(b, 'b'), &b->diags);
	assert_int_equal(rt_apply(b->nl, b->arena, plan, &b->diags, result), 0);
	rt_revert(b->nl, b->arena, plan, &b->diags, result);
}

static void clear(struct bench *b)
{
	struct rt_result result;

	b->diags.n_errors = 0;
	must_apply(b, cni_state_without(b->arena, look(b)), &result);
	close_bench(b);
}

/* What cnic cannot write is gone with the chain that it stood in, and is not said to be back. All else is. */
static void test_way_back(void **state)
{
	static const struct {
		const char *command, *told;
	} rows[] = {
		{ "nft insert rule inet cnic prerouting counter log", "prerouting" },
		{ "nft insert rule inet cnic route.a counter log", "route.a" },
		{ "nft insert rule inet cnic output ip saddr '{ 192.0.2.1, 192.0.2.3 }' accept", "output" },
		{ "nft add rule inet cnic route.a ip saddr '{ 192.0.2.1, 192.0.2.3 }' accept", "route.a" },
		{ "nft add set inet cnic mine '{ type ipv4_addr; flags timeout; }'", "mine" },
		{ "nft 'add set inet cnic mine { type ipv4_addr; timeout 1h; elements = { 192.0.2.1 }; };"
		  "add rule inet cnic output ip saddr @mine accept'",
		  "output" },
		{ "ip link add d0 group 25454 type veth peer name d1", "d0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rt_result result;
		struct bench b;

		open_bench(&b);
		go_and_return(&b, rows[i].command, &result);
		if (result.outcome != RT_INCOMPLETE || !is_told(&b, CNI707, rows[i].told)) {
			print_diags(&b);
			fail_msg("%s: outcome %d", rows[i].command, (int)result.outcome);
		}
		assert_int_equal(result.n_leftovers, 0);
		assert_true(holds(&b, policy(&b, 'a'), 0));
		clear(&b);
	}
}

/* What was not touched is still there, and then all is. */
static void test_untouched(void **state)
{
	struct cni_state *want;
	struct rt_result result;
	struct bench b;

	(void)state;
	open_bench(&b);
	must_apply(&b, policy(&b, 'a'), &result);
	sh("nft insert rule inet cnic prerouting counter log");
	sh("nft insert rule inet cnic route.a ip saddr '{ 192.0.2.1, 192.0.2.3 }' counter");
	sh("nft add set inet cnic mine '{ type ipv4_addr; flags timeout; }'");
	want = policy(&b, 'b');
	for (size_t i = 0; i < want->n_routes; i++)
		want->routes[i].source = prefix(want->routes[i].family ? "2001:db8::7" : "203.0.113.9", 0).addr;
	assert_int_not_equal(apply(&b, want, &result), 0);
	assert_int_equal(result.outcome, RT_RESTORED);
	sh("nft list chain inet cnic prerouting | grep -q log");
	sh("nft list chain inet cnic route.a | grep -q 192.0.2.3");
	sh("nft list set inet cnic mine | grep -q timeout");
	clear(&b);
}

/* An anonymous set goes with its rule, and is nothing to be collected. */
static void test_anonymous_set(void **state)
{
	struct rt_result result;
	struct bench b;

	(void)state;
	open_bench(&b);
	must_apply(&b, policy(&b, 'a'), &result);
	sh("nft insert rule inet cnic prerouting ip saddr '{ 192.0.2.1, 192.0.2.3 }' accept");
	sh("nft insert rule inet cnic route.a ip saddr '{ 192.0.2.1, 192.0.2.3 }' accept");
	must_apply(&b, policy(&b, 'b'), &result);
	assert_true(holds(&b, policy(&b, 'b'), 0));
	clear(&b);
}

/* A set of ours with an element for all else is somebody's doing, and is put right. */
static void test_catch_all(void **state)
{
	struct rt_result result;
	struct bench b;

	(void)state;
	open_bench(&b);
	must_apply(&b, policy(&b, 'a'), &result);
	add_catch_all(&b, "map.a");
	for (size_t i = 0; i < look(&b)->n_sets; i++)
		if (!strcmp(look(&b)->sets[i].name, "map.a"))
			assert_true(!look(&b)->sets[i].n_fields && !look(&b)->sets[i].n_elems);
	must_apply(&b, policy(&b, 'a'), &result);
	sh("! nft list map inet cnic map.a | grep -F '*'");
	b.diags.n_errors = 0;
	go_and_return(&b, NULL, &result);
	assert_int_equal(result.outcome, RT_INCOMPLETE);
	assert_true(is_told(&b, CNI707, "map.a"));
	clear(&b);
}

/* Routes of our protocol and of a type that cnic never makes are left alone. */
static void test_other_routes(void **state)
{
	struct rt_result result;
	struct bench b;

	(void)state;
	open_bench(&b);
	go_and_return(&b,
		      "ip route add prohibit 203.0.113.0/24 table 77 protocol 93;"
		      "ip -6 route add throw 2001:db8:9::/48 table 20002 protocol 93",
		      &result);
	assert_int_equal(result.outcome, RT_RESTORED);
	must_apply(&b, cni_state_without(b.arena, look(&b)), &result);
	sh("ip route show table 77 | grep -q prohibit");
	sh("ip -6 route show table 20002 | grep -q throw");
	sh("ip route flush table 77 protocol 93; ip -6 route flush table 20002 protocol 93");
	clear(&b);
}

static size_t count_routes(const struct cni_state *state, uint32_t table)
{
	size_t n = 0;

	for (size_t i = 0; i < state->n_routes; i++)
		n += state->routes[i].table == table;
	return n;
}

/* Of main, where a daemon may keep a million routes, the defaults and ours are kept. */
static void test_main(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b);
	assert_int_equal(count_routes(look(&b), RT_TABLE_MAIN), 0);
	sh("ip route add default via 192.0.2.2 metric 7; ip route add 203.0.113.0/24 via 192.0.2.2 protocol 93;"
	   "ip -6 route add default dev v1 metric 7; ip -6 route add 2001:db8:9::/48 dev v1");
	assert_int_equal(count_routes(look(&b), RT_TABLE_MAIN), 3);
	sh("ip route flush table main protocol 93; ip -6 route del 2001:db8:9::/48;"
	   "ip route del default; ip -6 route del default");
	close_bench(&b);
}

/* What others have in tables that a mark leads to is seen, and in those that only a policy to come fills when asked. */
static void test_others_tables(void **state)
{
	struct cni_diags aside;
	struct rt_result result;
	const struct cni_state *more;
	struct bench b;

	(void)state;
	open_bench(&b);
	must_apply(&b, policy(&b, 'a'), &result);
	sh("ip route add 203.0.113.0/24 dev v1 table 20001; ip -6 route add 2001:db8:9::/48 dev v1 table 20001;"
	   "ip route add default dev v1 table 20003 metric 5; ip route add 203.0.113.0/24 dev v1 table 77");
	assert_int_equal(count_routes(look(&b), 20001), count_routes(policy(&b, 'a'), 20001) + 2);
	assert_int_equal(count_routes(look(&b), 20003) + count_routes(look(&b), 77), 0);
	more = rt_snapshot_for(b.nl, b.arena, look(&b), policy(&b, 'b'), &b.diags);
	assert_int_equal(count_routes(more, 20001), count_routes(policy(&b, 'a'), 20001) + 2);
	assert_int_equal(count_routes(more, 20003), 1);
	cni_diags_init(&aside, b.arena);
	cni_plan(b.arena, more, policy(&b, 'b'), &aside);
	assert_int_equal(aside.n_errors, 1);
	assert_int_equal(aside.first->code, CNI553);
	/* one that came too late for the plan is seen afterwards, and the change is taken back */
	assert_int_not_equal(apply(&b, policy(&b, 'b'), &result), 0);
	assert_int_equal(result.outcome, RT_RESTORED);
	assert_true(is_told(&b, CNI706, "table 20003"));
	sh("ip route flush table 20003; ip route flush table 77; ip route del 203.0.113.0/24 table 20001;"
	   "ip -6 route del 2001:db8:9::/48 table 20001");
	clear(&b);
}

/* What cnic never writes is refused by those who write. */
static void test_encoders(void **state)
{
	const struct cni_expr other = { .op = CNI_X_OTHER, .name = "log" };
	const struct cni_st_route route = { .type = CNI_RT_OTHER, .table = 77 };
	const struct cni_st_link link = { .name = "d0", .owned = true };
	const struct cni_st_set set = { .name = "mine", .key_len = 4 };
	void (*const row[])(struct rt_writer *, const void *) = { rt_route_add, rt_route_del, rt_link_add };
	const void *const record[] = { &route, &route, &link };
	struct bench b;

	(void)state;
	open_bench(&b);
	assert_null(rt_expr_encode(&other));
	for (size_t i = 0; i < 5; i++) {
		rt_auto_batch struct rt_batch batch = { 0 };
		struct rt_writer w = { .nl = b.nl, .batch = &batch };

		if (i < 3)
			row[i](&w, record[i]);
		else if (i == 3)
			rt_nft_set(&w, &set, true);
		else
			rt_nft_elements(&w, &set);
		assert_int_equal(batch.error, -ENOTSUP);
	}
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_way_back),      cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_anonymous_set), cmocka_unit_test(test_catch_all),
		cmocka_unit_test(test_other_routes),  cmocka_unit_test(test_encoders),
		cmocka_unit_test(test_main),	      cmocka_unit_test(test_others_tables),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
