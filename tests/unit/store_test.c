/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_test.c - revisions on disk: their life, their numbers, damage, distrust, disks without room, and being killed
 * after every system call. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "tests/unit/folder_run.h"

#include "runtime/commands/session.h"
#include "runtime/store/store.h"

static const char *const tops[] = { "a.cni" };
static const char *const sets[] = { "x=\xff" };

/* Two texts, one of them under two names; names and texts are bytes, not UTF-8. */
static struct rt_origin sample(const char *text)
{
	static struct rt_path paths[] = { { "a.cni", 0 }, { "caf\xe9", 1 }, { "./caf\xe9", 1 } };
	static struct rt_text texts[2];

	texts[0] = (struct rt_text){ text, strlen(text) };
	texts[1] = (struct rt_text){ "\xfe\xff\n", 3 };
	return (struct rt_origin){ (const char **)tops, 1, paths, 3, texts, 2, (const char **)sets, 1 };
}

/* A run of the program, as far as the store sees it. */
struct run {
	struct rt_options options;
	struct rt_session *session;
	struct rt_store *store;
	struct cni_arena *arena;
	int rc;
};

static void run_begin(struct run *run)
{
	*run = (struct run){ .options = { .state_dir = "state", .quiet = true }, .arena = cni_arena_new() };
	run->session = rt_session_new(run->arena, &run->options);
	run->rc = rt_store_open(run->session, &run->store);
}

static void run_end(struct run *run)
{
	json_decref(run->session->json);
	cni_arena_free(run->arena);
}

/* The codes of what was complained of since the last time, "713 720 ". */
static const char *complaints(struct run *run)
{
	struct cni_text text = { .arena = run->arena };

	for (const struct cni_diag *d = run->session->diags->first; d; d = d->next)
		cni_text_printf(&text, "%d ", d->code);
	cni_diags_init(run->session->diags, run->arena);
	return text.data ? text.data : "";
}

/* "1 2 !3 ": all that there are, ! before a pending one. */
static const char *listed(struct run *run)
{
	struct cni_text text = { .arena = run->arena };
	struct rt_revision *revisions;
	size_t n;

	assert_int_equal(rt_revision_list(run->store, &revisions, &n), 0);
	for (size_t i = 0; i < n; i++)
		cni_text_printf(&text, "%s%u ", revisions[i].pending ? "!" : "", revisions[i].number);
	return text.data ? text.data : "";
}

static unsigned int begin(struct run *run, const char *text)
{
	struct rt_origin origin = sample(text);
	const struct rt_revision *revision =
		rt_revision_begin(run->store, &origin, text, &(struct rt_proved){ true, 1.5, NULL });

	return revision ? revision->number : 0;
}

static unsigned int keep(struct run *run, const char *text)
{
	unsigned int number = begin(run, text);

	return number && !rt_revision_confirm(run->store) ? number : 0;
}

/* ---- their life ---- */

static void from_pending_to_confirmed(void **state)
{
	const struct rt_revision *revision;
	struct run run;

	(void)state;
	run_begin(&run);
	assert_non_null(run.store);
	assert_int_equal(access("state", F_OK), -1);
	assert_string_equal(listed(&run), "");
	assert_null(rt_revision_last(run.store));
	assert_null(rt_revision_pending(run.store));
	assert_int_equal(rt_revision_discard(run.store), 0);
	assert_string_equal(complaints(&run), "");
	assert_null(rt_revision_read(run.store, 1));
	assert_string_equal(complaints(&run), "714 ");
	assert_int_equal(begin(&run, "one"), 1);
	assert_string_equal(listed(&run), "!1 ");
	assert_null(rt_revision_last(run.store));
	assert_int_equal(rt_revision_pending(run.store)->deadline, 0);
	assert_int_equal(rt_revision_await(run.store, 4000000000), 0);
	assert_int_equal(rt_revision_pending(run.store)->deadline, 4000000000);
	assert_string_equal(rt_revision_read(run.store, 1)->origin.texts[0].data, "one");
	assert_int_equal(rt_revision_confirm(run.store), 0);
	revision = rt_revision_last(run.store);
	assert_int_equal(revision->number, 1);
	assert_int_equal(revision->deadline, 0);
	assert_true(revision->proven);
	assert_int_equal(revision->proof_ms, 1500);
	assert_int_equal(revision->origin.n_texts, 0);
	assert_string_equal(listed(&run), "1 ");
	assert_int_equal(rt_revision_confirm(run.store), -ENOENT);
	assert_int_equal(rt_revision_await(run.store, 1), -ENOENT);
	assert_string_equal(complaints(&run), "713 713 ");
	run_end(&run);
}

