/* SPDX-License-Identifier: GPL-2.0-or-later */
/* door.c - see door.h. */
#include "runtime/track/door.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "compiler/arena.h"
#include "runtime/local.h"
#include "runtime/namespace.h"
#include "runtime/store/folder.h"
#include "runtime/track/json.h"
#include "runtime/track/line.h"
#include "runtime/track/render.h"

#define RUN_FOLDER "/run/cnic" /* file-hierarchy(7); of RuntimeDirectory= in systemd.exec(5) */
#define TICK 1000 /* ms */
#define LISTENERS 16
#define WATCH "watch\n"

struct reader {
	uv_pipe_t pipe;
	struct rt_track_door *door;
	struct reader *next;
	char heard[sizeof(WATCH)];
	size_t n_heard;
	bool wants; /* state, as soon as there is one */
	bool watches;
	bool deaf; /* it will say no more */
	bool shown_out;
	unsigned int quiet; /* seconds in which it has taken nothing of what is there, or asked for nothing */
	size_t backlog; /* at the last tick */
};

struct rt_track_door {
	uv_pipe_t pipe;
	uv_timer_t tick;
	struct rt_render render;
	struct rt_track_look look;
	char *path;
	struct reader *readers;
	size_t n_readers;
	struct rt_track_line *state; /* that is being written */
	struct rt_track_line **events; /* told once it is sent: it is older than they are */
	size_t n_events;
	bool ticked; /* the state that is being written is for all who watch */
	uint64_t n_cut_off;
};

struct sending {
	uv_write_t request;
	struct rt_track_line *line;
};

static void *must(void *memory)
{
	if (!memory)
		abort(); /* as the arena does */
	return memory;
}

/* ---- readers ---- */

static size_t backlog_of(const struct reader *reader)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&reader->pipe);
}

static void gone(uv_handle_t *handle)
{
	struct reader *reader = handle->data;
	struct reader **at = &reader->door->readers;

	while (*at != reader)
		at = &(*at)->next;
	*at = reader->next;
	reader->door->n_readers--;
	free(reader);
}

static void show_out(struct reader *reader)
{
	if (!reader->shown_out)
		uv_close((uv_handle_t *)&reader->pipe, gone);
	reader->shown_out = true;
}

static void cut_off(struct reader *reader)
{
	reader->door->n_cut_off++;
	show_out(reader);
}

static void sent(uv_write_t *request, int status)
{
	struct sending *sending = (struct sending *)request;
	struct reader *reader = request->handle->data;

	rt_track_line_drop(sending->line);
	free(sending);
	/* who has said all and does not watch has what it came for */
	if (status || (reader->deaf && !reader->watches && !reader->wants && !backlog_of(reader)))
		show_out(reader);
}

static void give(struct reader *reader, struct rt_track_line *line)
{
	struct sending *sending;
	uv_buf_t buffer = uv_buf_init(line->data, (unsigned int)line->len);

	if (reader->shown_out)
		return;
	/* one state is taken at any size, as nothing else is in the way then */
	if (backlog_of(reader) && backlog_of(reader) + line->len > RT_TRACK_BACKLOG) {
		cut_off(reader);
		return;
	}
	sending = must(calloc(1, sizeof(*sending)));
	sending->line = line;
	line->users++;
	if (!uv_write(&sending->request, (uv_stream_t *)&reader->pipe, &buffer, 1, sent))
		return;
	rt_track_line_drop(line);
	free(sending);
	show_out(reader);
}

static void refuse(struct reader *reader, const char *why)
{
	struct cni_text text = { .arena = cni_arena_new() };
	struct rt_track_line *line;

	rt_track_json_error(&text, why);
	line = rt_track_line_new(text.data, text.len);
	give(reader, line);
	rt_track_line_drop(line);
	cni_arena_free(text.arena);
	show_out(reader);
}

/* ---- the state ---- */

