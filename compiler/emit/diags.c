/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diags.c - diagnostics for a reader: code, place, the line, a caret, labels, related places, help.
 *
 * What is quoted from the user's text is made safe for a terminal: tabs become spaces, other control characters
 * and broken UTF-8 the replacement character, and a line too long for the screen is shown around the place. */
#include <string.h>

#include "compiler/emit/emit.h"

#define TAB 8 /* columns */
#define WIDTH 100 /* columns of a source line that are shown */
#define LEAD 30 /* columns before the place, in a line that is cut */
#define NEAR 4096 /* bytes before and behind the place that are looked at: a line may have a hundred megabytes */
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const struct {
	const char *name, *colour;
} severities[] = {
	[CNI_NOTE] = { "note", "\033[1;36m" },
	[CNI_WARNING] = { "warning", "\033[1;33m" },
	[CNI_ERROR] = { "error", "\033[1;31m" },
};

struct writer {
	struct cni_text *out;
	const struct cni_sources *sources;
	bool colour;
};

static void start(const struct writer *w, const char *colour)
{
	if (w->colour)
		cni_text_puts(w->out, colour);
}

static void end(const struct writer *w)
{
	if (w->colour)
		cni_text_puts(w->out, "\033[0m");
}

/* ---- characters ---- */

/* Bytes of the character at text[0..len), its code point in *c; 0: it is none (RFC 3629). */
static size_t decode(const char *text, size_t len, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	size_t n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;

	if (!n || n > len)
		return 0;
	*c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		*c = *c << 6 | (p[i] & 0x3fu);
	}
	return *c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000) ? 0 : n;
}

/* Columns of a character: UAX 11 by blocks, combining marks none. */
static unsigned int columns(uint32_t c)
{
	static const struct {
		uint32_t first, last;
		unsigned int columns;
	} blocks[] = { { 0x300, 0x36f, 0 },   { 0x1100, 0x115f, 2 }, { 0x200b, 0x200f, 0 },   { 0x2e80, 0xa4cf, 2 },
		       { 0xac00, 0xd7a3, 2 }, { 0xf900, 0xfaff, 2 }, { 0xfe00, 0xfe0f, 0 },   { 0xfe30, 0xfe6f, 2 },
		       { 0xff00, 0xff60, 2 }, { 0xffe0, 0xffe6, 2 }, { 0x1f300, 0x1faff, 2 }, { 0x20000, 0x3fffd, 2 } };

	for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++)
		if (c >= blocks[i].first && c <= blocks[i].last)
			return blocks[i].columns;
	return 1;
}

/* Control characters, and those that turn the direction of writing, which could hide what is there. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* One character of a line as it is shown. */
struct glyph {
	const char *text;
	size_t len, taken; /* bytes that are shown, bytes that it stands for */
	unsigned int columns;
};

static struct glyph glyph(const char *text, size_t len, unsigned int column)
{
	static const char blanks[TAB + 1] = "        ";
	struct glyph g = { REPLACEMENT, strlen(REPLACEMENT), 1, 1 };
	uint32_t c;
	size_t n = decode(text, len, &c);

	if (*text == '\t') {
		g.columns = TAB - column % TAB;
		g.text = blanks;
		g.len = g.columns;
	} else if (n) {
		g.taken = n;
		if (!is_unsafe(c)) {
			g.text = text;
			g.len = n;
			g.columns = columns(c);
		}
	}
	return g;
}

/* Text from elsewhere in a line of ours. */
static void safe(struct cni_text *out, const char *text)
{
	for (size_t len = strlen(text); len;) {
		struct glyph g = glyph(text, len, 0);

		cni_text_add(out, g.text, g.columns && *text == '\t' ? 1 : g.len);
		text += g.taken;
		len -= g.taken;
	}
}

/* ---- the line and its caret ---- */

/* The columns that bytes [begin, end) of a line take when it is shown whole. */
static void locate(const struct cni_place *place, size_t begin, size_t end, unsigned int *first, unsigned int *last)
{
	unsigned int column = 0;

	*first = *last = 0;
	for (size_t at = 0; at < place->line_len && at < end;) {
		struct glyph g = glyph(place->line_text + at, place->line_len - at, column);

		at += g.taken;
		column += g.columns;
		if (at <= begin)
			*first = column;
		*last = column;
	}
	if (*last <= *first)
		*last = *first + 1; /* an empty span, or one behind the line's end */
}

static void spaces(struct cni_text *out, unsigned int n)
{
	while (n--)
		cni_text_puts(out, " ");
}

