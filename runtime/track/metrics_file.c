/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics_file.c - see metrics_file.h. */
#include "runtime/track/metrics_file.h"

#include <stdlib.h>
#include <unistd.h>

#include "runtime/track/metrics.h"
#include "runtime/track/render.h"

#define PERIOD 15000 /* ms: Prometheus' own scrapes are a minute apart by default */
#define PAUSE 1000 /* ms: between two, however much changes */

struct rt_metrics_file {
	struct rt_aside *aside;
	struct rt_track_look look;
	int memory;
	size_t len;
	bool short_of; /* memory: this one is not written */
	bool with_runner; /* the memory is the runner's until it has answered */
	uv_timer_t timer; /* of the next one */
	struct rt_render render;
	uint64_t last; /* uv_now() of the last one's begin */
};

static void piece_done(const char *data, size_t len, void *arg)
{
	struct rt_metrics_file *file = arg;

	file->short_of |= pwrite(file->memory, data, len, (off_t)file->len) != (ssize_t)len;
	file->len += len;
}

static void done(void *arg)
{
	struct rt_metrics_file *file = arg;

	file->with_runner = !file->short_of && rt_aside_file(file->aside, file->len);
}

static void write_it(uv_timer_t *timer);

static void plan(struct rt_metrics_file *file, uint64_t delay)
{
	(void)uv_timer_start(&file->timer, write_it, delay, 0);
}

static void write_it(uv_timer_t *timer)
{
	struct rt_metrics_file *file = timer->data;

	if (file->render.busy || file->with_runner) { /* a slow disk */
		plan(file, PAUSE);
		return;
	}
	file->last = uv_now(timer->loop);
	file->len = 0;
	file->short_of = false;
	rt_render_start(&file->render, file->look.take(file->look.arg));
	plan(file, PERIOD);
}

struct rt_metrics_file *rt_metrics_file_open(uv_loop_t *loop, struct rt_aside *aside, int memory,
					     const struct rt_track_look *look)
{
	struct rt_metrics_file *file = calloc(1, sizeof(*file));

	if (!file)
		abort();
	*file = (struct rt_metrics_file){ .aside = aside, .look = *look, .memory = memory };
	file->render =
		(struct rt_render){ .more = rt_metrics_more, .piece_done = piece_done, .done = done, .arg = file };
	rt_render_open(&file->render, loop);
	(void)uv_timer_init(loop, &file->timer);
	file->timer.data = file;
	plan(file, 0);
	return file;
}

void rt_metrics_file_changed(struct rt_metrics_file *file)
{
	uint64_t now = uv_now(file->timer.loop), soonest = file->last + PAUSE;
	uint64_t delay = soonest > now ? soonest - now : 0;

	if (uv_timer_get_due_in(&file->timer) > delay)
		plan(file, delay);
}

void rt_metrics_file_written(struct rt_metrics_file *file)
{
	file->with_runner = false;
}

void rt_metrics_file_close(struct rt_metrics_file *file)
{
	rt_render_close(&file->render);
	uv_close((uv_handle_t *)&file->timer, NULL);
}

void rt_metrics_file_free(struct rt_metrics_file *file)
{
	free(file);
}
