/* SPDX-License-Identifier: GPL-2.0-or-later */
/* track_door_test.c - the tracker's door and its metrics by HTTP: who reads slowly or not at all, or says nonsense, and
 * that the loop goes on all the while. */
#include "shown_run.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "runtime/track/door.h"
#include "runtime/track/metrics.h"
#include "runtime/track/metrics_http.h"

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
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
