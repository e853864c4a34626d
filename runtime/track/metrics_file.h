/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics_file.h - metrics in a file, for node_exporter's textfile collector: each 15 s, and a second at most after a
 * change. The text is made in memory, and the runner (runner.h) puts it in the place of the old one by a rename. */
#ifndef RT_METRICS_FILE_H
#define RT_METRICS_FILE_H

#include "runtime/track/aside.h"
#include "runtime/track/copy.h"

struct rt_metrics_file;

/* `memory`: as in struct rt_runner_work; both stay the caller's. */
struct rt_metrics_file *rt_metrics_file_open(uv_loop_t *loop, struct rt_aside *aside, int memory,
					     const struct rt_track_look *look);
void rt_metrics_file_changed(struct rt_metrics_file *file);
/* The runner has written it, or could not. */
void rt_metrics_file_written(struct rt_metrics_file *file);
void rt_metrics_file_close(struct rt_metrics_file *file);
void rt_metrics_file_free(struct rt_metrics_file *file); /* once the loop has closed all; NULL is allowed */

#endif
