/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record.c - reading and writing by tables; see record.h. */
#include "runtime/json/record.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/ip.h"
#include "runtime/json/envelope.h"

#define MAX_TEXT 4096

static const struct {
	int64_t min, max;
} ranges[] = {
	[RT_F_U8] = { 0, UINT8_MAX },	       [RT_F_U16] = { 0, UINT16_MAX },	      [RT_F_U32] = { 0, UINT32_MAX },
	[RT_F_U64] = { INT64_MIN, INT64_MAX }, [RT_F_I32] = { INT32_MIN, INT32_MAX },
};

/* ---- hexadecimal ---- */

char *rt_hex_write(const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * n + 1);

	for (size_t i = 0; text && i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	if (text)
		text[2 * n] = '\0';
	return text;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool rt_hex_read(const char *text, size_t len, uint8_t *bytes, size_t n)
{
	if (len / 2 != n || len % 2)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* ---- numbers of several widths ---- */

static int64_t load(enum rt_field_type type, const void *at)
{
	switch (type) {
	case RT_F_U8:
		return *(const uint8_t *)at;
	case RT_F_U16:
		return *(const uint16_t *)at;
	case RT_F_U32:
		return *(const uint32_t *)at;
	case RT_F_I32:
		return *(const int32_t *)at;
	default: /* above INT64_MAX it is negative in JSON, and comes back the same */
		return (int64_t) * (const uint64_t *)at;
	}
}

static const char *store(enum rt_field_type type, const json_t *value, void *at)
{
	int64_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < ranges[type].min || number > ranges[type].max)
		return "not a number, or out of range";
	switch (type) {
	case RT_F_U8:
		*(uint8_t *)at = (uint8_t)number;
		break;
	case RT_F_U16:
		*(uint16_t *)at = (uint16_t)number;
		break;
	case RT_F_U32:
		*(uint32_t *)at = (uint32_t)number;
		break;
	case RT_F_I32:
		*(int32_t *)at = (int32_t)number;
		break;
	default:
		*(uint64_t *)at = (uint64_t)number;
	}
	return NULL;
}

/* ---- one type of field, both ways ---- */

static json_t *write_bool(const struct rt_field *field, const void *at)
{
	(void)field;
	return json_boolean(*(const bool *)at);
}

static const char *read_bool(struct cni_arena *arena, const struct rt_field *field, const json_t *value, void *at)
{
	(void)arena;
	(void)field;
	*(bool *)at = json_is_true(value);
	return json_is_boolean(value) ? NULL : "neither true nor false";
}

static json_t *write_number(const struct rt_field *field, const void *at)
{
	return json_integer(load(field->type, at));
}

static const char *read_number(struct cni_arena *arena, const struct rt_field *field, const json_t *value, void *at)
{
	(void)arena;
	return store(field->type, value, at);
}

static json_t *write_text(const struct rt_field *field, const void *at)
{
	(void)field;
	return rt_json_text(*(const char *const *)at);
}

static const char *read_text(struct cni_arena *arena, const struct rt_field *field, const json_t *value, void *at)
{
	const char *text = json_string_value(value);

	(void)field;
	if (!text || strlen(text) != json_string_length(value) || strlen(text) > MAX_TEXT)
		return "not a text, or too long";
	*(const char **)at = cni_strdup(arena, text);
	return NULL;
}

static json_t *write_word(const struct rt_field *field, const void *at)
{
	return json_string(field->words[*(const int *)at]);
}

static const char *read_word(struct cni_arena *arena, const struct rt_field *field, const json_t *value, void *at)
{
	const char *text = json_string_value(value);

	(void)arena;
	for (int i = 0; text && field->words[i]; i++)
		if (!strcmp(field->words[i], text)) {
			*(int *)at = i;
			return NULL;
		}
	return "not one of its words";
}

static json_t *write_addr(const struct rt_field *field, const void *at)
{
	char text[CNI_ADDR_TEXT];

	(void)field;
	return json_string(cni_addr_format(*(const struct cni_addr *)at, text));
}

static const char *read_addr(struct cni_arena *arena, const struct rt_field *field, const json_t *value, void *at)
{
	const char *text = json_string_value(value);

	(void)arena;
	(void)field;
	return text && cni_addr_parse(text, strlen(text), at) ? NULL : "no address";
}

static json_t *write_prefix(const struct rt_field *field, const void *at)
{
	char text[CNI_ADDR_TEXT];

	(void)field;
	return json_string(cni_prefix_format(*(const struct cni_prefix *)at, text));
}

static const char *read_prefix(struct cni_arena *arena, const struct rt_field *field, const json_t *value, void *at)
{
	const char *text = json_string_value(value), *slash = text ? strchr(text, '/') : NULL;
	struct cni_prefix *prefix = at;
	unsigned int len = 0;

	(void)arena;
	(void)field;
	if (!slash || !cni_addr_parse(text, (size_t)(slash - text), &prefix->addr) || !slash[1] || strlen(slash) > 4)
		return "no prefix";
	for (const char *c = slash + 1; *c; c++) {
		if (*c < '0' || *c > '9')
			return "no prefix";
		len = len * 10 + (unsigned int)(*c - '0');
	}
	prefix->len = (uint8_t)len;
	return len <= cni_width(prefix->addr.family) ? NULL : "no prefix";
}

static json_t *write_bytes(const struct rt_field *field, const void *at)
{
	char *text = rt_hex_write(at, RT_BYTES);
	json_t *value = text ? json_string(text) : NULL;

	(void)field;
	free(text);
	return value;
}

static const char *read_bytes(struct cni_arena *arena, const struct rt_field *field, const json_t *value, void *at)
{
	(void)arena;
	(void)field;
	return json_is_string(value) && rt_hex_read(json_string_value(value), json_string_length(value), at, RT_BYTES)
		       ? NULL
		       : "not 16 bytes in hexadecimal";
}

static json_t *write_list(const struct rt_field *field, const void *at)
{
	const char *items = *(const char *const *)at;
	size_t n = *(const size_t *)((const char *)at - field->at + field->count);
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++)
		if (json_array_append_new(list, rt_record_write(field->record, items + i * field->record->size))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static const char *read_list(struct cni_arena *arena, const struct rt_field *field, const json_t *value, void *at)
{
	size_t n = json_array_size(value);
	char *items = cni_alloc(arena, n * field->record->size);

	if (!json_is_array(value))
		return "not a list";
	for (size_t i = 0; i < n; i++) {
		const char *wrong =
			rt_record_read(arena, field->record, json_array_get(value, i), items + i * field->record->size);

		if (wrong)
			return cni_printf(arena, "[%zu].%s", i, wrong);
	}
	*(char **)at = items;
	*(size_t *)((char *)at - field->at + field->count) = n;
	return NULL;
}

static const struct {
	size_t size; /* all of it zero: left out */
	json_t *(*write)(const struct rt_field *field, const void *at);
	const char *(*read)(struct cni_arena *arena, const struct rt_field *field, const json_t *value, void *at);
} types[] = {
	[RT_F_BOOL] = { sizeof(bool), write_bool, read_bool },
	[RT_F_U8] = { 1, write_number, read_number },
	[RT_F_U16] = { 2, write_number, read_number },
	[RT_F_U32] = { 4, write_number, read_number },
	[RT_F_U64] = { 8, write_number, read_number },
	[RT_F_I32] = { 4, write_number, read_number },
	[RT_F_NAME] = { sizeof(char *), write_text, read_text },
	[RT_F_TEXT] = { sizeof(char *), write_text, read_text },
	[RT_F_WORD] = { sizeof(int), write_word, read_word },
	[RT_F_ADDR] = { sizeof(struct cni_addr), write_addr, read_addr },
	[RT_F_PREFIX] = { sizeof(struct cni_prefix), write_prefix, read_prefix },
	[RT_F_BYTES] = { RT_BYTES, write_bytes, read_bytes },
	[RT_F_LIST] = { sizeof(void *), write_list, read_list },
};

/* ---- records ---- */

static bool is_zero(const unsigned char *at, size_t size)
{
	while (size && !at[size - 1])
		size--;
	return !size;
}

static bool is_default(const struct rt_field *field, const unsigned char *at)
{
	return is_zero(at, types[field->type].size) || (field->type == RT_F_NAME && !**(const char *const *)at);
}

json_t *rt_record_write(const struct rt_record *record, const void *from)
{
	json_t *object = json_object();

	for (const struct rt_field *field = record->fields; object && field->name; field++) {
		const unsigned char *at = (const unsigned char *)from + field->at;

		if (!is_default(field, at) &&
		    json_object_set_new(object, field->name, types[field->type].write(field, at))) {
			json_decref(object);
			return NULL;
		}
	}
	if (object && record->write && !record->write(from, object)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static const struct rt_field *find_field(const struct rt_record *record, const char *name)
{
	const struct rt_field *field = record->fields;

	while (field->name && strcmp(field->name, name))
		field++;
	return field->name ? field : NULL;
}

static bool is_extra(const struct rt_record *record, const char *name)
{
	for (const char *const *extra = record->extra; extra && *extra; extra++)
		if (!strcmp(*extra, name))
			return true;
	return false;
}

const char *rt_record_read(struct cni_arena *arena, const struct rt_record *record, const json_t *object, void *to)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return "not an object";
	for (const struct rt_field *field = record->fields; field->name; field++)
		if (field->type == RT_F_NAME)
			*(const char **)((char *)to + field->at) = "";
	json_object_foreach((json_t *)object, key, value)
	{
		const struct rt_field *field = find_field(record, key);
		const char *wrong = field ? types[field->type].read(arena, field, value, (char *)to + field->at)
				    : is_extra(record, key) ? NULL
							    : "unknown";

		if (wrong)
			return cni_printf(arena, "%.40s%s%s", key, *wrong == '[' ? "" : ": ", wrong);
	}
	return record->read ? record->read(arena, to, object) : NULL;
}
