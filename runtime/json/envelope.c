/* SPDX-License-Identifier: GPL-2.0-or-later */
/* envelope.c - diagnostics and the frame around every command's answer; see envelope.h. */
#include "runtime/json/envelope.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/commands/session.h"

#define ENVELOPE_VERSION 1

const char *rt_severity_name(enum cni_severity severity)
{
	static const char *const names[] = { [CNI_NOTE] = "note", [CNI_WARNING] = "warning", [CNI_ERROR] = "error" };

	return names[severity];
}

size_t rt_utf8_length(const unsigned char *text, size_t len)
{
	static const struct {
		unsigned char lo, hi, second_lo, second_hi;
		size_t len;
	} forms[] = {
		{ 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (text[0] < forms[i].lo || text[0] > forms[i].hi)
			continue;
		if (forms[i].len > len ||
		    (forms[i].len > 1 && (text[1] < forms[i].second_lo || text[1] > forms[i].second_hi)))
			return 0;
		for (size_t j = 2; j < forms[i].len; j++)
			if ((text[j] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return 0;
}

static json_t *mended(const char *text, size_t len)
{
	struct cni_arena *arena = cni_arena_new();
	struct cni_text good = { .arena = arena };
	json_t *json;

	for (size_t i = 0, n; i < len; i += n ? n : 1) {
		n = rt_utf8_length((const unsigned char *)text + i, len - i);
		cni_text_add(&good, n ? text + i : "\xef\xbf\xbd", n ? n : 3);
	}
	json = json_stringn(good.data, good.len);
	cni_arena_free(arena);
	return json;
}

json_t *rt_json_textn(const char *text, size_t len)
{
	json_t *json = json_stringn(text, len);

	return json ? json : mended(text, len);
}

json_t *rt_json_text(const char *text)
{
	return text ? rt_json_textn(text, strlen(text)) : json_null();
}

static void set_number(json_t *object, const char *key, unsigned int n)
{
	json_object_set_new(object, key, n ? json_integer(n) : json_null());
}

void rt_json_place(json_t *object, const struct cni_sources *sources, struct cni_span span)
{
	struct cni_place begin = { 0 }, end = { 0 };

	if (cni_span_is_set(span)) {
		begin = cni_place_of(sources, span.begin);
		end = cni_place_of(sources, span.end);
	}
	json_object_set_new(object, "file", rt_json_text(begin.source ? begin.source->name : NULL));
	set_number(object, "line", begin.line);
	set_number(object, "column", begin.column);
	set_number(object, "end_line", end.line);
	set_number(object, "end_column", end.column);
}

static json_t *diagnostic(const struct cni_diag *d, const struct cni_sources *sources)
{
	json_t *json = json_object(), *related = json_array();

	json_object_set_new(json, "code", json_sprintf("CNI%03u", (unsigned int)d->code));
	json_object_set_new(json, "severity", json_string(rt_severity_name(d->severity)));
	json_object_set_new(json, "message", rt_json_text(d->message));
	rt_json_place(json, sources, d->span);
	json_object_set_new(json, "label", rt_json_text(d->label));
	json_object_set_new(json, "help", rt_json_text(d->help));
	for (const struct cni_related *r = d->related; r; r = r->next) {
		json_t *place = json_object();

		json_object_set_new(place, "message", rt_json_text(r->message));
		rt_json_place(place, sources, r->span);
		json_array_append_new(related, place);
	}
	json_object_set_new(json, "related", related);
	return json;
}

static int append(const char *data, size_t len, void *out)
{
	cni_text_add(out, data, len);
	return 0;
}

void rt_json_print(struct cni_text *out, const json_t *document)
{
	if (json_dump_callback(document, append, out, JSON_INDENT(2)))
		abort(); /* no memory: as the arena does */
	cni_text_puts(out, "\n");
}

void rt_envelope(struct cni_text *out, const struct rt_session *session, const struct cni_diags *diags,
		 enum rt_exit status, json_t *own)
{
	const struct rt_command *command = session->options->command;
	json_t *json = json_object(), *list = json_array();

	json_object_set_new(json, "cnic", rt_json_text(command ? command->name : NULL));
	json_object_set_new(json, "version", json_integer(ENVELOPE_VERSION));
	json_object_set_new(json, "ok", json_boolean(!diags->n_errors && (status == RT_OK || status == RT_CHANGES)));
	if (session->has_changed)
		json_object_set_new(json, "changed", json_boolean(session->changed));
	if (session->failure)
		json_object_set_new(json, "error", rt_json_text(session->failure));
	for (const struct cni_diag *d = diags->first; d; d = d->next)
		json_array_append_new(list, diagnostic(d, session->sources));
	json_object_set_new(json, "diagnostics", list);
	json_object_update(json, own);
	rt_json_print(out, json);
	json_decref(json);
}
