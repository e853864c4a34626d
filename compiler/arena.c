/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arena.c - blocks in a chain; see arena.h. */
#include "compiler/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE (64u * 1024u)

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(max_align_t) unsigned char data[];
};

struct cni_arena {
	struct block *blocks;
};

struct cni_arena *cni_arena_new(void)
{
	struct cni_arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		abort();
	return arena;
}

void cni_arena_free(struct cni_arena *arena)
{
	if (!arena)
		return;
	for (struct block *b = arena->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(arena);
}

void cni_arena_clear(struct cni_arena *arena)
{
	struct block *kept = NULL;

	for (struct block *b = arena->blocks, *next; b; b = next) {
		next = b->next;
		if (kept || b->size != BLOCK_SIZE) {
			free(b);
			continue;
		}
		kept = b;
		memset(kept->data, 0, kept->used);
		kept->used = 0;
		kept->next = NULL;
	}
	arena->blocks = kept;
}

static struct block *block_new(size_t size)
{
	/* calloc: pages of a large block come zeroed from the kernel and are touched only when used */
	struct block *b = size > SIZE_MAX - sizeof(*b) ? NULL : calloc(1, sizeof(*b) + size);

	if (!b)
		abort();
	b->size = size;
	return b;
}

void *cni_alloc(struct cni_arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct block *b = arena->blocks;
	void *p;

	if (size > SIZE_MAX / 2)
		abort();
	size = (size + align - 1) & ~(align - 1);
	if (!b || b->size - b->used < size) {
		b = block_new(size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE);
		if (size > BLOCK_SIZE / 4 && arena->blocks) {
			/* a large block goes second, so that the room left in the first is not lost */
			b->next = arena->blocks->next;
			arena->blocks->next = b;
		} else {
			b->next = arena->blocks;
			arena->blocks = b;
		}
	}
	p = b->data + b->used;
	b->used += size;
	return p;
}

void *cni_regrow(struct cni_arena *arena, const void *old, size_t old_size, size_t new_size)
{
	void *p = cni_alloc(arena, new_size);

	if (old_size)
		memcpy(p, old, old_size < new_size ? old_size : new_size);
	return p;
}

char *cni_strndup(struct cni_arena *arena, const char *text, size_t len)
{
	char *p = cni_alloc(arena, len + 1);

	if (len)
		memcpy(p, text, len);
	return p;
}

char *cni_strdup(struct cni_arena *arena, const char *text)
{
	return cni_strndup(arena, text, strlen(text));
}

char *cni_vprintf(struct cni_arena *arena, const char *format, va_list args)
{
	va_list again;
	char *p;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		abort();
	p = cni_alloc(arena, (size_t)len + 1);
	vsnprintf(p, (size_t)len + 1, format, args);
	return p;
}

char *cni_printf(struct cni_arena *arena, const char *format, ...)
{
	va_list args;
	char *p;

	va_start(args, format);
	p = cni_vprintf(arena, format, args);
	va_end(args);
	return p;
}

/* Powers of two; from 2^12 on, of eight, since what is left behind counts, and room that is not used is never touched. */
#define DOUBLES_UP_TO 12

size_t cni_room(size_t n)
{
	unsigned int bits = n > 1 ? 64 - (unsigned int)__builtin_clzll((unsigned long long)n - 1) : 0;

	if (bits > DOUBLES_UP_TO)
		bits = DOUBLES_UP_TO + (bits - DOUBLES_UP_TO + 2) / 3 * 3;
	return n ? (size_t)1 << bits : 0;
}

void *cni_push_(struct cni_arena *arena, void **items, size_t *n, size_t size)
{
	/* full at 0 and at some powers of two */
	if ((*n & (*n - 1)) == 0 && cni_room(*n) == *n)
		*items = cni_regrow(arena, *items, *n * size, cni_room(*n + 1) * size);
	return (unsigned char *)*items + (*n)++ * size;
}
