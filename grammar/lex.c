/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lex.c - between scanner and parser: counts braces and mistakes, keeps to the limits, and gives the parser
 * what recovery puts in (a missing `;` or `}`), so that one slip costs one message. */
#include <string.h>

#include "grammar/front.h"
#include "parse.tab.h"

/* As RFC 3629, 4 has it, without C0, DEL and C1. */
bool cni_is_plain(const char *text, size_t len)
{
	static const unsigned int least[] = { 0x20, 0xa0, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		unsigned int more = s[i] < 0x80 ? 0 : s[i] < 0xe0 ? 1 : s[i] < 0xf0 ? 2 : 3;
		unsigned int c = more ? s[i] & (0x3fu >> more) : s[i];

		if ((s[i] >= 0x80 && s[i] < 0xc0) || s[i] > 0xf4 || more >= len - i)
			return false;
		for (unsigned int k = 1; k <= more; k++) {
			if ((s[i + k] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (s[i + k] & 0x3fu);
		}
		if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || c == 0x7f)
			return false;
		i += more + 1;
	}
	return true;
}

const char *cni_quote(const struct cni_front *front, struct cni_span span)
{
	enum { SHOWN = 60 };
	/* of the source: in its copy flex keeps a NUL behind the token */
	const char *text = front->source->text + (span.begin - front->source->base);
	size_t len = span.end - span.begin, shown = len > SHOWN ? SHOWN : len;
	char *quoted = cni_alloc(front->arena, shown + sizeof("…"));

	while (shown < len && shown && ((unsigned char)text[shown] & 0xc0) == 0x80)
		shown--; /* not within a character */
	memcpy(quoted, text, shown);
	if (!cni_is_plain(quoted, shown))
		for (size_t i = 0; i < shown; i++)
			if ((unsigned char)quoted[i] < 0x20 || (unsigned char)quoted[i] > 0x7e)
				quoted[i] = '?';
	if (shown < len)
		memcpy(quoted + shown, "…", sizeof("…"));
	return quoted;
}

struct cni_diag *cni_mistake(struct cni_front *front, enum cni_code code, struct cni_span span, const char *format, ...)
{
	const char *message;
	va_list args;

	if (front->full) /* the last word was said */
		return cni_new(front->arena, struct cni_diag);
	va_start(args, format);
	message = cni_vprintf(front->arena, format, args);
	va_end(args);
	if (++front->n_mistakes > CNI_MISTAKES_MAX) {
		front->full = true;
		return cni_diag(front->diags, CNI18, span, "more than %u mistakes: the rest of %s is not read",
				CNI_MISTAKES_MAX, front->source->name);
	}
	return cni_diag(front->diags, code, span, "%s", message);
}

void *cni_node(struct cni_front *front, size_t size)
{
	if (++front->n_nodes > CNI_NODES_MAX && !front->full) {
		struct cni_diag *diag = cni_mistake(front, CNI19, front->last.span,
						    "%s has more than %u words and values: the rest is not read",
						    front->source->name, CNI_NODES_MAX);

		cni_diag_help(front->diags, diag, "long lists of prefixes belong in a file: define x = file \"…\";");
		front->full = true;
	}
	return cni_alloc(front->arena, size);
}

static struct cni_token scan(struct cni_front *front)
{
	uint32_t end = front->source->base + (uint32_t)front->source->len;
	unsigned int n_mistakes = front->n_mistakes;
	struct cni_token token = { .kind = TOKEN_END, .span = { end, end } };

	if (!front->full)
		token.kind = cni_scan(&token.value, &token.span, front->scanner);
	/* what the scanner reported explains this token */
	front->quiet |= front->full || (token.kind != TOKEN_END && front->n_mistakes != n_mistakes);
	if (front->full || token.kind == TOKEN_END) {
		token = (struct cni_token){ .kind = TOKEN_END, .span = { end, end } };
	}
	return token;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_name(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

/* Does a declaration begin here? Nobody writes one at the very left of a line within another, so the blocks that
 * are open then lack their `}`. */
static bool begins_declaration(const struct cni_front *front, const struct cni_token *token)
{
	const char *text = front->source->text, *end = text + front->source->len;
	const char *at = text + (token->span.begin - front->source->base);
	bool named = false;

	switch (token->kind) {
	case TOKEN_DEFINE:
	case TOKEN_SERVICE:
	case TOKEN_LAN:
	case TOKEN_LINK:
	case TOKEN_TUNNEL:
	case TOKEN_POLICY:
	case TOKEN_EXPECT:
	case TOKEN_OPTIONS:
	case TOKEN_VAR:
		break;
	default:
		return false;
	}
	if (at > text && at[-1] != '\n')
		return false;
	at += token->span.end - token->span.begin;
	while (at < end && is_blank(*at))
		at++;
	for (; at < end && is_name(*at); at++)
		named = true;
	while (at < end && is_blank(*at))
		at++;
	if (at == end)
		return false;
	switch (token->kind) {
	case TOKEN_DEFINE:
	case TOKEN_SERVICE:
	case TOKEN_VAR:
		return named && *at == '=';
	case TOKEN_LAN:
	case TOKEN_LINK:
	case TOKEN_TUNNEL:
		return named && *at == '{';
	case TOKEN_OPTIONS:
		return !named && *at == '{';
	case TOKEN_POLICY: /* `policy NAME on …`; `expect on DEVICE …` */
		return named && *at == 'o';
	default:
		return named;
	}
}

/* The whole block of a brace too many goes unread. */
static void skip_block(struct cni_front *front)
{
	for (size_t level = 1; level;) {
		int kind = scan(front).kind;

		if (kind == TOKEN_END)
			break;
		level += kind == TOKEN_OPEN;
		level -= kind == TOKEN_CLOSE;
	}
}

static void unclosed(struct cni_front *front, const struct cni_token *found, const char *what)
{
	struct cni_diag *diag = cni_mistake(front, CNI4, front->braces[0], "this `{` is not closed");

	if (found)
		cni_diag_related(front->diags, diag, found->span, "%s", what);
	front->quiet = true;
}

static struct cni_token next(struct cni_front *front);

static struct cni_token admit(struct cni_front *front)
{
	for (;;) {
		struct cni_token token = scan(front);

		if (token.kind == TOKEN_SEMICOLON && front->drop_semicolon)
			continue;
		front->drop_semicolon = false;
		if (token.kind == TOKEN_OPEN) {
			if (front->depth < CNI_DEPTH_MAX) {
				front->braces[front->depth++] = token.span;
				return token;
			}
			cni_mistake(front, CNI8, token.span, "blocks and lists are nested to more than %u levels",
				    CNI_DEPTH_MAX);
			skip_block(front);
			token.kind = TOKEN_CNI_YYerror; /* the parser recovers without a further message */
		} else if (token.kind == TOKEN_CLOSE) {
			if (!front->depth) {
				cni_mistake(front, CNI5, token.span, "this `}` closes nothing");
				front->drop_semicolon = front->between;
				continue;
			}
			front->depth--;
		} else if (front->depth && token.kind == TOKEN_END) {
			if (!front->quiet)
				unclosed(front, NULL, NULL);
		} else if (front->depth && begins_declaration(front, &token)) {
			unclosed(front, &token, "a new declaration begins here");
			front->n_close = front->depth;
			front->depth = 0;
			front->again = token;
			front->gap = front->last.span.end;
			return next(front);
		}
		return token;
	}
}

static struct cni_token next(struct cni_front *front)
{
	struct cni_token token = { .kind = front->start, .span = { front->source->base, front->source->base } };

	if (token.kind) {
		front->start = 0;
		return token;
	}
	if (!front->again.kind) {
		front->quiet = front->full;
		return admit(front);
	}
	token.span = (struct cni_span){ front->gap, front->gap };
	if (front->n_close) {
		front->n_close--;
		token.kind = TOKEN_CLOSE;
	} else if (front->semicolon) {
		front->semicolon = false;
		token.kind = TOKEN_SEMICOLON;
	} else {
		token = front->again;
		front->again.kind = 0;
	}
	return token;
}

int cni_yylex(union cni_yyvalue *value, struct cni_span *span, struct cni_front *front)
{
	front->before = front->last;
	front->last = next(front);
	if (front->between) /* what is wrong between two declarations is no fault of the second */
		front->n_mistakes_before = front->n_mistakes;
	front->between = front->last.kind == TOKEN_A_TEXT;
	*value = front->last.value;
	*span = front->last.span;
	return front->last.kind;
}
