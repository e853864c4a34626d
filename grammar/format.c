/* SPDX-License-Identifier: GPL-2.0-or-later */
/* format.c - the canonical layout. Works on the tokens of a text that parses: it writes each of them, in order,
 * and every comment, and decides only about the white space between them. */
#include <string.h>

#include "grammar/front.h"
#include "grammar/parse.h"

#define WIDTH 100u /* columns that a line should have at most */
#define TAB 8u

enum kind { WORD, COMMA, SEMICOLON, OPEN, CLOSE, COMMENT };

struct token {
	enum kind kind;
	const char *text;
	uint32_t len;
	unsigned int newlines; /* before it: 0, 1, or 2 for a blank line */
	size_t width; /* columns of all tokens before it, if everything stood on one line */
	size_t match; /* of OPEN: the index of its CLOSE */
};

struct tokens {
	struct token *items;
	size_t n_items;
};

/* What is open at some place, and how it is laid out. */
struct level {
	bool list; /* `{ a, b }`; else statements */
	bool flat; /* all on one line */
	unsigned int indent; /* of its lines */
	bool in_statement; /* the statement at hand has begun */
	bool lists_follow; /* its braces hold lists */
};

struct layout {
	struct cni_text *out;
	unsigned int column;
	struct level levels[CNI_DEPTH_MAX + 1], *level;
};

/* ---- tokens ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum kind kind_of(char c)
{
	static const char signs[] = { [COMMA] = ',', [SEMICOLON] = ';', [OPEN] = '{', [CLOSE] = '}', [COMMENT] = '#' };

	for (enum kind kind = COMMA; kind <= COMMENT; kind++)
		if (signs[kind] == c)
			return kind;
	return WORD;
}

/* A sign, a comment, a string, `=`, or anything up to one of these. */
static const char *end_of(const char *at, const char *end, enum kind kind)
{
	const char *stop = at + 1;

	if (kind == COMMENT) {
		stop = memchr(at, '\n', (size_t)(end - at));
		for (stop = stop ? stop : end; is_blank(stop[-1]);)
			stop--;
	} else if (*at == '"') {
		stop = memchr(stop, '"', (size_t)(end - stop));
		stop = stop ? stop + 1 : end;
	} else if (kind == WORD && *at != '=') {
		while (stop < end && kind_of(*stop) == WORD && !is_blank(*stop) && *stop != '"' && *stop != '=' &&
		       *stop != '$')
			stop++;
	}
	return stop;
}

static unsigned int gap_before(const struct token *t)
{
	return t->kind != COMMA && t->kind != SEMICOLON;
}

static struct tokens cut(struct cni_arena *arena, const struct cni_source *source)
{
	const char *at = source->text, *end = at + source->len;
	size_t open[CNI_DEPTH_MAX], depth = 0, width = 0;
	struct tokens tokens = { 0 };

	for (;;) {
		unsigned int newlines = 0;
		struct token *t;

		for (; at < end && is_blank(*at); at++)
			newlines += *at == '\n' && newlines < 2;
		if (at == end)
			return tokens;
		t = cni_push(arena, tokens.items, tokens.n_items);
		t->kind = kind_of(*at);
		t->text = at;
		at = end_of(at, end, t->kind);
		t->len = (uint32_t)(at - t->text);
		t->newlines = newlines;
		t->width = width;
		width += gap_before(t) + t->len;
		if (t->kind == OPEN)
			open[depth++] = tokens.n_items - 1;
		else if (t->kind == CLOSE)
			tokens.items[open[--depth]].match = tokens.n_items - 1;
	}
}

/* Columns of tokens first..last on one line, with a sign that clings to the last. */
static size_t width_of(const struct tokens *tokens, size_t first, size_t last)
{
	while (last + 1 < tokens->n_items && !gap_before(&tokens->items[last + 1]))
		last++;
	return tokens->items[last].width + gap_before(&tokens->items[last]) + tokens->items[last].len -
	       tokens->items[first].width;
}

static bool is_one_line(const struct tokens *tokens, size_t open)
{
	for (size_t i = open + 1; i <= tokens->items[open].match; i++)
		if (tokens->items[i].newlines)
			return false;
	return true;
}

