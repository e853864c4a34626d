/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ask.c - see ask.h. */
#include "runtime/track/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "runtime/track/door.h"
#include "runtime/track/json.h"

#define LINE_MAX_BYTES (64u << 20) /* of some hundred thousand targets */
#define PATIENCE 2000 /* ms */

int rt_track_stream_open(struct rt_track_stream *stream, struct cni_arena *arena)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path, *unreadable;
	int rc = rt_track_door_path(arena, &path, &unreadable);

	*stream = (struct rt_track_stream){ .fd = -1 };
	if (rc)
		return rc;
	if (!path || strlen(path) >= sizeof(address.sun_path))
		return -ENOENT;
	strcpy(address.sun_path, path);
	stream->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (stream->fd < 0)
		return -errno;
	if (!connect(stream->fd, (const struct sockaddr *)&address, sizeof(address)))
		return 0;
	rc = errno == ECONNREFUSED ? -ENOENT : -errno; /* one that was killed leaves its socket's name */
	rt_track_stream_close(stream);
	return rc;
}

void rt_track_stream_close(struct rt_track_stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	free(stream->data);
	*stream = (struct rt_track_stream){ .fd = -1 };
}

int rt_track_stream_watch(const struct rt_track_stream *stream)
{
	static const char word[] = "watch\n";

	return send(stream->fd, word, sizeof(word) - 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* 0: there is more than before. */
static int receive(struct rt_track_stream *stream)
{
	ssize_t len;

	if (stream->taken) {
		memmove(stream->data, stream->data + stream->taken, stream->len - stream->taken);
		stream->len -= stream->taken;
		stream->taken = 0;
	}
	if (stream->len == stream->room) {
		if (stream->room >= LINE_MAX_BYTES)
			return -EPROTO;
		stream->room = stream->room ? stream->room * 2 : 65536;
		stream->data = realloc(stream->data, stream->room);
		if (!stream->data)
			abort();
	}
	len = recv(stream->fd, stream->data + stream->len, stream->room - stream->len, 0);
	if (len < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	stream->len += (size_t)len;
	return len ? 0 : -ECONNRESET;
}

static bool is_known(const json_t *json)
{
	const char *who = json_string_value(json_object_get(json, "cnic"));

	return who && !strcmp(who, "track") &&
	       json_integer_value(json_object_get(json, "version")) == RT_TRACK_JSON_VERSION &&
	       json_string_value(json_object_get(json, "type"));
}

int rt_track_stream_next(struct rt_track_stream *stream, json_t **json)
{
	const char *end = NULL, *begin;
	size_t seen = 0;
	int rc = 0;

	while (true) {
		begin = stream->data + stream->taken;
		end = stream->len > stream->taken + seen
			      ? memchr(begin + seen, '\n', stream->len - stream->taken - seen)
			      : NULL;
		if (end)
			break;
		seen = stream->len - stream->taken;
		rc = receive(stream);
		if (rc)
			return rc;
	}
	*json = json_loadb(begin, (size_t)(end - begin), 0, NULL);
	stream->taken += (size_t)(end + 1 - begin);
	if (*json && is_known(*json))
		return 0;
	json_decref(*json);
	return -EPROTO;
}

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

json_t *rt_track_ask(struct cni_arena *arena, const char **why)
{
	struct rt_track_stream stream;
	int rc = rt_track_stream_open(&stream, arena);
	json_t *json = NULL;
	const char *error;

	*why = NULL;
	if (rc == -ENOENT)
		return NULL;
	for (long end = now() + PATIENCE; !rc;) {
		rc = rt_track_stream_next(&stream, &json);
		if (rc == -EAGAIN && now() < end) {
			(void)poll(&(struct pollfd){ .fd = stream.fd, .events = POLLIN }, 1, (int)(end - now()));
			rc = 0;
		} else if (!rc) {
			break;
		}
	}
	rt_track_stream_close(&stream);
	if (rc) {
		*why = rc == -EAGAIN   ? "it does not answer"
		       : rc == -EPROTO ? "it is of another version"
				       : strerror(-rc);
		return NULL;
	}
	error = json_string_value(json_object_get(json, "error"));
	if (!error)
		return json;
	*why = cni_strdup(arena, error);
	json_decref(json);
	return NULL;
}
