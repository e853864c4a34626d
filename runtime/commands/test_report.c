/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_report.c - results of `cnic test` as text, TAP, JUnit's XML and JSON; see test.h. */
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "runtime/commands/test.h"
#include "runtime/json/envelope.h"

static struct cni_place place_of(const struct rt_results *results, struct cni_span span)
{
	return cni_span_is_set(span) ? cni_place_of(results->sources, span.begin) : (struct cni_place){ 0 };
}

static const char *place_text(struct cni_arena *arena, const struct rt_results *results, struct cni_span span)
{
	const struct cni_place place = place_of(results, span);

	return place.source ? cni_printf(arena, "%s:%u", place.source->name, place.line) : "";
}

/* ---- text ---- */

void rt_results_text(struct cni_text *out, const struct rt_results *results)
{
	for (size_t i = 0; i < results->n_items; i++) {
		const struct rt_result *r = &results->items[i];

		cni_text_printf(out, "%-6s  %s  [%s]\n", r->holds ? "ok" : "not ok", r->name,
				place_text(out->arena, results, r->span));
		if (r->why)
			cni_text_printf(out, "        CNI%03u: %s\n", (unsigned int)r->why->code, r->why->message);
		for (const struct cni_related *also = r->why ? r->why->related : NULL; also; also = also->next)
			cni_text_printf(out, "        %s  [%s]\n", also->message,
					place_text(out->arena, results, also->span));
	}
	if (results->n_items)
		cni_text_printf(out, "%zu of %zu hold\n", results->n_items - results->n_failed, results->n_items);
	else
		cni_text_puts(out, "the policy has no `expect`\n");
}

/* ---- TAP ---- */

/* A `#` would begin a directive. */
static void tap_name(struct cni_text *out, const char *name)
{
	for (; *name; name++)
		cni_text_printf(out, "%s%c", *name == '#' || *name == '\\' ? "\\" : "", *name);
}

/* What is a string of JSON is one of YAML. */
static void yaml(struct cni_text *out, const char *indent, const char *key, const char *text)
{
	json_t *json = rt_json_text(text);
	char *quoted = json_dumps(json, JSON_ENCODE_ANY);

	cni_text_printf(out, "%s%s: %s\n", indent, key, quoted ? quoted : "");
	free(quoted);
	json_decref(json);
}

static void yaml_place(struct cni_text *out, const struct rt_results *results, const char *indent, struct cni_span span)
{
	const struct cni_place place = place_of(results, span);

	if (!place.source)
		return;
	yaml(out, indent, "file", place.source->name);
	cni_text_printf(out, "%sline: %u\n", indent, place.line);
}

static void tap_why(struct cni_text *out, const struct rt_results *results, const struct rt_result *r)
{
	cni_text_puts(out, "  ---\n");
	yaml(out, "  ", "message", r->why->message);
	cni_text_printf(out, "  code: CNI%03u\n", (unsigned int)r->why->code);
	yaml_place(out, results, "  ", r->span);
	cni_text_puts(out, r->why->related ? "  related:\n" : "");
	for (const struct cni_related *also = r->why->related; also; also = also->next) {
		yaml(out, "    ", "- message", also->message);
		yaml_place(out, results, "      ", also->span);
	}
	cni_text_puts(out, "  ...\n");
}

void rt_results_tap(struct cni_text *out, const struct rt_results *results)
{
	cni_text_printf(out, "TAP version 13\n1..%zu%s\n", results->n_items,
			results->n_items ? "" : " # SKIP the policy has no `expect`");
	for (size_t i = 0; i < results->n_items; i++) {
		const struct rt_result *r = &results->items[i];

		cni_text_printf(out, "%sok %zu - ", r->holds ? "" : "not ", i + 1);
		tap_name(out, r->name);
		cni_text_puts(out, "\n");
		if (r->why)
			tap_why(out, results, r);
	}
}

/* ---- JUnit ---- */

/* Well-formed UTF-8, as far as XML 1.0 has the characters. */
static void xml(struct cni_text *out, const char *text)
{
	static const struct {
		char c;
		const char *entity;
	} entities[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" } };
	json_t *json = rt_json_text(text);

	for (const char *c = json_string_value(json); c && *c; c++) {
		const char *entity = (unsigned char)*c < 0x20 && !strchr("\t\n", *c) ? "?" : NULL;

		for (size_t i = 0; i < sizeof(entities) / sizeof(*entities); i++)
			if (entities[i].c == *c)
				entity = entities[i].entity;
		if (entity)
			cni_text_puts(out, entity);
		else
			cni_text_add(out, c, 1);
	}
	json_decref(json);
}

static void attribute(struct cni_text *out, const char *name, const char *value)
{
	cni_text_printf(out, " %s=\"", name);
	xml(out, value);
	cni_text_puts(out, "\"");
}

static void junit_why(struct cni_text *out, const struct rt_results *results, const struct rt_result *r)
{
	cni_text_puts(out, "\t\t\t<failure");
	attribute(out, "message", r->why->message);
	attribute(out, "type", cni_printf(out->arena, "CNI%03u", (unsigned int)r->why->code));
	cni_text_puts(out, ">");
	for (const struct cni_related *also = r->why->related; also; also = also->next) {
		xml(out, cni_printf(out->arena, "%s: %s", place_text(out->arena, results, also->span), also->message));
		cni_text_puts(out, also->next ? "\n" : "");
	}
	cni_text_puts(out, "</failure>\n");
}

void rt_results_junit(struct cni_text *out, const struct rt_results *results)
{
	cni_text_printf(out,
			"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n\t<testsuite name=\"cnic test\" "
			"tests=\"%zu\" failures=\"%zu\" errors=\"0\">\n",
			results->n_items, results->n_failed);
	for (size_t i = 0; i < results->n_items; i++) {
		const struct rt_result *r = &results->items[i];
		const struct cni_place place = place_of(results, r->span);

		cni_text_puts(out, "\t\t<testcase");
		attribute(out, "name", r->name);
		attribute(out, "classname", place.source ? place.source->name : "policy");
		if (place.source) {
			attribute(out, "file", place.source->name);
			cni_text_printf(out, " line=\"%u\"", place.line);
		}
		cni_text_puts(out, r->why ? ">\n" : "/>\n");
		if (!r->why)
			continue;
		junit_why(out, results, r);
		cni_text_puts(out, "\t\t</testcase>\n");
	}
	cni_text_puts(out, "\t</testsuite>\n</testsuites>\n");
}

/* ---- JSON ---- */

json_t *rt_results_json(const struct rt_results *results)
{
	json_t *list = json_array();

	for (size_t i = 0; i < results->n_items; i++) {
		const struct rt_result *r = &results->items[i];
		json_t *json = json_object();

		json_object_set_new(json, "name", rt_json_text(r->name));
		json_object_set_new(json, "ok", json_boolean(r->holds));
		json_object_set_new(json, "why", rt_json_text(r->why ? r->why->message : NULL));
		rt_json_place(json, results->sources, r->span);
		json_array_append_new(list, json);
	}
	return list;
}
