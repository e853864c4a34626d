/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prober.c - prober SPEC: probes until told to end, then prints which probes were answered, and by which way.
 *
 * On stdin, a command a line:
 *   phase NAME first|either|second   what is sent from now on is counted there; a phase may come back
 *   mute PORT, unmute PORT           from now on nothing that comes there is an answer (a line that is cut)
 *   end
 * Exit status: 0 when every probe that the machine has not lost was answered once, by its way and with its source; else 1. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "prober.h"

#define SECOND 1000000000u
#define LAST_ANSWERS (1 * (uint64_t)SECOND) /* so long answers to the last probes are awaited */
#define LATE_LIMIT (SECOND / 10) /* a sender that comes later than that does not make up for it */
#define POLL_MS 20

_Noreturn void die(const char *what)
{
	fprintf(stderr, "prober: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* ---- probes and answers ---- */

static void send_one(struct prober *p, struct class *class, uint64_t now)
{
	uint8_t packet[PACKET_MAX];
	size_t len = build_probe(class, p->n_probes, packet);

	if (p->n_probes == p->max_probes) {
		p->max_probes = p->max_probes ? 2 * p->max_probes : 1u << 16;
		p->probes = realloc(p->probes, p->max_probes * sizeof(*p->probes));
		if (!p->probes)
			die("realloc");
	}
	p->probes[p->n_probes++] = (struct probe){
		.sent_ns = now, .nth = class->n_sent, .class = (uint8_t)(class - p->classes), .phase = (uint8_t)p->phase
	};
	if (!send_probe(p, class, packet, len))
		p->n_refused++;
	class->n_sent++;
}

/* Sends what is due; returns when the next is. */
static uint64_t send_due(struct prober *p)
{
	uint64_t now = now_ns(), next = UINT64_MAX;

	for (int i = 0; i < p->n_classes; i++) {
		struct class *class = &p->classes[i];

		while (class->next_ns <= now) {
			if (now - class->next_ns > p->late_ns)
				p->late_ns = now - class->next_ns;
			if (now - class->next_ns > LATE_LIMIT)
				class->next_ns = now;
			class->next_ns += SECOND / class->rate;
			send_one(p, class, now);
		}
		if (class->next_ns < next)
			next = class->next_ns;
	}
	return next;
}

static void take_packet(struct prober *p, int port, const uint8_t *packet, size_t len)
{
	struct answer answer = { 0 };
	const struct class *class;
	struct probe *probe;
	uint8_t theirs[16];

	if (p->ports[port].is_mute || !parse_answer(packet, len, &answer) || answer.number >= p->n_probes)
		return;
	probe = &p->probes[answer.number];
	class = &p->classes[probe->class];
	if (answer.in_gre) {
		probe->is_twice |= probe->way.outer != 0;
		probe->way.outer = (uint8_t)(port + 1);
	} else {
		probe->is_twice |= probe->way.port != 0;
		probe->way.port = (uint8_t)(port + 1);
	}
	theirs_of(class, probe->nth, theirs);
	probe->is_forged |= answer.is_v6 != class->is_v6 || memcmp(answer.source, class->ours, 16) != 0 ||
			    memcmp(answer.destination, theirs, 16) != 0;
}

/* ---- commands ---- */

/* What the machine loses until a second after a phase may be packets of that phase. */
static void settle_former(struct prober *p)
{
	if (p->former >= 0)
		p->phases[p->former].n_machine += machine_losses(p) - p->former_losses;
	p->former = -1;
}

static void end_phase(struct prober *p)
{
	settle_former(p);
	p->former = p->phase;
	p->former_losses = p->losses_before;
	p->former_ns = now_ns();
	p->losses_before = machine_losses(p);
}

static void set_phase(struct prober *p, const char *name, const char *wanted)
{
	for (p->phase = 0; p->phase < p->n_phases; p->phase++)
		if (!strcmp(p->phases[p->phase].name, name))
			return;
	if (p->n_phases == MAX_PHASES)
		die(name);
	p->phases[p->n_phases].wanted = *wanted == 'f' ? WANT_FIRST : *wanted == 's' ? WANT_SECOND : WANT_EITHER;
	snprintf(p->phases[p->n_phases++].name, NAME_LEN, "%s", name);
}

/* False: this was the last one. */
static bool command(struct prober *p, char *line)
{
	char *what = strsep(&line, " "), *name = strsep(&line, " ");

	if (!name)
		return strcmp(what, "end") != 0;
	if (!strcmp(what, "phase") && line) {
		end_phase(p);
		set_phase(p, name, line);
		return true;
	}
	for (int i = 0; i < p->n_ports; i++)
		if (!strcmp(p->ports[i].name, name))
			p->ports[i].is_mute = *what == 'm';
	return true;
}

static bool read_commands(struct prober *p)
{
	static char text[1024];
	static size_t len;
	ssize_t got = read(STDIN_FILENO, text + len, sizeof(text) - len);
	char *end;

	if (got <= 0)
		return false;
	len += (size_t)got;
	while ((end = memchr(text, '\n', len))) {
		const size_t used = (size_t)(end - text) + 1;

		*end = '\0';
		if (!command(p, text))
			return false;
		memmove(text, text + used, len - used);
		len -= used;
	}
	return true;
}

/* ---- the run ---- */

/* Waits for the next thing to do, no longer than until then. */
static bool wait_until(struct prober *p, uint64_t until, bool listens)
{
	struct pollfd polls[MAX_PORTS + 1];
	const uint64_t now = now_ns();
	const uint64_t left = until <= now ? 0 : until - now;
	const struct timespec limit = { .tv_nsec = (long)(left < POLL_MS * 1000000u ? left : POLL_MS * 1000000u) };

	for (int i = 0; i < p->n_ports; i++)
		polls[i] = (struct pollfd){ .fd = p->ports[i].sock, .events = POLLIN };
	polls[p->n_ports] = (struct pollfd){ .fd = listens ? STDIN_FILENO : -1, .events = POLLIN };
	if (ppoll(polls, (nfds_t)p->n_ports + 1, &limit, NULL) <= 0 || !polls[p->n_ports].revents)
		return true;
	return read_commands(p);
}

static void run(struct prober *p)
{
	const uint64_t start = now_ns();
	uint64_t end;

	/* not all at once */
	for (int i = 0; i < p->n_classes; i++)
		p->classes[i].next_ns =
			start + SECOND / p->classes[i].rate * (uint64_t)(i + 1) / (uint64_t)(p->n_classes + 1);
	while (wait_until(p, send_due(p), true)) {
		drain_ports(p, take_packet);
		if (p->former >= 0 && now_ns() - p->former_ns > SECOND)
			settle_former(p);
	}
	for (end = now_ns() + LAST_ANSWERS; now_ns() < end; drain_ports(p, take_packet))
		wait_until(p, end, false);
	end_phase(p);
	settle_former(p);
}

int main(int argc, char **argv)
{
	static struct prober p = { .former = -1 };

	if (argc != 2) {
		fputs("usage: see the top of tests/bench/health/prober.c\n", stderr);
		return 64;
	}
	read_spec(&p, argv[1]);
	open_ports(&p);
	set_phase(&p, "before", "first");
	p.losses_before = machine_losses(&p);
	run(&p);
	return report(&p) ? 0 : 1;
}