static void a_router_without_a_policy(void **state)
{
	const struct rt_revision *revision;
	struct run run;

	(void)state;
	run_begin(&run);
	revision = rt_revision_begin(run.store, NULL, NULL, NULL);
	assert_true(revision->removed);
	assert_int_equal(rt_revision_confirm(run.store), 0);
	revision = rt_revision_read(run.store, 1);
	assert_true(revision->removed);
	assert_false(revision->proven);
	assert_null(revision->message);
	assert_string_equal(revision->digest, rt_origin_digest(run.arena, NULL));
	run_end(&run);
}

/* The router may hold one that was left: it is only over when another is kept, or it is said that none is held. */
static void what_was_left_comes_back(void **state)
{
	struct run run;

	(void)state;
	run_begin(&run);
	assert_int_equal(keep(&run, "one"), 1);
	assert_int_equal(begin(&run, "left"), 2);
	assert_int_equal(rt_revision_await(run.store, 4000000000), 0);
	for (unsigned int n = 3; n < 6; n++) {
		assert_int_equal(begin(&run, "failed"), n);
		assert_int_equal(rt_revision_discard(run.store), 0);
		assert_string_equal(listed(&run), "1 !2 ");
		assert_int_equal(rt_revision_pending(run.store)->deadline, 4000000000);
		assert_string_equal(rt_revision_read(run.store, 2)->origin.texts[0].data, "left");
	}
	/* killed between two renames */
	assert_int_equal(rename("state/revisions/pending", "state/revisions/.left"), 0);
	assert_string_equal(listed(&run), "1 !2 ");
	assert_int_equal(rt_revision_pending(run.store)->number, 2);
	assert_string_equal(rt_revision_read(run.store, 2)->origin.texts[0].data, "left");
	assert_int_equal(begin(&run, "failed"), 6);
	assert_int_equal(rt_revision_discard(run.store), 0);
	assert_string_equal(listed(&run), "1 !2 ");
	/* its own processes were killed as well: the router may hold either */
	assert_int_equal(begin(&run, "left too"), 7);
	assert_int_equal(begin(&run, "failed"), 8);
	assert_int_equal(rt_revision_discard(run.store), 0);
	assert_string_equal(listed(&run), "1 !7 ");
	assert_int_equal(begin(&run, "failed"), 9);
	assert_int_equal(rt_revision_discard_all(run.store), 0);
	assert_string_equal(listed(&run), "1 ");
	assert_int_equal(begin(&run, "left"), 10);
	assert_int_equal(begin(&run, "failed"), 11);
	assert_int_equal(rt_revision_discard(run.store), 0);
	assert_int_equal(rt_revision_discard_all(run.store), 0);
	assert_int_equal(begin(&run, "left"), 12); /* 11 was given */
	assert_int_equal(keep(&run, "kept"), 13);
	assert_string_equal(listed(&run), "1 13 ");
	assert_int_equal(rt_revision_discard(run.store), 0);
	assert_string_equal(listed(&run), "1 13 ");
	assert_string_equal(complaints(&run), "");
	run_end(&run);
}

static void bytes_survive(void **state)
{
	struct rt_origin origin = sample("one\n");
	const struct rt_revision *begun, *read;
	struct run run;

	(void)state;
	setenv("SUDO_USER", "j\xf6rg", 1);
	run_begin(&run);
	begun = rt_revision_begin(run.store, &origin, "w\xf6rd\n\"", NULL);
	unsetenv("SUDO_USER");
	assert_int_equal(rt_revision_confirm(run.store), 0);
	read = rt_revision_read(run.store, 1);
	assert_string_equal(read->message, "w\xf6rd\n\"");
	assert_string_equal(read->user, geteuid() ? begun->user : "j\xf6rg");
	assert_string_equal(read->digest, begun->digest);
	assert_int_equal(read->time, begun->time);
	assert_string_equal(read->origin.paths[2].path, "./caf\xe9");
	assert_int_equal(read->origin.paths[2].text, 1);
	assert_string_equal(read->origin.sets[0], sets[0]);
	assert_int_equal(read->origin.texts[1].len, 3);
	assert_memory_equal(read->origin.texts[1].data, "\xfe\xff\n", 3);
	assert_string_equal(rt_origin_digest(run.arena, &read->origin), read->digest);
	run_end(&run);
}

