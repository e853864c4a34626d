/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netlink_test.c - snapshot and encoders against the running kernel: what was asked for is there, what is not cnic's
 * stays as it is, and a refusal leads to its place. */
#include "tests/unit/netlink_run.h"

#include <errno.h>

#include "runtime/json/state_json.h"
#include "runtime/lock.h"

/* The state as text, of what cnic does not own, to see that it is as it was. */
static char *foreign_state(struct bench *b)
{
	FILE *out = popen("ip -d link | grep -v '^ *link/' | sed 's/ state [A-Z]*//'; ip address | grep -v cnic | grep "
			  "-v fe80; ip rule; ip -6 rule;"
			  "ip route; ip -6 route | grep -v fe80; nft list ruleset; sysctl -a 2>/dev/null |"
			  "grep -E 'rp_filter|accept_local|hash_policy'",
			  "r");
	char text[65536];
	size_t len = fread(text, 1, sizeof(text), out);

	assert_int_equal(pclose(out), 0);
	return cni_strndup(b->arena, text, len);
}

static void test_apply_and_remove(void **state)
{
	struct bench b;
	struct rt_result result;
	char *before;

	(void)state;
	open_bench(&b);
	before = foreign_state(&b);
	must_apply(&b, policy(&b, 'a'), &result);
	assert_true(result.n_changes > 20);
	must_apply(&b, policy(&b, 'a'), &result);
	assert_int_equal(result.n_changes, 0);
	must_apply(&b, policy(&b, 'b'), &result);
	must_apply(&b, policy(&b, 'b'), &result);
	assert_int_equal(result.n_changes, 0);
	must_apply(&b, cni_state_without(b.arena, look(&b)), &result);
	assert_string_equal(foreign_state(&b), before);
	must_apply(&b, cni_state_without(b.arena, look(&b)), &result);
	assert_int_equal(result.n_changes, 0);
	close_bench(&b);
}

/* What the kernel refuses is said at the place that it came from, in its own words. */
static void test_refusal(void **state)
{
	struct bench b;
	struct cni_state *want;
	struct rt_result result;

	(void)state;
	open_bench(&b);
	want = policy(&b, 'a');
	for (size_t i = 0; i < want->n_routes; i++)
		if (want->routes[i].table == 20002 && want->routes[i].metric == 10) {
			want->routes[i].source = prefix("203.0.113.9", 32).addr; /* not an address of ours */
			want->routes[i].span = (struct cni_span){ 10, 20 };
		}
	assert_int_equal(apply(&b, want, &result), -EINVAL);
	assert_int_equal(result.outcome, RT_RESTORED);
	assert_int_equal(b.diags.first->code, CNI702);
	assert_int_equal(b.diags.first->span.begin, 10);
	assert_non_null(strstr(b.diags.first->label, "Invalid prefsrc"));
	assert_true(holds(&b, cni_state_without(b.arena, look(&b)), 0));
	close_bench(&b);
}

/* The rule that the kernel refuses is the one that the diagnostic points at. */
static void test_refused_rule(void **state)
{
	struct bench b;
	struct cni_state *want;
	struct rt_result result;

	(void)state;
	open_bench(&b);
	want = policy(&b, 'a');
	for (size_t i = 0; i < want->n_chains; i++)
		if (!strcmp(want->chains[i].name, "route.a")) {
			struct cni_st_chain *c = &want->chains[i];
			struct cni_st_rule_nft *r = cni_push(b.arena, c->rules, c->n_rules);

			r->span = (struct cni_span){ 30, 40 };
			add_expr(&b, r, CNI_X_COUNTER, 0)->name = "nowhere";
		}
	assert_int_equal(apply(&b, want, &result), -ENOENT);
	assert_int_equal(result.outcome, RT_RESTORED);
	assert_int_equal(b.diags.first->code, CNI702);
	assert_int_equal(b.diags.first->span.begin, 30);
	close_bench(&b);
}

/* What cannot even be written is refused before anything is sent. */
static void test_too_long(void **state)
{
	struct cni_state *want;
	struct rt_result result;
	struct bench b;

	(void)state;
	open_bench(&b);
	want = policy(&b, 'a');
	want->n_addrs = want->n_rules = want->n_routes = want->n_settings = 0;
	want->counters[1].comment = cni_printf(b.arena, "%0254d", 0);
	want->counters[1].span = (struct cni_span){ 50, 60 };
	assert_int_equal(apply(&b, want, &result), -E2BIG);
	assert_int_equal(result.outcome, RT_UNTOUCHED);
	assert_int_equal(result.n_changes, 0);
	assert_int_equal(b.diags.first->code, CNI712);
	assert_int_equal(b.diags.first->span.begin, 50);
	b.diags.n_errors = 0;
	want->counters[1].comment = cni_printf(b.arena, "%0253d", 0);
	must_apply(&b, want, &result);
	must_apply(&b, cni_state_without(b.arena, look(&b)), &result);
	close_bench(&b);
}

/* A snapshot as JSON reads as the same snapshot; anything else is refused without harm. */
static void test_json(void **state)
{
	struct rt_result result;
	struct cni_state *again;
	char *text, *text_again;
	struct bench b;
	size_t len;
	json_t *json;

	(void)state;
	open_bench(&b);
	must_apply(&b, policy(&b, 'a'), &result);
	json = rt_state_to_json(look(&b));
	text = json_dumps(json, JSON_INDENT(1));
	json_decref(json);
	len = strlen(text);
	again = rt_state_from_json(b.arena, "state", text, len, &b.diags);
	print_diags(&b);
	assert_non_null(again);
	assert_int_equal(cni_plan(b.arena, again, policy(&b, 'a'), &b.diags)->n_steps, 0);
	assert_int_equal(cni_plan(b.arena, look(&b), cni_state_without(b.arena, again), &b.diags)->n_steps,
			 cni_plan(b.arena, look(&b), cni_state_without(b.arena, look(&b)), &b.diags)->n_steps);
	json = rt_state_to_json(again);
	text_again = json_dumps(json, JSON_INDENT(1));
	json_decref(json);
	assert_string_equal(text, text_again);
	free(text_again);

	srandom(1);
	for (int i = 0; i < 3000; i++) {
		struct cni_arena *arena = cni_arena_new();
		size_t at = (size_t)random() % len;
		struct cni_diags diags;
		char old = text[at];

		cni_diags_init(&diags, arena);
		text[at] = "0\"{}[],-9 xz"[random() % 12];
		if (!rt_state_from_json(arena, "state", text, i % 10 ? len : at, &diags))
			assert_int_equal(diags.first->code, CNI711);
		text[at] = old;
		cni_arena_free(arena);
	}
	free(text);
	must_apply(&b, cni_state_without(b.arena, look(&b)), &result);
	close_bench(&b);
}

static void test_lock(void **state)
{
	rt_auto_lock int first = -1, second = -1;
	struct bench b;
	char holder[32];

	(void)state;
	open_bench(&b);
	assert_int_equal(rt_lock(0, &first, &b.diags), 0);
	assert_int_equal(rt_lock(30, &second, &b.diags), -EWOULDBLOCK);
	snprintf(holder, sizeof(holder), "process %d ", (int)getpid());
	assert_non_null(strstr(b.diags.first->message, holder));
	assert_int_equal(second, -1);
	close(first);
	first = -1;
	assert_int_equal(rt_lock(0, &second, &b.diags), 0);
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apply_and_remove), cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_refused_rule),	 cmocka_unit_test(test_json),
		cmocka_unit_test(test_too_long),	 cmocka_unit_test(test_lock),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
