/* SPDX-License-Identifier: GPL-2.0-or-later */
/* track_seen_test.c - the tracker's door, its metrics by HTTP, and the runner of commands: who reads slowly or not at all,
 * says nonsense, hangs or floods, and that the loop goes on all the while. */
#include "shown.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/track/aside.h"
#include "runtime/track/door.h"
#include "runtime/track/metrics_file.h"
#include "runtime/track/metrics.h"
#include "runtime/track/metrics_http.h"

#define LIMIT 20000 /* ms: only a hang is longer */

static char folder[] = "/tmp/cnic-seen.XXXXXX";

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wake(uv_timer_t *timer)
{
	(void)timer;
}

/* Runs the loop until `done`. */
static void run_until(uv_loop_t *loop, bool (*done)(void *arg), void *arg)
{
	int64_t end = now_ms() + LIMIT;
	uv_timer_t timer;

	uv_timer_init(loop, &timer);
	uv_timer_start(&timer, wake, 5, 5);
	while (!done(arg)) {
		assert_true(now_ms() < end);
		uv_run(loop, UV_RUN_ONCE);
	}
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
}

static struct rt_track_copy *take(void *arg)
{
	return shown(*(const size_t *)arg);
}

/* ---- readers ---- */

struct client {
	int fd;
	char *data;
	size_t len;
	bool ended;
	size_t want; /* lines */
};

static void take_in(struct client *client)
{
	ssize_t len;

	while (!client->ended) {
		client->data = realloc(client->data, client->len + 65537);
		len = recv(client->fd, client->data + client->len, 65536, MSG_DONTWAIT);
		if (len < 0 && errno == EAGAIN)
			break;
		client->ended = len <= 0;
		client->len += len > 0 ? (size_t)len : 0;
	}
	client->data[client->len] = '\0';
}

static size_t lines(const struct client *client)
{
	size_t n = 0;

	for (size_t i = 0; i < client->len; i++)
		n += client->data[i] == '\n';
	return n;
}

static bool has_lines(void *arg)
{
	struct client *client = arg;

	take_in(client);
	return client->ended || lines(client) >= client->want;
}

static bool has_ended(void *arg)
{
	struct client *client = arg;

	take_in(client);
	return client->ended;
}

