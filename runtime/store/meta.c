/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meta.c - a revision as JSON by tables; see meta.h. */
#include "runtime/store/meta.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/json/envelope.h"
#include "runtime/json/record.h"

#define VERSION 1

/* ---- texts of any bytes ---- */

static bool write_raw(json_t *object, const char *key, const char *text)
{
	char *hex, long_key[32];
	json_t *value;
	bool good;

	if (!text)
		return true;
	value = json_string(text);
	if (value)
		return !json_object_set_new(object, key, value);
	hex = rt_hex_write((const uint8_t *)text, strlen(text));
	snprintf(long_key, sizeof(long_key), "%s_hex", key);
	good = hex && !json_object_set_new(object, long_key, json_string(hex));
	free(hex);
	return good;
}

static const char *read_hex(struct cni_arena *arena, const json_t *value)
{
	size_t n = json_string_length(value) / 2;
	char *text = cni_alloc(arena, n + 1);

	if (!json_is_string(value) ||
	    !rt_hex_read(json_string_value(value), json_string_length(value), (uint8_t *)text, n))
		return NULL;
	return strlen(text) == n ? text : NULL;
}

/* False: it is neither this nor that. It may not be there: NULL. */
static bool read_raw(struct cni_arena *arena, const json_t *object, const char *key, const char **text)
{
	const json_t *value = json_object_get(object, key), *hex;
	char long_key[32];

	snprintf(long_key, sizeof(long_key), "%s_hex", key);
	hex = json_object_get(object, long_key);
	*text = hex ? read_hex(arena, hex) : json_is_string(value) ? cni_strdup(arena, json_string_value(value)) : NULL;
	return *text || (!hex && !value);
}

/* ---- records ---- */

static bool write_top(const void *record, json_t *object)
{
	return write_raw(object, "path", *(const char *const *)record);
}

static const char *read_top(struct cni_arena *arena, void *record, const json_t *object)
{
	const char **path = record;

	return read_raw(arena, object, "path", path) && *path ? NULL : "path: not a text";
}

static bool write_path(const void *record, json_t *object)
{
	const struct rt_path *path = record;

	return write_raw(object, "path", path->path) &&
	       !json_object_set_new(object, "text", json_integer((json_int_t)path->text));
}

static const char *read_path(struct cni_arena *arena, void *record, const json_t *object)
{
	const json_t *text = json_object_get(object, "text");
	struct rt_path *path = record;

	if (!json_is_integer(text) || json_integer_value(text) < 0 || json_integer_value(text) >= RT_TEXTS_MAX)
		return "text: not a number, or out of range";
	path->text = (size_t)json_integer_value(text);
	return read_raw(arena, object, "path", &path->path) && path->path ? NULL : "path: not a text";
}

static bool write_text(const void *record, json_t *object)
{
	const struct rt_text *text = record;

	return !json_object_set_new(object, "size", json_integer((json_int_t)text->len));
}

static const char *read_text(struct cni_arena *arena, void *record, const json_t *object)
{
	const json_t *size = json_object_get(object, "size");
	struct rt_text *text = record;

	(void)arena;
	if (!json_is_integer(size) || json_integer_value(size) < 0 ||
	    json_integer_value(size) > (json_int_t)RT_TEXT_MAX)
		return "size: not a number, or out of range";
	text->len = (size_t)json_integer_value(size);
	return NULL;
}

static bool write_set(const void *record, json_t *object)
{
	return write_raw(object, "set", *(const char *const *)record);
}

static const char *read_set(struct cni_arena *arena, void *record, const json_t *object)
{
	const char **set = record;

	return read_raw(arena, object, "set", set) && *set ? NULL : "set: not a text";
}

static const struct rt_field no_fields[] = { { .name = NULL } };
static const char *const top_extra[] = { "path", "path_hex", NULL };
static const char *const path_extra[] = { "path", "path_hex", "text", NULL };
static const char *const text_extra[] = { "size", NULL };
static const char *const set_extra[] = { "set", "set_hex", NULL };

