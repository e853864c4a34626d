/* SPDX-License-Identifier: GPL-2.0-or-later */
/* syntax.c - the words of a syntax error: what stands there, what was expected, what was probably meant, and what
 * to put in so that the parser goes on with the next statement. */
#include <ctype.h>
#include <string.h>

#include "compiler/text.h"
#include "grammar/front.h"
#include "parse.tab.h"

#define SHOWN_MAX 8 /* tokens that a message lists */
#define ANY_WORD 30 /* so many keywords are expected only where every word will do */

static bool is_phrase(const char *name)
{
	return strchr(name, ' ');
}

static bool is_keyword(const char *name)
{
	return isalpha((unsigned char)*name) && !is_phrase(name);
}

static bool expects(const struct cni_syntax *s, const char *name)
{
	for (size_t i = 0; i < s->n_expected; i++)
		if (!strcmp(s->expected[i], name))
			return true;
	return false;
}

static size_t count(const struct cni_syntax *s, bool (*is)(const char *name))
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_expected; i++)
		n += is(s->expected[i]);
	return n;
}

/* "`a`, `b` or a name": many keywords are "a word", many kinds of value "a value". A variable may stand for any
 * value, and goes without saying; so does the end of the text where a declaration may follow. */
static bool is_told(const struct cni_syntax *s, const char *name, bool any_word, bool any_value)
{
	if (is_keyword(name))
		return !any_word;
	if (!strcmp(name, "a variable") || !strcmp(name, "the end of the text"))
		return s->n_expected == 1;
	return !is_phrase(name) || !(any_word || any_value);
}

static const char *expectation(struct cni_front *front, const struct cni_syntax *s)
{
	struct cni_text text = { .arena = front->arena };
	bool any_word = count(s, is_keyword) >= ANY_WORD, any_value = count(s, is_phrase) >= 4;
	const char *shown[SHOWN_MAX + 1];
	size_t n = 0;

	if (any_value || any_word)
		shown[n++] = any_value ? "a value" : "a word";
	for (size_t i = 0; i < s->n_expected && n <= SHOWN_MAX; i++) {
		const char *name = s->expected[i];

		if (is_told(s, name, any_word, any_value))
			shown[n++] = name;
	}
	for (size_t i = 0; i < n; i++) {
		const char *before = !i ? "" : i + 1 < n || n > SHOWN_MAX ? ", " : " or ";

		if (i == SHOWN_MAX)
			cni_text_puts(&text, ", …");
		else
			cni_text_printf(&text, is_phrase(shown[i]) ? "%s%s" : "%s`%s`", before, shown[i]);
	}
	return text.data;
}

static const char *const protocols[] = { "tcp", "udp", "sctp", "dccp", "udplite", NULL };

/* A protocol much like the word before a port. */
static const char *meant_protocol(const struct cni_front *front, const struct cni_syntax *s)
{
	bool port = s->found->kind == TOKEN_NUMBER || (s->found->kind == TOKEN_OPEN && expects(s, "}"));

	if (!port || front->before.kind != TOKEN_WORD)
		return NULL;
	return cni_did_you_mean(front->before.value.word.text, protocols);
}

/* A keyword that could stand here and is much like what stands here. */
static const char *meant(const struct cni_syntax *s)
{
	const char *candidates[128];
	size_t n = 0;

	if (s->found->kind != TOKEN_WORD)
		return NULL;
	for (size_t i = 0; i < s->n_expected && n < sizeof(candidates) / sizeof(*candidates) - 8; i++)
		if (is_keyword(s->expected[i]))
			candidates[n++] = s->expected[i];
	for (size_t i = 0; protocols[i] && expects(s, "a protocol"); i++)
		candidates[n++] = protocols[i];
	candidates[n] = NULL;
	return cni_did_you_mean(s->found->value.word.text, candidates);
}

/* Behind a comma or the opening brace a member is wanted. */
static bool wants_member(const struct cni_front *front)
{
	return front->before.kind == TOKEN_COMMA || front->before.kind == TOKEN_OPEN;
}

/* Is the next brace a closing one? Then a list goes on behind a `;` that should be a comma. */
static bool closes_ahead(const struct cni_front *front, uint32_t offset)
{
	size_t at = offset - front->source->base, left = front->source->len - at;

	if (left > CNI_WORD_MAX)
		left = CNI_WORD_MAX;
	for (const char *text = front->source->text + at; left; text++, left--)
		if (*text == '{' || *text == '}')
			return *text == '}';
	return false;
}

static bool in_list(const struct cni_front *front, const struct cni_syntax *s)
{
	return front->depth && front->before.kind != TOKEN_SEMICOLON && expects(s, "}") && !expects(s, ";") &&
	       !expects(s, "route") && count(s, is_keyword) < ANY_WORD;
}

