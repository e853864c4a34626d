/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faulty.c - see faulty.h. */
#include "tests/fault/faulty.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

const char *const fault_names[] = { "ENOMEM",  "EBUSY",	      "EEXIST", "ENODEV", "EPERM",	 "lost answer",
				    "overrun", "short write", "dead",	"killed", "meddled with" };

static const int error_of[] = { [FAULT_ENOMEM] = -ENOMEM,
				[FAULT_EBUSY] = -EBUSY,
				[FAULT_EEXIST] = -EEXIST,
				[FAULT_ENODEV] = -ENODEV,
				[FAULT_EPERM] = -EPERM };

static bool is_refusal(enum fault fault)
{
	return fault <= FAULT_EPERM;
}

/* What is the same whichever message of a datagram it is about. */
static bool counts_datagrams(enum fault fault)
{
	return fault >= FAULT_DEAD;
}

/* ---- what a datagram is ---- */

static bool is_frame(enum rt_bus bus, const struct nlmsghdr *message)
{
	return bus == RT_NETFILTER &&
	       (message->nlmsg_type == NFNL_MSG_BATCH_BEGIN || message->nlmsg_type == NFNL_MSG_BATCH_END);
}

static bool is_batch(enum rt_bus bus, const struct nlmsghdr *first)
{
	return bus == RT_NETFILTER && first->nlmsg_type == NFNL_MSG_BATCH_BEGIN;
}

/* Requests of rtnetlink have types of 2 mod 4; of nfnetlink, what is in no batch asks, but for conntrack's marks. */
static bool is_request(enum rt_bus bus, const struct nlmsghdr *first)
{
	if (bus == RT_ROUTE)
		return first->nlmsg_type % 4 == 2;
	return !is_batch(bus, first) && first->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW);
}

/* The `wanted`-th message that counts, from 1, or NULL; *n: how many there are. */
static const struct nlmsghdr *count(enum rt_bus bus, const void *data, size_t len, size_t wanted, size_t *n)
{
	const struct nlmsghdr *message = data, *found = NULL;

	*n = 0;
	for (int left = (int)len; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		if (!is_frame(bus, message) && ++*n == wanted)
			found = message;
	return found;
}

/* ---- answers ---- */

static void keep(struct faulty *f, enum rt_bus bus, const void *data, ssize_t len)
{
	struct answer *a;

	f->answers = realloc(f->answers, (f->n_answers + 1) * sizeof(*f->answers));
	a = &f->answers[f->n_answers++];
	*a = (struct answer){ .bus = bus, .len = len };
	if (len > 0) {
		a->data = malloc((size_t)len);
		memcpy(a->data, data, (size_t)len);
	}
}

static void answer(struct faulty *f, enum rt_bus bus, const struct nlmsghdr *message, int error)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} a = { .header = { .nlmsg_len = sizeof(a),
			    .nlmsg_type = NLMSG_ERROR,
			    .nlmsg_flags = NLM_F_CAPPED,
			    .nlmsg_seq = message->nlmsg_seq },
		.error = { .error = error, .msg = *message } };

	keep(f, bus, &a, sizeof(a));
}

static void drain(struct faulty *f, enum rt_bus bus, bool want)
{
	static unsigned char buffer[RT_RECEIVE_SIZE];
	ssize_t len;

	while ((len = f->real->receive(f->real, bus, buffer, sizeof(buffer))) != 0) {
		if (want)
			keep(f, bus, buffer, len);
		if (len < 0 && len != -ENOBUFS)
			break;
	}
}

static void forget_answers(struct faulty *f)
{
	for (size_t i = 0; i < f->n_answers; i++)
		free(f->answers[i].data);
	free(f->answers);
	f->answers = NULL;
	f->n_answers = f->next_answer = 0;
}

static ssize_t faulty_receive(struct rt_transport *t, enum rt_bus bus, void *buffer, size_t size)
{
	struct faulty *f = (struct faulty *)t;
	struct answer *a = f->next_answer < f->n_answers ? &f->answers[f->next_answer] : NULL;
	ssize_t len;

	if (f->struck && f->fault == FAULT_DEAD)
		return 0;
	if (!a || a->bus != bus)
		return f->real->receive(f->real, bus, buffer, size);
	f->next_answer++;
	len = a->len;
	if (len > (ssize_t)size)
		len = -EMSGSIZE;
	if (len > 0)
		memcpy(buffer, a->data, (size_t)len);
	if (f->next_answer == f->n_answers)
		forget_answers(f);
	return len;
}

/* ---- going wrong ---- */

/* A batch is refused as a whole, with an error for the one and an ack for the last, as the kernel does. Of other
 * datagrams, the messages stand for themselves. */