static const struct rt_record top_record = { sizeof(char *), no_fields, write_top, read_top, top_extra };
static const struct rt_record path_record = { sizeof(struct rt_path), no_fields, write_path, read_path, path_extra };
static const struct rt_record text_record = { sizeof(struct rt_text), no_fields, write_text, read_text, text_extra };
static const struct rt_record set_record = { sizeof(char *), no_fields, write_set, read_set, set_extra };

static bool write_rest(const void *record, json_t *object)
{
	const struct rt_revision *revision = record;

	return !json_object_set_new(object, "cnic", json_string("revision")) &&
	       !json_object_set_new(object, "version", json_integer(VERSION)) &&
	       write_raw(object, "user", revision->user) && write_raw(object, "message", revision->message);
}

static const char *read_rest(struct cni_arena *arena, void *record, const json_t *object)
{
	struct rt_revision *revision = record;

	if (!read_raw(arena, object, "user", &revision->user) || !revision->user)
		return "user: not a text";
	return read_raw(arena, object, "message", &revision->message) ? NULL : "message: not a text";
}

#define ORIGIN_LIST(member, record_)                                                                                   \
	{                                                                                                              \
		.name = #member, .type = RT_F_LIST, .at = offsetof(struct rt_revision, origin.member),                 \
		.count = offsetof(struct rt_revision, origin.n_##member), .record = &(record_)                         \
	}

static const struct rt_field fields[] = {
	RT_FIELD(rt_revision, number, RT_F_U32),
	RT_FIELD(rt_revision, time, RT_F_U64),
	RT_FIELD(rt_revision, digest, RT_F_TEXT),
	RT_FIELD(rt_revision, removed, RT_F_BOOL),
	RT_FIELD(rt_revision, proven, RT_F_BOOL),
	RT_FIELD(rt_revision, proof_ms, RT_F_U32),
	RT_FIELD(rt_revision, deadline, RT_F_U64),
	ORIGIN_LIST(tops, top_record),
	ORIGIN_LIST(paths, path_record),
	ORIGIN_LIST(texts, text_record),
	ORIGIN_LIST(sets, set_record),
	{ .name = NULL },
};

static const char *const extra[] = { "cnic", "version", "user", "user_hex", "message", "message_hex", NULL };

static const struct rt_record revision_record = { sizeof(struct rt_revision), fields, write_rest, read_rest, extra };

bool rt_meta_write(struct cni_text *out, const struct rt_revision *revision)
{
	json_t *json = rt_record_write(&revision_record, revision);

	if (json)
		rt_json_print(out, json);
	json_decref(json);
	return json;
}

/* ---- reading ---- */

static const char *check_header(const json_t *json)
{
	const char *kind = json_string_value(json_object_get(json, "cnic"));

	if (!kind || strcmp(kind, "revision"))
		return "is of no revision";
	return json_integer_value(json_object_get(json, "version")) == VERSION ? NULL : "is of another version of cnic";
}

static const char *check_sums(const struct rt_revision *revision)
{
	const struct rt_origin *o = &revision->origin;
	uint64_t sum = 0;

	if (!revision->number || !revision->digest)
		return "lacks its number or its digest";
	if (o->n_texts > RT_TEXTS_MAX)
		return "names more texts than can be";
	for (size_t i = 0; i < o->n_texts; i++)
		sum += o->texts[i].len;
	if (sum > UINT32_MAX)
		return "names texts of more than 4 GiB";
	for (size_t i = 0; i < o->n_paths; i++)
		if (o->paths[i].text >= o->n_texts)
			return "names a text that is not there";
	return NULL;
}

const char *rt_meta_read(struct cni_arena *arena, const char *text, size_t len, struct rt_revision *revision)
{
	const char *wrong;
	json_error_t error;
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	*revision = (struct rt_revision){ 0 };
	if (!json)
		return cni_printf(arena, "line %d: %s", error.line, error.text);
	wrong = check_header(json);
	if (!wrong)
		wrong = rt_record_read(arena, &revision_record, json, revision);
	if (!wrong)
		wrong = check_sums(revision);
	json_decref(json);
	return wrong;
}
