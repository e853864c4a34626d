/* SPDX-License-Identifier: GPL-2.0-or-later */
/* origin_test.c - what a policy was loaded from is enough to load it again, with no file there any more. */
#include <glob.h>

#include "tests/unit/folder_run.h"

#include "compiler/emit/emit.h"
#include "compiler/lower.h"
#include "compiler/model.h"
#include "runtime/load.h"
#include "runtime/store/store.h"

/* Everything that can be told of a policy: the texts by name, what is wrong with them, and what it becomes. */
static const char *all_of(struct cni_arena *arena, struct rt_policy *policy)
{
	struct cni_text text = { .arena = arena };
	const struct cni_model *model;
	const struct cni_state *state;

	for (size_t i = 0; i < policy->sources.n_items; i++)
		cni_text_printf(&text, "%s: %zu bytes from %u\n", policy->sources.items[i].name,
				policy->sources.items[i].len, policy->sources.items[i].base);
	model = cni_resolve(arena, &policy->ast, policy->settings, policy->n_settings, &policy->diags);
	cni_check(arena, model, &policy->diags);
	if (!policy->diags.n_errors) {
		state = cni_lower(arena, model, &(struct cni_prior){ 0 }, &policy->diags);
		cni_emit_nft(&text, state);
		cni_emit_ip(&text, state);
	}
	cni_diags_sort(&policy->diags);
	cni_emit_diags(&text, &policy->diags, &policy->sources, false);
	return text.data ? text.data : "";
}

/* Loads, takes the folder away from under it, and loads again from the origin alone. */
static struct rt_policy *again(void **state, const char *const *paths, size_t n_paths, const char *const *sets,
			       size_t n_sets)
{
	struct place *place = *state;
	struct cni_arena *arena = place->arena;
	struct rt_policy *first = rt_load(arena, paths, n_paths, sets, n_sets), *second, *third;
	const char *was, *is;
	int here = open(".", O_RDONLY | O_DIRECTORY);

	assert_int_equal(chdir("/proc/self/fdinfo"), 0); /* where no file is called so */
	second = rt_load_origin(arena, &first->origin);
	third = rt_load_origin(arena, &second->origin);
	was = all_of(arena, first);
	is = all_of(arena, second);
	assert_string_equal(is, was);
	assert_string_equal(all_of(arena, third), was);
	assert_string_equal(rt_origin_digest(arena, &second->origin), rt_origin_digest(arena, &first->origin));
	assert_string_equal(rt_origin_digest(arena, &third->origin), rt_origin_digest(arena, &first->origin));
	assert_int_equal(fchdir(here), 0);
	close(here);
	return second;
}

#define AGAIN(state, ...)                                                                                              \
	again(state, (const char *const[]){ __VA_ARGS__ },                                                             \
	      sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), NULL, 0)