/* One that is being written serves all who want one meanwhile. */
static void write_state(struct rt_track_door *door)
{
	if (door->render.busy)
		return;
	door->state = rt_track_line_new(NULL, 0);
	rt_render_start(&door->render, door->look.take(door->look.arg));
}

static void piece_done(const char *data, size_t len, void *arg)
{
	struct rt_track_door *door = arg;

	rt_track_line_add(door->state, data, len);
}

static void drop_pending(struct rt_track_door *door)
{
	rt_track_line_drop(door->state);
	for (size_t i = 0; i < door->n_events; i++)
		rt_track_line_drop(door->events[i]);
	free(door->events);
	door->state = NULL;
	door->events = NULL;
	door->n_events = 0;
	door->ticked = false;
}

static void state_done(void *arg)
{
	struct rt_track_door *door = arg;

	for (struct reader *r = door->readers; r; r = r->next) {
		if (r->wants || (door->ticked && r->watches && !backlog_of(r)))
			give(r, door->state);
		r->wants = false;
		for (size_t i = 0; r->watches && i < door->n_events; i++)
			give(r, door->events[i]);
	}
	drop_pending(door);
}

void rt_track_door_event(struct rt_track_door *door, const struct rt_track_event *event)
{
	struct cni_text text = { 0 };
	struct rt_track_line *line;
	bool any = false;

	for (const struct reader *r = door->readers; r; r = r->next)
		any |= r->watches || r->wants;
	if (!any)
		return;
	text.arena = cni_arena_new();
	rt_track_json_event(&text, event);
	line = rt_track_line_new(text.data, text.len);
	cni_arena_free(text.arena);
	if (door->render.busy) {
		door->events = must(reallocarray(door->events, door->n_events + 1, sizeof(*door->events)));
		door->events[door->n_events++] = line;
		return;
	}
	for (struct reader *r = door->readers; r; r = r->next)
		if (r->watches)
			give(r, line);
	rt_track_line_drop(line);
}

/* ---- what readers say ---- */

static void room_to_hear(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct reader *reader = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(reader->heard + reader->n_heard, (unsigned int)(sizeof(WATCH) - 1 - reader->n_heard));
}

/* Both ways: it is not that it has said all. */
static bool hung_up(const uv_stream_t *stream)
{
	struct pollfd fd = { 0 };

	return uv_fileno((const uv_handle_t *)stream, &fd.fd) || (poll(&fd, 1, 0) == 1 && fd.revents & POLLHUP);
}

static void hear(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
	struct reader *reader = stream->data;

	(void)buffer;
	if (!len) /* nothing yet, says libuv */
		return;
	if (len == UV_EOF) { /* of its words: it may read on */
		reader->deaf = true;
		(void)uv_read_stop(stream);
		if (hung_up(stream) || (!reader->watches && !reader->wants && !backlog_of(reader)))
			show_out(reader);
		return;
	}
	if (len < 0) {
		show_out(reader);
		return;
	}
	reader->n_heard += (size_t)len;
	if (reader->watches || strncmp(reader->heard, WATCH, reader->n_heard)) {
		refuse(reader, "what can be asked for is: watch");
	} else if (reader->n_heard == strlen(WATCH)) {
		reader->n_heard = 0;
		reader->watches = true;
		/* what happened since its first state must not be missing */
		reader->wants = true;
		write_state(reader->door);
	}
}

static bool may_enter(const struct reader *reader)
{
	struct ucred who;
	int fd;

	return !uv_fileno((const uv_handle_t *)&reader->pipe, &fd) && rt_local_peer(fd, &who) && rt_local_trusted(&who);
}