static void numbers_are_given_once(void **state)
{
	struct run run;

	(void)state;
	run_begin(&run);
	assert_int_equal(keep(&run, "one"), 1);
	assert_int_equal(begin(&run, "two"), 2);
	assert_int_equal(rt_revision_discard(run.store), 0);
	assert_string_equal(listed(&run), "1 ");
	assert_int_equal(access("state/revisions/.old/0", F_OK), -1); /* what was discarded is not kept */
	assert_int_equal(begin(&run, "three"), 3);
	assert_int_equal(begin(&run, "four"), 4); /* in its place */
	assert_string_equal(listed(&run), "1 !4 ");
	assert_int_equal(rt_revision_discard(run.store), 0);
	assert_int_equal(rt_revision_discard(run.store), 0);
	assert_int_equal(keep(&run, "five"), 5);
	assert_string_equal(listed(&run), "1 5 ");
	/* what has no number of ours is nobody's revision */
	assert_int_equal(mkdir("state/revisions/7", 0700), 0);
	assert_int_equal(mkdir("state/revisions/000000", 0700), 0);
	assert_int_equal(mkdir("state/revisions/99999999999", 0700), 0);
	spew("state/revisions/notes", "");
	assert_string_equal(listed(&run), "1 5 ");
	assert_int_equal(keep(&run, "six"), 6);
	assert_string_equal(complaints(&run), "");
	assert_int_equal(mkdir("state/revisions/4294967295", 0700), 0);
	assert_int_equal(begin(&run, "none"), 0);
	assert_string_equal(complaints(&run), "713 ");
	run_end(&run);
}

static void the_oldest_go(void **state)
{
	unsigned int *numbers;
	struct run run;
	size_t n;

	(void)state;
	run_begin(&run);
	for (unsigned int i = 1; i <= RT_REVISIONS_MAX + 3; i++)
		assert_int_equal(keep(&run, "text"), i);
	assert_int_equal(rt_revision_numbers(run.store, &numbers, &n), 0);
	assert_int_equal(n, RT_REVISIONS_MAX);
	assert_int_equal(numbers[0], 4);
	assert_int_equal(numbers[n - 1], RT_REVISIONS_MAX + 3);
	assert_int_equal(access("state/revisions/.old", F_OK), -1);
	run_end(&run);
}

static void for_the_owner_alone(void **state)
{
	static const mode_t masks[] = { 0, 0777 };
	struct stat st;
	struct run run;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		mode_t former = umask(masks[i]);

		run_begin(&run);
		assert_int_equal(begin(&run, "text"), i + 1);
		assert_int_equal(rt_revision_await(run.store, 1), 0);
		assert_int_equal(rt_revision_confirm(run.store), 0);
		run_end(&run);
		assert_int_equal(umask(former), masks[i]);
	}
	assert_int_equal(system("test -z \"$(find state -type d ! -perm 0700 -o -type f ! -perm 0600)\""), 0);
	assert_int_equal(stat("state/revisions/000002/1", &st), 0);
	assert_int_equal(st.st_size, 3);
}

/* ---- damage ---- */

static const char *const damages[] = {
	"rm meta.json",
	": > meta.json",
	"echo {} > meta.json",
	"head -c 100 meta.json > m; mv m meta.json",
	"sed -i 's/\"number\": 2/\"number\": 3/' meta.json",
	"sed -i 's/\"number\": 2/\"number\": 0/' meta.json",
	"sed -i 's/\"version\": 1/\"version\": 2/' meta.json",
	"sed -i 's/\"time\": .*/\"time\": 1e300,/' meta.json",
	"sed -i 's/\"text\": 1/\"text\": 2/' meta.json",
	"sed -i 's/\"text\": 1/\"text\": -1/' meta.json",
	"sed -i 's/\"text\": 1/\"text\": 9223372036854775807/' meta.json",
	"sed -i 's/\"size\": 3/\"size\": 4/' meta.json",
	"sed -i 's/\"size\": 3/\"size\": 2/' meta.json",
	"sed -i 's/\"size\": 3/\"size\": 1099511627776/' meta.json",
	"sed -i 's/\"path_hex\": .*/\"path_hex\": \"6g\",/' meta.json",
	"sed -i 's/\"path_hex\": .*/\"path_hex\": \"6100\",/' meta.json",
	"sed -i 's/\"path_hex\": .*/\"path_hex\": [],/' meta.json",
	"sed -i 's/\"set_hex\"/\"sat\"/' meta.json",
	"sed -i 's/\"digest\": \"./\"digest\": \"x/' meta.json",
	"sed -i 's/\"digest\": .*/\"digest\": 1,/' meta.json",
	"printf '%0100000d' 0 | tr 0 '[' > meta.json",
	"truncate -s 65M meta.json",
	"rm meta.json; mkfifo meta.json",
	"mv meta.json m; ln -s m meta.json",
	"rm 1",
	": > 1",
	"printf xyz > 1",
	"rm 1; mkdir 1",
	"rm 1; mkfifo 1",
	"mv 1 m; ln -s m 1",
	"printf more >> 1",
	"cd ..; rm -r 000002; mkdir 000002",
	"cd ..; mv 000002 x; ln -s x 000002",
	"cd ..; rm -r 000002; : > 000002",
};