static void examples(void **state)
{
	struct place *place = *state;
	glob_t found;

	assert_int_equal(fchdir(place->former), 0);
	assert_int_equal(glob("examples/*.cni", 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 10);
	for (size_t i = 0; i < found.gl_pathc; i++)
		assert_int_equal(AGAIN(state, found.gl_pathv[i])->diags.n_errors, 0);
	globfree(&found);
}

#define DEVICES                                                                                                        \
	"lan office { device eth2; prefix 10.1.0.0/24; }\nlink isp { kind internet; device eth0; "                     \
	"address 198.51.100.2/30; }\n"
#define POLICY "policy office on eth2 { route all from nets via isp else drop; else drop; }\n"

static void folders_includes_and_prefixes(void **state)
{
	const struct rt_policy *policy;

	assert_int_equal(mkdir("f", 0700), 0);
	assert_int_equal(mkdir("f/sub", 0700), 0);
	spew("f/a.cni", "include \"sub/nets.cni\";\ninclude \"./sub/../sub/nets.cni\";\ninclude \"sub/link.cni\";\n");
	spew("f/b.cni", "include \"sub/link.cni\";\n" POLICY);
	spew("f/sub/nets.cni", "define nets = { 10.1.0.0/24, { file \"prefixes\" } };\n"
			       "define more = file \"../sub/prefixes\";\n");
	spew("f/sub/prefixes", "10.9.0.0/16\n");
	spew("f/sub/devices.cni", DEVICES);
	assert_int_equal(link("f/sub/devices.cni", "f/sub/link.cni"), 0);
	policy = AGAIN(state, "f");
	assert_int_equal(policy->diags.n_errors, 0);
	assert_int_equal(policy->origin.n_tops, 2);
	assert_int_equal(policy->origin.n_texts, 5);
	assert_int_equal(policy->origin.n_paths, 7);
	AGAIN(state, "f/", "f/sub/devices.cni", "f/sub/link.cni", "f/b.cni");
}

static void standard_input_and_its_name(void **state)
{
	int kept = dup(STDIN_FILENO), fd;
	const struct rt_policy *policy;

	spew("input", "include \"<stdin>\";\n" POLICY);
	spew("<stdin>", DEVICES "define nets = 10.1.0.0/24;\n");
	fd = open("input", O_RDONLY);
	assert_true(dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	policy = AGAIN(state, "-");
	assert_int_equal(policy->diags.n_errors, 0);
	assert_string_equal(policy->sources.items[0].name, "<stdin>");
	assert_string_equal(policy->sources.items[1].name, "./<stdin>");
	assert_int_equal(lseek(STDIN_FILENO, 0, SEEK_SET), 0);
	assert_int_equal(AGAIN(state, "<stdin>", "-")->diags.n_errors, 0);
	dup2(kept, STDIN_FILENO);
	close(kept);
	close(fd);
}

static void settings(void **state)
{
	static const char *const sets[] = { "nets={ file \"prefixes\" }", "unused=\xff\xfe" };
	struct place *place = *state;
	static const char *const paths[] = { "a.cni" };
	struct rt_policy *policy;

	spew("prefixes", "10.1.0.0/24\n");
	spew("a.cni", "var nets = { 10.2.0.0/24 };\nvar unused = 1;\n" DEVICES
		      "policy office on eth2 { route all from $nets via isp else drop; else drop; }\n");
	policy = again(state, paths, 1, sets, 2);
	assert_int_equal(policy->origin.n_sets, 2);
	assert_string_not_equal(rt_origin_digest(place->arena, &policy->origin),
				rt_origin_digest(place->arena, &AGAIN(state, "a.cni")->origin));
}

/* A name and a text that are no UTF-8. */
static void bytes(void **state)
{
	spew("caf\xe9.cni", "# caf\xe9\n" DEVICES "define nets = 10.1.0.0/24;\n");
	spew("a.cni", "include \"caf\xe9.cni\";\n" POLICY);
	assert_non_null(AGAIN(state, "a.cni", "caf\xe9.cni"));
}

/* An origin that is not whole, as of a revision that somebody has edited. */
static void missing(void **state)
{
	struct place *place = *state;
	struct rt_origin origin;
	const struct rt_policy *policy;

	spew("a.cni", "include \"b.cni\";\n");
	spew("b.cni", DEVICES);
	origin = AGAIN(state, "a.cni")->origin;
	origin.n_paths = 1;
	policy = rt_load_origin(place->arena, &origin);
	assert_int_equal(policy->diags.n_errors, 1);
	assert_int_equal(policy->diags.first->code, CNI50);
	assert_string_equal(policy->diags.first->message, "b.cni: is not among the texts that were kept");
}

/* Each part of it counts, and where one ends and the next begins. */
static void digests(void **state)
{
	struct place *place = *state;
	struct cni_arena *arena = place->arena;
	const char *words[] = { "ab", "c" }, *other[] = { "a", "bc" };
	struct rt_path paths[] = { { "ab", 0 }, { "c", 1 } }, swapped[] = { { "ab", 1 }, { "c", 0 } };
	struct rt_text texts[] = { { "ab", 2 }, { "c", 1 } }, moved[] = { { "a", 1 }, { "bc", 2 } };
	struct rt_origin origins[] = {
		{ 0 },
		{ .tops = words, .n_tops = 2 },
		{ .tops = other, .n_tops = 2 },
		{ .tops = words, .n_tops = 1 },
		{ .sets = words, .n_sets = 2 },
		{ .paths = paths, .n_paths = 2 },
		{ .paths = swapped, .n_paths = 2 },
		{ .texts = texts, .n_texts = 2 },
		{ .texts = moved, .n_texts = 2 },
	};
	size_t n = sizeof(origins) / sizeof(*origins);

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			assert_int_equal(
				!strcmp(rt_origin_digest(arena, &origins[i]), rt_origin_digest(arena, &origins[j])),
				i == j);
	assert_string_equal(rt_origin_digest(arena, NULL), rt_origin_digest(arena, &origins[0]));
	/* four counts of zero, 8 bytes each: as sha256sum says of 32 NULs */
	assert_string_equal(rt_origin_digest(arena, NULL),
			    "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOLDER_TEST(examples),
		FOLDER_TEST(folders_includes_and_prefixes),
		FOLDER_TEST(standard_input_and_its_name),
		FOLDER_TEST(settings),
		FOLDER_TEST(bytes),
		FOLDER_TEST(missing),
		FOLDER_TEST(digests),
	};

	return cmocka_run_group_tests_name("origins", tests, NULL, NULL);
}
