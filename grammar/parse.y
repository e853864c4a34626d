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

/* For what gets its name later. */
static const struct cni_ast_word none;

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
	front->between = true;
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
%token A_TEXT A_VALUE A_PACKET /* which of them is to be parsed */

%type <decl> decl body outcome
%type <kind> block_word
%type <fields> block fields
%type <field> field
%type <word> word
%type <values> values items devices names
%type <value> value literal item list code number ports device any source weight
%type <ports> services parts
%type <port> part
%type <matches> matches ported
%type <match> match single port
%type <routes> routes
%type <route> route
%type <path> path
%type <members> members
%type <member> member
%type <flag> masquerade
%type <values> when
%type <verdict> verdict

/* `file "x"` is one value, although `file` alone is a word, too. */
%precedence PLAIN_WORD
%precedence STRING

%%

start:
	A_TEXT decls
|	A_VALUE any				{ front->value = $2; }
|	A_PACKET ON device matches when		{
							front->packet = decl_of(front, CNI_DECL_PACKET, @$, $2);
							front->packet->devices = $3;
							front->packet->matches = $4.first;
							front->packet->down = $5.first;
						}
;

decls:
	%empty
|	decls decl				{ declare(front, $2); }
|	decls error ";"				{ declare(front, NULL); yyerrok; }
|	decls error junk_block			{ declare(front, NULL); }
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
|	block_word WORD block			{
							$$ = decl_of(front, $1, @$, $2);
							$$->fields = $3.first;
						}
|	block_word error block			{ $$ = NULL; yyerrok; }
|	block_word error ";"			{ $$ = NULL; yyerrok; }
|	OPTIONS block				{
							$$ = decl_of(front, CNI_DECL_OPTIONS, @$, $1);
							$$->fields = $2.first;
						}
|	POLICY WORD ON devices body		{
							$$ = $5;
							$$->kind = CNI_DECL_POLICY;
							$$->span = @$;
							$$->name = $2;
							$$->devices = $4.first;
						}
|	POLICY error body			{ $$ = NULL; yyerrok; }
|	POLICY error ";"			{ $$ = NULL; yyerrok; }
|	EXPECT ON device matches when outcome ";" {
							$$ = $6;
							$$->kind = CNI_DECL_EXPECT;
							$$->span = @$;
							$$->name = $1;
							$$->devices = $3;
							$$->matches = $4.first;
							$$->down = $5.first;
						}
;

block_word:
	LAN					{ $$ = CNI_DECL_LAN; }
|	LINK					{ $$ = CNI_DECL_LINK; }
|	TUNNEL					{ $$ = CNI_DECL_TUNNEL; }
;

/* ---- blocks of fields: any word is a name, any word a value ---- */

block:
	"{" fields "}"				{ $$ = $2; }
|	"{" fields error "}"			{ $$ = $2; yyerrok; }
;

fields:
	%empty					{ EMPTY($$); }
|	fields field				{ $$ = $1; APPEND($$, $2); }
;

field:
	word ";"				{ $$ = field_of(front, $1, @$, NULL); }
|	word values ";"				{ $$ = field_of(front, $1, @$, $2.first); }
|	word block				{
							$$ = field_of(front, $1, @$, NULL);
							$$->has_block = true;
							$$->block = $2.first;
						}
|	word values block			{
							$$ = field_of(front, $1, @$, $2.first);
							$$->has_block = true;
							$$->block = $3.first;
						}
|	error ";"				{ $$ = NULL; yyerrok; }
|	error junk_block			{ $$ = NULL; }
;

values:
	value					{ ONE($$, $1); }
|	values value				{ $$ = $1; APPEND($$, $2); }
|	values "," value			{ $$ = $1; $3->after_comma = true; APPEND($$, $3); }
;

value:
	word					{ $$ = of_word(front, $1); }
|	literal
|	STRING
|	FILE STRING				{ $$ = value_of(front, CNI_VALUE_FILE, @$, $2->text, NULL); }
;

literal:
	ADDRESS
|	NUMBER
|	QUANTITY
|	VARIABLE
;

word:
	WORD
|	LAN
|	LINK
|	TUNNEL
|	POLICY
|	DEFINE
|	SERVICE
|	INCLUDE
|	EXPECT
|	OPTIONS
|	PROFILE
|	VAR
|	ROUTE
|	ON
|	VIA
|	DROP
|	REJECT
|	MAIN
|	NEVER
|	THEN
|	WEIGHT
|	MASQUERADE
|	ELSE
|	FROM
|	TO
|	DPORT
|	SPORT
|	PROTOCOL
|	PROTO
|	DSCP
|	ICMP
|	ICMPV6
|	NOT
|	SOURCE
|	WHEN
|	DOWN
|	FILE					%prec PLAIN_WORD
;

/* ---- sets and services ---- */

item: /* of a set, and of lists of protocols, ports or code points */
	literal
|	code
|	FILE STRING				{ $$ = value_of(front, CNI_VALUE_FILE, @$, $2->text, NULL); }
|	list
;

