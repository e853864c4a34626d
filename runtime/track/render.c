/* SPDX-License-Identifier: GPL-2.0-or-later */
/* render.c - see render.h. */
#include "runtime/track/render.h"

void rt_render_open(struct rt_render *render, uv_loop_t *loop)
{
	(void)uv_idle_init(loop, &render->idle); /* cannot fail, says libuv */
	render->idle.data = render;
}

static void end(struct rt_render *render)
{
	uv_idle_stop(&render->idle);
	rt_track_copy_free(render->copy);
	render->copy = NULL;
	render->busy = false;
}

static void go_on(uv_idle_t *idle)
{
	struct rt_render *render = idle->data;
	bool more;

	render->piece.len = 0;
	more = render->more(&render->text, &render->piece);
	render->piece_done(render->piece.data, render->piece.len, render->arg);
	if (more)
		return;
	end(render);
	render->done(render->arg);
}

void rt_render_start(struct rt_render *render, struct rt_track_copy *copy)
{
	render->busy = true;
	render->copy = copy;
	render->text = (struct rt_track_text){ .copy = copy };
	render->piece = (struct cni_text){ .arena = copy->arena };
	(void)uv_idle_start(&render->idle, go_on);
}

void rt_render_close(struct rt_render *render)
{
	end(render);
	uv_close((uv_handle_t *)&render->idle, NULL);
}
