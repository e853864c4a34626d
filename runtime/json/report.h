/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.h - diagnostics in the formats of other tools. */
#ifndef RT_REPORT_H
#define RT_REPORT_H

#include "compiler/diag.h"
#include "compiler/text.h"

/* SARIF 2.1.0 (OASIS, 27 March 2020): one run, a rule for every code that is met. */
void rt_report_sarif(struct cni_text *out, const struct cni_diags *diags, const struct cni_sources *sources);

/* Workflow commands of GitHub Actions: `::error file=…,line=…,col=…,title=…::…`, one a line. */
void rt_report_github(struct cni_text *out, const struct cni_diags *diags, const struct cni_sources *sources);

#endif