static void damage(void **state)
{
	struct place *place = *state;
	struct run run;

	assert_int_equal(system("umask 077; mkdir intact"), 0);
	run_begin(&run);
	for (unsigned int i = 1; i <= 3; i++)
		assert_int_equal(keep(&run, "one"), i);
	run_end(&run);
	assert_int_equal(system("cp -a state/revisions intact"), 0);
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		const char *command = cni_printf(place->arena,
						 "rm -rf state && cp -a intact state && "
						 "cd state/revisions/000002 && { %s; } 2>/dev/null",
						 damages[i]);
		bool in_meta;

		assert_int_equal(system(command), 0);
		run_begin(&run);
		assert_null(rt_revision_read(run.store, 2));
		assert_string_equal(complaints(&run), "713 ");
		in_meta = strcmp(listed(&run), "1 2 3 ") != 0;
		if (in_meta)
			assert_string_equal(listed(&run), "1 3 ");
		assert_string_equal(complaints(&run), in_meta ? "720 720 " : "");
		assert_non_null(rt_revision_read(run.store, 3));
		assert_int_equal(keep(&run, "after"), 4);
		assert_string_equal(complaints(&run), "");
		run_end(&run);
	}
}

/* The last one is not passed over in silence: the one before it is another policy. */
static void the_last_is_damaged(void **state)
{
	struct run run;

	(void)state;
	run_begin(&run);
	assert_int_equal(keep(&run, "one"), 1);
	assert_int_equal(keep(&run, "two"), 2);
	assert_int_equal(begin(&run, "three"), 3);
	assert_int_equal(system("cd state/revisions && : > 000002/meta.json && : > pending/meta.json"), 0);
	assert_null(rt_revision_last(run.store));
	assert_string_equal(complaints(&run), "713 ");
	assert_null(rt_revision_pending(run.store));
	assert_string_equal(complaints(&run), "713 ");
	assert_string_equal(listed(&run), "1 ");
	assert_string_equal(complaints(&run), "720 720 ");
	assert_true(rt_revision_confirm(run.store) < 0);
	assert_true(rt_revision_await(run.store, 1) < 0);
	assert_string_equal(complaints(&run), "713 713 ");
	assert_int_equal(keep(&run, "three"), 3); /* a damaged pending one gives way */
	run_end(&run);
}

/* ---- who may put something there ---- */

static void distrust(void **state)
{
	static const struct {
		const char *command;
		bool as_root;
	} places[] = {
		{ "mkdir state; chmod 0770 state", false },
		{ "mkdir state; chmod 01777 state", false },
		{ "mkdir state; chown 12345 state", true },
		{ "mkdir -p state/revisions; chmod 0702 state/revisions", false },
		{ "mkdir -p state/revisions; chown 12345 state/revisions", true },
		{ "mkdir -p state elsewhere; ln -s ../elsewhere state/revisions", false },
		{ "mkdir state; : > state/revisions", false },
		{ ": > state", false },
		{ "ln -s state state", false },
	};
	struct place *place = *state;
	struct run run;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (places[i].as_root && geteuid())
			continue;
		assert_int_equal(system(cni_printf(place->arena, "rm -rf state; %s", places[i].command)), 0);
		run_begin(&run);
		assert_true(run.rc < 0);
		assert_null(run.store);
		assert_string_equal(complaints(&run), "713 ");
		run_end(&run);
	}
	/* DIR itself may be a link, and be readable by others */
	assert_int_equal(system("rm -rf state; mkdir -m 0755 elsewhere/real; ln -s elsewhere/real state"), 0);
	run_begin(&run);
	assert_int_equal(keep(&run, "one"), 1);
	run_end(&run);
}

