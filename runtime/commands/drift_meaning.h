/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drift_meaning.h - `cnic drift --prove`: whether what differs in shape differs in meaning. */
#ifndef RT_DRIFT_MEANING_H
#define RT_DRIFT_MEANING_H

#include "runtime/commands/session.h"
#include "runtime/drift/drift.h"

struct cni_proof;

/* Whether there is drift: by the proof, and by those of the items that it says nothing of. Written behind them. */
bool rt_drift_by_meaning(struct rt_session *session, const struct rt_drift *drift, const struct cni_proof *proof);

#endif
