/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shown_run.h - a loop that runs until something is so, and those who read from what hangs in it. */
#ifndef SHOWN_RUN_H
#define SHOWN_RUN_H

#include "shown.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LIMIT 20000 /* ms: only a hang is longer */

static char folder[] = "/tmp/cnic-seen.XXXXXX";

static inline int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void wake(uv_timer_t *timer)
{
	(void)timer;
}

/* Runs the loop until `done`. */
static inline void run_until(uv_loop_t *loop, bool (*done)(void *arg), void *arg)
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

static inline struct rt_track_copy *take(void *arg)
{
	return shown(*(const size_t *)arg);
}

struct client {
	int fd;
	char *data;
	size_t len;
	bool ended;
	size_t want; /* lines */
};

static inline void take_in(struct client *client)
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

static inline size_t lines(const struct client *client)
{
	size_t n = 0;

	for (size_t i = 0; i < client->len; i++)
		n += client->data[i] == '\n';
	return n;
}

static inline bool has_lines(void *arg)
{
	struct client *client = arg;

	take_in(client);
	return client->ended || lines(client) >= client->want;
}

static inline bool has_ended(void *arg)
{
	struct client *client = arg;

	take_in(client);
	return client->ended;
}

static inline struct client come(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct client client = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	strcpy(address.sun_path, path);
	assert_int_equal(connect(client.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return client;
}

static inline void leave(struct client *client)
{
	close(client->fd);
	free(client->data);
}

static inline void say(const struct client *client, const char *word)
{
	assert_int_equal(send(client->fd, word, strlen(word), MSG_NOSIGNAL), strlen(word));
}

static inline int make_folder(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as main.c does */
	return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

#endif
