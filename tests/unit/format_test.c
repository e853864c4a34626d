/* SPDX-License-Identifier: GPL-2.0-or-later */
/* format_test.c - the canonical layout: what it looks like, that it is its own, that it keeps every token. */
#include "tests/unit/parse_run.h"

static char *format(const char *text)
{
	struct run *run = begin(text, strlen(text));
	struct cni_text out = { .arena = run->arena };
	char *copy;

	assert_true(cni_format(run->arena, run->source, &run->diags, &out));
	copy = strdup(out.data ? out.data : "");
	done(run);
	return copy;
}

/* Without white space: what a change of layout must leave alone. */
static char *squeezed(const char *text)
{
	char *to, *copy = strdup(text);

	for (to = copy; *text; text++)
		if (!strchr(" \t\r\n", *text))
			*to++ = *text;
	*to = '\0';
	return copy;
}

static void layout(void **state)
{
	static const struct {
		const char *text, *formatted;
	} rows[] = {
		{ "", "" },
		{ "\n\n# a\r\n\n\n\n# b  ", "# a\n\n# b\n" },
		{ "define  a={1.1.1.1,2.2.2.2 ,};profile 2024 ;",
		  "define a = { 1.1.1.1, 2.2.2.2, };\nprofile 2024;\n" },
		{ "lan a{b c;d{e f;}}", "lan a { b c; d { e f; } }\n" },
		{ "lan a{b c;\nd{e f;}g;}", "lan a {\n\tb c;\n\td { e f; }\n\tg;\n}\n" },
		{ "lan a { # one\n# two\nb # three\nc; # four\n\n\n# five\n}# six",
		  "lan a { # one\n\t# two\n\tb # three\n\t\tc; # four\n\n\t# five\n} # six\n" },
		{ "policy p on a,\"b.c\"{route x to{1.1.1.1,2.2.2.2}via y else drop;else drop;}",
		  "policy p on a, \"b.c\" { route x to { 1.1.1.1, 2.2.2.2 } via y else drop; else drop; }\n" },
		{ "policy p on a {\n\n\nroute x\n  to { 1.1.1.1 }\n  via y\n  else drop;\n}",
		  "policy p on a {\n\troute x to { 1.1.1.1 } via y else drop;\n}\n" },
		{ "define a = {\n1.1.1.1, 2.2.2.2, # two\n\n3.3.3.3 };",
		  "define a = {\n\t1.1.1.1, 2.2.2.2, # two\n\n\t3.3.3.3\n};\n" },
		{ "policy p on a {\nroute x to {\n1.1.1.1,\n2.2.2.2 } via y else drop; }",
		  "policy p on a {\n\troute x to {\n\t\t1.1.1.1,\n\t\t2.2.2.2\n\t} via y else drop;\n}\n" },
		{ "options{}\nservice a={};", "options { }\nservice a = { };\n" },
		{ "expect on a from 2001:db8:1111:2222::/64 to 2001:db8:3333:4444::/64 tcp sport 1024-65535 dport 443 "
		  "never "
		  "via b;",
		  "expect on a from 2001:db8:1111:2222::/64 to 2001:db8:3333:4444::/64 tcp sport 1024-65535 dport 443\n"
		  "\tnever via b;\n" },
		{ "define a = { 2001:db8:1111:2222::/64, 2001:db8:1111:2223::/64, 2001:db8:1111:2224::/64, "
		  "2001:db8:1111:2225::/64, ::1 };",
		  "define a = {\n\t2001:db8:1111:2222::/64, 2001:db8:1111:2223::/64, 2001:db8:1111:2224::/64,\n"
		  "\t2001:db8:1111:2225::/64, ::1\n};\n" },
		{ "var a=\"b  {;c\"; var d=$e;", "var a = \"b  {;c\";\nvar d = $e;\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *once = format(rows[i].text), *twice = format(once);

		assert_string_equal(once, rows[i].formatted);
		assert_string_equal(twice, once);
		free(once);
		free(twice);
	}
}

static void layout_of_samples(void **state)
{
	char *once = format(samples), *twice = format(once), *before = squeezed(samples), *after = squeezed(once);

	(void)state;
	assert_string_equal(twice, once);
	assert_string_equal(after, before);
	free(once);
	free(twice);
	free(before);
	free(after);
}

/* Any white space between the tokens of a text, any of its statements: the layout of a layout is itself. */
static void layout_of_random_spacing(void **state)
{
	static const char *const gaps[] = { " ", "\n", "\n\n\n", " # c\n", "\n# c\n", "\t" };
	static const char *const parts[] = {
		"lan",
		"a",
		"{",
		"b",
		"c,",
		"d;",
		"e",
		"{",
		"f",
		"1;",
		"}",
		"g",
		"h",
		"{",
		"}",
		"}",
		"policy",
		"p",
		"on",
		"x",
		"{",
		"route",
		"r",
		"to",
		"{",
		"1.1.1.1,",
		"2001:db8:1111:2222:3333:4444:5555:6666,",
		"{",
		"z",
		"}",
		"}",
		"udp",
		"dport",
		"{",
		"1,",
		"2",
		"}",
		"via",
		"m",
		"weight",
		"3,",
		"n",
		"else",
		"drop;",
		"else",
		"drop;",
		"}",
		"define",
		"q",
		"=",
		"{",
		"2001:db8:1111:2222:3333:4444:5555:6666,",
		"2001:db8:1111:2222:3333:4444:5555:7777,",
		"k",
		"};",
	};
	unsigned int random = 1;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct cni_arena *arena = cni_arena_new();
		struct cni_text text = { .arena = arena };
		unsigned int range = 1 + (unsigned int)i % 6; /* the first runs have blanks only */
		char *once, *twice, *before, *after;

		for (size_t k = 0; k < sizeof(parts) / sizeof(*parts); k++) {
			random = random * 1103515245 + 12345;
			cni_text_puts(&text, parts[k]);
			cni_text_puts(&text, (random >> 16) % 4 ? " " : gaps[(random >> 20) % range]);
		}
		once = format(text.data);
		twice = format(once);
		before = squeezed(text.data);
		after = squeezed(once);
		assert_string_equal(twice, once);
		assert_string_equal(after, before);
		free(once);
		free(twice);
		free(before);
		free(after);
		cni_arena_free(arena);
	}
}

static void no_layout_of_mistakes(void **state)
{
	struct run *run = begin("lan a {", 7);
	struct cni_text out = { .arena = run->arena };

	(void)state;
	assert_false(cni_format(run->arena, run->source, &run->diags, &out));
	assert_int_equal(run->diags.n_errors, 1);
	assert_int_equal(out.len, 0);
	done(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),
		cmocka_unit_test(layout_of_samples),
		cmocka_unit_test(layout_of_random_spacing),
		cmocka_unit_test(no_layout_of_mistakes),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
