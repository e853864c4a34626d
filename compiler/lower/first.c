/* SPDX-License-Identifier: GPL-2.0-or-later */
/* first.c - of several records with one key, the one that was added first.
 *
 * Links share devices, tunnels tables and addresses, answers rules. To look for each as it is added would take as many
 * looks as the square of their number. */
#include <stdlib.h>

#include "compiler/lower/lower_internal.h"

#define FIRST_OF_EACH(kind, list)                                                                                      \
	static int by_##kind(const void *x, const void *y)                                                             \
	{                                                                                                              \
		const struct cni_st_##kind *const *a = x, *const *b = y;                                               \
		const int order = cni_##kind##_cmp(*a, *b);                                                            \
                                                                                                                       \
		return order ? order : (*a > *b) - (*a < *b);                                                          \
	}                                                                                                              \
	static void first_##list(struct cni_arena *arena, struct cni_state *state)                                     \
	{                                                                                                              \
		const size_t n = state->n_##list;                                                                      \
		const struct cni_st_##kind **all = cni_new_array(arena, const struct cni_st_##kind *, n + 1);          \
		struct cni_st_##kind *first = cni_new_array(arena, struct cni_st_##kind, n + 1);                       \
                                                                                                                       \
		for (size_t i = 0; i < n; i++)                                                                         \
			all[i] = &state->list[i];                                                                      \
		qsort(all, n, sizeof(*all), by_##kind);                                                                \
		state->n_##list = 0;                                                                                   \
		for (size_t i = 0; i < n; i++)                                                                         \
			if (!i || cni_##kind##_cmp(all[i - 1], all[i]))                                                \
				first[state->n_##list++] = *all[i];                                                    \
		state->list = first;                                                                                   \
	}

FIRST_OF_EACH(link, links)
FIRST_OF_EACH(setting, settings)
FIRST_OF_EACH(addr, addrs)
FIRST_OF_EACH(rule, rules)
FIRST_OF_EACH(route, routes)

void lower_first(struct lower *l)
{
	first_links(l->arena, l->state);
	first_settings(l->arena, l->state);
	first_addrs(l->arena, l->state);
	first_rules(l->arena, l->state);
	first_routes(l->arena, l->state);
}
