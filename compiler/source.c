/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source.c - from offsets to file, line and column; see source.h. */
#include "compiler/source.h"

#include <string.h>

#include "compiler/arena.h"
#include "compiler/text.h"

static uint32_t count_lines(const char *text, const char *end)
{
	uint32_t n = 0;

	while (text < end && (text = memchr(text, '\n', (size_t)(end - text)))) {
		n++;
		text++;
	}
	return n;
}

static uint32_t *index_lines(struct cni_arena *arena, const char *text, size_t len)
{
	size_t n = len / CNI_SOURCE_CHUNK;
	uint32_t *lines = cni_new_array(arena, uint32_t, n + 1);

	for (size_t i = 0; i < n; i++, text += CNI_SOURCE_CHUNK)
		lines[i + 1] = lines[i] + count_lines(text, text + CNI_SOURCE_CHUNK);
	return lines;
}

const struct cni_source *cni_source_add(struct cni_arena *arena, struct cni_sources *sources, const char *name,
					const char *text, size_t len)
{
	/* bases start at 1, and texts are a byte apart, so that an end never belongs to the next text */
	uint32_t base = 1;
	struct cni_source *s;

	if (sources->n_items) {
		s = &sources->items[sources->n_items - 1];
		base = s->base + (uint32_t)s->len + 1;
	}
	if (len >= UINT32_MAX - base)
		return NULL;
	s = cni_push(arena, sources->items, sources->n_items);
	*s = (struct cni_source){ .name = cni_strdup(arena, name), .text = text, .len = len, .base = base };
	s->lines = index_lines(arena, text, len);
	return s;
}

struct cni_place cni_place_of(const struct cni_sources *sources, uint32_t offset)
{
	struct cni_place place = { 0 };
	size_t lo = 0, hi = sources->n_items, at, start, end;
	const struct cni_source *s;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (sources->items[mid].base <= offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return place;
	s = &sources->items[lo - 1];
	if (offset > s->base + s->len)
		return place;
	at = offset - s->base;
	start = at / CNI_SOURCE_CHUNK * CNI_SOURCE_CHUNK;
	place.line = 1 + s->lines[at / CNI_SOURCE_CHUNK] + count_lines(s->text + start, s->text + at);
	for (start = at; start && s->text[start - 1] != '\n'; start--)
		;
	for (end = start; end < s->len && s->text[end] != '\n'; end++)
		;
	place.source = s;
	place.column = (unsigned int)(at - start) + 1;
	place.line_text = s->text + start;
	place.line_len = end - start;
	return place;
}

/* Appends a character of the text; false when there is no more room. */
static bool put(struct cni_text *out, char c, size_t max)
{
	if (out->len == max && ((unsigned char)c & 0xc0) != 0x80) {
		cni_text_puts(out, "…");
		return false;
	}
	cni_text_add(out, &c, 1);
	return true;
}

const char *cni_span_text(struct cni_arena *arena, const struct cni_sources *sources, struct cni_span span, size_t max)
{
	const struct cni_source *s = cni_span_is_set(span) ? cni_place_of(sources, span.begin).source : NULL;
	struct cni_text out = { .arena = arena };
	bool comment = false, quoted = false, blank = false;

	cni_text_puts(&out, "");
	for (uint32_t at = span.begin; s && at < span.end; at++) {
		char c = s->text[at - s->base];

		quoted ^= c == '"' && !comment;
		comment = c != '\n' && (comment || (c == '#' && !quoted));
		if (comment || strchr(" \t\r\n", c)) {
			blank = true;
			continue;
		}
		if (blank && out.len && !put(&out, ' ', max))
			break;
		blank = false;
		if (!put(&out, c, max))
			break;
	}
	return out.data;
}
