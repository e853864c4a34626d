/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spec.c - reads what the stream is made of, in lines of KEY=VALUE words:
 *
 *   router PATH                                           the namespace that is under test
 *   port NAME netns=PATH device=DEV peer=DEV mac=MAC      peer and mac: the router's end of the wire
 *   class NAME kind=udp|syn|pinned in=PORT from=ADDRESS*N to=ADDRESS*N step=N sport=N dport=N flows=N share=N
 *         first=WANT second=WANT [answer=1]
 *
 * WANT is PORT[/gre][/mss=N][/src=ADDRESS]. The shares of all classes make SLOTS. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

static bool parse_address(const char *text, uint8_t out[16])
{
	memset(out, 0, 16);
	if (inet_pton(AF_INET, text, out) == 1)
		return false;
	if (inet_pton(AF_INET6, text, out) != 1)
		die(text);
	return true;
}

static int find_port(const struct stream *s, const char *name)
{
	for (int i = 0; i < s->n_ports; i++)
		if (!strcmp(s->ports[i].name, name))
			return i;
	die(name);
}

static void copy(char *to, size_t size, const char *from)
{
	if ((size_t)snprintf(to, size, "%s", from) >= size)
		die(from);
}

static void read_port(struct port *port, const char *key, const char *value)
{
	uint8_t *m = port->router;

	if (!strcmp(key, "netns"))
		copy(port->netns, sizeof(port->netns), value);
	else if (!strcmp(key, "device"))
		copy(port->device, sizeof(port->device), value);
	else if (!strcmp(key, "peer"))
		copy(port->peer, sizeof(port->peer), value);
	else if (strcmp(key, "mac") ||
		 sscanf(value, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", m, m + 1, m + 2, m + 3, m + 4, m + 5) != 6)
		die(key);
}

static void read_want(const struct stream *s, struct treatment *want, char *value)
{
	char *rest = value, *word = strsep(&rest, "/");

	want->port = find_port(s, word);
	while ((word = strsep(&rest, "/"))) {
		if (!strcmp(word, "gre")) {
			want->in_tunnel = true;
		} else if (!strncmp(word, "mss=", 4)) {
			want->mss = (uint16_t)atoi(word + 4);
		} else if (!strncmp(word, "src=", 4)) {
			want->has_source = true;
			parse_address(word + 4, want->source);
		} else {
			die(word);
		}
	}
}

static bool read_addresses(char *value, uint8_t out[16], unsigned int *n)
{
	char *times = strchr(value, '*');

	*n = times ? (unsigned int)atoi(times + 1) : 1;
	if (times)
		*times = '\0';
	if (!*n)
		die(value);
	return parse_address(value, out);
}

static void read_class(const struct stream *s, struct class *class, const char *key, char *value)
{
	static const char *const kinds[] = { "udp", "syn", "pinned" };
	const struct {
		const char *key;
		unsigned int *to;
	} numbers[] = { { "step", &class->step }, { "flows", &class->n_flows }, { "share", &class->share } };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (!strcmp(key, numbers[i].key)) {
			*numbers[i].to = (unsigned int)atoi(value);
			return;
		}
	if (!strcmp(key, "kind"))
		while (strcmp(kinds[class->kind], value))
			class->kind++;
	else if (!strcmp(key, "in"))
		class->in = find_port(s, value);
	else if (!strcmp(key, "from"))
		class->is_v6 = read_addresses(value, class->from, &class->n_from);
	else if (!strcmp(key, "to"))
		class->is_v6 = read_addresses(value, class->to, &class->n_to);
	else if (!strcmp(key, "sport"))
		class->sport = (uint16_t)atoi(value);
	else if (!strcmp(key, "dport"))
		class->dport = (uint16_t)atoi(value);
	else if (!strcmp(key, "first"))
		read_want(s, &class->want[0], value);
	else if (!strcmp(key, "second"))
		read_want(s, &class->want[1], value);
	else if (!strcmp(key, "answer"))
		class->is_answer = true;
	else
		die(key);
}

static void read_line(struct stream *s, char *line)
{
	char *rest = line, *what = strsep(&rest, " "), *name = strsep(&rest, " "), *word;
	struct port *port = &s->ports[s->n_ports];
	struct class *class = &s->classes[s->n_classes];

	if (!name)
		die(what);
	if (!strcmp(what, "router")) {
		copy(s->router, sizeof(s->router), name);
		return;
	}
	if (s->n_ports == MAX_PORTS || s->n_classes == MAX_CLASSES)
		die("too many ports or classes");
	copy(*what == 'p' ? port->name : class->name, NAME_LEN, name);
	while ((word = strsep(&rest, " "))) {
		char *key = strsep(&word, "=");

		if (!word)
			continue;
		if (*what == 'p')
			read_port(port, key, word);
		else
			read_class(s, class, key, word);
	}
	*(*what == 'p' ? &s->n_ports : &s->n_classes) += 1;
}

/* The classes take turns as evenly as their shares allow. */
static void fill_slots(struct stream *s)
{
	long credit[MAX_CLASSES] = { 0 };
	unsigned int sum = 0;

	for (int c = 0; c < s->n_classes; c++)
		sum += s->classes[c].share;
	if (sum != SLOTS) {
		fprintf(stderr, "stream: the shares make %u, not %d\n", sum, SLOTS);
		exit(1);
	}
	for (size_t i = 0; i < SLOTS; i++) {
		int best = 0;

		for (int c = 0; c < s->n_classes; c++) {
			credit[c] += s->classes[c].share;
			if (credit[c] > credit[best])
				best = c;
		}
		credit[best] -= SLOTS;
		s->slots[i] = (uint8_t)best;
	}
}

void read_spec(struct stream *s, const char *file)
{
	FILE *in = fopen(file, "re");
	char line[1024];

	if (!in)
		die(file);
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line && *line != '#')
			read_line(s, line);
	}
	fclose(in);
	fill_slots(s);
	for (int c = 0; c < s->n_classes; c++)
		if (s->classes[c].kind == KIND_PINNED) {
			s->classes[c].first = calloc(s->classes[c].n_flows, 1);
			if (!s->classes[c].first)
				die("calloc");
		}
}
