/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aside.c - see aside.h. */
#include "runtime/track/aside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct rt_aside_news {
	struct rt_aside_news *next;
	struct rt_runner_message message;
};

static void watch(struct rt_aside *aside);

static void forget(struct rt_aside *aside)
{
	for (struct rt_aside_news *n = aside->first, *next; n; n = next) {
		next = n->next;
		free(n);
	}
	aside->first = NULL;
	aside->last = &aside->first;
}

static void lose(struct rt_aside *aside)
{
	uv_poll_stop(&aside->poll);
	close(aside->line);
	aside->line = -1;
	forget(aside);
	aside->heard(NULL, aside->arg);
}

/* 0; -EAGAIN; or the runner is gone. */
static int post(const struct rt_aside *aside, const struct rt_runner_message *message)
{
	return send(aside->line, message, sizeof(*message), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void hear(struct rt_aside *aside)
{
	struct rt_runner_message message;
	ssize_t len;

	while ((len = recv(aside->line, &message, sizeof(message), MSG_DONTWAIT)) == sizeof(message))
		aside->heard(&message, aside->arg);
	if (len >= 0 || (errno != EAGAIN && errno != EINTR))
		lose(aside);
}

static void deliver(struct rt_aside *aside)
{
	struct rt_aside_news *first;

	while ((first = aside->first) && !post(aside, &first->message)) {
		aside->first = first->next;
		if (!aside->first)
			aside->last = &aside->first;
		free(first);
	}
}

static void ready(uv_poll_t *poll, int status, int events)
{
	struct rt_aside *aside = poll->data;

	if (status || events & UV_READABLE)
		hear(aside);
	if (aside->line < 0)
		return;
	if (events & UV_WRITABLE)
		deliver(aside);
	watch(aside);
}

static void watch(struct rt_aside *aside)
{
	(void)uv_poll_start(&aside->poll, UV_READABLE | (aside->first ? UV_WRITABLE : 0), ready);
}

int rt_aside_open(struct rt_aside *aside, uv_loop_t *loop, int line,
		  void (*heard)(const struct rt_runner_message *message, void *arg), void *arg)
{
	int rc;

	*aside = (struct rt_aside){ .line = line, .last = &aside->first, .heard = heard, .arg = arg };
	rc = uv_poll_init(loop, &aside->poll, line); /* libuv's errors are -errno */
	if (rc) {
		close(line);
		return rc;
	}
	aside->poll.data = aside;
	watch(aside);
	return 0;
}

void rt_aside_close(struct rt_aside *aside)
{
	uv_close((uv_handle_t *)&aside->poll, NULL);
	if (aside->line >= 0)
		close(aside->line);
	aside->line = -1;
	forget(aside);
}

void rt_aside_tell(struct rt_aside *aside, const struct rt_hook_news *news)
{
	const struct rt_runner_message message = { .kind = RT_RUNNER_NEWS, .news = *news };
	struct rt_aside_news *waiting = aside->first;

	if (aside->line < 0 || (!waiting && !post(aside, &message)))
		return;
	while (waiting && strcmp(waiting->message.news.target, news->target))
		waiting = waiting->next;
	if (!waiting) {
		waiting = calloc(1, sizeof(*waiting));
		if (!waiting)
			abort();
		*aside->last = waiting;
		aside->last = &waiting->next;
	}
	waiting->message = message;
	watch(aside); /* which also notices where the runner has ended */
}

bool rt_aside_file(struct rt_aside *aside, size_t len)
{
	const struct rt_runner_message message = { .kind = RT_RUNNER_FILE, .len = len };

	return aside->line >= 0 && !post(aside, &message);
}