static int refuse(struct faulty *f, enum rt_bus bus, const unsigned char *data, size_t len,
		  const struct nlmsghdr *message)
{
	const struct nlmsghdr *last;
	size_t before = (size_t)((const unsigned char *)message - data), after = before, n;
	int rc = 0;

	if (is_batch(bus, (const void *)data)) {
		count(bus, data, len, 0, &n);
		last = count(bus, data, len, n, &n);
		answer(f, bus, message, error_of[f->fault]);
		if (last != message)
			answer(f, bus, last, 0);
		return 0;
	}
	after += MNL_ALIGN(message->nlmsg_len);
	if (before)
		rc = f->real->send(f->real, bus, data, before);
	drain(f, bus, true);
	answer(f, bus, message, error_of[f->fault]);
	if (!rc && after < len)
		rc = f->real->send(f->real, bus, data + after, len - after);
	drain(f, bus, true);
	return rc;
}

static int strike(struct faulty *f, enum rt_bus bus, const unsigned char *data, size_t len,
		  const struct nlmsghdr *message)
{
	int rc;

	f->struck = true;
	if (is_refusal(f->fault))
		return refuse(f, bus, data, len, message);
	switch (f->fault) {
	case FAULT_SHORT:
		return -EMSGSIZE;
	case FAULT_DEAD:
		return -ECONNREFUSED;
	case FAULT_MEDDLE:
		f->meddle(f->arg);
		return f->real->send(f->real, bus, data, len);
	default:
		rc = f->real->send(f->real, bus, data, len);
		if (f->fault == FAULT_KILL)
			raise(SIGKILL);
		drain(f, bus, false);
		if (f->fault == FAULT_OVERRUN)
			keep(f, bus, NULL, -ENOBUFS);
		return rc;
	}
}

static int faulty_send(struct rt_transport *t, enum rt_bus bus, const void *data, size_t len)
{
	struct faulty *f = (struct faulty *)t;
	const bool asks = is_request(bus, data);
	size_t *seen = asks ? &f->n_requests : &f->n_messages, n;
	const struct nlmsghdr *message;

	if (f->struck && f->fault == FAULT_DEAD)
		return -ECONNREFUSED;
	message = count(bus, data, len, f->at - *seen, &n);
	*seen += n;
	f->n_datagrams += !asks;
	if (!asks && counts_datagrams(f->fault))
		message = f->n_datagrams == f->at ? data : NULL;
	if (message && f->at && asks == f->on_requests && !f->struck)
		return strike(f, bus, data, len, message);
	return f->real->send(f->real, bus, data, len);
}

/* Of a setting nothing is lost but that it was written. */
static int faulty_write(struct rt_transport *t, const char *path, int value)
{
	struct faulty *f = (struct faulty *)t;
	const size_t messages = ++f->n_messages, datagrams = ++f->n_datagrams;
	const bool due = (counts_datagrams(f->fault) ? datagrams : messages) == f->at && !f->on_requests && !f->struck;
	int rc;

	if (f->struck && f->fault == FAULT_DEAD)
		return -EIO;
	if (!due)
		return f->real->write_setting(f->real, path, value);
	f->struck = true;
	if (is_refusal(f->fault))
		return error_of[f->fault];
	if (f->fault == FAULT_DEAD)
		return -EIO;
	if (f->fault == FAULT_MEDDLE)
		f->meddle(f->arg);
	rc = f->real->write_setting(f->real, path, value);
	if (f->fault == FAULT_KILL)
		raise(SIGKILL);
	return rc ? rc : f->fault == FAULT_MEDDLE ? 0 : -EIO;
}

static int faulty_read(struct rt_transport *t, const char *path, int *value)
{
	struct faulty *f = (struct faulty *)t;
	const bool due = ++f->n_requests == f->at && f->on_requests && !f->struck;

	if (f->struck && f->fault == FAULT_DEAD)
		return -EIO;
	if (!due)
		return f->real->read_setting(f->real, path, value);
	f->struck = true;
	if (f->fault == FAULT_MEDDLE) {
		f->meddle(f->arg);
		return f->real->read_setting(f->real, path, value);
	}
	return is_refusal(f->fault) ? error_of[f->fault] : -EIO;
}

static void faulty_close(struct rt_transport *t)
{
	struct faulty *f = (struct faulty *)t;

	forget_answers(f);
	f->real->close(f->real);
	free(f);
}

int faulty_open(struct faulty **faulty)
{
	struct faulty *f = calloc(1, sizeof(*f));
	int rc = f ? rt_socket_open(&f->real) : -ENOMEM;

	if (rc) {
		free(f);
		return rc;
	}
	f->transport = (struct rt_transport){ faulty_send, faulty_receive, faulty_read, faulty_write, faulty_close };
	*faulty = f;
	return 0;
}

void faulty_arm(struct faulty *f, enum fault fault, size_t at)
{
	forget_answers(f);
	f->fault = fault;
	f->at = at;
	f->n_messages = f->n_datagrams = f->n_requests = 0;
	f->struck = false;
}