static void let_in(uv_stream_t *stream, int status)
{
	struct rt_track_door *door = stream->data;
	struct reader *reader;

	if (status)
		return;
	reader = must(calloc(1, sizeof(*reader)));
	(void)uv_pipe_init(door->pipe.loop, &reader->pipe, 0); /* cannot fail */
	reader->pipe.data = reader;
	reader->door = door;
	reader->next = door->readers;
	door->readers = reader;
	door->n_readers++;
	if (uv_accept(stream, (uv_stream_t *)&reader->pipe)) {
		show_out(reader);
	} else if (!may_enter(reader)) {
		refuse(reader, "not for this user");
	} else if (door->n_readers > RT_TRACK_READERS_MAX) {
		refuse(reader, "too many are reading");
	} else {
		reader->wants = true;
		(void)uv_read_start((uv_stream_t *)&reader->pipe, room_to_hear, hear);
		write_state(door);
	}
}

static void tick(uv_timer_t *timer)
{
	struct rt_track_door *door = timer->data;
	bool any = false;

	for (struct reader *r = door->readers; r; r = r->next) {
		size_t backlog = backlog_of(r);

		r->quiet = (backlog ? backlog >= r->backlog : !r->watches) ? r->quiet + 1 : 0;
		r->backlog = backlog;
		any |= r->watches;
		if (r->quiet < RT_TRACK_PATIENCE)
			continue;
		if (backlog)
			cut_off(r);
		else
			show_out(r);
	}
	if (any) {
		write_state(door);
		door->ticked = true;
	}
}

/* ---- the door ---- */

int rt_track_door_path(struct cni_arena *arena, const char **path, const char **unreadable)
{
	int rc = rt_namespace_folder(arena, RUN_FOLDER, path, unreadable);

	if (!rc && *path)
		*path = cni_printf(arena, "%s/track.sock", *path);
	return rc;
}

/* A descriptor or -errno. */
static int bind_at(const char *path)
{
	struct cni_arena *arena = cni_arena_new();
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *folder = cni_strndup(arena, path, (size_t)(strrchr(path, '/') - path));
	int rc = strlen(path) < sizeof(address.sun_path) ? rt_folder_make(arena, folder) : -ENAMETOOLONG, fd = -1;

	cni_arena_free(arena);
	if (rc)
		return rc;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	(void)unlink(path);
	/* the socket's mode becomes its name's, which so is never open to others */
	if (!fchmod(fd, 0600) && !bind(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int rt_track_door_open(struct rt_track_door **door, uv_loop_t *loop, const char *path, const struct rt_track_look *look)
{
	int fd = bind_at(path), rc;
	struct rt_track_door *d;

	*door = NULL;
	if (fd < 0)
		return fd;
	d = must(calloc(1, sizeof(*d)));
	*d = (struct rt_track_door){ .look = *look, .path = must(strdup(path)) };
	d->render = (struct rt_render){
		.more = rt_track_json_more, .piece_done = piece_done, .done = state_done, .arg = d
	};
	d->pipe.data = d->tick.data = d;
	(void)uv_pipe_init(loop, &d->pipe, 0);
	(void)uv_timer_init(loop, &d->tick);
	rt_render_open(&d->render, loop);
	*door = d;
	rc = uv_pipe_open(&d->pipe, fd); /* libuv's errors are -errno */
	if (rc)
		close(fd);
	if (!rc)
		rc = uv_listen((uv_stream_t *)&d->pipe, LISTENERS, let_in);
	return rc ? rc : uv_timer_start(&d->tick, tick, TICK, TICK);
}

uint64_t rt_track_door_cut_off(const struct rt_track_door *door)
{
	return door->n_cut_off;
}

void rt_track_door_close(struct rt_track_door *door)
{
	for (struct reader *r = door->readers; r; r = r->next)
		show_out(r);
	rt_render_close(&door->render);
	drop_pending(door);
	uv_close((uv_handle_t *)&door->tick, NULL);
	uv_close((uv_handle_t *)&door->pipe, NULL);
	(void)unlink(door->path);
	/* its folder, unless something else is in it */
	*strrchr(door->path, '/') = '\0';
	(void)unlinkat(AT_FDCWD, door->path, AT_REMOVEDIR);
}

void rt_track_door_free(struct rt_track_door *door)
{
	if (!door)
		return;
	free(door->path);
	free(door);
}
