/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.c - doubling, see text.h. */
#include "compiler/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"

static void grow(struct cni_text *text, size_t more)
{
	size_t room = text->room ? text->room : 256;

	while (room - text->len <= more)
		room *= 2;
	text->data = cni_regrow(text->arena, text->data, text->len, room);
	text->room = room;
}

static inline void reserve(struct cni_text *text, size_t more)
{
	if (text->room - text->len <= more)
		grow(text, more);
}

void cni_text_add(struct cni_text *text, const char *data, size_t len)
{
	reserve(text, len);
	memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void cni_text_puts(struct cni_text *text, const char *string)
{
	cni_text_add(text, string, strlen(string));
}

void cni_text_printf(struct cni_text *text, const char *format, ...)
{
	va_list args;
	int len;

	reserve(text, 0);
	va_start(args, format);
	len = vsnprintf(text->data + text->len, text->room - text->len, format, args);
	va_end(args);
	if (len < 0)
		abort();
	if ((size_t)len >= text->room - text->len) {
		reserve(text, (size_t)len);
		va_start(args, format);
		vsnprintf(text->data + text->len, (size_t)len + 1, format, args);
		va_end(args);
	}
	text->len += (size_t)len;
}

uint32_t cni_text_hash(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash;
}
