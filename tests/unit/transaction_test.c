/* SPDX-License-Identifier: GPL-2.0-or-later */
/* transaction_test.c - from one policy to another with something going wrong at each message in turn. */
#include "tests/unit/netlink_run.h"

#include <errno.h>
#include <time.h>

#include <linux/rtnetlink.h>

#include "runtime/commands/carry_out.h"
#include "runtime/confirm/waiting.h"
#include "tests/fault/faulty.h"

static void run_command(void *command)
{
	sh(command);
}

/* From one policy to another with the n-th message going wrong (behind FAULT_MEDDLE: the n-th datagram), for every n:
 * one or the other, and the next apply gets there. With `harmless`, it is the other at once; without `strict`, only the
 * end counts. */
static void fail_everywhere(char from, char to, enum fault fault, const char *meddle, bool harmless, bool strict)
{
	struct faulty *faulty;
	struct rt_netlink *nl;
	bool struck = true;

	assert_int_equal(faulty_open(&faulty), 0);
	nl = rt_netlink_new(&faulty->transport);
	assert_non_null(nl);
	faulty->meddle = run_command;
	faulty->arg = (void *)(uintptr_t)meddle;
	for (size_t n = 1; struck; n++) {
		struct bench b = { .arena = cni_arena_new(), .nl = nl };
		const struct cni_state *old, *new;
		struct rt_result result;

		cni_diags_init(&b.diags, b.arena);
		old = from ? policy(&b, from) : cni_state_without(b.arena, look(&b));
		new = to ? policy(&b, to) : cni_state_without(b.arena, look(&b));
		must_apply(&b, old, &result);
		if (!to)
			new = cni_state_without(b.arena, look(&b));

		faulty_arm(faulty, fault, n);
		apply(&b, new, &result);
		struck = faulty->struck;
		faulty_arm(faulty, fault, 0);
		if (strict && !(result.outcome == RT_DONE ? holds(&b, new, result.n_leftovers)
							  : result.outcome != RT_INCOMPLETE && holds(&b, old, 0))) {
			print_diags(&b);
			fail_msg("%c to %c: after %s at %zu: outcome %d", from, to, fault_names[fault], n,
				 (int)result.outcome);
		}
		if (harmless != (result.outcome == RT_DONE) && (harmless || n == 1))
			print_diags(&b);
		assert_true(harmless ? result.outcome == RT_DONE : !strict || n > 1 || result.outcome != RT_DONE);
		b.diags.n_errors = 0;
		must_apply(&b, new, &result);
		cni_arena_free(b.arena);
	}
	rt_netlink_free(nl);
}

static void test_faults(void **state)
{
	static const enum fault faults[] = { FAULT_ENOMEM, FAULT_LOST };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fail_everywhere(0, 'a', faults[i], NULL, false, true);
		fail_everywhere('a', 'b', faults[i], NULL, false, true);
		fail_everywhere('b', 0, faults[i], NULL, false, true);
	}
}

/* Someone else's nft transaction at any moment does not matter; one to our own table does, and is seen. */
static void test_meddling(void **state)
{
	(void)state;
	fail_everywhere('a', 'b', FAULT_MEDDLE, "nft 'add table inet m; delete table inet m'", true, true);
	fail_everywhere('a', 'b', FAULT_MEDDLE, "nft flush table inet cnic", false, false);
	fail_everywhere(
		'b', 0, FAULT_MEDDLE,
		"nft 'add table inet cnic; delete table inet cnic'; ip rule add priority 20001 lookup 9 protocol 93",
		false, false);
	sh("! ip rule | grep -w 9");
}

/* ---- a router that is busy ---- */

static int (*real_send)(struct rt_transport *transport, enum rt_bus bus, const void *data, size_t len);
static double busy_until;
static size_t busy_looks;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* While it is busy, an address of another device changes during every look. */
static int busy_send(struct rt_transport *transport, enum rt_bus bus, const void *data, size_t len)
{
	const struct nlmsghdr *first = data;

	if (bus == RT_ROUTE && first->nlmsg_type == RTM_GETADDR && (busy_looks || now() < busy_until)) {
		busy_looks -= !!busy_looks;
		sh("ip address add 198.18.0.1/32 dev v1; ip address del 198.18.0.1/32 dev v1");
	}
	return real_send(transport, bus, data, len);
}

static void open_busy(struct bench *b)
{
	struct rt_transport *transport;

	*b = (struct bench){ .arena = cni_arena_new() };
	cni_diags_init(&b->diags, b->arena);
	assert_int_equal(rt_socket_open(&transport), 0);
	real_send = transport->send;
	transport->send = busy_send;
	b->nl = rt_netlink_new(transport);
	assert_non_null(b->nl);
}

/* Somebody is busy for a second from the first message on: what was applied is seen all the same. */
static void test_busy(void **state)
{
	const struct cni_state *want;
	const struct cni_plan *plan;
	struct cni_state *seen;
	struct rt_result result;
	struct bench b;
	double begin;

	(void)state;
	open_busy(&b);
	must_apply(&b, cni_state_without(b.arena, look(&b)), &result);
	want = policy(&b, 'a');
	plan = cni_plan(b.arena, look(&b), want, &b.diags);
	busy_until = now() + 1;
	if (rt_apply(b.nl, b.arena, plan, &b.diags, &result))
		print_diags(&b);
	assert_int_equal(result.outcome, RT_DONE);
	assert_true(result.verified);
	assert_true(now() >= busy_until);
	/* one that never holds still is given up after two */
	begin = now();
	busy_looks = SIZE_MAX;
	assert_int_equal(rt_snapshot(b.nl, b.arena, &seen, &b.diags), -EAGAIN);
	busy_looks = 0;
	assert_true(now() - begin > 1.9);
	close_bench(&b);
}

/* Neither the change nor its being rolled back can be seen: where a confirmation was to be asked for, it goes back as
 * soon as there is something to be seen. */
static void test_unseen(void **state)
{
	struct rt_options options = { .quiet = true, .no_input = true };
	const struct cni_state *want;
	struct rt_attempt attempt;
	struct rt_supervision s;
	struct rt_result result;
	struct bench b;

	(void)state;
	open_busy(&b);
	want = policy(&b, 'a');
	must_apply(&b, want, &result);
	attempt = (struct rt_attempt){ .session = rt_session_new(b.arena, &options), .nl = b.nl, .lock = -1 };
	attempt.plan = rt_keeping_plan(attempt.session, NULL, look(&b), b.nl);
	attempt.n_steps = attempt.plan->n_steps;
	s = (struct rt_supervision){ .attempt = &attempt, .limit = 60000, .line = -1 };
	rt_way_back_find(&s.back, &attempt);
	busy_looks = 24; /* of the look after the change, and of the one after its being rolled back */
	assert_int_equal(rt_go_on(&s), RT_REVERTED);
	assert_int_equal(busy_looks, 0);
	assert_true(holds(&b, want, 0));
	rt_way_back_end(&s.back);
	json_decref(attempt.session->json);
	must_apply(&b, cni_state_without(b.arena, look(&b)), &result);
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_faults), cmocka_unit_test(test_meddling),
					    cmocka_unit_test(test_busy), cmocka_unit_test(test_unseen) };

	return cmocka_run_group_tests(tests, enter, NULL);
}
