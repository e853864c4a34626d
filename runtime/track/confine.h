/* SPDX-License-Identifier: GPL-2.0-or-later */
/* confine.h - what the tracker may still do once everything is open. */
#ifndef RT_TRACK_CONFINE_H
#define RT_TRACK_CONFINE_H

#include "compiler/diag.h"

/* From now on: CAP_NET_RAW and CAP_NET_ADMIN alone, no new privileges, and only the system calls of confine.c's table;
 * any other kills the process (SIGSYS). For this thread and those that it begins later. -errno, with a diagnostic. */
int rt_track_confine(struct cni_diags *diags);

#endif
