/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse.y - the grammar of .cni. Actions build nodes and nothing else; what names and fields mean is for
 * compiler/resolve/. Every list recovers from a mistake by itself, at `;` or `}`. */
%code requires {
#include "grammar/front.h"
}
%code top {
/* Lists are left-recursive and blocks nest to CNI_DEPTH_MAX levels: some 500 places are enough. */
#define YYINITDEPTH 1000
#define YYMAXDEPTH 10000
}
%code {
#define NODE(type) ((type *)cni_node(front, sizeof(type)))

/* These work on every CNI_LIST. */
#define ONE(list, item) ((list).first = (list).last = (item))
#define APPEND(list, item)                                       \
	do {                                                     \
		__typeof__((list).first) added_ = (item);        \
		if (!added_)                                     \
			break;                                   \
		if ((list).last)                                 \
			(list).last->next = added_;              \
		else                                             \
			(list).first = added_;                   \
		(list).last = added_;                            \
	} while (0)
#define EMPTY(list) ((list).first = (list).last = NULL)

/* The span of the whole rule, or just behind what stands before an empty one. */
#define YYLLOC_DEFAULT(current, rhs, n)                                                                  \
	((current) = (n) ? (struct cni_span){ YYRHSLOC(rhs, 1).begin, YYRHSLOC(rhs, n).end } :           \
			   (struct cni_span){ YYRHSLOC(rhs, 0).end, YYRHSLOC(rhs, 0).end })

static struct cni_ast_value *value_of(struct cni_front *front, enum cni_value_kind kind, struct cni_span span,
				      const char *text, struct cni_ast_value *list)
{
	struct cni_ast_value *value = NODE(struct cni_ast_value);

	value->kind = kind;
	value->span = span;
	value->text = text;
	value->list = list;
	return value;
}

static struct cni_ast_value *of_word(struct cni_front *front, struct cni_ast_word word)
{
	return value_of(front, CNI_VALUE_WORD, word.span, word.text, NULL);
}

static struct cni_ast_field *field_of(struct cni_front *front, struct cni_ast_word name, struct cni_span span,
				      struct cni_ast_value *values)
{
	struct cni_ast_field *field = NODE(struct cni_ast_field);

	field->name = name;
	field->span = span;
	field->values = values;
	return field;
}

static struct cni_ast_match *match_of(struct cni_front *front, enum cni_match_kind kind, struct cni_span span,
				      struct cni_ast_value *values)
{
	struct cni_ast_match *match = NODE(struct cni_ast_match);

	match->kind = kind;
	match->span = span;
	match->values = values;
	return match;
}

static struct cni_ast_ports *ports_of(struct cni_front *front, struct cni_span span, struct cni_ast_word protocol,
				      struct cni_ast_value *ports)
{
	struct cni_ast_ports *part = NODE(struct cni_ast_ports);

	part->span = span;
	part->protocol = protocol;
	part->ports = ports;
	return part;
}

static struct cni_ast_decl *decl_of(struct cni_front *front, enum cni_decl_kind kind, struct cni_span span,
				    struct cni_ast_word name)
{
	struct cni_ast_decl *decl = NODE(struct cni_ast_decl);

	decl->kind = kind;
	decl->span = span;
	decl->name = name;
	return decl;
}

static struct cni_ast_path *path_of(struct cni_front *front, enum cni_verdict verdict, struct cni_span span)
{
	struct cni_ast_path *path = NODE(struct cni_ast_path);

	path->verdict = verdict;
	path->span = span;
	return path;
}

/* Appends a declaration to the result, unless something in it was reported. */
static void declare(struct cni_front *front, struct cni_ast_decl *decl)
{
	bool sound = front->n_mistakes == front->n_mistakes_before;

	front->n_mistakes_before = front->n_mistakes;
	if (!decl || !sound)
		return;
	**front->tail = decl;
	*front->tail = &decl->next;
}

static void cni_yyerror(const struct cni_span *span, struct cni_front *front, const char *message);
}

%define api.pure full
%define api.prefix {cni_yy}
%define api.token.prefix {TOKEN_}
%define api.value.type {union cni_yyvalue}
%define api.location.type {struct cni_span}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param { struct cni_front *front }
%initial-action { @$ = (struct cni_span){ front->source->base, front->source->base }; }

