/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load_test.c - files, folders, includes, prefix files, pipes and --set: what is read once, and what is refused. */
#include "tests/unit/folder_run.h"

#include "compiler/model.h"
#include "compiler/text.h"
#include "runtime/load.h"

#define LOAD(state, ...) load(state, (const char *const[]){ __VA_ARGS__, NULL })

static struct rt_policy *load(void **state, const char *const *paths)
{
	struct place *place = *state;
	size_t n = 0;

	while (paths[n])
		n++;
	return rt_load(place->arena, paths, n, NULL, 0);
}

/* Names of the declarations in order, then each mistake as "file:line code". */
static const char *told(void **state, const struct rt_policy *policy)
{
	struct place *place = *state;
	struct cni_text text = { .arena = place->arena };

	for (const struct cni_ast_decl *d = policy->ast.decls; d; d = d->next)
		cni_text_printf(&text, "%s ", d->name.text);
	for (const struct cni_diag *d = policy->diags.first; d; d = d->next) {
		struct cni_place at = cni_place_of(&policy->sources, d->span.begin);

		cni_text_printf(&text, "[%s:%u %d]", at.source ? at.source->name : "", at.line, d->code);
	}
	return text.data ? text.data : "";
}

static void includes(void **state)
{
	const struct rt_policy *policy;

	assert_int_equal(mkdir("sub", 0700), 0);
	spew("a.cni", "var a1 = 1;\ninclude \"sub/b.cni\";\nvar a2 = 1;");
	spew("sub/b.cni", "var b1 = 1;\ninclude \"c.cni\";\ninclude \"../d.cni\";\nvar b2 = 1;");
	spew("sub/c.cni", "var c = 1;");
	spew("d.cni", "var d = 1;\ninclude \"sub/c.cni\";\ninclude \"./sub/../sub/c.cni\";");
	policy = LOAD(state, "a.cni");
	assert_string_equal(told(state, policy), "a1 b1 c d b2 a2 ");
	assert_string_equal(policy->sources.items[1].name, "sub/b.cni");
	assert_string_equal(policy->sources.items[2].name, "sub/c.cni");
	assert_string_equal(policy->sources.items[3].name, "sub/../d.cni");
}

static void the_same_file_twice(void **state)
{
	spew("a.cni", "var a = 1;");
	assert_int_equal(symlink("a.cni", "b.cni"), 0);
	assert_int_equal(link("a.cni", "c.cni"), 0);
	spew("d.cni", "include \"a.cni\";\nvar d = 1;");
	assert_string_equal(told(state, LOAD(state, "a.cni", "./a.cni", "b.cni", "c.cni", "d.cni")), "a d ");
}

static void cycles(void **state)
{
	const struct rt_policy *policy;

	spew("a.cni", "var a = 1;\ninclude \"b.cni\";");
	spew("b.cni", "var b = 1;\n\ninclude \"c.cni\";");
	spew("c.cni", "include \"b.cni\";\nvar c = 1;");
	spew("self.cni", "include \"self.cni\";");
	policy = LOAD(state, "a.cni");
	assert_string_equal(told(state, policy), "a b c [c.cni:1 53]");
	assert_string_equal(policy->diags.first->message, "the includes form a cycle: b.cni → c.cni → b.cni");
	assert_string_equal(told(state, LOAD(state, "self.cni")), "[self.cni:1 53]");
}

static void deep_includes(void **state)
{
	char name[32], text[64];

	for (int i = 0; i <= 66; i++) {
		snprintf(name, sizeof(name), "f%d.cni", i);
		snprintf(text, sizeof(text), "include \"f%d.cni\";", i + 1);
		spew(name, i < 65 ? text : "var end = 1;");
	}
	assert_string_equal(told(state, LOAD(state, "f1.cni")), "end ");
	assert_string_equal(told(state, LOAD(state, "f0.cni")), "[f64.cni:1 54]");
}

static void what_cannot_be_read(void **state)
{
	assert_int_equal(mkdir("empty", 0700), 0);
	spew("a.cni",
	     "include \"missing.cni\";\ninclude \"empty\";\ndefine s = file \"missing\";\ndefine t = file \"empty\";");
	spew_bytes("nul.cni", "var a = 1;\n\0", 12);
	assert_string_equal(told(state, LOAD(state, "a.cni", "missing.cni", "empty", "nul.cni")),
			    "s t [a.cni:1 50][a.cni:2 51][a.cni:3 50][a.cni:4 51][:0 50][:0 56][nul.cni:2 57]");
}

