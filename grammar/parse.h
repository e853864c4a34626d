/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse.h - from text to ast. No files, no state between calls; mistakes go to `diags`, all of them in one run.
 *
 * Limits: blocks and lists nest to 64 levels, a word or string has 4096 bytes at most, control characters and
 * bytes that are no UTF-8 are refused outside comments; each is a diagnostic, never a crash. */
#ifndef CNI_PARSE_H
#define CNI_PARSE_H

#include <stdbool.h>

#include "compiler/ast.h"
#include "compiler/diag.h"
#include "compiler/text.h"

/* Parses one text. Declarations are appended at *tail (as for a list whose end pointer is *tail), which is
 * moved on. A declaration with a syntax error is left out, after recovery at the next `;` or `}`. */
void cni_parse(struct cni_arena *arena, const struct cni_source *source, struct cni_diags *diags,
	       struct cni_ast_decl ***tail);

/* One value of the language, for `--set NAME=VALUE`; NULL and a diagnostic if it is none. */
struct cni_ast_value *cni_parse_value(struct cni_arena *arena, const struct cni_source *source,
				      struct cni_diags *diags);

/* `on DEVICE MATCH… [when A, B down]`, for `cnic explain`; NULL and diagnostics if it is none. */
struct cni_ast_decl *cni_parse_packet(struct cni_arena *arena, const struct cni_source *source,
				      struct cni_diags *diags);

/* A file of prefixes: one address, prefix or range a line, `#` comments, blank lines, CRLF allowed. The result
 * is canonical; bad lines are reported (the first 20, then a count) and left out. Linear time, and memory of
 * about 8 bytes an IPv4 line and 32 bytes an IPv6 line. */
const struct cni_ranges *cni_parse_prefixes(struct cni_arena *arena, const struct cni_source *source,
					    struct cni_diags *diags);

/* Writes `source` in the canonical layout: tabs, one statement a line, blocks that fit stay on one line,
 * comments and blank lines (at most one) kept. Idempotent. False, with diagnostics, if it does not parse. */
bool cni_format(struct cni_arena *arena, const struct cni_source *source, struct cni_diags *diags,
		struct cni_text *out);

#endif