/* ---- layout ---- */

static void new_line(struct layout *layout, unsigned int indent, bool blank)
{
	cni_text_puts(layout->out, blank ? "\n\n" : "\n");
	for (unsigned int i = 0; i < indent; i++)
		cni_text_puts(layout->out, "\t");
	layout->column = indent * TAB;
}

/* The lines of a statement behind its first stand one further in. */
static unsigned int indent_of(const struct level *level)
{
	return level->indent + (!level->list && level->in_statement);
}

static bool begins_with_list(const struct token *t)
{
	static const char *const words[] = { "define", "service", "var", "route", "expect" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (t->len == strlen(words[i]) && !memcmp(t->text, words[i], t->len))
			return true;
	return false;
}

/* White space before token i, which is not the first. */
static void separate(struct layout *layout, const struct tokens *tokens, size_t i)
{
	const struct token *t = &tokens->items[i], *before = t - 1;
	const struct level *level = layout->level;
	bool blank = t->newlines > 1 && before->kind != OPEN;
	size_t width = width_of(tokens, i, i);

	if (t->kind == CLOSE && !level->flat) {
		new_line(layout, level[-1].indent, false);
	} else if (t->kind == COMMENT ? t->newlines > 0 : before->kind == COMMENT) {
		new_line(layout, indent_of(level), blank);
	} else if (t->kind == COMMENT || level->flat) {
		cni_text_puts(layout->out, gap_before(t) ? " " : "");
		layout->column += gap_before(t);
	} else if (before->kind == OPEN ||
		   (level->list ? before->kind == COMMA && t->newlines : !level->in_statement)) {
		new_line(layout, indent_of(level), blank);
	} else if (gap_before(t)) {
		/* a list that would fit on a line of its own is kept together */
		if (t->kind == OPEN && level->lists_follow && is_one_line(tokens, i) &&
		    indent_of(level) * TAB + width_of(tokens, i, t->match) <= WIDTH)
			width = width_of(tokens, i, t->match);
		if (layout->column + width > WIDTH && layout->column > indent_of(level) * TAB) {
			new_line(layout, indent_of(level), false);
		} else {
			cni_text_puts(layout->out, " ");
			layout->column++;
		}
	}
}

static void open_level(struct layout *layout, const struct tokens *tokens, size_t open)
{
	const struct level *outer = layout->level++;
	size_t width = layout->column + width_of(tokens, open, tokens->items[open].match) - 2;

	*layout->level = (struct level){
		.list = outer->list || outer->lists_follow,
		.flat = outer->flat || (is_one_line(tokens, open) && width <= WIDTH),
		.indent = outer->indent,
	};
	layout->level->indent += !layout->level->flat;
}

static void write_token(struct layout *layout, const struct tokens *tokens, size_t i)
{
	const struct token *t = &tokens->items[i];
	bool list;

	cni_text_add(layout->out, t->text, t->len);
	layout->column += t->len;
	switch (t->kind) {
	case OPEN:
		open_level(layout, tokens, i);
		break;
	case CLOSE:
		list = layout->level->list;
		layout->level--;
		layout->level->in_statement = list;
		break;
	case SEMICOLON:
		layout->level->in_statement = false;
		break;
	case WORD:
		if (!layout->level->in_statement)
			layout->level->lists_follow = begins_with_list(t);
		layout->level->in_statement = true;
		break;
	case COMMA:
	case COMMENT:
		break;
	}
}

bool cni_format(struct cni_arena *arena, const struct cni_source *source, struct cni_diags *diags, struct cni_text *out)
{
	struct cni_ast_decl *decls = NULL, **tail = &decls;
	struct layout layout = { .out = out };
	size_t n_errors = diags->n_errors;
	struct tokens tokens;

	cni_parse(arena, source, diags, &tail);
	if (diags->n_errors != n_errors)
		return false;
	tokens = cut(arena, source);
	layout.level = layout.levels;
	for (size_t i = 0; i < tokens.n_items; i++) {
		if (i)
			separate(&layout, &tokens, i);
		write_token(&layout, &tokens, i);
	}
	if (tokens.n_items)
		cni_text_puts(out, "\n");
	return true;
}
