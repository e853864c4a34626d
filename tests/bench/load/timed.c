/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timed.c - cnic itself (it is linked with its main.c), over a transport that looks at the clock around each message
 * (the linker puts __wrap_rt_socket_open in the place of rt_socket_open).
 *
 * $CNIC_BENCH_TIMES: a file for what it saw, a key and a number a line; seconds but for the last two:
 *   before    from the program's start to the first message that changes something
 *   sent      from there to the ack of the last such, without reading in between
 *   inside    of that, in send and receive: the rest is our own, most of it comparing what was read in between
 *   between   the reading that was left out
 *   after     from there to the program's end
 *   reading   in send and receive of requests, and in receive of events
 *   messages  that change something; a write to /proc/sys is one, the frames of an nft batch are none
 *   bytes     of them, frames included
 * $CNIC_BENCH_RECORD: a file for the messages, as in record.h. */
#include "tests/bench/load/record.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "runtime/netlink/socket.h"

int __real_rt_socket_open(struct rt_transport **transport);
int __wrap_rt_socket_open(struct rt_transport **transport);

struct timed {
	struct rt_transport transport, *real;
	bool asks[RT_N_BUSES]; /* what was sent last was a request */
};

static struct {
	double start, first, last; /* first, last: of a change; 0: there was none */
	double inside, reading, between; /* between: reading up to `last`, since `first` */
	double unsettled; /* reading since `last` */
	size_t n_messages, n_bytes;
	FILE *record;
} seen;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- what was seen ---- */

static void note_change(double from)
{
	seen.last = now();
	if (seen.first == 0)
		seen.first = from;
	else
		seen.between += seen.unsettled;
	seen.unsettled = 0;
	seen.inside += seen.last - from;
}

static void note_reading(double from)
{
	double took = now() - from;

	seen.reading += took;
	seen.unsettled += took;
}

static void keep(uint64_t kind, const void *data, size_t len)
{
	static const char zeros[8];
	const struct record record = { kind, len };

	if (!seen.record)
		return;
	fwrite(&record, sizeof(record), 1, seen.record);
	fwrite(data, 1, len, seen.record);
	fwrite(zeros, 1, RECORD_ALIGN(len) - len, seen.record);
}

/* As in tests/fault/faulty.c: requests of rtnetlink have types of 2 mod 4; of nfnetlink, what is in no batch asks, but
 * for conntrack's marks. */
static bool is_request(enum rt_bus bus, const struct nlmsghdr *first)
{
	if (bus == RT_ROUTE)
		return first->nlmsg_type % 4 == 2;
	return first->nlmsg_type != NFNL_MSG_BATCH_BEGIN &&
	       first->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW);
}

static void count(enum rt_bus bus, const void *data, size_t len)
{
	size_t at = 0;

	seen.n_bytes += len;
	while (at < len) {
		const struct nlmsghdr *message = (const void *)((const char *)data + at);

		seen.n_messages += bus != RT_NETFILTER || (message->nlmsg_type != NFNL_MSG_BATCH_BEGIN &&
							   message->nlmsg_type != NFNL_MSG_BATCH_END);
		at += MNL_ALIGN(message->nlmsg_len);
	}
}

/* ---- the transport ---- */

static int timed_send(struct rt_transport *transport, enum rt_bus bus, const void *data, size_t len)
{
	struct timed *t = (struct timed *)transport;
	double from;
	int rc;

	t->asks[bus] = is_request(bus, data);
	if (!t->asks[bus]) {
		count(bus, data, len);
		keep((uint64_t)bus, data, len);
	}
	from = now();
	rc = t->real->send(t->real, bus, data, len);
	if (t->asks[bus])
		note_reading(from);
	else
		note_change(from);
	return rc;
}

static ssize_t timed_receive(struct rt_transport *transport, enum rt_bus bus, void *buffer, size_t size)
{
	struct timed *t = (struct timed *)transport;
	double from = now();
	ssize_t len = t->real->receive(t->real, bus, buffer, size);

	if (bus == RT_EVENTS || t->asks[bus])
		note_reading(from);
	else
		note_change(from);
	return len;
}

static int timed_read(struct rt_transport *transport, const char *path, int *value)
{
	struct timed *t = (struct timed *)transport;
	double from = now();
	int rc = t->real->read_setting(t->real, path, value);

	note_reading(from);
	return rc;
}

static int timed_write(struct rt_transport *transport, const char *path, int value)
{
	struct timed *t = (struct timed *)transport;
	char text[192];
	size_t len = strlen(path) + 1;
	double from;
	int rc;

	snprintf(text, sizeof(text), "%s", path);
	if (len < sizeof(text) - 16) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d", value) + 1;
		keep(RECORD_SETTING, text, len);
	}
	seen.n_messages++;
	from = now();
	rc = t->real->write_setting(t->real, path, value);
	note_change(from);
	return rc;
}

static void timed_close(struct rt_transport *transport)
{
	struct timed *t = (struct timed *)transport;

	t->real->close(t->real);
	free(t);
}

int __wrap_rt_socket_open(struct rt_transport **transport)
{
	struct timed *t = calloc(1, sizeof(*t));
	int rc = t ? __real_rt_socket_open(&t->real) : -ENOMEM;

	if (rc) {
		free(t);
		return rc;
	}
	t->transport = (struct rt_transport){ timed_send, timed_receive, timed_read, timed_write, timed_close };
	*transport = &t->transport;
	return 0;
}

/* ---- the program's start and end ---- */

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("CNIC_BENCH_RECORD");

	seen.start = now();
	seen.record = file ? fopen(file, "we") : NULL;
	if (file && !seen.record)
		abort();
}

__attribute__((destructor)) static void end(void)
{
	const char *file = getenv("CNIC_BENCH_TIMES");
	double stop = now();
	FILE *out;

	if (seen.record && fclose(seen.record))
		abort();
	if (!file)
		return;
	out = fopen(file, "we");
	if (!out)
		abort();
	if (seen.first == 0)
		seen.first = seen.last = stop;
	fprintf(out, "before %f\nsent %f\ninside %f\nbetween %f\nafter %f\nreading %f\nmessages %zu\nbytes %zu\n",
		seen.first - seen.start, seen.last - seen.first - seen.between, seen.inside, seen.between,
		stop - seen.last, seen.reading, seen.n_messages, seen.n_bytes);
	fclose(out);
}
