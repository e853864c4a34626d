/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diag.c - keeping diagnostics; see diag.h. */
#include "compiler/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"

static const struct cni_code_info codes[] = {
#define CNI_E(number, severity, title, reason, example, mend)                                                          \
	{ CNI##number, CNI_##severity, title, reason, example, mend },
#include "compiler/diag.def"
#undef CNI_E
};

const struct cni_code_info *cni_code_table(size_t *n)
{
	*n = sizeof(codes) / sizeof(*codes);
	return codes;
}

const struct cni_code_info *cni_code_info(unsigned int number)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if ((unsigned int)codes[i].code == number)
			return &codes[i];
	return NULL;
}

void cni_diags_init(struct cni_diags *diags, struct cni_arena *arena)
{
	*diags = (struct cni_diags){ .arena = arena, .limit = 200 };
	diags->last = &diags->first;
}

struct cni_diag *cni_diag(struct cni_diags *diags, enum cni_code code, struct cni_span span, const char *format, ...)
{
	struct cni_diag *d = cni_new(diags->arena, struct cni_diag);
	va_list args;

	d->code = code;
	d->severity = cni_code_info(code)->severity;
	d->span = span;
	va_start(args, format);
	d->message = cni_vprintf(diags->arena, format, args);
	va_end(args);
	if (d->severity == CNI_ERROR)
		diags->n_errors++;
	else if (d->severity == CNI_WARNING)
		diags->n_warnings++;
	if (diags->n_errors + diags->n_warnings <= diags->limit) {
		*diags->last = d;
		diags->last = &d->next;
	}
	return d;
}

void cni_diag_label(struct cni_diags *diags, struct cni_diag *diag, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diag->label = cni_vprintf(diags->arena, format, args);
	va_end(args);
}

void cni_diag_help(struct cni_diags *diags, struct cni_diag *diag, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diag->help = cni_vprintf(diags->arena, format, args);
	va_end(args);
}

void cni_diag_related(struct cni_diags *diags, struct cni_diag *diag, struct cni_span span, const char *format, ...)
{
	struct cni_related **at = &diag->related;
	va_list args;

	while (*at)
		at = &(*at)->next;
	*at = cni_new(diags->arena, struct cni_related);
	(*at)->span = span;
	va_start(args, format);
	(*at)->message = cni_vprintf(diags->arena, format, args);
	va_end(args);
}

static int by_place(const void *a, const void *b)
{
	const struct cni_diag *x = *(const struct cni_diag *const *)a, *y = *(const struct cni_diag *const *)b;

	if (x->span.begin != y->span.begin)
		return x->span.begin < y->span.begin ? -1 : 1;
	if (x->code != y->code)
		return x->code < y->code ? -1 : 1;
	return strcmp(x->message, y->message);
}

void cni_diags_sort(struct cni_diags *diags)
{
	struct cni_diag **list = NULL;
	size_t n = 0;

	for (struct cni_diag *d = diags->first; d; d = d->next)
		*cni_push(diags->arena, list, n) = d;
	if (n)
		qsort(list, n, sizeof(*list), by_place);
	diags->last = &diags->first;
	for (size_t i = 0; i < n; i++) {
		if (i && !by_place(&list[i - 1], &list[i]))
			continue;
		*diags->last = list[i];
		diags->last = &list[i]->next;
	}
	*diags->last = NULL;
}

/* Optimal string alignment over at most WORD_MAX bytes; longer words have no near neighbour. */
#define WORD_MAX 40

static unsigned int distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned int d[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t i = 0; i <= n; i++)
		d[i][0] = (unsigned int)i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			unsigned int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[n][m];
}

const char *cni_did_you_mean(const char *word, const char *const *candidates)
{
	size_t n = strlen(word);
	unsigned int best = (unsigned int)(n / 3 > 1 ? n / 3 : 1) + 1;
	const char *found = NULL;

	if (n > WORD_MAX)
		return NULL;
	for (; *candidates; candidates++) {
		size_t m = strlen(*candidates);
		unsigned int d = m > WORD_MAX ? best : distance(word, n, *candidates, m);

		if (d < best && d < n) { /* a word of one letter has no neighbour */
			best = d;
			found = *candidates;
		}
	}
	return found;
}
