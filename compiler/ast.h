/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ast.h - a policy as it was written: order, repetition and mistakes included.
 *
 * Built by grammar/ in one arena, const from then on. Lists are singly linked in source order. Attributes of
 * blocks (`mtu 1476;`, `health { … }`) are generic fields, which compiler/resolve/ reads by tables, so that the
 * language grows by a row; what has a grammar of its own (sets, services, matches, paths) is typed here. */
#ifndef CNI_AST_H
#define CNI_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler/ip.h"
#include "compiler/source.h"

struct cni_ast_word {
	struct cni_span span;
	const char *text; /* NUL-terminated; a quoted string comes without its quotes */
};

enum cni_value_kind {
	CNI_VALUE_WORD, /* text: a bare word (a name or a keyword) */
	CNI_VALUE_STRING, /* text: was quoted */
	CNI_VALUE_VAR, /* text: the name behind `$` */
	CNI_VALUE_NUMBER, /* lo..hi: `7`, `0x7` (lo == hi) or `5060-5061` */
	CNI_VALUE_DURATION, /* lo == hi: milliseconds (`500ms`, `1s`, `2m`, `1h`) */
	CNI_VALUE_PERCENT, /* lo == hi: thousandths of a percent (`0.1%` is 100) */
	CNI_VALUE_ADDR, /* prefix.addr */
	CNI_VALUE_PREFIX, /* prefix, as written: host bits and all */
	CNI_VALUE_RANGE, /* prefix.addr .. last (`10.0.0.1-10.0.0.9`), same family; may be in the wrong order */
	CNI_VALUE_LIST, /* list: `{ a, b }` */
	CNI_VALUE_FILE, /* text: the path behind `file`; file: what it held, put there by the loader */
};

struct cni_ast_value {
	enum cni_value_kind kind;
	bool after_comma; /* a comma stands before it: `a, b c` */
	struct cni_span span;
	const char *text;
	uint64_t lo, hi;
	struct cni_prefix prefix;
	struct cni_addr last;
	struct cni_ast_value *list;
	const struct cni_ranges *file; /* canonical; NULL when the file could not be read (already reported) */
	struct cni_ast_value *next;
};

/* `name value value, value;` or `name value { field… }` */
struct cni_ast_field {
	struct cni_span span; /* from the name to the closing `;` or `}` */
	struct cni_ast_word name;
	struct cni_ast_value *values;
	bool has_block;
	struct cni_ast_field *block;
	struct cni_ast_field *next;
};

/* A part of a service: `udp 5060-5061`, or the name of another service (then protocol.text is NULL). */
struct cni_ast_ports {
	struct cni_span span;
	struct cni_ast_word protocol;
	struct cni_ast_value *ports; /* one NUMBER, VAR, or LIST of them; with a WORD: the other service */
	struct cni_ast_ports *next;
};

enum cni_match_kind {
	CNI_MATCH_FROM, /* values: one of WORD (a set or lan), ADDR, PREFIX, RANGE, VAR, LIST of these */
	CNI_MATCH_TO, /* the same */
	CNI_MATCH_PROTO, /* WORD or NUMBER, or LIST of them: IANA protocol, numbers 0..255 */
	CNI_MATCH_SPORT, /* protocol, then NUMBER or LIST */
	CNI_MATCH_DPORT, /* the same */
	CNI_MATCH_SERVICE, /* service: a name, or parts written in place */
	CNI_MATCH_DSCP, /* WORD (`ef`, `cs1`, `af41`) or NUMBER 0..63, or LIST of them */
	CNI_MATCH_ICMP, /* WORD or NUMBER, or LIST: ICMP type (IPv4) */
	CNI_MATCH_ICMPV6, /* the same for ICMPv6 */
};

struct cni_ast_match {
	enum cni_match_kind kind;
	bool negated; /* `not` stands before it */
	struct cni_span span;
	struct cni_ast_word protocol; /* of SPORT and DPORT */
	struct cni_ast_value *values;
	struct cni_ast_ports *service;
	struct cni_ast_match *next;
};

enum cni_verdict { CNI_VERDICT_NONE, CNI_VERDICT_MAIN, CNI_VERDICT_DROP, CNI_VERDICT_REJECT };

struct cni_ast_member {
	struct cni_ast_word target;
	struct cni_ast_value *weight; /* NUMBER or VAR; NULL: not given */
	bool masquerade;
	bool then; /* `then` stands before it; else a comma, or nothing for the first */
	struct cni_span span;
	struct cni_ast_member *next;
};

/* `via A then B else drop`, `via main`, `drop`, `reject` */
struct cni_ast_path {
	struct cni_span span;
	enum cni_verdict verdict; /* of `via main`, `drop`, `reject`; NONE: members */
	bool masquerade; /* of `via main masquerade` */
	struct cni_ast_member *members;
	enum cni_verdict otherwise; /* behind `else`; NONE: not written */
	struct cni_span otherwise_span;
};

struct cni_ast_route {
	struct cni_span span;
	struct cni_ast_word name;
	struct cni_ast_match *matches;
	struct cni_ast_value *source; /* `source ADDRESS` of `on local` routes, or NULL */
	struct cni_ast_path path;
	struct cni_ast_route *next;
};

enum cni_decl_kind {
	CNI_DECL_INCLUDE, /* values: STRING. The loader replaces it by nothing and appends the other file's decls */
	CNI_DECL_DEFINE, /* name; values: one value (LIST, FILE, WORD, ADDR, …) */
	CNI_DECL_SERVICE, /* name; service */
	CNI_DECL_LAN, /* name; fields */
	CNI_DECL_LINK, /* name; fields */
	CNI_DECL_TUNNEL, /* name; fields */
	CNI_DECL_POLICY, /* name; devices; routes; otherwise */
	CNI_DECL_EXPECT, /* devices (one); matches; down; negated; outcome, or target */
	CNI_DECL_PACKET, /* of the command line: devices (one); matches; down */
	CNI_DECL_PROFILE, /* values: one NUMBER */
	CNI_DECL_OPTIONS, /* fields */
	CNI_DECL_VAR, /* name; values: one value */
};

struct cni_ast_decl {
	enum cni_decl_kind kind;
	struct cni_span span; /* the whole declaration */
	struct cni_ast_word name;
	bool included; /* from a text that another one includes */
	struct cni_ast_value *values;
	struct cni_ast_ports *service;
	struct cni_ast_field *fields;
	struct cni_ast_value *devices; /* `on eth2, "eth1.100"`: WORD, STRING or VAR; `local` is the WORD "local" */
	struct cni_ast_route *routes; /* in order */
	enum cni_verdict otherwise; /* the policy's `else` */
	struct cni_span otherwise_span;
	struct cni_ast_match *matches;
	struct cni_ast_value *down; /* WORDs of `when A, B down` */
	bool negated; /* `never via X` */
	enum cni_verdict outcome; /* MAIN, DROP, REJECT; NONE: target */
	struct cni_ast_word target;
	struct cni_span outcome_span;
	struct cni_ast_decl *next;
};

struct cni_ast {
	struct cni_ast_decl *decls; /* of all files, includes in their place */
};

/* The first field of that name, or NULL. */
const struct cni_ast_field *cni_ast_field(const struct cni_ast_field *fields, const char *name);
/* Where to point for a field: its span; where it is not written, the declaration's name. */
struct cni_span cni_ast_field_span(const struct cni_ast_decl *decl, const char *name);

#endif
