/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.h - a growing text in an arena: what emit/ writes into, so that compiler/ needs no files. */
#ifndef CNI_TEXT_H
#define CNI_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct cni_arena;

struct cni_text {
	struct cni_arena *arena;
	char *data; /* NUL-terminated once anything was written; NULL before */
	size_t len, room;
};

void cni_text_add(struct cni_text *text, const char *data, size_t len);
void cni_text_puts(struct cni_text *text, const char *string);
void cni_text_printf(struct cni_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* FNV-1a, 32 bits. */
uint32_t cni_text_hash(const char *text);

#endif
