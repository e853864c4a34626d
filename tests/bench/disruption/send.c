/* SPDX-License-Identifier: GPL-2.0-or-later */
/* send.c - sends the stream at its rate, a few packets every millisecond. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "stream.h"

#define TICK_NS 1000000u
#define BATCH 64 /* packets at once, to one port */
#define CATCH_UP_NS 20000000u /* what was missed for longer than this is not made up: it would be a burst */

struct batch {
	uint8_t frames[BATCH][FRAME_MAX];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
	uint32_t numbers[BATCH];
	unsigned int n;
	int port;
};

static void flush(struct stream *s, struct batch *batch)
{
	unsigned int done = 0;

	while (done < batch->n) {
		int n = sendmmsg(s->ports[batch->port].sock, batch->messages + done, batch->n - done, 0);

		if (n > 0) {
			done += (unsigned int)n;
			continue;
		}
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			die("sendmmsg");
		/* the device took none: that packet was never sent */
		s->fate[batch->numbers[done++]] &= (uint16_t)~FATE_SENT;
		s->n_refused++;
	}
	batch->n = 0;
}

static void send_one(struct stream *s, struct batch *batch)
{
	const uint32_t number = atomic_load_explicit(&s->next, memory_order_relaxed);
	const uint8_t index = s->slots[number % SLOTS];
	struct class *class = &s->classes[index];
	struct stamp stamp = { .number = number, .class = index };
	unsigned int i;

	if (batch->n == BATCH || batch->port != class->in)
		flush(s, batch);
	i = batch->n++;
	batch->port = class->in;
	batch->numbers[i] = number;
	stamp.flow = class->kind == KIND_SYN ? class->next_flow++ : class->next_flow++ % class->n_flows;
	batch->parts[i] = (struct iovec){ batch->frames[i], 0 };
	batch->parts[i].iov_len = build_packet(class, s->ports[class->in].router, &stamp, batch->frames[i]);
	batch->messages[i].msg_hdr = (struct msghdr){ .msg_iov = &batch->parts[i], .msg_iovlen = 1 };
	s->fate[number] = index | FATE_SENT;
	atomic_store(&s->next, number + 1);
}

void *send_stream(void *stream)
{
	static struct batch batch;
	struct stream *s = stream;
	const struct sched_param first = { .sched_priority = 1 };
	const uint64_t start = now_ns();
	uint64_t due = 0, skipped = 0, before = start;

	/* where it may; a busy machine holds the rate all the same, if not as well */
	sched_setscheduler(0, SCHED_RR, &first);
	for (uint64_t now = start; !s->stop_sending; now = now_ns()) {
		const struct timespec rest = { .tv_nsec = TICK_NS };
		uint64_t behind;

		if (now - before > s->ns_worst_gap)
			s->ns_worst_gap = now - before;
		before = now;
		behind = (now - start - skipped) * s->rate / 1000000000u;
		behind = behind > due ? behind - due : 0;
		if (behind > (uint64_t)s->rate * CATCH_UP_NS / 1000000000u) {
			skipped += (behind * 1000000000u / s->rate) - CATCH_UP_NS;
			behind = (uint64_t)s->rate * CATCH_UP_NS / 1000000000u;
		}
		due += behind;
		while (behind-- && s->next < s->max_packets)
			send_one(s, &batch);
		flush(s, &batch);
		nanosleep(&rest, NULL);
	}
	s->ns_sending = now_ns() - start;
	return NULL;
}
