/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics.h - tracking as Prometheus reads it: the text exposition format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), base units, names by its conventions. What is not known,
 * such as a round trip where nothing was answered, has no sample. */
#ifndef RT_TRACK_METRICS_H
#define RT_TRACK_METRICS_H

#include "runtime/track/copy.h"

#define RT_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The next piece. */
bool rt_metrics_more(struct rt_track_text *text, struct cni_text *out);

#endif