static void above_it(void **state)
{
	struct run run;

	(void)state;
	run_begin(&run);
	run.options.state_dir = "deep/er/state//";
	assert_int_equal(rt_store_open(run.session, &run.store), 0);
	assert_int_equal(keep(&run, "one"), 1);
	assert_int_equal(access("deep/er/state/revisions/000001/meta.json", F_OK), 0);
	spew("file", "");
	run.options.state_dir = "file/state";
	assert_true(rt_store_open(run.session, &run.store) < 0);
	run.options.state_dir = "";
	assert_int_equal(rt_store_open(run.session, &run.store), 0);
	assert_int_equal(keep(&run, "one"), 0);
	assert_string_equal(complaints(&run), "713 713 ");
	run_end(&run);
}

/* ---- disks ---- */

/* In a process of its own, whose mounts and namespaces are its own: 0, or the line that failed. */
static int aside(int (*what)(void))
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(what());
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define NEED(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			return __LINE__ % 250 + 1;                                                                     \
	} while (0)

static int own_mounts(void)
{
	NEED(!unshare(CLONE_NEWNS));
	NEED(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	return 0;
}

static int full_disk(void)
{
	char large[12000];
	struct run run;

	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	NEED(!own_mounts());
	NEED(!mkdir("state", 0700) && !mount("cnic-test", "state", "tmpfs", 0, "size=16k,mode=0700"));
	run_begin(&run);
	NEED(keep(&run, "small") == 1);
	NEED(!begin(&run, large));
	NEED(!strcmp(complaints(&run), "713 "));
	NEED(!strcmp(listed(&run), "1 "));
	NEED(access("state/revisions/.new", F_OK)); /* the room that it took is free again */
	NEED(!mount(NULL, "state", NULL, MS_REMOUNT, "size=1m"));
	NEED(keep(&run, large) == 2);
	NEED(!mount(NULL, "state", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	NEED(!begin(&run, "small"));
	NEED(!strcmp(complaints(&run), "713 "));
	NEED(!strcmp(listed(&run), "1 2 "));
	run_end(&run);
	return 0;
}

static void disks(void **state)
{
	(void)state;
	assert_int_equal(aside(full_disk), 0);
}

static int no_permission(void)
{
	struct run run;

	run_begin(&run);
	NEED(keep(&run, "one") == 1);
	run_end(&run);
	NEED(!chmod(".", 0755) && !setresuid(65534, 65534, 65534));
	run_begin(&run);
	NEED(run.rc == -EACCES && !strcmp(complaints(&run), "713 "));
	run_end(&run);
	return 0;
}

static void permissions(void **state)
{
	(void)state;
	assert_int_equal(aside(no_permission), 0);
}

/* ---- which folder ---- */

static int open_default(struct run *run)
{
	run_begin(run);
	(void)complaints(run); /* of the other folder */
	unsetenv("CNIC_STATE_DIR");
	run->options.state_dir = NULL;
	return rt_store_open(run->session, &run->store);
}

static int nameless(void)
{
	struct run run;

	NEED(!unshare(CLONE_NEWNET));
	NEED(!open_default(&run) && !run.store);
	setenv("CNIC_STATE_DIR", "/x/y/", 1);
	NEED(!rt_store_open(run.session, &run.store) && !strcmp(rt_store_path(run.store), "/x/y"));
	run_end(&run);
	return 0;
}

static int named(void)
{
	struct run run;

	NEED(!own_mounts() && !unshare(CLONE_NEWNET));
	NEED(!mount("cnic-test", "/run", "tmpfs", 0, NULL) && !mkdir("/run/netns", 0755));
	spew("/run/netns/b", "");
	spew("/run/netns/a", "");
	spew("/run/netns/A-file", "");
	NEED(!mount("/proc/self/ns/net", "/run/netns/b", NULL, MS_BIND, NULL));
	NEED(!mount("/proc/self/ns/net", "/run/netns/a", NULL, MS_BIND, NULL));
	NEED(!mount("cnic-test", "/var/lib", "tmpfs", 0, "mode=0755"));
	NEED(!open_default(&run) && !strcmp(rt_store_path(run.store), "/var/lib/cnic/netns/a"));
	NEED(keep(&run, "one") == 1 && !access("/var/lib/cnic/netns/a/revisions/000001", F_OK));
	run_end(&run);
	return 0;
}

static int of_another_user(void)
{
	struct run run;

	NEED(!unshare(CLONE_NEWUSER | CLONE_NEWNET));
	NEED(!open_default(&run) && !run.store);
	run_end(&run);
	return 0;
}

/* The machine's own, as the tests run in. */
static int of_process_1(void)
{
	struct run run;

	NEED(!own_mounts() && !mount("cnic-test", "/var/lib", "tmpfs", 0, "mode=0755"));
	NEED(!open_default(&run) && !strcmp(rt_store_path(run.store), "/var/lib/cnic"));
	run_end(&run);
	return 0;
}

static int of_nobody(void)
{
	struct run run;

	NEED(!own_mounts() && !mount("cnic-test", "/var/lib", "tmpfs", 0, "mode=0755"));
	NEED(!setresuid(65534, 65534, 65534));
	NEED(!open_default(&run) && !strcmp(rt_store_path(run.store), "/var/lib/cnic"));
	NEED(!begin(&run, "one") && !strcmp(complaints(&run), "713 "));
	run_end(&run);
	return 0;
}

static void folders_of_namespaces(void **state)
{
	(void)state;
	assert_int_equal(aside(nameless), 0);
	assert_int_equal(aside(named), 0);
	assert_int_equal(aside(of_another_user), 0);
	assert_int_equal(aside(of_process_1), 0);
	assert_int_equal(aside(of_nobody), 0);
}

/* ---- killed ---- */

/* All that writes: a new one in the place of one that was left, awaited and kept, with the oldest pruned; one that is
 * discarded, over another that was left; and that one. */
static void write_all(void)
{
	struct run run;

	run_begin(&run);
	begin(&run, "left");
	begin(&run, "kept");
	rt_revision_await(run.store, 1);
	rt_revision_confirm(run.store);
	begin(&run, "left");
	begin(&run, "discarded");
	rt_revision_discard(run.store);
	rt_revision_discard_all(run.store);
	begin(&run, "left");
	begin(&run, "left");
	begin(&run, "left");
}

/* Kills it at the n-th entry to or return from a system call. False: it ended before that. */
static bool kill_at(unsigned int n)
{
	pid_t child = fork();
	int status;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		write_all();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status));
	while (n--) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status))
			return false;
	}
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return true;
}

