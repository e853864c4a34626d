/* SPDX-License-Identifier: GPL-2.0-or-later */
/* github.c - annotations for GitHub Actions; see report.h. */
#include "runtime/json/report.h"

#include <string.h>

/* What the runner would read as the end of a value (actions/toolkit, packages/core/src/command.ts). */
static void escaped(struct cni_text *out, const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '%' || *text == '\r' || *text == '\n' || strchr(special, *text))
			cni_text_printf(out, "%%%02X", (unsigned char)*text);
		else
			cni_text_add(out, text, 1);
	}
}

static void annotation(struct cni_text *out, const struct cni_diag *d, const struct cni_sources *sources)
{
	static const char *const commands[] = {
		[CNI_NOTE] = "notice", [CNI_WARNING] = "warning", [CNI_ERROR] = "error"
	};
	struct cni_place begin = { 0 }, end = { 0 };

	if (cni_span_is_set(d->span)) {
		begin = cni_place_of(sources, d->span.begin);
		end = cni_place_of(sources, d->span.end);
	}
	cni_text_printf(out, "::%s ", commands[d->severity]);
	if (begin.source) {
		cni_text_puts(out, "file=");
		escaped(out, begin.source->name, ":,");
		cni_text_printf(out, ",line=%u,endLine=%u,col=%u,", begin.line, end.line, begin.column);
		/* columns count only within one line */
		if (begin.line == end.line)
			cni_text_printf(out, "endColumn=%u,", end.column);
	}
	cni_text_printf(out, "title=CNI%03u ", (unsigned int)d->code);
	escaped(out, cni_code_info((unsigned int)d->code)->title, ":,");
	cni_text_puts(out, "::");
	escaped(out, d->message, "");
	if (d->help) {
		cni_text_puts(out, "%0A");
		escaped(out, d->help, "");
	}
	cni_text_puts(out, "\n");
}

void rt_report_github(struct cni_text *out, const struct cni_diags *diags, const struct cni_sources *sources)
{
	for (const struct cni_diag *d = diags->first; d; d = d->next)
		annotation(out, d, sources);
}
