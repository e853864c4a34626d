/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spec.c - reads what is probed, in lines of KEY=VALUE words:
 *
 *   router PATH                          its namespace
 *   port NAME netns=PATH device=DEV [mac=MAC]
 *   class NAME into=PORT type=request|reply theirs=ADDRESS[*N] ours=ADDRESS rate=N [ids=N]
 *         first=PORT[/OUTER] [second=PORT[/OUTER]|-]
 *
 * In a class's name _ stands for a blank. `second` is as `first` where it is not given; "-": there is none. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prober.h"

static int find_port(const struct prober *p, const char *name)
{
	for (int i = 0; i < p->n_ports; i++)
		if (!strcmp(p->ports[i].name, name))
			return i;
	die(name);
}

static void copy(char *to, size_t size, const char *from)
{
	if ((size_t)snprintf(to, size, "%s", from) >= size)
		die(from);
}

static bool read_address(const char *text, uint8_t out[16])
{
	if (inet_pton(AF_INET, text, out) == 1)
		return false;
	if (inet_pton(AF_INET6, text, out) != 1)
		die(text);
	return true;
}

static struct way read_way(const struct prober *p, char *value)
{
	char *outer = strchr(value, '/');
	struct way way = { 0 };

	if (outer)
		*outer++ = '\0';
	if (strcmp(value, "-") != 0)
		way.port = (uint8_t)(find_port(p, value) + 1);
	way.outer = outer ? (uint8_t)(find_port(p, outer) + 1) : 0;
	return way;
}

static void read_port(struct port *port, const char *key, const char *value)
{
	uint8_t *m = port->router;

	if (!strcmp(key, "netns"))
		copy(port->netns, sizeof(port->netns), value);
	else if (!strcmp(key, "device"))
		copy(port->device, sizeof(port->device), value);
	else if (strcmp(key, "mac") ||
		 sscanf(value, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", m, m + 1, m + 2, m + 3, m + 4, m + 5) != 6)
		die(key);
}

static void read_class(const struct prober *p, struct class *class, const char *key, char *value)
{
	char *times = strchr(value, '*');

	if (!strcmp(key, "into")) {
		class->port = find_port(p, value);
	} else if (!strcmp(key, "type")) {
		class->is_reply = !strcmp(value, "reply");
	} else if (!strcmp(key, "theirs")) {
		if (times)
			*times = '\0';
		class->n_theirs = times ? (unsigned int)atoi(times + 1) : 1;
		read_address(value, class->theirs);
	} else if (!strcmp(key, "ours")) {
		class->is_v6 = read_address(value, class->ours);
	} else if (!strcmp(key, "rate")) {
		class->rate = (unsigned int)atoi(value);
	} else if (!strcmp(key, "ids")) {
		class->n_ids = (unsigned int)atoi(value);
	} else if (!strcmp(key, "first")) {
		class->want[0] = class->want[1] = read_way(p, value);
	} else if (!strcmp(key, "second")) {
		class->want[1] = read_way(p, value);
	} else {
		die(key);
	}
}

static void read_line(struct prober *p, char *line)
{
	char *rest = line, *what = strsep(&rest, " "), *name = strsep(&rest, " "), *word;
	const bool is_port = !strcmp(what, "port");
	struct port *port = &p->ports[p->n_ports];
	struct class *class = &p->classes[p->n_classes];

	if (!strcmp(what, "router") && name) {
		open_counters(p, name);
		return;
	}
	if (!name || p->n_ports == MAX_PORTS || p->n_classes == MAX_CLASSES)
		die(what);
	copy(is_port ? port->name : class->name, NAME_LEN, name);
	if (!is_port)
		class->n_ids = 1;
	while ((word = strsep(&rest, " "))) {
		char *key = strsep(&word, "=");

		if (!word)
			continue;
		if (is_port)
			read_port(port, key, word);
		else
			read_class(p, class, key, word);
	}
	*(is_port ? &p->n_ports : &p->n_classes) += 1;
	if (!is_port && (!class->rate || !class->n_theirs || !class->n_ids || !class->want[0].port))
		die(class->name);
}

void read_spec(struct prober *p, const char *file)
{
	FILE *in = fopen(file, "re");
	char line[1024];
	uint16_t id = 1;

	if (!in)
		die(file);
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line && *line != '#')
			read_line(p, line);
	}
	fclose(in);
	for (int i = 0; i < p->n_classes; i++) {
		for (char *c = p->classes[i].name; (c = strchr(c, '_'));)
			*c = ' ';
		p->classes[i].id = id;
		id = (uint16_t)(id + p->classes[i].n_ids);
	}
}
