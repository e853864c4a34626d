/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source.h - the texts of one compilation, and places in them.
 *
 * All texts share one space of offsets: each text gets a base, so that a place is two integers and names its
 * file too. Line and column are computed only when something is printed. */
#ifndef CNI_SOURCE_H
#define CNI_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cni_arena;

/* Bytes [begin, end) in the common space of offsets; {0, 0} is "no place" (offset 0 belongs to no text). */
struct cni_span {
	uint32_t begin, end;
};

#define CNI_SOURCE_CHUNK 4096

struct cni_source {
	const char *name; /* as the user named it, or relative to the including file's folder */
	const char *text; /* not owned; immutable while the compilation lives; need not end in NUL */
	size_t len;
	uint32_t base; /* offset of text[0]; a span in this text lies in [base, base + len] */
	uint32_t *lines; /* how many lines end before each CNI_SOURCE_CHUNK bytes, so that a place is found at once */
};

struct cni_sources {
	struct cni_source *items; /* by ascending base */
	size_t n_items;
};

struct cni_place {
	const struct cni_source *source; /* NULL: no place */
	unsigned int line, column; /* from 1; columns count bytes */
	const char *line_text; /* the whole line, not NUL-terminated */
	size_t line_len;
};

/* Adds a text (its name is copied, its bytes are not). NULL when the 4 GiB of offsets are used up. */
const struct cni_source *cni_source_add(struct cni_arena *arena, struct cni_sources *sources, const char *name,
					const char *text, size_t len);
struct cni_place cni_place_of(const struct cni_sources *sources, uint32_t offset);

/* The text at a span on one line of at most `max` bytes: blanks in a row are one, comments are left out, and what was
 * cut off shows as "…". "" for no place. */
const char *cni_span_text(struct cni_arena *arena, const struct cni_sources *sources, struct cni_span span, size_t max);

static inline bool cni_span_is_set(struct cni_span span)
{
	return span.end != 0;
}

/* The smallest span that holds both. */
static inline struct cni_span cni_span_join(struct cni_span a, struct cni_span b)
{
	if (!cni_span_is_set(a))
		return b;
	if (!cni_span_is_set(b))
		return a;
	return (struct cni_span){ a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end };
}

#endif