static void folders(void **state)
{
	assert_int_equal(mkdir("f", 0700), 0);
	assert_int_equal(mkdir("f/d.cni", 0700), 0);
	spew("f/b.cni", "var b = 1;");
	spew("f/a.cni", "var a = 1;");
	spew("f/B.cni", "var B = 1;");
	spew("f/.hidden.cni", "var hidden = 1;");
	spew("f/a.cni~", "var backup = 1;");
	assert_string_equal(told(state, LOAD(state, "f")), "B a b [:0 51]");
	assert_string_equal(told(state, LOAD(state, "f/a.cni", "f/")), "a B b [:0 51]");
}

static void sets(void **state)
{
	const struct rt_policy *policy;
	const struct cni_ranges *ranges;

	assert_int_equal(mkdir("sub", 0700), 0);
	spew("sub/nets", "10.0.0.0/8\n11.0.0.0/8\n");
	spew("sub/a.cni", "define a = file \"nets\";\ndefine b = { 1.1.1.1, { file \"../sub/nets\" } };\n"
			  "policy p on x { route r to { file \"nets\" } drop; else drop; }\n"
			  "link l { bgp { md5 file \"secret\"; } }\ndefine c = file \"bad\";");
	spew("sub/bad", "10.0.0.1/8\nx\n");
	policy = LOAD(state, "sub/a.cni");
	assert_string_equal(told(state, policy), "a b p l c [sub/bad:1 31][sub/bad:2 30]");
	ranges = policy->ast.decls->values->file;
	assert_int_equal(ranges->n_v4, 1);
	assert_ptr_equal(policy->ast.decls->next->values->list->next->list->file, ranges);
	assert_ptr_equal(policy->ast.decls->next->next->routes->matches->values->list->file, ranges);
}

/* Puts `text` behind descriptor 0, through a pipe. */
static void feed(const char *text)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
	close(ends[1]);
	assert_true(dup2(ends[0], STDIN_FILENO) >= 0);
	close(ends[0]);
}

static void standard_input(void **state)
{
	int kept = dup(STDIN_FILENO);

	spew("i.cni", "var i = 1;");
	feed("var a = 1;\ninclude \"i.cni\";\nvar b = ;");
	assert_string_equal(told(state, LOAD(state, "-", "-")), "a i [<stdin>:3 1][:0 58]");
	if (kept >= 0)
		dup2(kept, STDIN_FILENO);
	close(kept);
}

static void settings(void **state)
{
	static const char *const texts[] = { "a=1",  "b=eth1.100", "c-d={ 10.0.0.0/8 }", "e=", "f=x=y", "g", "=x",
					     "1h=x", "i j=x" };
	struct place *place = *state;
	const struct rt_policy *policy = rt_load(place->arena, NULL, 0, texts, sizeof(texts) / sizeof(*texts));

	assert_int_equal(policy->n_settings, 5);
	assert_string_equal(policy->settings[0].name, "a");
	assert_int_equal(policy->settings[0].parsed->lo, 1);
	assert_string_equal(policy->settings[1].parsed->text, "eth1.100");
	assert_string_equal(policy->settings[2].name, "c-d");
	assert_string_equal(policy->settings[2].value, "{ 10.0.0.0/8 }");
	assert_null(policy->settings[3].parsed);
	assert_null(policy->settings[4].parsed);
	assert_string_equal(told(state, policy), "[:0 59][:0 59][:0 59][:0 59]");
}

static void too_large(void **state)
{
	int fd = open("big.cni", O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, ((off_t)1 << 30) + 1), 0); /* sparse: takes no room */
	close(fd);
	assert_string_equal(told(state, LOAD(state, "big.cni")), "[:0 52]");
}

static void too_many_files(void **state)
{
	struct place *place = *state;
	char **paths = calloc(4097, sizeof(*paths));
	const struct rt_policy *policy;

	for (int i = 0; i < 4097; i++) {
		assert_true(asprintf(&paths[i], "f%d.cni", i) > 0);
		spew(paths[i], "");
	}
	policy = rt_load(place->arena, (const char *const *)paths, 4097, NULL, 0);
	assert_string_equal(told(state, policy), "[:0 55]");
	for (int i = 0; i < 4097; i++)
		free(paths[i]);
	free(paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOLDER_TEST(includes),	    FOLDER_TEST(the_same_file_twice), FOLDER_TEST(cycles),
		FOLDER_TEST(deep_includes), FOLDER_TEST(what_cannot_be_read), FOLDER_TEST(folders),
		FOLDER_TEST(sets),	    FOLDER_TEST(standard_input),      FOLDER_TEST(settings),
		FOLDER_TEST(too_large),	    FOLDER_TEST(too_many_files),
	};

	return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
