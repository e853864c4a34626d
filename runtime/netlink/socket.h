/* SPDX-License-Identifier: GPL-2.0-or-later */
/* socket.h - the only way from cnic to the kernel's network state: a table of functions, so that a test can put
 * a transport in its place that fails at any message. */
#ifndef RT_SOCKET_H
#define RT_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

enum rt_bus {
	RT_ROUTE, /* rtnetlink */
	RT_NETFILTER, /* nfnetlink */
	RT_EVENTS, /* rtnetlink notifications of links, addresses, routes and rules, from the opening on */
	RT_N_BUSES
};

#define RT_RECEIVE_SIZE (64 * 1024) /* no datagram from the kernel is larger: acks are capped, dumps come in parts */

/* All return -errno on failure. */
struct rt_transport {
	/* Sends whole messages, data[0..len), in one datagram: the kernel works through them before this returns,
	 * so that all answers, and the first part of a dump, can be received at once. */
	int (*send)(struct rt_transport *transport, enum rt_bus bus, const void *data, size_t len);
	/* The size of the next datagram; 0: there is none now (never waits). -ENOBUFS: some were lost. */
	ssize_t (*receive)(struct rt_transport *transport, enum rt_bus bus, void *buffer, size_t size);
	/* The number in /proc/sys/net/PATH. */
	int (*read_setting)(struct rt_transport *transport, const char *path, int *value);
	int (*write_setting)(struct rt_transport *transport, const char *path, int value);
	void (*close)(struct rt_transport *transport); /* and frees it */
};

/* One socket a bus, in the network namespace of the calling thread, for the whole run: closing one after an nft
 * commit waits about 15 ms (Linux 6.18). The caller owns *transport. */
int rt_socket_open(struct rt_transport **transport);
/* The same; RT_EVENTS receives nothing. */
int rt_socket_open_silent(struct rt_transport **transport);

#endif
