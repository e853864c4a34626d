/* SPDX-License-Identifier: GPL-2.0-or-later */
/* door.c - see door.h. */
#include "runtime/confirm/door.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "runtime/local.h"

#define BACKLOG 64
#define NEWCOMERS 8 /* let in at one look; those before them are heard first */

static int watch(const struct rt_door *door, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(door->any, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int rt_door_open(struct rt_door *door)
{
	int rc;

	*door = (struct rt_door){ .fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) };
	for (size_t i = 0; i < RT_VISITORS_MAX; i++)
		door->visitors[i].fd = -1;
	door->any = epoll_create1(EPOLL_CLOEXEC);
	rc = door->fd < 0 || door->any < 0 ? -errno : rt_local_bind(door->fd, RT_CONFIRM_SOCKET);
	/* listening begins with the wait: until then nothing is there to be confirmed */
	if (rc)
		rt_door_close(door);
	return rc;
}

int rt_door_listen(struct rt_door *door)
{
	return listen(door->fd, BACKLOG) ? -errno : watch(door, door->fd);
}

static void dismiss(struct rt_visitor *visitor)
{
	close(visitor->fd);
	visitor->fd = -1;
}

void rt_door_close(struct rt_door *door)
{
	for (size_t i = 0; i < RT_VISITORS_MAX; i++)
		if (door->visitors[i].fd >= 0)
			dismiss(&door->visitors[i]);
	if (door->any >= 0)
		close(door->any);
	if (door->fd >= 0)
		close(door->fd);
	door->fd = door->any = -1;
}

static void reply(const struct rt_door *door, int fd, enum rt_confirm_kind kind)
{
	const struct rt_confirm_message message = { RT_CONFIRM_WIRE, kind, door->revision };

	(void)send(fd, &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A free place, or that of the one who has been silent for longest. */
static struct rt_visitor *place(struct rt_door *door)
{
	struct rt_visitor *oldest = &door->visitors[0];

	for (size_t i = 0; i < RT_VISITORS_MAX; i++) {
		struct rt_visitor *v = &door->visitors[i];

		if (v->fd < 0)
			return v;
		if (door->turn - v->turn > door->turn - oldest->turn)
			oldest = v;
	}
	dismiss(oldest);
	return oldest;
}

static void let_in(struct rt_door *door)
{
	for (int i = 0; i < NEWCOMERS; i++) {
		int fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct ucred who;

		if (fd < 0)
			return;
		if (!rt_local_peer(fd, &who) || !rt_local_trusted(&who)) {
			reply(door, fd, RT_WIRE_REFUSED);
			close(fd);
		} else if (watch(door, fd)) {
			close(fd);
		} else {
			*place(door) = (struct rt_visitor){ .fd = fd, .turn = ++door->turn };
		}
	}
}

/* What the visitor wants decided, if it is that. */
static enum rt_wish hear(struct rt_door *door, struct rt_visitor *visitor)
{
	struct rt_confirm_message message;
	ssize_t len = recv(visitor->fd, &message, sizeof(message), MSG_DONTWAIT | MSG_TRUNC);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return RT_WISH_NONE;
	if (len != sizeof(message) || message.form != RT_CONFIRM_WIRE) {
		dismiss(visitor);
		return RT_WISH_NONE;
	}
	if (message.kind == RT_WIRE_WHO)
		reply(door, visitor->fd, RT_WIRE_WAITS);
	else if (message.revision && message.revision != door->revision)
		reply(door, visitor->fd, RT_WIRE_OTHER);
	else
		visitor->asked = message.kind == RT_WIRE_KEEP || message.kind == RT_WIRE_BACK;
	if (visitor->asked)
		return message.kind == RT_WIRE_KEEP ? RT_WISH_KEEP : RT_WISH_BACK;
	dismiss(visitor);
	return RT_WISH_NONE;
}

enum rt_wish rt_door_look(struct rt_door *door)
{
	enum rt_wish wish = RT_WISH_NONE;

	let_in(door);
	for (size_t i = 0; i < RT_VISITORS_MAX; i++) {
		struct rt_visitor *v = &door->visitors[i];
		enum rt_wish one = v->fd < 0 || v->asked ? RT_WISH_NONE : hear(door, v);

		/* of two at the same moment the one for the former policy has it: it can be applied again */
		if (one == RT_WISH_BACK || !wish)
			wish = one;
	}
	return wish;
}

void rt_door_answer(struct rt_door *door, enum rt_confirm_kind kind)
{
	for (size_t i = 0; i < RT_VISITORS_MAX; i++)
		if (door->visitors[i].fd >= 0 && door->visitors[i].asked)
			reply(door, door->visitors[i].fd, kind);
}
