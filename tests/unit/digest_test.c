/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest_test.c - digests of saved plans move with what cnic holds and with what it would do, and with nothing else. */
#include "tests/unit/netlink_run.h"

#include "runtime/json/state_json.h"
#include "runtime/saved_plan/digest.h"

static const char *digest(struct bench *b, const struct cni_state *state)
{
	char *text = cni_alloc(b->arena, RT_DIGEST_TEXT);

	assert_true(rt_digest_state(b->arena, state, text));
	assert_int_equal(strlen(text), 64);
	return text;
}

static void test_digest_moves(void **state)
{
	static const char *const ours[] = {
		"ip rule del priority 20001",
		"ip route del default table 20001 metric 10",
		"ip address del 10.1.0.1/31 dev v0",
		"nft add rule inet cnic route.a return",
		"nft delete element inet cnic pairs.a { 0x00000001 . \"v0\" } 2>/dev/null || nft flush set inet cnic "
		"pairs.a",
		"sysctl -qw net.ipv4.conf.v0.rp_filter=1",
	};
	struct bench b;
	struct rt_result result;

	(void)state;
	open_bench(&b);
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		const char *before;

		must_apply(&b, policy(&b, 'a'), &result);
		before = digest(&b, look(&b));
		sh(ours[i]);
		if (!strcmp(digest(&b, look(&b)), before))
			fail_msg("%s: not seen", ours[i]);
		must_apply(&b, policy(&b, 'a'), &result);
		if (strcmp(digest(&b, look(&b)), before))
			fail_msg("%s: put right, and still another", ours[i]);
	}
	close_bench(&b);
}

static void test_digest_stays(void **state)
{
	static const char *const others[] = {
		"ip rule add priority 79 from 203.0.113.9 lookup 79",
		"ip route add 198.51.101.0/24 via 192.0.2.3",
		"ip address add 192.0.2.77/24 dev v1",
		"ip link add v7 type veth peer name v8",
		"ip link set v0 down",
		"ip link set v0 up",
		"nft add table inet another",
	};
	struct bench b;
	struct rt_result result;
	const char *before;

	(void)state;
	open_bench(&b);
	must_apply(&b, cni_state_without(b.arena, look(&b)), &result);
	before = digest(&b, look(&b));
	must_apply(&b, policy(&b, 'a'), &result);
	assert_string_not_equal(digest(&b, look(&b)), before);
	must_apply(&b, cni_state_without(b.arena, look(&b)), &result);
	assert_string_equal(digest(&b, look(&b)), before);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		sh(others[i]);
		if (strcmp(digest(&b, look(&b)), before))
			fail_msg("%s: moved the digest", others[i]);
	}
	close_bench(&b);
}

/* A file of `cnic snapshot` stands for the kernel. */
static void test_digest_of_snapshot(void **state)
{
	struct bench b;
	struct rt_result result;
	const struct cni_state *live, *file;
	json_t *json;
	char *text;

	(void)state;
	open_bench(&b);
	must_apply(&b, policy(&b, 'b'), &result);
	live = look(&b);
	json = rt_state_to_json(live);
	text = json_dumps(json, 0);
	json_decref(json);
	file = rt_state_from_json(b.arena, "snapshot", text, strlen(text), &b.diags);
	assert_non_null(file);
	assert_string_equal(digest(&b, live), digest(&b, file));
	free(text);
	close_bench(&b);
}

static void test_digest_of_plan(void **state)
{
	char a[RT_DIGEST_TEXT], again[RT_DIGEST_TEXT], other[RT_DIGEST_TEXT];
	struct bench b;
	const struct cni_state *now;
	struct cni_state *want;

	(void)state;
	open_bench(&b);
	now = look(&b);
	want = policy(&b, 'a');
	assert_true(rt_digest_plan(b.arena, cni_plan(b.arena, now, want, &b.diags), a));
	assert_true(rt_digest_plan(b.arena, cni_plan(b.arena, now, policy(&b, 'a'), &b.diags), again));
	assert_string_equal(a, again);
	/* what the text of a step does not show */
	want->rules[0].mark ^= 0x80;
	want->rules[0].span = (struct cni_span){ 3, 4 };
	assert_true(rt_digest_plan(b.arena, cni_plan(b.arena, now, want, &b.diags), other));
	assert_string_not_equal(a, other);
	want->rules[0].mark ^= 0x80;
	assert_true(rt_digest_plan(b.arena, cni_plan(b.arena, now, want, &b.diags), other));
	assert_string_equal(a, other);
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest_moves),
		cmocka_unit_test(test_digest_stays),
		cmocka_unit_test(test_digest_of_snapshot),
		cmocka_unit_test(test_digest_of_plan),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
