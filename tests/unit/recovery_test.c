/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recovery_test.c - all mistakes of a text in one run, at their places, in good words; and the limits. */
#include "tests/unit/parse_run.h"

/* All mistakes of a text, at their places, each once; and how many declarations are left. */
static void recovery(void **state)
{
	static const struct {
		const char *text, *mistakes;
		size_t left;
	} rows[] = {
		{ "tunel cf1 { kind gre; x { } }\ndefine a = 1.1.1.1;\n", "1:1 1", 1 },
		{ "define a = { 10.0.0.0/8 10.1.0.0/16 };\nlan b { prefix 1.1.1.1; }", "1:25 1", 1 },
		{ "define a = 10.0.0.0/8\ndefine b = 1.1.1.1;", "1:12 2", 1 },
		{ "lan x { prefix 10.0.0.0/8 }\nlan y { prefix 1.1.1.1 }", "1:16 2, 2:16 2", 0 },
		{ "define drop = 1.1.1.1;\nlan via { a b; }\npolicy tcp on x { }", "1:8 3, 2:5 3, 3:8 3", 0 },
		{ "policy p on x {\nroute a to { b, c via cf1 else drop;\nroute b form x drop;\nroute c via x els "
		  "drop;\n"
		  "route main via x;\nelse drp;\n}\ndefine x = 1.1.1.1;",
		  "2:12 4, 3:9 1, 4:15 1, 5:7 3, 6:6 1", 1 },
		{ "policy p onn x { route a drp; else drop; }\nprofile 2024;", "1:10 1, 1:26 1", 1 },
		{ "policy p on x { else drop; route a drop; route b drop; }\nprofile 2024;", "1:28 1", 1 },
		{ "policy p on x { route a via b then main; route b via c }\nprofile 2024;", "1:36 3, 1:54 2", 1 },
		{ "lan x {\nbgp { a 1;\nb 2; }\nlink y { kind a; }\nlan z { a b; }", "1:7 4", 2 },
		{ "lan a { b c; }\ntunnel t { kind gre;\nx { a b;", "2:10 4", 1 },
		{ "define s = { a; b };\ndefine t = { a, c;\ndefine u = { c };", "1:15 1, 2:12 4", 1 },
		{ "}\n};\ndefine a = 1.1.1.1; }", "1:1 5, 2:1 5, 3:21 5", 1 },
		{ "lan a { b c; };\nlan b { c d; }", "1:15 1", 2 },
		{ "include \"x;\nvar d = \"a\nvar e = 1s;", "1:9 6, 2:9 2, 2:9 6", 1 },
		{ "lan a { device eth1.100; x @; y 1; }\nlan b { c 'd'; }", "1:16 17, 1:28 9, 2:11 9, 2:13 9", 0 },
		{ "define a = 10.0.0.256;\ndefine b = 10.0.0.0/33;\ndefine c = ::/129;\ndefine d = 1:2;\ndefine e = "
		  "1.1.1.1-::;\ndefine f = 1.1.1.1-2;",
		  "1:12 14, 2:12 15, 3:12 15, 4:12 14, 5:12 16, 6:12 14", 0 },
		{ "var a = 5sec;\nvar b = 18446744073709551616;\nvar c = 1194h;\nvar d = 100.1%;\nvar e = "
		  "0.0001%;\nvar f = $ ;",
		  "1:9 11, 2:9 12, 3:9 13, 4:9 20, 5:9 20, 6:9 21", 0 },
		{ "var a = \"x\x01\";\nvar b = \"\xff\";\nvar c = \"\xc0\xaf\";\nvar d = \"\xed\xa0\x80\";\nvar e = "
		  "\"\xc3\xa9\";\xc3",
		  "1:9 10, 2:9 10, 3:9 10, 4:9 10, 5:14 9", 1 },
		{ "expect on eth2 fro 1.1.1.1 drop;\nexpect on eth2, eth3 drop;\nexpect on eth2 not tcp dport 1 via x;",
		  "1:16 1, 2:15 1", 1 },
		{ "service s = { tcp 80 tcp 90 };\nservice t { tcp 80 };\nservice u = { };\nservice v = $w;",
		  "1:22 1, 2:11 1", 2 },
		{ "lan x { = ; {} a , b; c d; }\nlan y { a { b }; c d; }", "1:9 1, 1:13 1, 1:18 1, 2:13 2, 2:16 1", 0 },
		{ "options { a b; }\noptions x { a b; }\nprofile x;\nroute a drop;", "2:9 1, 3:9 1, 4:1 1", 1 },
		{ "# only a comment", "", 0 },
		{ "", "", 0 },
		{ "define a = 1.1.1.1", "1:12 2", 0 },
		{ "define", "1:7 1", 0 },
		{ "tunel a { b; }\ntunel c { d { e; } f; }\nlan g { h = { i; } j = { k; }; l { m; } }\nprofile 2024;",
		  "1:1 1, 2:1 1, 3:11 1, 3:22 1", 1 },
		{ "define a = { 1.1.1.1\nlan b { c d }\nlan e { f g; }\npolicy p on x { route r to { 1.1.1.1\nvar v = "
		  "1;",
		  "1:12 4, 2:11 2, 4:15 4", 2 },
		{ "define a = { { {\nlan b rest {", "1:16 4, 2:7 1, 2:12 4", 0 },
		{ "policy p on x { route r to { { a, { b via c else drop; else drop; }", "1:35 4", 0 },
		{ "{}\n{};\nprofile 2024;", "1:1 1, 2:1 1", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct run *run = parse(rows[i].text);

		assert_string_equal(mistakes(run), rows[i].mistakes);
		if (count(run) != rows[i].left)
			fail_msg("%zu declarations are left of: %s", count(run), rows[i].text);
		done(run);
	}
}

static const struct cni_diag *only(struct run *run)
{
	assert_int_equal(run->diags.n_errors, 1);
	return run->diags.first;
}

static void wording(void **state)
{
	static const struct {
		const char *text, *message, *help;
	} rows[] = {
		{ "tunel a { }",
		  "found `tunel`, expected `lan`, `link`, `tunnel`, `policy`, `define`, `service`, `include`, "
		  "`expect`, …",
		  "did you mean `tunnel`?" },
		{ "define a 1;", "found `1`, expected `=`", NULL },
		{ "define a = 1.1.1.1", "`;` is missing behind `1.1.1.1`", NULL },
		{ "policy a onn b { }", "found `onn`, expected `on`", "did you mean `on`?" },
		{ "lan main { a b; }", "`main` is a word of the language, and no name", NULL },
		{ "policy p on x { route a via b then main; else drop; }",
		  "`main` is a word of the language, and no name",
		  "ordinary routing as the last resort is written `else main`" },
		{ "lan a { b c; };", "a block ends with its `}`: there is no `;` behind it", NULL },
		{ "define a = {", "this `{` is not closed", NULL },
		{ "var a = eth1.100;", "`eth1.100` needs quotes",
		  "write \"eth1.100\": a bare word has only letters, digits, `_` and `-`" },
		{ "lan a { , }", "found `,`, expected a word or `}`", NULL },
		{ "profile", "found the end of the text, expected a number", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct run *run = parse(rows[i].text);
		const struct cni_diag *d = only(run);

		assert_string_equal(d->message, rows[i].message);
		if (rows[i].help)
			assert_string_equal(d->help, rows[i].help);
		else
			assert_null(d->help);
		done(run);
	}
}

static char *joined(const char *a, char *b, const char *c, char *d, const char *e)
{
	char *text = malloc(strlen(a) + strlen(b) + strlen(c) + strlen(d) + strlen(e) + 1);

	assert_non_null(text);
	strcpy(text, a);
	strcat(text, b);
	strcat(text, c);
	strcat(text, d);
	strcat(text, e);
	free(b);
	free(d);
	return text;
}

static void expect_mistakes(char *text, const char *expected, size_t left)
{
	struct run *run = parse(text);

	assert_string_equal(mistakes(run), expected);
	assert_int_equal(count(run), left);
	done(run);
	free(text);
}

static void depth(void **state)
{
	(void)state;
	expect_mistakes(joined("define a = ", repeat("{", 64), "1.1.1.1", repeat("}", 64), ";profile 2024;"), "", 2);
	expect_mistakes(joined("define a = ", repeat("{", 65), "1.1.1.1", repeat("}", 65), ";profile 2024;"), "1:76 8",
			1);
	expect_mistakes(joined("lan a ", repeat("{ b ", 64), ";", repeat("}", 64), "profile 2024;"), "", 2);
	expect_mistakes(joined("lan a ", repeat("{ b ", 65), ";", repeat("}", 65), "profile 2024;"), "1:263 8", 1);
	expect_mistakes(joined("lan a ", repeat("{ b ", 10000), ";", repeat("}", 10000), "profile 2024;"), "1:263 8",
			1);
	expect_mistakes(joined("define a = ", repeat("{", 1000000), "", repeat("", 0), ""), "1:12 4, 1:76 8", 0);
	expect_mistakes(joined("", repeat("{", 1000000), "", repeat("", 0), ""), "1:1 1, 1:1 4, 1:65 8", 0);
}

static void size(void **state)
{
	struct run *run;
	char *text = repeat("define a = { 10.0.0.0/8, 10.1.0.0/16 };\n", 100000);

	(void)state;
	run = good(text);
	assert_int_equal(count(run), 100000);
	done(run);
	free(text);
	expect_mistakes(joined("define ", repeat("a", 4096), "= 1.1.1.1; var b = \"", repeat("c", 4096), "\";"), "", 2);
	expect_mistakes(joined("define ", repeat("a", 1000000), "= 1.1.1.1; var b = \"", repeat("c", 1000000), "\";"),
			"1:8 7, 1:1000027 7", 0);
	expect_mistakes(joined("var a = ", repeat("1", 1000000), ";", repeat("# comment", 100000), ""), "1:9 12", 0);
	expect_mistakes(joined("define a = { ", repeat("1.1.1.1,", 100000), "};", repeat("", 0), ""), "", 1);
}

static void too_many_mistakes(void **state)
{
	char *text = repeat("tunel x;\n", 100000);
	struct run *run = parse(text);
	size_t n = 0;

	(void)state;
	for (const struct cni_diag *d = run->diags.first; d; d = d->next)
		n++;
	assert_int_equal(n, 101);
	assert_int_equal(run->diags.n_errors, 101);
	assert_int_equal(((struct cni_diag *)((char *)run->diags.last - offsetof(struct cni_diag, next)))->code, CNI18);
	done(run);
	free(text);
}

static void bytes_that_are_no_text(void **state)
{
	static const char text[] = "define a\0 = 1.1.1.1;\n\0\x01\x7f\n# \0 \xff in a comment\nprofile 2024;";
	struct run *run = parse_bytes(text, sizeof(text) - 1);

	(void)state;
	assert_string_equal(mistakes(run), "1:9 9, 2:1 9");
	assert_string_equal(run->diags.first->message, "`?` has no place here");
	assert_int_equal(count(run), 1); /* the second mistake stands between two declarations */
	done(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recovery),
		cmocka_unit_test(wording),
		cmocka_unit_test(depth),
		cmocka_unit_test(size),
		cmocka_unit_test(too_many_mistakes),
		cmocka_unit_test(bytes_that_are_no_text),
	};

	return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
