/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sarif.c - diagnostics as SARIF 2.1.0; see report.h. */
#include "runtime/json/report.h"

#include <string.h>

#include "compiler/arena.h"
#include "runtime/json/envelope.h"

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static json_t *message(const char *text)
{
	return json_pack("{s:o}", "text", rt_json_text(text));
}

/* A path as a relative reference (RFC 3986, 4.2): what is no unreserved character is escaped. */
static json_t *uri(const char *path, struct cni_arena *arena)
{
	struct cni_text text = { .arena = arena };

	for (; *path; path++) {
		if (strchr("/-._~", *path) || (*path >= '0' && *path <= '9') || (*path >= 'A' && *path <= 'Z') ||
		    (*path >= 'a' && *path <= 'z'))
			cni_text_add(&text, path, 1);
		else
			cni_text_printf(&text, "%%%02X", (unsigned char)*path);
	}
	return json_stringn(text.len ? text.data : "", text.len);
}

/* Columns count characters here, and bytes in a place. */
static json_int_t column(const struct cni_place *place)
{
	json_int_t n = 1;

	for (size_t i = 0; i + 1 < place->column && i < place->line_len; i++)
		n += ((unsigned char)place->line_text[i] & 0xc0) != 0x80;
	return n;
}

static json_t *location(const struct cni_sources *sources, struct cni_span span, struct cni_arena *arena)
{
	const struct cni_place begin = cni_place_of(sources, span.begin), end = cni_place_of(sources, span.end);

	return json_pack("{s:{s:{s:o}, s:{s:i, s:I, s:i, s:I}}}", "physicalLocation", "artifactLocation", "uri",
			 uri(begin.source->name, arena), "region", "startLine", (int)begin.line, "startColumn",
			 column(&begin), "endLine", (int)end.line, "endColumn", column(&end));
}

static json_t *result(const struct cni_diag *d, size_t rule, const struct cni_sources *sources, struct cni_arena *arena)
{
	json_t *json = json_object(), *places = json_array(), *related = json_array();
	struct cni_text text = { .arena = arena };

	cni_text_puts(&text, d->message);
	if (d->help)
		cni_text_printf(&text, "\n%s", d->help);
	json_object_set_new(json, "ruleId", json_sprintf("CNI%03u", (unsigned int)d->code));
	json_object_set_new(json, "ruleIndex", json_integer((json_int_t)rule));
	json_object_set_new(json, "level", json_string(rt_severity_name(d->severity)));
	json_object_set_new(json, "message", message(text.data));
	if (cni_span_is_set(d->span))
		json_array_append_new(places, location(sources, d->span, arena));
	json_object_set_new(json, "locations", places);
	for (const struct cni_related *r = d->related; r; r = r->next) {
		json_t *place = cni_span_is_set(r->span) ? location(sources, r->span, arena) : json_object();

		json_object_set_new(place, "message", message(r->message));
		json_array_append_new(related, place);
	}
	json_object_set_new(json, "relatedLocations", related);
	return json;
}

static json_t *rule(const struct cni_code_info *info)
{
	json_t *json = json_object();

	json_object_set_new(json, "id", json_sprintf("CNI%03u", (unsigned int)info->code));
	json_object_set_new(json, "shortDescription", message(info->title));
	json_object_set_new(json, "fullDescription", message(info->reason));
	json_object_set_new(json, "defaultConfiguration",
			    json_pack("{s:s}", "level", rt_severity_name(info->severity)));
	return json;
}

void rt_report_sarif(struct cni_text *out, const struct cni_diags *diags, const struct cni_sources *sources)
{
	size_t n_codes, n_rules = 0;
	const struct cni_code_info *codes = cni_code_table(&n_codes);
	size_t *index = cni_new_array(out->arena, size_t, n_codes); /* of the code's rule, plus one */
	json_t *rules = json_array(), *results = json_array(), *json;

	for (const struct cni_diag *d = diags->first; d; d = d->next) {
		size_t code = (size_t)(cni_code_info((unsigned int)d->code) - codes);

		if (!index[code]) {
			json_array_append_new(rules, rule(&codes[code]));
			index[code] = ++n_rules;
		}
		json_array_append_new(results, result(d, index[code] - 1, sources, out->arena));
	}
	json = json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:s, s:o}]}", "$schema", SCHEMA, "version", "2.1.0",
			 "runs", "tool", "driver", "name", "cnic", "version", CNIC_VERSION, "rules", rules,
			 "columnKind", "unicodeCodePoints", "results", results);
	rt_json_print(out, json);
	json_decref(json);
}
