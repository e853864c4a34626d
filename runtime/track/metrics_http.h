/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics_http.h - metrics by HTTP on a loopback address: GET /metrics. Connections are few, short of memory and of time,
 * and nobody is waited for. */
#ifndef RT_METRICS_HTTP_H
#define RT_METRICS_HTTP_H

#include <netinet/in.h>

#include "runtime/track/copy.h"

#define RT_METRICS_CONNECTIONS 16
#define RT_METRICS_PATIENCE 10 /* s without progress */

/* "PORT", "ADDRESS:PORT" or "[ADDRESS]:PORT"; 127.0.0.1 where it names no address. NULL; or what is wrong with it: an
 * address that is not loopback is refused, as whoever can reach it would read what a router is connected to. */
const char *rt_metrics_address(const char *text, struct sockaddr_storage *address);

struct rt_metrics_http;

/* 0 or -errno. */
int rt_metrics_http_open(struct rt_metrics_http **http, uv_loop_t *loop, const struct sockaddr_storage *address,
			 const struct rt_track_look *look);
void rt_metrics_http_close(struct rt_metrics_http *http);
void rt_metrics_http_free(struct rt_metrics_http *http); /* once the loop has closed all; NULL is allowed */

#endif
