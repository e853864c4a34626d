/* SPDX-License-Identifier: GPL-2.0-or-later */
/* track_runner_test.c - commands of --on-change and the metrics' file: which hang, fail, come in floods, or are looked at
 * while they are written, and that the loop goes on all the while. */
#include "shown_run.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "runtime/track/aside.h"
#include "runtime/track/metrics_file.h"

static void words(void **state)
{
	static const char *const bad[] = { "", "  ", "a 'b", "\"", "a \"b'" };
	struct cni_arena *arena = cni_arena_new();
	const char *out[RT_HOOK_WORDS + 1];
	char many[RT_HOOK_WORDS * 2 + 8] = "";

	(void)state;
	assert_true(rt_hook_words(arena, " /bin/x  'a b'\tc\"d e\"'f' \"\" $HOME\\n ", out));
	assert_string_equal(out[0], "/bin/x");
	assert_string_equal(out[1], "a b");
	assert_string_equal(out[2], "cd ef");
	assert_string_equal(out[3], "");
	assert_string_equal(out[4], "$HOME\\n");
	assert_null(out[5]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(rt_hook_words(arena, bad[i], out));
	for (size_t i = 0; i < RT_HOOK_WORDS; i++)
		strcat(many, "w ");
	assert_true(rt_hook_words(arena, many, out));
	strcat(many, "w");
	assert_false(rt_hook_words(arena, many, out));
	cni_arena_free(arena);
}

struct run {
	uv_loop_t loop;
	struct rt_aside aside;
	struct rt_hook_end ends[4096];
	size_t n_ends, want;
	int n_files;
	bool gone;
	struct rt_metrics_file *file;
};

static void heard(const struct rt_runner_message *message, void *arg)
{
	struct run *run = arg;

	if (!message)
		run->gone = true;
	else if (message->kind == RT_RUNNER_END && run->n_ends < 4096)
		run->ends[run->n_ends++] = message->end;
	else if (message->kind == RT_RUNNER_FILE) {
		run->n_files = message->error ? message->error : run->n_files + 1;
		rt_metrics_file_written(run->file);
	}
}

static bool ended(void *arg)
{
	const struct run *run = arg;

	return run->gone || run->n_ends >= run->want;
}

static void begin(struct run *run, const struct rt_runner_work *work)
{
	int line;

	*run = (struct run){ 0 };
	assert_int_equal(uv_loop_init(&run->loop), 0);
	assert_int_equal(rt_runner_start(work, &line), 0);
	assert_int_equal(rt_aside_open(&run->aside, &run->loop, line, heard, run), 0);
}

static void end(struct run *run)
{
	rt_aside_close(&run->aside);
	uv_run(&run->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&run->loop), 0);
}

static void tell(struct run *run, const char *target, const char *word)
{
	struct rt_hook_news news = { .time_ms = 1772366461007 };

	snprintf(news.target, sizeof(news.target), "%s", target);
	snprintf(news.state, sizeof(news.state), "%s", word);
	snprintf(news.before, sizeof(news.before), "was");
	snprintf(news.reason, sizeof(news.reason), "why");
	rt_aside_tell(&run->aside, &news);
}

static void read_file(const char *name, char text[4096])
{
	char path[300];
	int fd;
	ssize_t len;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY);
	len = fd < 0 ? 0 : read(fd, text, 4095);
	text[len < 0 ? 0 : len] = '\0';
	close(fd);
}

static void commands(void **state)
{
	char script[400], text[4096];
	const char *command[] = { "sh", "-c", script, NULL };
	struct run run;

	(void)state;
	snprintf(script, sizeof(script),
		 "cat; echo \"$CNIC_TARGET $CNIC_STATE $CNIC_BEFORE $CNIC_REASON $CNIC_TIME\" >>%s/told; ls "
		 "/proc/self/fd | "
		 "wc -l >%s/open; case $CNIC_TARGET in fails) exit 7;; dies) kill -9 $$;; esac",
		 folder, folder);
	setenv("CNIC_STATE", "of somebody else", 1);
	begin(&run, &(struct rt_runner_work){ .words = command, .timeout = LIMIT, .memory = -1 });
	tell(&run, "works", "down");
	run.want = 1;
	run_until(&run.loop, ended, &run);
	assert_string_equal(run.ends[0].target, "works");
	assert_string_equal(run.ends[0].state, "down");
	assert_int_equal(run.ends[0].status, 0);
	read_file("told", text);
	assert_string_equal(text, "works down was why 2026-03-01T12:01:01.007Z\n");
	read_file("open", text); /* 0, 1, 2, and that of ls itself */
	assert_int_equal(strtol(text, NULL, 10), 4);
	tell(&run, "fails", "up");
	run.want = 2;
	run_until(&run.loop, ended, &run);
	assert_int_equal(WEXITSTATUS(run.ends[1].status), 7);
	tell(&run, "dies", "up");
	run.want = 3;
	run_until(&run.loop, ended, &run);
	assert_true(WIFSIGNALED(run.ends[2].status));
	assert_false(run.ends[2].timed_out);
	end(&run);
	unsetenv("CNIC_STATE");
}

static void no_such_command(void **state)
{
	const char *command[] = { "/no/such/command", NULL };
	struct run run;

	(void)state;
	begin(&run, &(struct rt_runner_work){ .words = command, .timeout = LIMIT, .memory = -1 });
	tell(&run, "a", "down");
	run.want = 1;
	run_until(&run.loop, ended, &run);
	assert_true(run.ends[0].unstarted);
	assert_int_equal(run.ends[0].status, ENOENT);
	end(&run);
}

