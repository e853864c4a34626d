/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jhash.c - see jhash.h. */
#include "compiler/explain/jhash.h"

#include <string.h>

struct lanes {
	uint32_t a, b, c;
};

static uint32_t rotate(uint32_t x, unsigned int by)
{
	return x << by | x >> (32 - by);
}

static void mix(struct lanes *l)
{
	static const unsigned int by[] = { 4, 6, 8, 16, 19, 4 };

	for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++) {
		struct lanes was = *l;

		was.a = (was.a - was.c) ^ rotate(was.c, by[i]);
		was.c += was.b;
		*l = (struct lanes){ was.b, was.c, was.a }; /* the next step has the names moved on */
	}
}

static void finish(struct lanes *l)
{
	static const unsigned int by[] = { 14, 11, 25, 16, 4, 14, 24 };

	for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++) {
		struct lanes was = *l;

		was.c = (was.c ^ was.b) - rotate(was.b, by[i]);
		*l = (struct lanes){ was.b, was.c, was.a };
	}
	/* seven steps turn the names by one */
	*l = (struct lanes){ l->c, l->a, l->b };
}

uint32_t cni_jhash(const uint8_t *bytes, size_t len, uint32_t seed)
{
	const uint32_t start = 0xdeadbeef + (uint32_t)len + seed;
	struct lanes l = { start, start, start };
	uint32_t words[3] = { 0 };

	for (; len > sizeof(words); bytes += sizeof(words), len -= sizeof(words)) {
		memcpy(words, bytes, sizeof(words));
		l = (struct lanes){ l.a + words[0], l.b + words[1], l.c + words[2] };
		mix(&l);
	}
	if (!len)
		return l.c;
	memset(words, 0, sizeof(words));
	memcpy(words, bytes, len);
	l = (struct lanes){ l.a + words[0], l.b + words[1], l.c + words[2] };
	finish(&l);
	return l.c;
}