/* Whatever there is is whole, and the next change is made and gets a number that was never seen. */
static void check_whole(unsigned int *highest)
{
	struct rt_revision *revisions;
	struct run run;
	size_t n;

	run_begin(&run);
	assert_int_equal(rt_revision_list(run.store, &revisions, &n), 0);
	assert_true(n >= RT_REVISIONS_MAX);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(rt_revision_read(run.store, revisions[i].number));
		if (revisions[i].number > *highest)
			*highest = revisions[i].number;
	}
	assert_true(keep(&run, "next") > *highest);
	assert_string_equal(complaints(&run), "");
	assert_int_equal(access("state/revisions/.new", F_OK), -1);
	assert_int_equal(access("state/revisions/pending", F_OK), -1);
	run_end(&run);
}

static int killed_everywhere(void)
{
	unsigned int highest = 0, n = 0;
	struct run run;

	run_begin(&run);
	for (int i = 0; i < RT_REVISIONS_MAX; i++)
		NEED(keep(&run, "base"));
	run_end(&run);
	while (kill_at(++n))
		check_whole(&highest);
	NEED(n > 300);
	return 0;
}

static void killed(void **state)
{
	(void)state;
	assert_int_equal(aside(killed_everywhere), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOLDER_TEST(from_pending_to_confirmed),
		FOLDER_TEST(a_router_without_a_policy),
		FOLDER_TEST(what_was_left_comes_back),
		FOLDER_TEST(bytes_survive),
		FOLDER_TEST(numbers_are_given_once),
		FOLDER_TEST(the_oldest_go),
		FOLDER_TEST(for_the_owner_alone),
		FOLDER_TEST(damage),
		FOLDER_TEST(the_last_is_damaged),
		FOLDER_TEST(distrust),
		FOLDER_TEST(above_it),
		FOLDER_TEST(disks),
		FOLDER_TEST(permissions),
		FOLDER_TEST(folders_of_namespaces),
		FOLDER_TEST(killed),
	};

	/* a disk that takes no time to sync */
	if (own_mounts() || mount("cnic-test", "/tmp", "tmpfs", 0, NULL))
		return 1;
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
