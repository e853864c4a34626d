/* SPDX-License-Identifier: GPL-2.0-or-later */
/* front.h - what scanner, lexer and parser share during one parse; private to grammar/.
 *
 * scan.l cuts the text into tokens, literal.c reads numbers and addresses, lex.c minds braces, limits and
 * what recovery puts in, parse.y builds nodes, syntax.c words the syntax errors, front.c ties them up. */
#ifndef CNI_FRONT_H
#define CNI_FRONT_H

#include "compiler/arena.h"
#include "compiler/ast.h"
#include "compiler/diag.h"

#define CNI_DEPTH_MAX 64
#define CNI_WORD_MAX 4096u /* bytes of a word or string */
#define CNI_TEXT_MAX (256u << 20) /* bytes of a policy text */
#define CNI_NODES_MAX (1u << 24) /* nodes of one text: some 3 GB at worst */
#define CNI_MISTAKES_MAX 100u /* of one text: then the rest is not read */

/* Lists grow at their end while they are parsed. */
#define CNI_LIST(type)                                                                                                 \
	struct {                                                                                                       \
		type *first, *last;                                                                                    \
	}

union cni_yyvalue {
	struct cni_ast_word word; /* of every word, keyword or not */
	struct cni_ast_value *value;
	enum cni_verdict verdict;
	enum cni_decl_kind kind;
	bool flag;
	struct cni_ast_field *field;
	struct cni_ast_ports *port;
	struct cni_ast_match *match;
	struct cni_ast_member *member;
	struct cni_ast_route *route;
	struct cni_ast_decl *decl;
	struct cni_ast_path *path;
	CNI_LIST(struct cni_ast_value) values;
	CNI_LIST(struct cni_ast_field) fields;
	CNI_LIST(struct cni_ast_ports) ports;
	CNI_LIST(struct cni_ast_match) matches;
	CNI_LIST(struct cni_ast_member) members;
	CNI_LIST(struct cni_ast_route) routes;
};

struct cni_token {
	int kind; /* of parse.tab.h */
	union cni_yyvalue value;
	struct cni_span span;
};

struct cni_front {
	struct cni_arena *arena;
	const struct cni_source *source;
	struct cni_diags *diags;
	void *scanner;
	char *copy; /* of the text: flex writes into it */
	int start; /* the token that chooses what is parsed; 0 once it was given */
	bool one_value; /* a value or packet of the command line: a word may hold any characters */
	bool quiet; /* syntax errors are consequences of what was reported */
	bool full; /* a limit is reached: the text ends here */
	unsigned int n_mistakes, n_nodes;
	unsigned int n_mistakes_before; /* when the declaration at hand began */
	bool between; /* a declaration has ended, and the next has not begun */
	bool drop_semicolon; /* one that follows was the end of what was skipped */
	struct cni_span braces[CNI_DEPTH_MAX]; /* those that are open */
	unsigned int depth;
	struct cni_token last, before; /* the last two tokens that the parser got */
	unsigned int n_close; /* `}` to put in, or a `;`, at `gap`, before `again` */
	bool semicolon;
	uint32_t gap;
	struct cni_token again; /* what comes after these; kind 0: the scanner's next */
	struct cni_ast_value *value; /* the result for one value */
	struct cni_ast_decl *packet; /* the result for a packet */
	struct cni_ast_decl ***tail; /* the result for a text */
};

/* A syntax error, as the parser saw it. Names are those of the tokens in parse.y: a phrase ("a name") for a
 * class, else the word or sign itself. */
struct cni_syntax {
	const struct cni_token *found;
	bool found_keyword;
	const char **expected;
	size_t n_expected;
};

/* ---- lex.c ---- */

int cni_yylex(union cni_yyvalue *value, struct cni_span *span, struct cni_front *front);
/* As cni_diag(), counted: after CNI_MISTAKES_MAX the text is given up. */
struct cni_diag *cni_mistake(struct cni_front *front, enum cni_code code, struct cni_span span, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void *cni_node(struct cni_front *front, size_t size); /* counted; past the limit the text is given up */
bool cni_is_plain(const char *text, size_t len); /* well-formed UTF-8 without control characters */
/* The text at `span` for a message: shortened, control characters and broken UTF-8 replaced. */
const char *cni_quote(const struct cni_front *front, struct cni_span span);

/* ---- scan.l ---- */

int cni_scan(union cni_yyvalue *value, struct cni_span *span, void *scanner); /* 0 at the end */
void *cni_scan_open(struct cni_front *front);

/* ---- literal.c ---- */

/* Reads what begins like a number or an address: the token it is. A bad one is reported, and stands for a
 * harmless value of the kind that was meant. */
int cni_literal(struct cni_front *front, const char *text, size_t len, struct cni_span span,
		struct cni_ast_value **value);

/* ---- syntax.c ---- */

void cni_syntax_error(struct cni_front *front, const struct cni_syntax *syntax);

#endif
