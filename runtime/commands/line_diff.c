/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line_diff.c - lines that stand once on both sides are anchors (patience diff), and between anchors the longest
 * common subsequence is looked for while that is cheap; see line_diff.h. */
#include "runtime/commands/line_diff.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"

#define CONTEXT 3
#define TABLE_MAX 4000000u /* cells of one table */
#define CELLS_MAX 16000000u /* of all of them */
#define NO_MATCH SIZE_MAX

struct line {
	const char *text;
	size_t len; /* with its newline, if it has one */
	size_t class; /* equal lines have the same number */
};

struct side {
	struct line *lines;
	size_t n;
};

struct diff {
	struct cni_arena *arena;
	struct side a, b;
	size_t n_classes;
	size_t *match; /* of each line of a: its line of b */
	uint16_t *table;
	size_t room; /* cells of the table */
	size_t cells; /* that were filled so far */
};

/* Lines [a, a_end) of one side against [b, b_end) of the other. */
struct stretch {
	size_t a, a_end, b, b_end;
};

static struct side split(struct cni_arena *arena, const char *text, size_t len)
{
	struct side side = { 0 };

	while (len) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline ? (size_t)(newline + 1 - text) : len;

		*cni_push(arena, side.lines, side.n) = (struct line){ text, n, 0 };
		text += n;
		len -= n;
	}
	return side;
}

