/* SPDX-License-Identifier: GPL-2.0-or-later */
/* copy.c - see copy.h. */
#include "runtime/track/copy.h"

#include <string.h>
#include <time.h>

#include "compiler/arena.h"

static const char *text(struct cni_arena *arena, const char *from)
{
	return from ? cni_strdup(arena, from) : NULL;
}

static struct rt_track_view view(struct cni_arena *arena, const struct rt_track_view *from)
{
	struct rt_track_probe *probes = cni_new_array(arena, struct rt_track_probe, from->n_probes);
	struct rt_track_view to = *from;

	if (from->n_probes)
		memcpy(probes, from->probes, from->n_probes * sizeof(*probes));
	to.probes = probes;
	to.name = text(arena, from->name);
	to.device = text(arena, from->device);
	return to;
}

struct rt_track_copy *rt_track_copy_new(const struct rt_track_view *views, size_t n_views,
					const struct rt_track_path *paths, size_t n_paths)
{
	struct cni_arena *arena = cni_arena_new();
	struct rt_track_copy *copy = cni_new(arena, struct rt_track_copy);
	struct rt_track_view *to = cni_new_array(arena, struct rt_track_view, n_views);
	struct rt_track_path *ways = cni_new_array(arena, struct rt_track_path, n_paths);

	for (size_t i = 0; i < n_views; i++)
		to[i] = view(arena, &views[i]);
	for (size_t i = 0; i < n_paths; i++) {
		ways[i] = paths[i];
		ways[i].name = text(arena, paths[i].name);
		ways[i].active = text(arena, paths[i].active);
	}
	*copy = (struct rt_track_copy){ .time_ms = rt_track_now_ms(),
					.views = to,
					.n_views = n_views,
					.paths = ways,
					.n_paths = n_paths,
					.arena = arena };
	return copy;
}

void rt_track_copy_free(struct rt_track_copy *copy)
{
	if (copy)
		cni_arena_free(copy->arena);
}

int64_t rt_track_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