/* The columns [from, to) of a line. */
static void write_line(struct cni_text *out, const struct cni_place *place, unsigned int from, unsigned int to)
{
	unsigned int column = 0;

	for (size_t at = 0; at < place->line_len && column < to;) {
		struct glyph g = glyph(place->line_text + at, place->line_len - at, column);

		at += g.taken;
		column += g.columns;
		if (column - g.columns >= from)
			cni_text_add(out, g.text, g.len);
		else if (column > from)
			spaces(out, column - from); /* cut in two */
	}
}

/* Leaves of the line what is near the place, which begins at *begin; true if something before it went. */
static bool shorten(struct cni_place *place, size_t *begin)
{
	size_t skip = *begin > NEAR ? *begin - NEAR : 0;

	while (skip && skip < *begin && ((unsigned char)place->line_text[skip] & 0xc0) == 0x80)
		skip++; /* not within a character */
	place->line_text += skip;
	place->line_len -= skip;
	*begin -= skip;
	if (place->line_len > *begin + NEAR)
		place->line_len = *begin + NEAR;
	return skip;
}

static void write_excerpt(const struct writer *w, const struct cni_diag *d, struct cni_place *place,
			  unsigned int gutter)
{
	size_t begin = place->column - 1, len = d->span.end > d->span.begin ? d->span.end - d->span.begin : 0;
	unsigned int first, last, width, rest, from = 0;
	bool cut = shorten(place, &begin);

	locate(place, begin, begin + len, &first, &last);
	locate(place, 0, place->line_len, &rest, &width);
	if (width > WIDTH && first > WIDTH - LEAD)
		from = first - LEAD;
	if (last > from + WIDTH)
		last = from + WIDTH;
	cni_text_printf(w->out, "%*s |\n%*u | %s", (int)gutter, "", (int)gutter, place->line, cut || from ? "…" : "");
	write_line(w->out, place, from, from + WIDTH);
	cni_text_printf(w->out, "%s\n%*s | ", width > from + WIDTH ? "…" : "", (int)gutter, "");
	spaces(w->out, first - from + (cut || from ? 1 : 0));
	start(w, severities[d->severity].colour);
	while (first++ < last)
		cni_text_puts(w->out, "^");
	if (d->label) {
		cni_text_puts(w->out, " ");
		safe(w->out, d->label);
	}
	end(w);
	cni_text_puts(w->out, "\n");
}

/* ---- one diagnostic ---- */

static void write_place(struct cni_text *out, const struct cni_place *place)
{
	safe(out, place->source->name);
	cni_text_printf(out, ":%u:%u", place->line, place->column);
}

static struct cni_place place_of(const struct writer *w, struct cni_span span)
{
	return cni_span_is_set(span) ? cni_place_of(w->sources, span.begin) : (struct cni_place){ 0 };
}

static void write_diag(const struct writer *w, const struct cni_diag *d)
{
	struct cni_text *out = w->out;
	struct cni_place place = place_of(w, d->span);
	unsigned int gutter = 1;

	for (unsigned int line = place.line; line >= 10; line /= 10)
		gutter++;
	start(w, severities[d->severity].colour);
	cni_text_printf(out, "%s[CNI%03u]", severities[d->severity].name, (unsigned int)d->code);
	end(w);
	cni_text_puts(out, ": ");
	safe(out, d->message);
	cni_text_puts(out, "\n");
	if (place.source) {
		cni_text_printf(out, "%*s--> ", (int)gutter, "");
		write_place(out, &place);
		cni_text_puts(out, "\n");
		write_excerpt(w, d, &place, gutter);
	} else if (d->label) {
		cni_text_printf(out, "%*s = ", (int)gutter, "");
		safe(out, d->label);
		cni_text_puts(out, "\n");
	}
	for (const struct cni_related *r = d->related; r; r = r->next) {
		const struct cni_place other = place_of(w, r->span);

		cni_text_printf(out, "%*s::: ", (int)gutter, "");
		if (other.source) {
			write_place(out, &other);
			cni_text_puts(out, ": ");
		}
		safe(out, r->message);
		cni_text_puts(out, "\n");
	}
	if (d->help) {
		cni_text_printf(out, "%*s = help: ", (int)gutter, "");
		safe(out, d->help);
		cni_text_puts(out, "\n");
	}
}

void cni_emit_diags(struct cni_text *out, const struct cni_diags *diags, const struct cni_sources *sources, bool colour)
{
	const struct writer w = { out, sources, colour };
	size_t n = 0, limit = diags->limit;

	for (const struct cni_diag *d = diags->first; d; d = d->next) {
		cni_text_puts(out, d == diags->first ? "" : "\n");
		write_diag(&w, d);
	}
	n = diags->n_errors + diags->n_warnings;
	if (n > limit)
		cni_text_printf(out, "\nand %zu more\n", n - limit);
}
