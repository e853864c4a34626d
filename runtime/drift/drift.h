/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drift.h - a plan read backwards: not what would be done, but where the kernel differs from what was meant. */
#ifndef RT_DRIFT_H
#define RT_DRIFT_H

#include "compiler/plan.h"
#include "runtime/commands/options.h"

enum rt_drift_what { RT_DRIFT_MISSING, RT_DRIFT_CHANGED, RT_DRIFT_EXTRA /* cnic's, and not of this policy */ };

struct rt_difference {
	enum rt_drift_what what;
	enum cni_object object;
	const char *text; /* "route default via …": as it should be, or of an extra one as it is */
	const char *is, *should; /* the same of each side; NULL: absent there, or something that is not cnic's */
	const void *before, *after; /* the records of struct cni_step; NULL likewise */
	struct cni_span span; /* where the policy says so; of an extra one: no place */
};

struct rt_drift {
	struct rt_difference *items; /* each object once; by kind, then by text */
	size_t n_items;
	size_t n_ignored; /* that rt_drift_ignore() took out */
	const struct cni_plan *plan; /* to whose states the records belong */
};

/* `desired` as of cni_plan(). What that reports as standing in the way is a difference here like any other. */
struct rt_drift rt_drift_of(struct cni_arena *arena, const struct cni_state *observed, const struct cni_state *desired);

/* Takes out what one of the patterns (fnmatch(3)) matches, by the text of either side. */
void rt_drift_ignore(struct rt_drift *drift, const struct rt_words *patterns);

#endif
