/* SPDX-License-Identifier: GPL-2.0-or-later */
/* transaction_test.c - from one policy to another with something going wrong at each message in turn. */
#include "tests/unit/netlink_run.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_faults), cmocka_unit_test(test_meddling) };

	return cmocka_run_group_tests(tests, enter, NULL);
}
