/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diag.h - diagnostics are data: a permanent code, a place, a message, related places, a mend.
 *
 * The codes live in diag.def, each with its reason, the source of its figures, an example that fails and its
 * mend. Nothing here prints: emit/diagnostics.h turns a list into text, JSON, SARIF or GitHub annotations. */
#ifndef CNI_DIAG_H
#define CNI_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler/source.h"

struct cni_arena;

enum cni_severity { CNI_NOTE, CNI_WARNING, CNI_ERROR };

/* Every row of diag.def: CNI_E(number, severity, title, reason, example, mend). Number 417 is enum CNI417. */
enum cni_code {
#define CNI_E(number, severity, title, reason, example, mend) CNI##number = number,
#include "compiler/diag.def"
#undef CNI_E
};

struct cni_code_info {
	enum cni_code code;
	enum cni_severity severity;
	const char *title; /* a few words, no full stop */
	const char *reason; /* why; names every figure and where it is from (page and date, RFC, kernel) */
	const char *example; /* a .cni text that brings this code about; "" for codes that only a kernel brings */
	const char *mend; /* the same text, put right */
};

struct cni_related {
	struct cni_span span;
	const char *message;
	struct cni_related *next;
};

struct cni_diag {
	enum cni_code code;
	enum cni_severity severity;
	struct cni_span span;
	const char *message; /* one line */
	const char *label; /* short text beside the caret, or NULL */
	const char *help; /* the mend, one line, or NULL */
	struct cni_related *related;
	struct cni_diag *next;
};

struct cni_diags {
	struct cni_arena *arena;
	struct cni_diag *first, **last;
	size_t n_errors, n_warnings; /* counted even past `limit` */
	size_t limit; /* no more than so many are kept (default 200), so that no input takes unbounded memory */
};

void cni_diags_init(struct cni_diags *diags, struct cni_arena *arena);

/* Adds one; its severity is the table's. The result is for the setters below and is never NULL. */
struct cni_diag *cni_diag(struct cni_diags *diags, enum cni_code code, struct cni_span span, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void cni_diag_label(struct cni_diags *diags, struct cni_diag *diag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void cni_diag_help(struct cni_diags *diags, struct cni_diag *diag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void cni_diag_related(struct cni_diags *diags, struct cni_diag *diag, struct cni_span span, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Whether another warning would be kept. */
static inline bool cni_diags_keep(const struct cni_diags *diags)
{
	return diags->n_errors + diags->n_warnings < diags->limit;
}

void cni_diags_sort(struct cni_diags *diags); /* by place, then code; stable; drops exact repeats */

/* NULL for a number that is no code. The table is in ascending order of codes. */
const struct cni_code_info *cni_code_info(unsigned int number);
const struct cni_code_info *cni_code_table(size_t *n);

/* The candidate nearest to `word` (Damerau-Levenshtein, at most a third of its length away), or NULL.
 * `candidates` ends in NULL. */
const char *cni_did_you_mean(const char *word, const char *const *candidates);

#endif