static struct client come(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct client client = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	strcpy(address.sun_path, path);
	assert_int_equal(connect(client.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return client;
}

static void leave(struct client *client)
{
	close(client->fd);
	free(client->data);
}

static void say(const struct client *client, const char *word)
{
	assert_int_equal(send(client->fd, word, strlen(word), MSG_NOSIGNAL), strlen(word));
}

struct house {
	uv_loop_t loop;
	struct rt_track_door *door;
	char path[128];
	size_t n_targets;
};

static void build(struct house *house, size_t n_targets)
{
	const struct rt_track_look look = { take, &house->n_targets };

	house->n_targets = n_targets;
	snprintf(house->path, sizeof(house->path), "%s/run/door/track.sock", folder);
	assert_int_equal(uv_loop_init(&house->loop), 0);
	assert_int_equal(rt_track_door_open(&house->door, &house->loop, house->path, &look), 0);
}

static void pull_down(struct house *house)
{
	rt_track_door_close(house->door);
	uv_run(&house->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&house->loop), 0);
	rt_track_door_free(house->door);
	assert_int_equal(access(house->path, F_OK), -1);
}

static void happen(struct house *house, const char *name)
{
	const struct rt_track_view view = { .name = name, .device = "eth1", .state = RT_TRACK_DOWN };
	const struct rt_track_event event = { .time_ms = 1772366461007, .target = &view, .before = RT_TRACK_UP };

	rt_track_door_event(house->door, &event);
}

static void the_door(void **state)
{
	struct house house;
	struct client once, watcher, deaf;
	struct stat st;

	(void)state;
	build(&house, 3);
	assert_int_equal(stat(house.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	once = come(house.path);
	watcher = come(house.path);
	deaf = come(house.path);
	once.want = watcher.want = deaf.want = 1;
	say(&watcher, "wat"); /* a word may come in parts */
	run_until(&house.loop, has_lines, &once);
	run_until(&house.loop, has_lines, &watcher);
	assert_non_null(strstr(once.data, "\"type\":\"state\""));
	/* who has said all gets what it came for, and is shown out */
	shutdown(deaf.fd, SHUT_WR);
	run_until(&house.loop, has_ended, &deaf);
	assert_int_equal(lines(&deaf), 1);
	say(&watcher, "ch\n");
	watcher.want = 2; /* the state of when it began to watch */
	run_until(&house.loop, has_lines, &watcher);
	shutdown(watcher.fd, SHUT_WR); /* it reads on */
	happen(&house, "cf");
	watcher.want = 4; /* an event, and a second later the state */
	run_until(&house.loop, has_lines, &watcher);
	assert_non_null(strstr(watcher.data, "\"target\":\"cf\""));
	assert_false(watcher.ended);
	take_in(&once);
	assert_int_equal(lines(&once), 1);
	leave(&once);
	leave(&watcher);
	leave(&deaf);
	pull_down(&house);
}

static void events_are_in_order(void **state)
{
	struct house house;
	struct client watcher;
	const char *first, *second;

	(void)state;
	build(&house, 2000); /* whose state takes many turns */
	watcher = come(house.path);
	say(&watcher, "watch\n");
	watcher.want = 2;
	run_until(&house.loop, has_lines, &watcher);
	for (size_t before = lines(&watcher), i = 0; i < 200; i++) {
		char name[16];

		snprintf(name, sizeof(name), "e%zu.", i);
		happen(&house, name);
		uv_run(&house.loop, UV_RUN_NOWAIT);
		watcher.want = before + 200;
	}
	run_until(&house.loop, has_lines, &watcher);
	for (size_t i = 0; i < 199; i++) {
		char name[32];

		snprintf(name, sizeof(name), "\"target\":\"e%zu.\"", i);
		first = strstr(watcher.data, name);
		snprintf(name, sizeof(name), "\"target\":\"e%zu.\"", i + 1);
		second = strstr(watcher.data, name);
		assert_true(first && second && first < second);
	}
	leave(&watcher);
	pull_down(&house);
}

static bool all_but_one(void *arg)
{
	return rt_track_door_cut_off(arg) == 1;
}

static void slow_readers(void **state)
{
	struct house house;
	struct client slow, good;

	(void)state;
	build(&house, 100);
	slow = come(house.path);
	good = come(house.path);
	say(&slow, "watch\n");
	say(&good, "watch\n");
	good.want = 2;
	run_until(&house.loop, has_lines, &good);
	/* more than the kernel and the door hold for it */
	for (size_t i = 0; i < 60000 && !rt_track_door_cut_off(house.door); i++) {
		happen(&house, "cf");
		take_in(&good);
		uv_run(&house.loop, UV_RUN_NOWAIT);
	}
	run_until(&house.loop, all_but_one, house.door);
	take_in(&good);
	assert_false(good.ended);
	assert_true(lines(&good) > 1000);
	run_until(&house.loop, has_ended, &slow);
	leave(&slow);
	leave(&good);
	pull_down(&house);
}

static void nonsense(void **state)
{
	static const char *const words[] = { "watch", "x", "watch\nwatch\n", "GET / HTTP/1.1\r\n\r\n",
					     "watchwatchwatchwatch" };
	struct house house;
	struct client clients[60];

	(void)state;
	build(&house, 1);
	for (size_t i = 0; i < 5; i++) {
		clients[i] = come(house.path);
		say(&clients[i], words[i]);
		if (i)
			run_until(&house.loop, has_ended, &clients[i]);
		if (i)
			assert_non_null(strstr(clients[i].data, "\"type\":\"error\""));
		leave(&clients[i]);
	}
	/* more than there is room for, and all gone in the middle of it */
	for (size_t i = 0; i < 60; i++) {
		clients[i] = come(house.path);
		uv_run(&house.loop, UV_RUN_NOWAIT);
	}
	run_until(&house.loop, has_ended, &clients[59]);
	assert_non_null(strstr(clients[59].data, "too many"));
	for (size_t i = 0; i < 60; i++)
		leave(&clients[i]);
	for (size_t i = 0; i < 20; i++)
		uv_run(&house.loop, UV_RUN_NOWAIT);
	clients[0] = come(house.path);
	clients[0].want = 1;
	run_until(&house.loop, has_lines, &clients[0]);
	assert_non_null(strstr(clients[0].data, "\"type\":\"state\""));
	leave(&clients[0]);
	pull_down(&house);
}

static void the_name_of_a_killed_one(void **state)
{
	struct house house;
	struct rt_track_door *none;
	char path[300];

	(void)state;
	build(&house, 1);
	pull_down(&house);
	snprintf(path, sizeof(path), "%s/run", folder);
	assert_int_equal(mkdir(path, 0700) && errno != EEXIST, 0);
	snprintf(path, sizeof(path), "%s/run/door", folder);
	mkdir(path, 0700);
	close(open(house.path, O_CREAT | O_WRONLY, 0600));
	build(&house, 1);
	pull_down(&house);
	memset(path + strlen(path), 'x', 120);
	strcpy(path + 200, "/track.sock");
	assert_int_equal(uv_loop_init(&house.loop), 0);
	assert_int_equal(
		rt_track_door_open(&none, &house.loop, path, &(struct rt_track_look){ take, &house.n_targets }),
		-ENAMETOOLONG);
	assert_null(none);
	assert_int_equal(uv_loop_close(&house.loop), 0);
}

/* ---- HTTP ---- */

static void loopback_alone(void **state)
{
	static const char *const good[] = { "9912", "127.0.0.1:9912", "127.9.9.9:1", "[::1]:65535" };
	static const char *const bad[] = {
		"",	  "0",	      "65536",	       "x",	      "0.0.0.0:9912", "192.0.2.1:1",
		"[::]:1", "::1:9912", "[127.0.0.1]:1", "127.0.0.1:",  ":9912",	      "127.0.0.1",
		"[::1]",  "-1",	      "9912 ",	       "[fe80::1]:1", "localhost:1",  "1000000000"
	};
	struct sockaddr_storage address;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_null(rt_metrics_address(good[i], &address));
	assert_int_equal(((struct sockaddr_in6 *)&address)->sin6_port, htons(65535));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_non_null(rt_metrics_address(bad[i], &address));
	assert_non_null(strstr(rt_metrics_address("192.0.2.1:1", &address), "no loopback address"));
}

static struct client call(const struct sockaddr_storage *address, const char *request)
{
	struct client client = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	assert_int_equal(connect(client.fd, (const struct sockaddr *)address, sizeof(struct sockaddr_in)), 0);
	say(&client, request);
	return client;
}

static void requests(void **state)
{
	static const struct {
		const char *request, *answer;
	} cases[] = {
		{ "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 " },
		{ "GET /metrics HTTP/1.0\r\n\r\n", " 200 " },
		{ "HEAD /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 " },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 " },
		{ "GET /metricsx HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 " },
		{ "POST /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
		  "HTTP/1.1 405 " },
		{ "DELETE /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "Allow: GET, HEAD\r\n" },
		{ "GET /metrics HTTP/9.9 x\r\n\r\n", "" },
		{ "\r\n\r\n\r\n\x80\xff\r\n\r\n", "" },
	};
	const size_t n_targets = 300;
	const struct rt_track_look look = { take, (void *)(uintptr_t)&n_targets };
	struct sockaddr_storage address;
	struct rt_metrics_http *http, *second;
	struct client client, silent[RT_METRICS_CONNECTIONS / 2];
	uv_loop_t loop;
	char *long_one = calloc(1, 100000), at[32];

	(void)state;
	snprintf(at, sizeof(at), "127.0.0.1:%d", 20000 + (int)getpid() % 10000); /* tests may run side by side */
	assert_null(rt_metrics_address(at, &address));
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(rt_metrics_http_open(&http, &loop, &address, &look), 0);
	assert_int_equal(rt_metrics_http_open(&second, &loop, &address, &look), -EADDRINUSE);
	/* those who ask and do not read are in nobody's way */
	for (size_t i = 0; i < sizeof(silent) / sizeof(*silent); i++)
		silent[i] = call(&address, i % 2 ? "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" : "GET /met");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		client = call(&address, cases[i].request);
		if (!*cases[i].answer)
			shutdown(client.fd, SHUT_WR);
		run_until(&loop, has_ended, &client);
		if (!strstr(client.data, cases[i].answer))
			fail_msg("%s: %.80s", cases[i].request, client.data);
		if (!i) {
			assert_non_null(strstr(client.data, "Content-Type: " RT_METRICS_TYPE "\r\n"));
			assert_non_null(strstr(client.data, "\ncnic_track_up{target=\"t299\",device=\"eth299\"} 0\n"));
		}
		leave(&client);
	}
	memset(long_one, 'x', 99999);
	memcpy(long_one, "GET /", 5);
	client = call(&address, "");
	(void)send(client.fd, long_one, 99999, MSG_NOSIGNAL | MSG_DONTWAIT);
	run_until(&loop, has_ended, &client);
	leave(&client);
	for (size_t i = 0; i < sizeof(silent) / sizeof(*silent); i++)
		leave(&silent[i]);
	free(long_one);
	rt_metrics_http_close(http);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	rt_metrics_http_free(http);
}

/* ---- the runner ---- */

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

static int make_folder(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as main.c does */
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_door),
		cmocka_unit_test(events_are_in_order),
		cmocka_unit_test(slow_readers),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(the_name_of_a_killed_one),
		cmocka_unit_test(loopback_alone),
		cmocka_unit_test(requests),
		cmocka_unit_test(words),
		cmocka_unit_test(commands),
		cmocka_unit_test(no_such_command),
		cmocka_unit_test(hanging),
		cmocka_unit_test(flood),
		cmocka_unit_test(killed_runner),
		cmocka_unit_test(the_file),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
