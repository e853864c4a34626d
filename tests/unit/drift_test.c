/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drift_test.c - where the kernel differs from what was meant, each object once. */
#include "tests/unit/netlink_run.h"

#include "runtime/drift/drift.h"

/* Whatever the plan does in several steps is one difference, or none. */
static void test_differences(void **state)
{
	struct bench b;
	struct rt_result result;
	struct rt_drift drift;
	const char *patterns[] = { "rule *20001*", "setting v0 *" };
	struct cni_state *want;

	(void)state;
	open_bench(&b);
	must_apply(&b, policy(&b, 'a'), &result);
	drift = rt_drift_of(b.arena, look(&b), policy(&b, 'a'));
	assert_int_equal(drift.n_items, 0);
	sh("ip rule del priority 20001");
	sh("sysctl -qw net.ipv4.conf.v0.rp_filter=1");
	drift = rt_drift_of(b.arena, look(&b), policy(&b, 'a'));
	assert_int_equal(drift.n_items, 2);
	assert_int_equal(drift.items[0].object, CNI_SETTING);
	assert_int_equal(drift.items[0].what, RT_DRIFT_CHANGED);
	assert_string_equal(drift.items[0].is, "setting v0 rp_filter = 1");
	assert_string_equal(drift.items[0].should, "setting v0 rp_filter = 2");
	assert_int_equal(drift.items[1].object, CNI_RULE);
	assert_int_equal(drift.items[1].what, RT_DRIFT_MISSING);
	rt_drift_ignore(&drift, &(struct rt_words){ patterns, 1 });
	assert_int_equal(drift.n_items, 1);
	rt_drift_ignore(&drift, &(struct rt_words){ patterns, 2 });
	assert_int_equal(drift.n_items, 0);
	assert_int_equal(drift.n_ignored, 2);
	must_apply(&b, policy(&b, 'a'), &result);
	/* an address that moves within its subnet: routes go off and on, and are as they were */
	want = policy(&b, 'a');
	for (size_t i = 0; i < want->n_addrs; i++)
		if (!strcmp(want->addrs[i].device, "v0") && want->addrs[i].address.addr.family == CNI_V4)
			want->addrs[i].address = prefix("10.1.0.0", 31);
	cni_state_sort(want);
	drift = rt_drift_of(b.arena, look(&b), want);
	assert_int_equal(drift.n_items, 2);
	assert_string_equal(drift.items[0].text, "address 10.1.0.0/31 dev v0");
	assert_int_equal(drift.items[0].what, RT_DRIFT_MISSING);
	assert_string_equal(drift.items[1].text, "address 10.1.0.1/31 dev v0");
	assert_int_equal(drift.items[1].what, RT_DRIFT_EXTRA);
	/* a device that is not cnic's to make */
	*cni_push(b.arena, want->links, want->n_links) = (struct cni_st_link){ .name = "v9", .kind = "" };
	drift = rt_drift_of(b.arena, look(&b), want);
	assert_int_equal(drift.n_items, 3);
	assert_string_equal(drift.items[0].text, "device v9");
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differences),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
