/* SPDX-License-Identifier: GPL-2.0-or-later */
/* envelope.h - the one JSON document of every command, version 1:
 *
 *	{ "cnic": COMMAND, "version": 1, "ok": bool, "changed": bool, "error": text,
 *	  "diagnostics": [ { "code": "CNI417", "severity": "error", "message", "file", "line", "column", "end_line",
 *	    "end_column", "label", "help", "related": [ { "message", "file", "line", "column", … } ] } ],
 *	  … the command's own keys }
 *
 * "changed" is there for commands that change something, "error" when something failed that has no diagnostic.
 * Places and texts that are not there are null, and so is "cnic"
 * where the command line names no command. Keys may be added to version 1, never taken away. */
#ifndef RT_ENVELOPE_H
#define RT_ENVELOPE_H

#include <jansson.h>

#include "compiler/diag.h"
#include "compiler/text.h"
#include "runtime/commands/command.h"

struct rt_session;

/* `own`: the command's keys, or NULL; not taken over. */
void rt_envelope(struct cni_text *out, const struct rt_session *session, const struct cni_diags *diags,
		 enum rt_exit status, json_t *own);

/* A text that need not be UTF-8: what is not becomes U+FFFD. NULL gives null. */
json_t *rt_json_text(const char *text);
json_t *rt_json_textn(const char *text, size_t len);

/* The length of the UTF-8 sequence (RFC 3629) at text[0..len), or 0. */
size_t rt_utf8_length(const unsigned char *text, size_t len);

/* "file", "line", "column", "end_line", "end_column" of a span are added to `object`; all null for no place. */
void rt_json_place(json_t *object, const struct cni_sources *sources, struct cni_span span);

/* Appends the document, indented, and a newline. */
void rt_json_print(struct cni_text *out, const json_t *document);

const char *rt_severity_name(enum cni_severity severity);

#endif