code: /* names of sets, protocols, ICMP types, code points */
	WORD					{ $$ = of_word(front, $1); }
|	PROTOCOL				{ $$ = of_word(front, $1); }
|	ICMP					{ $$ = of_word(front, $1); }
|	ICMPV6					{ $$ = of_word(front, $1); }
;

list:
	"{" "}"					{ $$ = value_of(front, CNI_VALUE_LIST, @$, NULL, NULL); }
|	"{" items "}"				{ $$ = value_of(front, CNI_VALUE_LIST, @$, NULL, $2.first); }
|	"{" items "," "}"			{ $$ = value_of(front, CNI_VALUE_LIST, @$, NULL, $2.first); }
|	"{" items error "}"			{ $$ = value_of(front, CNI_VALUE_LIST, @$, NULL, NULL); yyerrok; }
|	"{" error "}"				{ $$ = value_of(front, CNI_VALUE_LIST, @$, NULL, NULL); yyerrok; }
;

items:
	item					{ ONE($$, $1); }
|	items "," item				{ $$ = $1; $3->after_comma = true; APPEND($$, $3); }
;

number:
	NUMBER
|	VARIABLE
;

any: /* what a variable may hold */
	item
|	STRING
;

services:
	part					{ ONE($$, $1); }
|	"{" "}"					{ EMPTY($$); }
|	"{" parts "}"				{ $$ = $2; }
|	"{" parts "," "}"			{ $$ = $2; }
|	"{" parts error "}"			{ $$ = $2; yyerrok; }
|	"{" error "}"				{ EMPTY($$); yyerrok; }
;

parts:
	part					{ ONE($$, $1); }
|	parts "," part				{ $$ = $1; APPEND($$, $3); }
;

part:
	PROTOCOL ports				{ $$ = ports_of(front, @$, $1, $2); }
|	WORD					{ $$ = ports_of(front, @$, none, of_word(front, $1)); }
|	VARIABLE				{ $$ = ports_of(front, @$, none, $1); }
;

ports:
	number
|	list
;

/* ---- matches ---- */

matches:
	%empty					{ EMPTY($$); }
|	matches match				{ $$ = $1; APPEND($$, $2); }
|	matches ported				{ $$ = $1; APPEND($$, $2.first); $$.last = $2.last; }
;

match:
	single
|	NOT single				{ $$ = $2; $$->negated = true; $$->span = @$; }
|	NOT PROTOCOL port			{ $$ = $3; $$->negated = true; $$->protocol = $2; $$->span = @$; }
;

single:
	FROM item				{ $$ = match_of(front, CNI_MATCH_FROM, @$, $2); }
|	TO item					{ $$ = match_of(front, CNI_MATCH_TO, @$, $2); }
|	PROTO item				{ $$ = match_of(front, CNI_MATCH_PROTO, @$, $2); }
|	DSCP item				{ $$ = match_of(front, CNI_MATCH_DSCP, @$, $2); }
|	ICMP item				{ $$ = match_of(front, CNI_MATCH_ICMP, @$, $2); }
|	ICMPV6 item				{ $$ = match_of(front, CNI_MATCH_ICMPV6, @$, $2); }
|	SERVICE services			{
							$$ = match_of(front, CNI_MATCH_SERVICE, @$, NULL);
							$$->service = $2.first;
						}
;

ported: /* `tcp sport 1024-65535 dport { 80, 443 }`: the protocol is that of both */
	PROTOCOL port				{ $2->protocol = $1; $2->span = @$; ONE($$, $2); }
|	ported port				{ $2->protocol = $1.first->protocol; $$ = $1; APPEND($$, $2); }
;

port:
	SPORT ports				{ $$ = match_of(front, CNI_MATCH_SPORT, @$, $2); }
|	DPORT ports				{ $$ = match_of(front, CNI_MATCH_DPORT, @$, $2); }
;

/* ---- policies and expectations ---- */

devices:
	device					{ ONE($$, $1); }
|	devices "," device			{ $$ = $1; $3->after_comma = true; APPEND($$, $3); }
;

device:
	WORD					{ $$ = of_word(front, $1); }
|	STRING
|	VARIABLE
;

body:
	"{" routes "}"				{
							$$ = decl_of(front, CNI_DECL_POLICY, @$, none);
							$$->routes = $2.first;
						}
|	"{" routes ELSE verdict ";" "}"		{
							$$ = decl_of(front, CNI_DECL_POLICY, @$, none);
							$$->routes = $2.first;
							$$->otherwise = $4;
							$$->otherwise_span = cni_span_join(@3, @4);
						}
|	"{" routes error "}"			{ $$ = decl_of(front, CNI_DECL_POLICY, @$, none); yyerrok; }
|	"{" routes ELSE verdict ";" error "}"	{ $$ = decl_of(front, CNI_DECL_POLICY, @$, none); yyerrok; }
;

routes:
	%empty					{ EMPTY($$); }
|	routes route				{ $$ = $1; APPEND($$, $2); }
;

