/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge.c - receives the stream, and holds every packet against both policies. */
#include <poll.h>
#include <string.h>
#include <sys/resource.h>

#include "stream.h"

#define POLL_MS 20

static bool is_at(const struct treatment *want, int port, const struct arrival *arrival)
{
	return want->port == port && want->in_tunnel == arrival->in_tunnel;
}

static bool is_treated(const struct class *class, const struct treatment *want, const struct arrival *arrival)
{
	uint8_t source[16];

	if (want->has_source)
		memcpy(source, want->source, sizeof(source));
	else
		flow_source(class, arrival->stamp.flow, source);
	return class->is_v6 == arrival->is_v6 && (!want->mss || want->mss == arrival->mss) &&
	       !memcmp(source, arrival->source, sizeof(source));
}

/* A flow whose translation is fixed goes on as it began, whatever both policies say of new ones. */
static unsigned int hold_to_first(struct class *class, uint32_t flow, unsigned int fate)
{
	const uint8_t by = (uint8_t)((fate / FATE_BY(0)) & 3);

	if (class->kind != KIND_PINNED || flow >= class->n_flows || !by)
		return fate;
	if (!class->first[flow])
		class->first[flow] = by;
	return class->first[flow] & by ? fate : FATE_MIXED;
}

static void judge(struct stream *s, const struct port *port, const uint8_t *frame, size_t len)
{
	struct arrival arrival;
	struct class *class;
	unsigned int fate = 0;
	bool known_port = false;

	switch (parse_packet(frame, len, &arrival)) {
	case PARSED_STRANGE:
		s->n_strange++;
		return;
	case PARSED_TALK:
		return;
	case PARSED_OURS:
		break;
	}
	if (arrival.stamp.class >= (uint32_t)s->n_classes || arrival.stamp.number >= s->next)
		return;
	class = &s->classes[arrival.stamp.class];
	for (unsigned int policy = 0; policy < 2; policy++)
		if (is_at(&class->want[policy], (int)(port - s->ports), &arrival)) {
			known_port = true;
			if (is_treated(class, &class->want[policy], &arrival))
				fate |= FATE_BY(policy);
		}
	if (!fate)
		fate = known_port ? FATE_MIXED : FATE_ASTRAY;
	fate = hold_to_first(class, arrival.stamp.flow, fate);
	if (s->fate[arrival.stamp.number] & FATE_SEEN)
		fate |= FATE_TWICE;
	s->fate[arrival.stamp.number] |= (uint16_t)(fate | FATE_SEEN);
}

void *judge_stream(void *stream)
{
	struct stream *s = stream;
	struct pollfd polled[MAX_PORTS];
	bool any = true;

	setpriority(PRIO_PROCESS, 0, -10);
	for (int i = 0; i < s->n_ports; i++)
		polled[i] = (struct pollfd){ .fd = s->ports[i].sock, .events = POLLIN };
	while (!s->stop_receiving || any) {
		any = false;
		for (int i = 0; i < s->n_ports; i++)
			any |= drain_port(s, &s->ports[i], judge);
		if (!any && !s->stop_receiving)
			poll(polled, (nfds_t)s->n_ports, POLL_MS);
	}
	return NULL;
}
