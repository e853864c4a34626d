/* SPDX-License-Identifier: GPL-2.0-or-later */
/* document.c - see document.h. Whatever is in the file, only what is whole and of its type comes out of it. */
#include "runtime/saved_plan/document.h"

#include <string.h>

#define VERSION 1
#define HEX "0123456789abcdef"

/* ---- writing ---- */

static json_t *words(const char *const *items, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++)
		if (json_array_append_new(list, json_string(items[i]))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *texts(const struct rt_saved_plan *saved)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < saved->n_texts; i++) {
		const struct rt_saved_text *text = &saved->texts[i];

		if (json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "path", text->path, "size",
							  (json_int_t)text->size, "sha256", text->digest))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *rt_saved_write(const struct rt_saved_plan *saved, json_t *plan)
{
	/* json_pack() takes each over, also when it fails */
	return json_pack("{s:s, s:i, s:{s:s, s:o, s:o, s:o, s:s, s:s}, s:o}", "cnic", "plan", "version", VERSION,
			 "saved", "directory", saved->directory, "operands", words(saved->operands, saved->n_operands),
			 "set", words(saved->sets, saved->n_sets), "texts", texts(saved), "state", saved->state,
			 "steps", saved->steps, "plan", plan);
}

/* ---- reading ---- */

static const char *text_of(struct cni_arena *arena, const json_t *value)
{
	return json_is_string(value) ? cni_strdup(arena, json_string_value(value)) : NULL;
}

static const char *digest_of(struct cni_arena *arena, const json_t *value)
{
	const char *text = text_of(arena, value);

	return text && strlen(text) == RT_DIGEST_TEXT - 1 && strspn(text, HEX) == RT_DIGEST_TEXT - 1 ? text : NULL;
}

static bool read_words(struct cni_arena *arena, const json_t *list, const char ***items, size_t *n)
{
	if (!json_is_array(list))
		return false;
	*n = json_array_size(list);
	*items = cni_new_array(arena, const char *, *n);
	for (size_t i = 0; i < *n; i++) {
		(*items)[i] = text_of(arena, json_array_get(list, i));
		if (!(*items)[i])
			return false;
	}
	return true;
}

static bool read_texts(struct cni_arena *arena, const json_t *list, struct rt_saved_plan *saved)
{
	if (!json_is_array(list))
		return false;
	saved->n_texts = json_array_size(list);
	saved->texts = cni_new_array(arena, struct rt_saved_text, saved->n_texts);
	for (size_t i = 0; i < saved->n_texts; i++) {
		const json_t *item = json_array_get(list, i), *size = json_object_get(item, "size");
		struct rt_saved_text *text = &saved->texts[i];

		text->path = text_of(arena, json_object_get(item, "path"));
		text->digest = digest_of(arena, json_object_get(item, "sha256"));
		if (!text->path || !text->digest || !json_is_integer(size) || json_integer_value(size) < 0)
			return false;
		text->size = (size_t)json_integer_value(size);
	}
	return true;
}

const char *rt_saved_line(struct cni_arena *arena, const json_t *step)
{
	const char *op = json_string_value(json_object_get(step, "op"));
	const char *text = json_string_value(json_object_get(step, "text"));

	return op && text ? cni_printf(arena, "%s %s", op, text) : NULL;
}

static bool read_lines(struct cni_arena *arena, const json_t *steps, struct rt_saved_plan *saved)
{
	if (!json_is_array(steps))
		return false;
	saved->n_lines = json_array_size(steps);
	saved->lines = cni_new_array(arena, const char *, saved->n_lines);
	for (size_t i = 0; i < saved->n_lines; i++) {
		saved->lines[i] = rt_saved_line(arena, json_array_get(steps, i));
		if (!saved->lines[i])
			return false;
	}
	return true;
}

static const char *check_head(const json_t *document, const json_t *body)
{
	const char *kind = json_string_value(json_object_get(document, "cnic"));
	const json_t *version = json_object_get(document, "version");

	if (!kind || strcmp(kind, "plan"))
		return "it has no \"cnic\": \"plan\"";
	if (!json_is_integer(version) || json_integer_value(version) != VERSION)
		return "its version is not 1";
	return json_is_object(body) ? NULL : "it has no \"saved\": only what plan -o writes can be applied";
}

const char *rt_saved_read(struct cni_arena *arena, const json_t *document, struct rt_saved_plan *saved)
{
	const json_t *body = json_object_get(document, "saved");
	const char *wrong = check_head(document, body);

	if (wrong)
		return wrong;
	saved->directory = text_of(arena, json_object_get(body, "directory"));
	if (!saved->directory || *saved->directory != '/')
		return "saved.directory: no absolute path";
	if (!read_words(arena, json_object_get(body, "operands"), &saved->operands, &saved->n_operands) ||
	    !saved->n_operands)
		return "saved.operands: no list of paths";
	if (!read_words(arena, json_object_get(body, "set"), &saved->sets, &saved->n_sets))
		return "saved.set: no list of NAME=VALUE";
	if (!read_texts(arena, json_object_get(body, "texts"), saved))
		return "saved.texts: no list of paths, sizes and digests";
	saved->state = digest_of(arena, json_object_get(body, "state"));
	saved->steps = digest_of(arena, json_object_get(body, "steps"));
	if (!saved->state || !saved->steps)
		return "saved.state, saved.steps: no digests";
	if (!read_lines(arena, json_object_get(json_object_get(document, "plan"), "steps"), saved))
		return "plan.steps: no list of steps";
	return NULL;
}
