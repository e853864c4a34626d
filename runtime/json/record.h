/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record.h - structs as JSON objects, both ways by one table a struct. */
#ifndef RT_RECORD_H
#define RT_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/arena.h"

enum rt_field_type {
	RT_F_BOOL,
	RT_F_U8,
	RT_F_U16,
	RT_F_U32,
	RT_F_U64,
	RT_F_I32,
	RT_F_NAME, /* a text, "" when it is not there */
	RT_F_TEXT, /* a text, NULL when it is not there */
	RT_F_WORD, /* an enum, as one of `words`; the first, 0, is left out */
	RT_F_ADDR,
	RT_F_PREFIX,
	RT_F_BYTES, /* RT_BYTES of them, in hexadecimal */
	RT_F_LIST, /* records: a pointer, with its count at `count` */
};

#define RT_BYTES 16

struct rt_record;

struct rt_field {
	const char *name;
	enum rt_field_type type;
	size_t at; /* offset in the struct */
	size_t count; /* LIST */
	const struct rt_record *record; /* LIST */
	const char *const *words; /* WORD: ends in NULL */
};

struct rt_record {
	size_t size;
	const struct rt_field *fields; /* ends in a name of NULL */
	/* What no table says. Both may be NULL. write: false for no memory. read: NULL, or what is wrong. Its own
	 * keys are named in `extra`, which ends in NULL. */
	bool (*write)(const void *record, json_t *object);
	const char *(*read)(struct cni_arena *arena, void *record, const json_t *object);
	const char *const *extra;
};

#define RT_FIELD(struct_, member, type_)                                                                               \
	{                                                                                                              \
		.name = #member, .type = (type_), .at = offsetof(struct struct_, member)                               \
	}
#define RT_WORD(struct_, member, words_)                                                                               \
	{                                                                                                              \
		.name = #member, .type = RT_F_WORD, .at = offsetof(struct struct_, member), .words = (words_)          \
	}
#define RT_LIST(struct_, member, record_)                                                                              \
	{                                                                                                              \
		.name = #member, .type = RT_F_LIST, .at = offsetof(struct struct_, member),                            \
		.count = offsetof(struct struct_, n_##member), .record = &(record_)                                    \
	}

/* Owned by the caller; NULL: no memory. */
json_t *rt_record_write(const struct rt_record *record, const void *from);

/* Fills `to`, which is zeroed. NULL; or what is wrong, with the way to it ("routes[3].hops[0].weight: …"). */
const char *rt_record_read(struct cni_arena *arena, const struct rt_record *record, const json_t *object, void *to);

extern const struct rt_record rt_set_record; /* set_json.c; the others are in state_json.c */

/* Lower-case digits, to be freed by the caller; NULL: no memory. */
char *rt_hex_write(const uint8_t *bytes, size_t n);
/* Whether the text is exactly 2 * n digits. */
bool rt_hex_read(const char *text, size_t len, uint8_t *bytes, size_t n);

#endif