static bool on_later_line(const struct cni_front *front)
{
	const char *text = front->source->text - front->source->base;

	return memchr(text + front->before.span.end, '\n', front->last.span.begin - front->before.span.end);
}

/* A word of a match where a member is wanted is no sign of a brace that is missing: `{ 10.0.0.0/8, not …`. */
static bool is_misplaced(const struct cni_front *front)
{
	return wants_member(front) && !on_later_line(front) && front->last.kind >= TOKEN_FROM &&
	       front->last.kind <= TOKEN_NOT;
}

/* Gives the parser a `;` or `}` that is missing, then what it found once more. What ends an error by itself is not
 * repeated: the parser takes it as it is. */
static void put_in(struct cni_front *front, bool close)
{
	int kind = front->last.kind;

	if (kind == TOKEN_CLOSE || kind == TOKEN_OPEN || kind == TOKEN_END || (!close && kind == TOKEN_SEMICOLON))
		return;
	front->again = front->last;
	front->gap = front->before.span.end;
	front->n_close = close;
	front->depth -= close;
	front->semicolon = !close;
}

/* How it is written; NULL: nothing to say. */
static const char *advice(const struct cni_front *front, const struct cni_syntax *s)
{
	int found = s->found->kind;

	if (found == TOKEN_ROUTE && s->n_expected == 1)
		return "`else` is the last statement of a policy";
	if (found == TOKEN_NOT && in_list(front, s))
		return "`not` stands before a match: `from A not from B`";
	if ((found == TOKEN_DPORT || found == TOKEN_SPORT) && front->before.kind == TOKEN_PROTOCOL)
		return "the ports of a service are destination ports: `tcp 443`";
	if (found == TOKEN_DPORT || found == TOKEN_SPORT || (found == TOKEN_NUMBER && expects(s, "a protocol")))
		return "a port stands behind its protocol: `udp dport 5060`; in a service `udp 5060`";
	return in_list(front, s) && !wants_member(front) ? "the members of a list are separated by commas" : NULL;
}

/* What has no better explanation than what stands there and what could. */
static void unexpected(struct cni_front *front, const struct cni_syntax *s, const char *shown)
{
	const struct cni_token *found = s->found;
	const char *near = meant_protocol(front, s);
	struct cni_diag *diag;

	if (found->kind == TOKEN_SEMICOLON && front->before.kind == TOKEN_CLOSE && !in_list(front, s)) {
		cni_mistake(front, CNI1, found->span, "a block ends with its `}`: there is no `;` behind it");
		return;
	}
	if (s->n_expected == 1 && !strcmp(s->expected[0], "a name") &&
	    (s->found_keyword || found->kind == TOKEN_PROTOCOL)) {
		diag = cni_mistake(front, CNI3, found->span, "%s is a word of the language, and no name", shown);
		if (found->kind == TOKEN_MAIN && front->before.kind == TOKEN_THEN)
			cni_diag_help(front->diags, diag, "ordinary routing as the last resort is written `else main`");
		return;
	}
	if (near) {
		diag = cni_mistake(front, CNI1, front->before.span, "`%s` is no protocol",
				   front->before.value.word.text);
	} else {
		diag = cni_mistake(front, CNI1, found->span, "found %s, expected %s", shown, expectation(front, s));
		near = meant(s);
	}
	if (near)
		cni_diag_help(front->diags, diag, "did you mean `%s`?", near);
	else if (advice(front, s))
		cni_diag_help(front->diags, diag, "%s", advice(front, s));
}

void cni_syntax_error(struct cni_front *front, const struct cni_syntax *s)
{
	const struct cni_token *found = s->found;
	bool close = in_list(front, s) && ((s->found_keyword && !is_misplaced(front)) ||
					   (found->kind == TOKEN_SEMICOLON && !closes_ahead(front, found->span.end)));
	bool semicolon =
		expects(s, ";") && (found->kind == TOKEN_CLOSE || found->kind == TOKEN_END || on_later_line(front));
	const char *shown = found->kind == TOKEN_END ? "the end of the text"
						     : cni_printf(front->arena, "`%s`", cni_quote(front, found->span));
	struct cni_diag *diag;

	if (!front->quiet && close) {
		diag = cni_mistake(front, CNI4, front->braces[front->depth - 1], "this `{` is not closed");
		cni_diag_related(front->diags, diag, found->span, "%s stands where its `}` was expected", shown);
		front->quiet = true; /* until there is something new: outer lists end with this one */
	} else if (!front->quiet && semicolon) {
		cni_mistake(front, CNI2, front->before.span, "`;` is missing behind `%s`",
			    cni_quote(front, front->before.span));
	} else if (!front->quiet) {
		unexpected(front, s, shown);
	}
	if (close || semicolon)
		put_in(front, close);
}