/* One that hangs, with a child that hangs, is killed, and of its target the last state is told then; others go on. */
static void hanging(void **state)
{
	char script[300], text[4096];
	const char *command[] = { "/bin/sh", "-c", script, NULL };
	struct run run;

	(void)state;
	snprintf(script, sizeof(script),
		 "echo $CNIC_TARGET $CNIC_STATE >>%s/order; [ $CNIC_TARGET$CNIC_STATE != xhang ] || "
		 "{ sleep 1000 & sleep 1000; }",
		 folder);
	begin(&run, &(struct rt_runner_work){ .words = command, .timeout = 700, .memory = -1 });
	tell(&run, "x", "hang");
	tell(&run, "y", "down");
	run.want = 1;
	run_until(&run.loop, ended, &run);
	assert_string_equal(run.ends[0].target, "y");
	tell(&run, "x", "2");
	tell(&run, "x", "3");
	tell(&run, "x", "4");
	run.want = 3;
	run_until(&run.loop, ended, &run);
	assert_true(run.ends[1].timed_out);
	assert_true(WIFSIGNALED(run.ends[1].status));
	assert_string_equal(run.ends[2].state, "4");
	assert_int_equal(run.ends[2].status, 0);
	read_file("order", text);
	assert_non_null(strstr(text, "x 4\n"));
	assert_null(strstr(text, "x 2\n"));
	end(&run);
}

/* Of a flood of changes, what is told of a target at the end is its last state. */
static void flood(void **state)
{
	const char *command[] = { "/bin/true", NULL };
	struct run run;
	char last[8] = "";

	(void)state;
	begin(&run, &(struct rt_runner_work){ .words = command, .timeout = LIMIT, .memory = -1 });
	for (unsigned int i = 0; i < 20000; i++) {
		char target[16];

		snprintf(target, sizeof(target), "t%u", i % 100);
		snprintf(last, sizeof(last), "s%u", i / 100);
		tell(&run, target, last);
	}
	for (size_t n_last = 0, seen = 0; n_last < 100;) {
		run.want = run.n_ends + 1;
		run_until(&run.loop, ended, &run);
		assert_false(run.gone);
		for (; seen < run.n_ends; seen++)
			n_last += !strcmp(run.ends[seen].state, last);
	}
	assert_true(run.n_ends < 4000);
	end(&run);
}

static bool is_gone(void *arg)
{
	return ((const struct run *)arg)->gone;
}

static pid_t child_of(pid_t pid)
{
	char path[64];
	int child = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "r");
	assert_int_equal(fscanf(file, "%d", &child), 1);
	fclose(file);
	return child;
}

static void killed_runner(void **state)
{
	const char *command[] = { "/bin/true", NULL };
	struct run run;

	(void)state;
	while (waitpid(-1, NULL, 0) > 0) /* of the tests before: each ends with its line */
		;
	begin(&run, &(struct rt_runner_work){ .words = command, .timeout = LIMIT, .memory = -1 });
	kill(child_of(getpid()), SIGKILL);
	run_until(&run.loop, is_gone, &run);
	tell(&run, "a", "down");
	end(&run);
	assert_true(waitpid(-1, NULL, 0) > 0);
}

static bool has_file(void *arg)
{
	return ((const struct run *)arg)->n_files;
}

static bool is_removed(void *arg)
{
	return access(arg, F_OK) && errno == ENOENT;
}

static void the_file(void **state)
{
	size_t n_targets = 1000;
	const struct rt_track_look look = { take, &n_targets };
	char path[300];
	struct stat first, second;
	struct run run;
	struct rt_runner_work work = { .file = path, .memory = memfd_create("test", MFD_CLOEXEC) };
	bool intact = true;
	int reader;

	(void)state;
	snprintf(path, sizeof(path), "%s/cnic.prom", folder);
	begin(&run, &work);
	run.file = rt_metrics_file_open(&run.loop, &run.aside, work.memory, &look);
	run_until(&run.loop, has_file, &run);
	assert_int_equal(run.n_files, 1);
	assert_int_equal(stat(path, &first), 0);
	assert_int_equal(first.st_mode & 07777, 0644);
	reader = open(path, O_RDONLY);
	n_targets = 2;
	rt_metrics_file_changed(run.file);
	run.n_files = 0;
	/* whenever it is looked at, it is whole */
	for (int64_t until = now_ms() + LIMIT; !run.n_files && now_ms() < until;) {
		assert_int_equal(stat(path, &second), 0);
		intact &= second.st_ino != first.st_ino || second.st_size == first.st_size;
		uv_run(&run.loop, UV_RUN_ONCE);
	}
	assert_true(intact);
	assert_int_equal(stat(path, &second), 0);
	assert_true(second.st_ino != first.st_ino && second.st_size < first.st_size);
	assert_int_equal(lseek(reader, 0, SEEK_END), first.st_size);
	close(reader);
	rt_metrics_file_close(run.file);
	end(&run);
	rt_metrics_file_free(run.file);
	close(work.memory);
	/* it goes with its tracker */
	uv_loop_init(&run.loop);
	run_until(&run.loop, is_removed, path);
	uv_loop_close(&run.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),    cmocka_unit_test(commands), cmocka_unit_test(no_such_command),
		cmocka_unit_test(hanging),  cmocka_unit_test(flood),	cmocka_unit_test(killed_runner),
		cmocka_unit_test(the_file),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