static int by_text(const void *x, const void *y)
{
	const struct line *a = *(struct line *const *)x, *b = *(struct line *const *)y;
	int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

static void classify(struct diff *d)
{
	size_t n = d->a.n + d->b.n;
	struct line **lines = cni_new_array(d->arena, struct line *, n + 1);

	for (size_t i = 0; i < n; i++)
		lines[i] = i < d->a.n ? &d->a.lines[i] : &d->b.lines[i - d->a.n];
	qsort(lines, n, sizeof(*lines), by_text);
	for (size_t i = 0; i < n; i++) {
		d->n_classes += i && by_text(&lines[i - 1], &lines[i]);
		lines[i]->class = d->n_classes;
	}
	d->n_classes++;
}

static bool equal(const struct diff *d, size_t a, size_t b)
{
	return d->a.lines[a].class == d->b.lines[b].class;
}

static void trim(struct diff *d, struct stretch *s)
{
	while (s->a < s->a_end && s->b < s->b_end && equal(d, s->a, s->b))
		d->match[s->a++] = s->b++;
	while (s->a < s->a_end && s->b < s->b_end && equal(d, s->a_end - 1, s->b_end - 1))
		d->match[--s->a_end] = --s->b_end;
}

/* The longest common subsequence by a table of the lengths for all pairs of ends. */
static void match_stretch(struct diff *d, struct stretch s)
{
	size_t rows, columns;

	trim(d, &s);
	rows = s.a_end - s.a;
	columns = s.b_end - s.b;
	if (!rows || !columns || rows >= UINT16_MAX || columns >= UINT16_MAX ||
	    (rows + 1) * (columns + 1) > TABLE_MAX || d->cells + rows * columns > CELLS_MAX)
		return;
	d->cells += rows * columns;
	if ((rows + 1) * (columns + 1) > d->room) {
		d->room = 2 * (rows + 1) * (columns + 1);
		d->table = cni_new_array(d->arena, uint16_t, d->room);
	}
#define LENGTH(i, j) d->table[(i) * (columns + 1) + (j)]
	for (size_t i = rows + 1; i--;)
		for (size_t j = columns + 1; j--;) {
			if (i == rows || j == columns)
				LENGTH(i, j) = 0;
			else if (equal(d, s.a + i, s.b + j))
				LENGTH(i, j) = (uint16_t)(LENGTH(i + 1, j + 1) + 1);
			else
				LENGTH(i, j) =
					LENGTH(i + 1, j) > LENGTH(i, j + 1) ? LENGTH(i + 1, j) : LENGTH(i, j + 1);
		}
	for (size_t i = 0, j = 0; i < rows && j < columns;) {
		if (equal(d, s.a + i, s.b + j))
			d->match[s.a + i++] = s.b + j++;
		else if (LENGTH(i + 1, j) >= LENGTH(i, j + 1))
			i++;
		else
			j++;
	}
#undef LENGTH
}

/* ---- anchors ---- */

struct anchor {
	size_t a, b;
	size_t before; /* index of the anchor before it in the longest run that ends here */
};

struct census { /* of a class, within the stretch */
	size_t n_a, n_b, last_b;
};

/* Ascending in a. */
static size_t find_anchors(struct diff *d, const struct stretch *s, struct anchor **anchors)
{
	struct census *census = cni_new_array(d->arena, struct census, d->n_classes);
	size_t n = 0;

	for (size_t i = s->a; i < s->a_end; i++)
		census[d->a.lines[i].class].n_a++;
	for (size_t j = s->b; j < s->b_end; j++) {
		census[d->b.lines[j].class].n_b++;
		census[d->b.lines[j].class].last_b = j;
	}
	*anchors = NULL;
	for (size_t i = s->a; i < s->a_end; i++) {
		const struct census *c = &census[d->a.lines[i].class];

		if (c->n_a == 1 && c->n_b == 1)
			*cni_push(d->arena, *anchors, n) = (struct anchor){ i, c->last_b, NO_MATCH };
	}
	return n;
}

/* Matches the longest run of anchors that ascends on both sides. */
static void match_anchors(struct diff *d, struct anchor *anchors, size_t n)
{
	size_t *ends = cni_new_array(d->arena, size_t, n + 1), n_ends = 0; /* of runs of each length: the lowest */

	for (size_t i = 0; i < n; i++) {
		size_t lo = 0, hi = n_ends;

		while (lo < hi) {
			size_t mid = (lo + hi) / 2;

			if (anchors[ends[mid]].b < anchors[i].b)
				lo = mid + 1;
			else
				hi = mid;
		}
		anchors[i].before = lo ? ends[lo - 1] : NO_MATCH;
		ends[lo] = i;
		n_ends += lo == n_ends;
	}
	for (size_t i = n_ends ? ends[n_ends - 1] : NO_MATCH; i != NO_MATCH; i = anchors[i].before)
		d->match[anchors[i].a] = anchors[i].b;
}

static void match_lines(struct diff *d)
{
	struct stretch whole = { 0, d->a.n, 0, d->b.n }, gap;
	struct anchor *anchors;
	size_t n;

	for (size_t i = 0; i < d->a.n; i++)
		d->match[i] = NO_MATCH;
	trim(d, &whole);
	n = find_anchors(d, &whole, &anchors);
	match_anchors(d, anchors, n);
	gap = whole;
	for (size_t i = whole.a; i < whole.a_end; i++) {
		if (d->match[i] == NO_MATCH || i < gap.a)
			continue;
		gap.a_end = i;
		gap.b_end = d->match[i];
		match_stretch(d, gap);
		gap.a = i + 1;
		gap.b = d->match[i] + 1;
	}
	gap.a_end = whole.a_end;
	gap.b_end = whole.b_end;
	match_stretch(d, gap);
}

/* ---- hunks ---- */

static void print_line(struct cni_text *out, const char *sign, const struct line *line)
{
	cni_text_puts(out, sign);
	cni_text_add(out, line->text, line->len);
	if (line->text[line->len - 1] != '\n')
		cni_text_puts(out, "\n\\ No newline at end of file\n");
}

static void print_range(struct cni_text *out, char sign, size_t from, size_t to)
{
	size_t n = to - from;

	cni_text_printf(out, "%c%zu", sign, n ? from + 1 : from);
	if (n != 1)
		cni_text_printf(out, ",%zu", n);
}

static void print_hunk(struct cni_text *out, const struct diff *d, const struct stretch *s)
{
	size_t i = s->a, j = s->b;

	cni_text_puts(out, "@@ ");
	print_range(out, '-', s->a, s->a_end);
	cni_text_puts(out, " ");
	print_range(out, '+', s->b, s->b_end);
	cni_text_puts(out, " @@\n");
	while (i < s->a_end || j < s->b_end) {
		if (i < s->a_end && d->match[i] == NO_MATCH) {
			print_line(out, "-", &d->a.lines[i++]);
		} else if (j < s->b_end && (i >= s->a_end || d->match[i] != j)) {
			print_line(out, "+", &d->b.lines[j++]);
		} else {
			print_line(out, " ", &d->a.lines[i++]);
			j++;
		}
	}
}

/* The next stretch without a match from (i, j) on; false: there is none. */
static bool next_change(const struct diff *d, size_t i, size_t j, struct stretch *s)
{
	while (i < d->a.n && d->match[i] == j) {
		i++;
		j++;
	}
	if (i == d->a.n && j == d->b.n)
		return false;
	s->a = i;
	s->b = j;
	while (i < d->a.n && d->match[i] == NO_MATCH)
		i++;
	s->a_end = i;
	s->b_end = i < d->a.n ? d->match[i] : d->b.n;
	return true;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

void rt_line_diff(struct cni_text *out, const char *a_name, const char *a, size_t a_len, const char *b_name,
		  const char *b, size_t b_len)
{
	struct diff d = { .arena = out->arena, .a = split(out->arena, a, a_len), .b = split(out->arena, b, b_len) };
	struct stretch hunk, next;
	size_t lead, tail;
	bool more;

	d.match = cni_new_array(d.arena, size_t, d.a.n + 1);
	classify(&d);
	match_lines(&d);
	more = next_change(&d, 0, 0, &next);
	if (more)
		cni_text_printf(out, "--- %s\n+++ %s\n", a_name, b_name);
	while (more) {
		hunk = next;
		/* changes that are near each other share a hunk */
		while ((more = next_change(&d, hunk.a_end, hunk.b_end, &next)) && next.a - hunk.a_end <= 2 * CONTEXT) {
			hunk.a_end = next.a_end;
			hunk.b_end = next.b_end;
		}
		lead = least(least(hunk.a, hunk.b), CONTEXT);
		tail = least(d.a.n - hunk.a_end, CONTEXT);
		hunk.a -= lead;
		hunk.b -= lead;
		hunk.a_end += tail;
		hunk.b_end += tail;
		print_hunk(out, &d, &hunk);
	}
}