/* The names are those of messages: a phrase for a class of tokens, else the token itself. The order is that in
 * which messages list what was expected. */
%token END 0 "the end of the text"
%token SEMICOLON ";" COMMA "," OPEN "{" CLOSE "}" EQUALS "="
%token <word> WORD "a name"
%token <value> ADDRESS "an address" NUMBER "a number" QUANTITY "a duration" STRING "a string" VARIABLE "a variable"
%token <word> LAN "lan" LINK "link" TUNNEL "tunnel" POLICY "policy" DEFINE "define" SERVICE "service"
%token <word> INCLUDE "include" EXPECT "expect" OPTIONS "options" PROFILE "profile" VAR "var"
%token <word> ROUTE "route" ON "on" VIA "via" DROP "drop" REJECT "reject" MAIN "main" NEVER "never"
%token <word> THEN "then" WEIGHT "weight" MASQUERADE "masquerade" ELSE "else"
%token <word> FROM "from" TO "to" DPORT "dport" SPORT "sport" PROTOCOL "a protocol" PROTO "proto" DSCP "dscp"
%token <word> ICMP "icmp" ICMPV6 "icmpv6" NOT "not" SOURCE "source" WHEN "when" DOWN "down" FILE "file"
%token A_TEXT A_VALUE /* which of the two is to be parsed */

%type <decl> decl
%type <fields> block fields
%type <field> field
%type <word> word code_word
%type <values> values items devices names
%type <value> value literal item list code address number ports when any
%type <ports> services parts
%type <port> part
%type <matches> matches ported
%type <match> match single port
%type <routes> routes
%type <route> route
%type <decl> routes_else
%type <value> source weight
%type <path> path
%type <members> members
%type <member> member
%type <flag> masquerade
%type <verdict> verdict otherwise

/* `file "x"` is one value, although `file` alone is a word, too. */
%precedence PLAIN_WORD
%precedence STRING

%%

start:
	A_TEXT decls
|	A_VALUE any				{ front->value = $2; }
;

decls:
	%empty
|	decls decl				{ declare(front, $2); }
|	decls error ";"				{ declare(front, NULL); yyerrok; }
|	decls error junk_block			{ declare(front, NULL); yyerrok; }
|	decls error junk_block ";"		{ declare(front, NULL); yyerrok; }
;

decl:
	INCLUDE STRING ";"			{
							$$ = decl_of(front, CNI_DECL_INCLUDE, @$, $1);
							$$->values = $2;
						}
|	PROFILE number ";"			{
							$$ = decl_of(front, CNI_DECL_PROFILE, @$, $1);
							$$->values = $2;
						}
|	DEFINE WORD "=" item ";"		{
							$$ = decl_of(front, CNI_DECL_DEFINE, @$, $2);
							$$->values = $4;
						}
|	VAR WORD "=" any ";"			{
							$$ = decl_of(front, CNI_DECL_VAR, @$, $2);
							$$->values = $4;
						}
|	SERVICE WORD "=" services ";"		{
							$$ = decl_of(front, CNI_DECL_SERVICE, @$, $2);
							$$->service = $4.first;
						}
|	LAN WORD block				{
							$$ = decl_of(front, CNI_DECL_LAN, @$, $2);
							$$->fields = $3.first;
						}
|	LINK WORD block				{
							$$ = decl_of(front, CNI_DECL_LINK, @$, $2);
							$$->fields = $3.first;
						}
|	TUNNEL WORD block			{
							$$ = decl_of(front, CNI_DECL_TUNNEL, @$, $2);
							$$->fields = $3.first;
						}
|	OPTIONS block				{
							$$ = decl_of(front, CNI_DECL_OPTIONS, @$, $1);
							$$->fields = $2.first;
						}
|	POLICY WORD ON devices routes_else	{
							$$ = $5;
							$$->span = @$;
							$$->name = $2;
							$$->devices = $4.first;
						}
|	EXPECT ON devices matches when expected ";" {
							$$ = front->expect;
							$$->span = @$;
							$$->name = $1;
							$$->devices = $3.first;
							$$->matches = $4.first;
							$$->down = $5;
						}
;