route:
	ROUTE WORD matches source path ";"	{
							$$ = NODE(struct cni_ast_route);
							$$->span = @$;
							$$->name = $2;
							$$->matches = $3.first;
							$$->source = $4;
							$$->path = *$5;
						}
|	error ";"				{ $$ = NULL; yyerrok; }
|	error junk_block			{ $$ = NULL; }
;

source:
	%empty					{ $$ = NULL; }
|	SOURCE ADDRESS				{ $$ = $2; }
|	SOURCE VARIABLE				{ $$ = $2; }
;

path:
	VIA members				{
							$$ = path_of(front, CNI_VERDICT_NONE, @$);
							$$->members = $2.first;
						}
|	VIA members ELSE verdict		{
							$$ = path_of(front, CNI_VERDICT_NONE, @$);
							$$->members = $2.first;
							$$->otherwise = $4;
							$$->otherwise_span = cni_span_join(@3, @4);
						}
|	VIA MAIN masquerade			{
							$$ = path_of(front, CNI_VERDICT_MAIN, @$);
							$$->masquerade = $3;
						}
|	DROP					{ $$ = path_of(front, CNI_VERDICT_DROP, @$); }
|	REJECT					{ $$ = path_of(front, CNI_VERDICT_REJECT, @$); }
;

members:
	member					{ ONE($$, $1); }
|	members THEN member			{ $$ = $1; $3->then = true; APPEND($$, $3); }
|	members "," member			{ $$ = $1; APPEND($$, $3); }
;

member:
	WORD weight masquerade			{
							$$ = NODE(struct cni_ast_member);
							$$->span = @$;
							$$->target = $1;
							$$->weight = $2;
							$$->masquerade = $3;
						}
;

weight:
	%empty					{ $$ = NULL; }
|	WEIGHT number				{ $$ = $2; }
;

masquerade:
	%empty					{ $$ = false; }
|	MASQUERADE				{ $$ = true; }
;

verdict:
	MAIN					{ $$ = CNI_VERDICT_MAIN; }
|	DROP					{ $$ = CNI_VERDICT_DROP; }
|	REJECT					{ $$ = CNI_VERDICT_REJECT; }
;

when:
	%empty					{ EMPTY($$); }
|	WHEN names DOWN				{ $$ = $2; }
;

names:
	WORD					{ ONE($$, of_word(front, $1)); }
|	names "," WORD				{ $$ = $1; APPEND($$, of_word(front, $3)); $$.last->after_comma = true; }
;

outcome:
	VIA WORD				{
							$$ = decl_of(front, CNI_DECL_EXPECT, @$, none);
							$$->target = $2;
							$$->outcome_span = @$;
						}
|	NEVER VIA WORD				{
							$$ = decl_of(front, CNI_DECL_EXPECT, @$, none);
							$$->negated = true;
							$$->target = $3;
							$$->outcome_span = @$;
						}
|	verdict					{
							$$ = decl_of(front, CNI_DECL_EXPECT, @$, none);
							$$->outcome = $1;
							$$->outcome_span = @$;
						}
|	VIA MAIN				{
							$$ = decl_of(front, CNI_DECL_EXPECT, @$, none);
							$$->outcome = CNI_VERDICT_MAIN;
							$$->outcome_span = @$;
						}
|	NEVER VIA MAIN				{
							$$ = decl_of(front, CNI_DECL_EXPECT, @$, none);
							$$->negated = true;
							$$->outcome = CNI_VERDICT_MAIN;
							$$->outcome_span = @$;
						}
;

/* ---- what follows a mistake: skipped whole, braces in pairs, with a `;` that may end it ---- */

junk_block:
	"{" junk "}"				{ front->drop_semicolon = true; yyerrok; }
;

junk:
	%empty
|	junk value
|	junk ";"
|	junk ","
|	junk "="
|	junk junk_block
;

%%

/* Only for a stack that is used up, and YYMAXDEPTH is beyond what CNI_DEPTH_MAX lets through. */
static void cni_yyerror(const struct cni_span *span, struct cni_front *front, const char *message)
{
	cni_mistake(front, CNI19, *span, "the parser gives up: %s", message);
}

static bool is_keyword(yysymbol_kind_t kind)
{
	return kind >= YYSYMBOL_LAN && kind <= YYSYMBOL_FILE && kind != YYSYMBOL_PROTOCOL;
}

static int yyreport_syntax_error(const yypcontext_t *context, struct cni_front *front)
{
	yysymbol_kind_t expected[YYNTOKENS], found = yypcontext_token(context);
	const char *names[YYNTOKENS];
	int n = yypcontext_expected_tokens(context, expected, YYNTOKENS);
	struct cni_syntax syntax = { .found = &front->last, .expected = names };

	if (n < 0)
		return n;
	syntax.found_keyword = is_keyword(found);
	for (int i = 0; i < n; i++)
		if (expected[i] != YYSYMBOL_A_TEXT && expected[i] != YYSYMBOL_A_VALUE &&
		    expected[i] != YYSYMBOL_A_PACKET)
			names[syntax.n_expected++] = yysymbol_name(expected[i]);
	cni_syntax_error(front, &syntax);
	return 0;
}
