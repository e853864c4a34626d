/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics_http.c - see metrics_http.h. libmicrohttpd has an epoll descriptor of its own, which the loop looks at; it is
 * called when that is readable, or when it says that it is time. */
#include "runtime/track/metrics_http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/arena.h"
#include "runtime/track/metrics.h"

#define CONNECTION_MEMORY 32768 /* bytes each: a request's headers, and a piece of the answer */
#define BACKLOG 16

struct rt_metrics_http {
	struct MHD_Daemon *daemon;
	struct rt_track_look look;
	uv_poll_t poll;
	uv_timer_t timer;
};

/* An answer that is being read. */
struct page {
	struct rt_track_copy *copy;
	struct rt_track_text text;
	struct cni_text piece;
	size_t taken; /* of the piece */
	bool more;
};

/* ---- the address ---- */

const char *rt_metrics_address(const char *text, struct sockaddr_storage *address)
{
	static const char not_one[] = "write PORT, ADDRESS:PORT or [ADDRESS]:PORT";
	const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
	struct cni_addr at = { CNI_V4, 0x7f000001 };
	size_t len = colon ? (size_t)(colon - text) : 0;
	unsigned long number = strspn(port, "0123456789") == strlen(port) ? strtoul(port, NULL, 10) : 0;
	bool bracketed = len > 1 && *text == '[' && text[len - 1] == ']';

	if (colon && !cni_addr_parse(text + bracketed, len - 2 * bracketed, &at))
		return not_one;
	if (bracketed != (at.family == CNI_V6) || strlen(port) > 5)
		return not_one;
	if (!number || number > UINT16_MAX)
		return "a port is 1 to 65535";
	if (at.family == CNI_V4 ? at.v >> 24 != 127 : at.v != 1)
		return "it is no loopback address: whoever reaches it could read what this router is connected to; put "
		       "a proxy "
		       "with a password before it";
	*address = (struct sockaddr_storage){ 0 };
	if (at.family == CNI_V4)
		*(struct sockaddr_in *)address = (struct sockaddr_in){ .sin_family = AF_INET,
								       .sin_port = htons((uint16_t)number),
								       .sin_addr = { htonl((uint32_t)at.v) } };
	else
		*(struct sockaddr_in6 *)address = (struct sockaddr_in6){ .sin6_family = AF_INET6,
									 .sin6_port = htons((uint16_t)number),
									 .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	return NULL;
}

/* A descriptor or -errno. */
static int listen_at(const struct sockaddr_storage *address)
{
	const int yes = 1;
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (!bind(fd, (const struct sockaddr *)address,
		  address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)) &&
	    !listen(fd, BACKLOG))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/* ---- answers ---- */

static ssize_t read_page(void *arg, uint64_t at, char *room, size_t size)
{
	struct page *page = arg;
	size_t len;

	(void)at; /* it is read from its beginning to its end */
	if (page->taken == page->piece.len) {
		if (!page->more)
			return MHD_CONTENT_READER_END_OF_STREAM;
		page->piece.len = page->taken = 0;
		page->more = rt_metrics_more(&page->text, &page->piece);
	}
	len = page->piece.len - page->taken < size ? page->piece.len - page->taken : size;
	memcpy(room, page->piece.data + page->taken, len);
	page->taken += len;
	return (ssize_t)len;
}

static void free_page(void *arg)
{
	rt_track_copy_free(((struct page *)arg)->copy);
}

static struct MHD_Response *metrics(const struct rt_metrics_http *http)
{
	struct rt_track_copy *copy = http->look.take(http->look.arg);
	struct page *page = cni_new(copy->arena, struct page);
	struct MHD_Response *response;

	*page = (struct page){
		.copy = copy, .text = { .copy = copy }, .piece = { .arena = copy->arena }, .more = true
	};
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, RT_TRACK_PIECE, read_page, page, free_page);
	if (!response)
		free_page(page);
	return response;
}

static struct MHD_Response *sorry(const char *text)
{
	/* the text is a literal: it is not copied, and not written to */
	return MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *data, size_t *data_len, void **state)
{
	const bool is_read = !strcmp(method, MHD_HTTP_METHOD_GET) || !strcmp(method, MHD_HTTP_METHOD_HEAD);
	const bool is_ours = !strcmp(url, "/metrics");
	unsigned int status = !is_ours ? MHD_HTTP_NOT_FOUND : is_read ? MHD_HTTP_OK : MHD_HTTP_METHOD_NOT_ALLOWED;
	struct MHD_Response *response = !is_ours  ? sorry("there is /metrics\n")
					: is_read ? metrics(arg)
						  : sorry("it can be read only\n");
	enum MHD_Result result;

	(void)version, (void)data, (void)data_len, (void)state;
	if (!response)
		return MHD_NO; /* no memory: the connection is closed */
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				status == MHD_HTTP_OK ? RT_METRICS_TYPE : "text/plain; charset=utf-8");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* ---- the loop ---- */

static void go_on(struct rt_metrics_http *http);

static void in_time(uv_timer_t *timer)
{
	go_on(timer->data);
}

static void ready(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	go_on(poll->data);
}

static void go_on(struct rt_metrics_http *http)
{
	unsigned long long ms;

	(void)MHD_run(http->daemon);
	if (MHD_get_timeout(http->daemon, &ms) == MHD_YES)
		(void)uv_timer_start(&http->timer, in_time, ms, 0);
	else
		(void)uv_timer_stop(&http->timer);
}

int rt_metrics_http_open(struct rt_metrics_http **http, uv_loop_t *loop, const struct sockaddr_storage *address,
			 const struct rt_track_look *look)
{
	int fd = listen_at(address), rc;
	struct rt_metrics_http *h = fd < 0 ? NULL : calloc(1, sizeof(*h));

	*http = NULL;
	if (fd < 0)
		return fd;
	if (!h)
		abort();
	h->look = *look;
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, h, MHD_OPTION_LISTEN_SOCKET, fd,
				     MHD_OPTION_CONNECTION_LIMIT, (unsigned int)RT_METRICS_CONNECTIONS,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)RT_METRICS_PATIENCE,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				     MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	if (!h->daemon) {
		close(fd);
		free(h);
		return -ENOMEM;
	}
	rc = uv_poll_init(loop, &h->poll, MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
	if (rc) {
		MHD_stop_daemon(h->daemon);
		free(h);
		return rc; /* libuv's errors are -errno */
	}
	(void)uv_timer_init(loop, &h->timer);
	h->poll.data = h->timer.data = h;
	(void)uv_poll_start(&h->poll, UV_READABLE, ready);
	*http = h;
	return 0;
}

void rt_metrics_http_close(struct rt_metrics_http *http)
{
	uv_close((uv_handle_t *)&http->poll, NULL);
	uv_close((uv_handle_t *)&http->timer, NULL);
	MHD_stop_daemon(http->daemon);
}

void rt_metrics_http_free(struct rt_metrics_http *http)
{
	free(http);
}
