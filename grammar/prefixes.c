/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prefixes.c - reads files of prefixes, a million lines and more: one pass to count, so that the ranges are
 * written where they stay, and one to read. */
#include <string.h>

#include "grammar/front.h"
#include "grammar/parse.h"

#define SHOWN_MAX 20 /* bad lines that are reported one by one */

struct reader {
	struct cni_front front; /* for its messages */
	struct cni_ranges *ranges;
	size_t n_bad;
};

struct lines {
	const char *at, *end; /* what is left */
};

static struct lines lines_of(const struct cni_source *source)
{
	return (struct lines){ source->text, source->text + source->len };
}

/* The next line that says something, without comment and blanks around it. */
static bool next_line(struct lines *lines, const char **begin, const char **end)
{
	while (lines->at < lines->end) {
		const char *line = lines->at, *comment;
		const char *stop = memchr(line, '\n', (size_t)(lines->end - line));

		lines->at = stop ? stop + 1 : lines->end;
		stop = stop ? stop : lines->end;
		comment = memchr(line, '#', (size_t)(stop - line));
		stop = comment ? comment : stop;
		while (line < stop && (*line == ' ' || *line == '\t'))
			line++;
		while (stop > line && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
			stop--;
		*begin = line;
		*end = stop;
		if (line < stop)
			return true;
	}
	return false;
}

/* Room for as many ranges as there can be, as cni_push() has it; pages that stay unused are never touched. */
static void make_room(struct cni_arena *arena, const struct cni_source *source, struct cni_ranges *ranges)
{
	struct lines lines = lines_of(source);
	size_t n_v4 = 0, n_v6 = 0;
	const char *begin, *end;

	while (next_line(&lines, &begin, &end))
		if (memchr(begin, ':', (size_t)(end - begin)))
			n_v6++;
		else
			n_v4++;
	ranges->v4 = cni_new_array(arena, struct cni_range4, cni_room(n_v4));
	ranges->v6 = cni_new_array(arena, struct cni_range6, cni_room(n_v6));
}

static struct cni_diag *bad(struct reader *r, enum cni_code code, const char *begin, const char *end, const char *why)
{
	struct cni_front *front = &r->front;
	uint32_t at = front->source->base + (uint32_t)(begin - front->source->text);
	struct cni_span span = { at, at + (uint32_t)(end - begin) };

	if (++r->n_bad > SHOWN_MAX)
		return NULL;
	return cni_diag(front->diags, code, span, "`%s` %s", cni_quote(front, span), why);
}

static void add(struct reader *r, struct cni_addr lo, struct cni_addr hi)
{
	struct cni_ranges *to = r->ranges;

	if (lo.family == CNI_V4)
		to->v4[to->n_v4++] = (struct cni_range4){ (uint32_t)lo.v, (uint32_t)hi.v };
	else
		to->v6[to->n_v6++] = (struct cni_range6){ lo.v, hi.v };
}

static void read_prefix(struct reader *r, const char *begin, const char *slash, const char *end)
{
	struct cni_prefix prefix;
	unsigned int len = 0;
	struct cni_diag *diag;

	if (!cni_addr_parse(begin, (size_t)(slash - begin), &prefix.addr)) {
		bad(r, CNI30, begin, end, "is no prefix");
		return;
	}
	for (const char *at = slash + 1; at < end && len < 1000; at++)
		len = *at >= '0' && *at <= '9' ? len * 10 + (unsigned int)(*at - '0') : 1000;
	if (slash + 1 == end || len > cni_width(prefix.addr.family)) {
		bad(r, CNI30, begin, end, "has no valid prefix length");
		return;
	}
	prefix.len = (uint8_t)len;
	if (prefix.addr.v & cni_host_mask(prefix.addr.family, len)) {
		char fixed[CNI_ADDR_TEXT];

		diag = bad(r, CNI31, begin, end, "has bits set behind its length");
		if (diag) {
			prefix.addr = cni_prefix_first(prefix);
			cni_diag_help(r->front.diags, diag, "the network is %s", cni_prefix_format(prefix, fixed));
		}
		return;
	}
	add(r, prefix.addr, cni_prefix_last(prefix));
}

static void read_line(struct reader *r, const char *begin, const char *end)
{
	const char *slash = memchr(begin, '/', (size_t)(end - begin)), *dash;
	struct cni_addr lo, hi;

	if (slash) {
		read_prefix(r, begin, slash, end);
		return;
	}
	dash = memchr(begin, '-', (size_t)(end - begin));
	if (!cni_addr_parse(begin, (size_t)((dash ? dash : end) - begin), &lo) ||
	    !cni_addr_parse(dash ? dash + 1 : begin, (size_t)(end - (dash ? dash + 1 : begin)), &hi))
		bad(r, CNI30, begin, end, "is no address, prefix or range");
	else if (lo.family != hi.family)
		bad(r, CNI32, begin, end, "mixes IPv4 and IPv6");
	else if (lo.v > hi.v)
		bad(r, CNI32, begin, end, "runs backwards: a range is written FIRST-LAST");
	else
		add(r, lo, hi);
}

/* Lines that change nothing: one note for all, since the list may be somebody else's. */
static void report_inner(struct reader *r, const struct cni_source *source)
{
	const struct cni_span whole = { source->base, source->base + 1 };

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		char first[CNI_ADDR_TEXT], last[CNI_ADDR_TEXT];
		struct cni_range6 found;
		size_t n = cni_ranges_inner(r->ranges, f, &found, 1);

		if (n)
			cni_diag(r->front.diags, CNI34, whole,
				 "%s has %zu line%s of %s that others hold already, the first of them %s-%s",
				 source->name, n, n == 1 ? "" : "s", f == CNI_V4 ? "IPv4" : "IPv6",
				 cni_addr_format((struct cni_addr){ f, found.lo }, first),
				 cni_addr_format((struct cni_addr){ f, found.hi }, last));
	}
}

const struct cni_ranges *cni_parse_prefixes(struct cni_arena *arena, const struct cni_source *source,
					    struct cni_diags *diags)
{
	struct reader r = { .front = { .arena = arena, .source = source, .diags = diags } };
	struct lines lines = lines_of(source);
	const char *begin, *end;

	r.ranges = cni_new(arena, struct cni_ranges);
	make_room(arena, source, r.ranges);
	while (next_line(&lines, &begin, &end))
		read_line(&r, begin, end);
	if (r.n_bad > SHOWN_MAX) {
		struct cni_span whole = { source->base, source->base + 1 };

		cni_diag(diags, CNI33, whole, "%s has %zu more bad lines", source->name, r.n_bad - SHOWN_MAX);
	}
	report_inner(&r, source);
	cni_ranges_normalise(r.ranges);
	return r.ranges;
}
