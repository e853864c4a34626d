/* SPDX-License-Identifier: GPL-2.0-or-later */
/* socket.c - the real transport: three netlink sockets, and /proc/sys/net. */
#include "runtime/netlink/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#define RECEIVE_BUFFER (32 << 20) /* holds the errors of some 100,000 messages */
#define SEND_BUFFER (1 << 20) /* grown when a batch needs more */

struct sockets {
	struct rt_transport transport;
	struct mnl_socket *bus[RT_N_BUSES];
	size_t room; /* what the nfnetlink socket takes in one datagram */
};

static const int event_groups[] = { RTNLGRP_LINK,	RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
				    RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE };

/* Without privilege the force variant fails, and what the system allows must do. */
static void set_buffer(const struct mnl_socket *socket, int force, int plain, size_t size)
{
	int value = size > INT_MAX / 2 ? INT_MAX / 2 : (int)size, fd = mnl_socket_get_fd(socket);

	if (setsockopt(fd, SOL_SOCKET, force, &value, sizeof(value)))
		(void)!setsockopt(fd, SOL_SOCKET, plain, &value, sizeof(value));
}

static int send_batch(struct rt_transport *transport, enum rt_bus bus, const void *data, size_t len)
{
	struct sockets *s = (struct sockets *)transport;

	if (bus == RT_NETFILTER && len > s->room) {
		set_buffer(s->bus[bus], SO_SNDBUFFORCE, SO_SNDBUF, len);
		s->room = len;
	}
	return mnl_socket_sendto(s->bus[bus], data, len) < 0 ? -errno : 0;
}

static ssize_t receive(struct rt_transport *transport, enum rt_bus bus, void *buffer, size_t size)
{
	struct sockets *s = (struct sockets *)transport;
	ssize_t len;

	do
		len = recv(mnl_socket_get_fd(s->bus[bus]), buffer, size, MSG_DONTWAIT | MSG_TRUNC);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return errno == EAGAIN ? 0 : -errno;
	return (size_t)len > size ? -EMSGSIZE : len;
}

/* "net/" is resolved in the network namespace of the calling thread. */
static int open_setting(const char *path, int flags)
{
	char full[160];
	int fd;

	if ((size_t)snprintf(full, sizeof(full), "/proc/sys/net/%s", path) >= sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_setting(struct rt_transport *transport, const char *path, int *value)
{
	char text[32];
	int fd = open_setting(path, O_RDONLY), rc = 0;
	ssize_t len;

	(void)transport;
	if (fd < 0)
		return fd;
	len = read(fd, text, sizeof(text) - 1);
	if (len < 0)
		rc = -errno;
	close(fd);
	if (rc)
		return rc;
	text[len] = '\0';
	*value = atoi(text);
	return 0;
}

static int write_setting(struct rt_transport *transport, const char *path, int value)
{
	int fd = open_setting(path, O_WRONLY), rc;
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", value);

	(void)transport;
	if (fd < 0)
		return fd;
	rc = write(fd, text, (size_t)len) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static void close_sockets(struct rt_transport *transport)
{
	struct sockets *s = (struct sockets *)transport;

	for (size_t bus = 0; bus < RT_N_BUSES; bus++)
		if (s->bus[bus])
			mnl_socket_close(s->bus[bus]);
	free(s);
}

static int open_bus(struct sockets *s, enum rt_bus bus, bool silent)
{
	static const int protocol[RT_N_BUSES] = { NETLINK_ROUTE, NETLINK_NETFILTER, NETLINK_ROUTE };
	int on = 1;

	s->bus[bus] = mnl_socket_open2(protocol[bus], SOCK_CLOEXEC);
	if (!s->bus[bus])
		return -errno;
	if (mnl_socket_bind(s->bus[bus], 0, MNL_SOCKET_AUTOPID))
		return -errno;
	set_buffer(s->bus[bus], SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
	set_buffer(s->bus[bus], SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER);
	/* all of these are older than the oldest kernel with IFA_PROTO (5.18) */
	if (bus != RT_EVENTS && (mnl_socket_setsockopt(s->bus[bus], NETLINK_EXT_ACK, &on, sizeof(on)) ||
				 mnl_socket_setsockopt(s->bus[bus], NETLINK_CAP_ACK, &on, sizeof(on))))
		return -errno;
	if (bus == RT_ROUTE && mnl_socket_setsockopt(s->bus[bus], NETLINK_GET_STRICT_CHK, &on, sizeof(on)))
		return -errno;
	for (size_t i = 0; bus == RT_EVENTS && !silent && i < sizeof(event_groups) / sizeof(*event_groups); i++) {
		int group = event_groups[i];

		if (mnl_socket_setsockopt(s->bus[bus], NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
			return -errno;
	}
	return 0;
}

static int open_all(struct rt_transport **transport, bool silent)
{
	struct sockets *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->transport = (struct rt_transport){ send_batch, receive, read_setting, write_setting, close_sockets };
	s->room = SEND_BUFFER;
	for (enum rt_bus bus = 0; bus < RT_N_BUSES; bus++) {
		int rc = open_bus(s, bus, silent);

		if (rc) {
			close_sockets(&s->transport);
			return rc;
		}
	}
	*transport = &s->transport;
	return 0;
}

int rt_socket_open(struct rt_transport **transport)
{
	return open_all(transport, false);
}

int rt_socket_open_silent(struct rt_transport **transport)
{
	return open_all(transport, true);
}
