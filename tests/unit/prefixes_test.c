/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prefixes_test.c - files of prefixes: what their lines may be, and what becomes of bad ones. */
#include "tests/unit/parse_run.h"

static void prefixes(void **state)
{
	static const char text[] = "# networks\r\n10.0.0.0/8\r\n\n  10.128.0.0/9 # within\t\n11.0.0.0-11.255.255.255\n"
				   "192.0.2.1\n2001:db8::/32 # a: b\n10.1.1.1 # ::\n2001:db9::";
	struct run *run = begin(text, strlen(text));
	const struct cni_ranges *r = cni_parse_prefixes(run->arena, run->source, &run->diags);

	(void)state;
	assert_string_equal(mistakes(run), "1:1 34"); /* one is there twice */
	assert_int_equal(r->n_v4, 2);
	assert_int_equal(r->v4[0].lo, 0x0a000000);
	assert_int_equal(r->v4[0].hi, 0x0bffffff);
	assert_int_equal(r->v4[1].lo, 0xc0000201);
	assert_int_equal(r->n_v6, 1); /* 2001:db8::/32 ends where 2001:db9:: is */
	done(run);
}

static void bad_prefixes(void **state)
{
	static const char text[] =
		"10.0.0.1/8\n10.0.0.0/33\n10.0.0.0/\nx\n10.0.0.9-10.0.0.1\n10.0.0.1-::1\n"
		"10.0.0.0/8 11.0.0.0/8\n10.0.0.0/8/9\n2001:db8::1/32\n/8\n-\n10.0.0.0/08x\n192.0.2.0/24\n";
	struct run *run = begin(text, strlen(text));
	const struct cni_ranges *r = cni_parse_prefixes(run->arena, run->source, &run->diags);
	char *many = repeat("x\n", 1000);

	(void)state;
	assert_string_equal(mistakes(run), "1:1 31, 2:1 30, 3:1 30, 4:1 30, 5:1 32, 6:1 32, 7:1 30, 8:1 30, 9:1 31, "
					   "10:1 30, 11:1 30, 12:1 30");
	assert_string_equal(run->diags.first->help, "the network is 10.0.0.0/8");
	assert_int_equal(r->n_v4, 1);
	done(run);

	run = begin(many, strlen(many));
	r = cni_parse_prefixes(run->arena, run->source, &run->diags);
	assert_true(cni_ranges_is_empty(r));
	assert_int_equal(run->diags.n_errors, 21);
	assert_string_equal(run->diags.first->next->message, "`x` is no address, prefix or range");
	done(run);
	free(many);
}

/* Wherever they stand: before what holds them, behind it, equal, one end or both in common. */
static void inner_prefixes(void **state)
{
	static const char text[] = "10.0.0.0/16\n10.0.0.0/8\n10.255.255.0/24\n10.0.0.0-11.0.0.0\n10.0.0.0/8\n"
				   "11.0.0.0-11.0.0.5\n2001:db8::/48\n2001:db8::/32\n";
	struct run *run = begin(text, strlen(text));

	(void)state;
	cni_parse_prefixes(run->arena, run->source, &run->diags);
	assert_string_equal(mistakes(run), "1:1 34, 1:1 34");
	assert_non_null(strstr(run->diags.first->next->message, " 4 lines of IPv4 "));
	assert_non_null(strstr(run->diags.first->message, " 1 line of IPv6 that others hold already, the first of "
							  "them 2001:db8::-2001:db8:0:ffff:"));
	done(run);
}

static void no_prefixes(void **state)
{
	struct run *run = begin("", 0);

	(void)state;
	assert_true(cni_ranges_is_empty(cni_parse_prefixes(run->arena, run->source, &run->diags)));
	done(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes),
		cmocka_unit_test(bad_prefixes),
		cmocka_unit_test(inner_prefixes),
		cmocka_unit_test(no_prefixes),
	};

	return cmocka_run_group_tests_name("prefix files", tests, NULL, NULL);
}
