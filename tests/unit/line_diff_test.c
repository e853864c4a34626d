/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line_diff_test.c - a diff is what `diff -u` writes, and applying it to the one text gives the other. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "runtime/commands/line_diff.h"

static const char *diff_of(struct cni_arena *arena, const char *a, const char *b)
{
	struct cni_text out = { .arena = arena };

	cni_text_puts(&out, "");
	rt_line_diff(&out, "a", a, strlen(a), "b", b, strlen(b));
	return out.data;
}

static void exact(void **state)
{
	static const struct {
		const char *a, *b, *diff;
	} cases[] = {
		{ "", "", "" },
		{ "x\n", "x\n", "" },
		{ "", "x\n", "--- a\n+++ b\n@@ -0,0 +1 @@\n+x\n" },
		{ "x\n", "", "--- a\n+++ b\n@@ -1 +0,0 @@\n-x\n" },
		{ "x", "x\n", "--- a\n+++ b\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
		  "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n" },
		/* six lines between two changes: one hunk; seven: two */
		{ "a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
		  "--- a\n+++ b\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n" },
		{ "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
		  "--- a\n+++ b\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n" },
		/* no line stands once on both sides: the longest common subsequence */
		{ "x\nx\ny\ny\n", "x\ny\nx\ny\n", "--- a\n+++ b\n@@ -1,4 +1,4 @@\n x\n-x\n y\n+x\n y\n" },
	};
	struct cni_arena *arena = cni_arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(diff_of(arena, cases[i].a, cases[i].b), cases[i].diff);
	cni_arena_free(arena);
}

/* Lines from `from` on, as many as `n`, are appended to `out`; returns what follows them. */
static const char *copy_lines(struct cni_text *out, const char *from, size_t n)
{
	while (n-- && *from) {
		size_t len = strcspn(from, "\n") + 1;

		cni_text_add(out, from, len);
		from += len;
	}
	return from;
}

/* What a reader of unified diffs makes of `a`. Every line ends in a newline. */
static const char *patch(struct cni_arena *arena, const char *a, const char *diff)
{
	struct cni_text out = { .arena = arena };
	size_t line = 1, start, len;

	cni_text_puts(&out, "");
	for (; *diff; diff += len) {
		len = strcspn(diff, "\n") + 1;
		if (sscanf(diff, "@@ -%zu", &start) == 1) {
			start += !strncmp(strchr(diff, ' ') + 1 + snprintf(NULL, 0, "-%zu", start), ",0", 2);
			a = copy_lines(&out, a, start - line);
			line = start;
		} else if (*diff == '+' && strncmp(diff, "+++ ", 4)) {
			cni_text_add(&out, diff + 1, len - 1);
		} else if (*diff == ' ' || (*diff == '-' && strncmp(diff, "--- ", 4))) {
			assert_memory_equal(diff + 1, a, len - 1);
			if (*diff == ' ')
				cni_text_add(&out, a, len - 1);
			a += len - 1;
			line++;
		}
	}
	copy_lines(&out, a, SIZE_MAX);
	return out.data;
}

static const char *random_text(struct cni_arena *arena, unsigned int *seed, unsigned int letters)
{
	struct cni_text out = { .arena = arena };
	unsigned int n = (unsigned int)rand_r(seed) % 40;

	cni_text_puts(&out, "");
	while (n--)
		cni_text_printf(&out, "line %u\n", (unsigned int)rand_r(seed) % letters);
	return out.data;
}

static void round_trip(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (unsigned int i = 0; i < 2000; i++) {
		struct cni_arena *arena = cni_arena_new();
		unsigned int letters = 1 + i % 60; /* from few lines that repeat to many that stand once */
		const char *a = random_text(arena, &seed, letters), *b = random_text(arena, &seed, letters);

		assert_string_equal(patch(arena, a, diff_of(arena, a, b)), b);
		cni_arena_free(arena);
	}
}

/* Two hundred thousand lines that have nothing in common, and as many that repeat: bounded time, and right. */
static void large(void **state)
{
	struct cni_arena *arena = cni_arena_new();
	struct cni_text a = { .arena = arena }, b = a;

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		cni_text_printf(&a, "%u\n", i % 2 ? i : i % 7);
		cni_text_printf(&b, "%u\n", i % 2 ? i + 1000000 : i % 5);
	}
	assert_string_equal(patch(arena, a.data, diff_of(arena, a.data, b.data)), b.data);
	cni_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(large),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
