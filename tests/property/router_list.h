/* SPDX-License-Identifier: GPL-2.0-or-later */
/* router_list.h - sorted lists of the records of a router: finding, putting, dropping. */
#ifndef CNI_TEST_ROUTER_LIST_H
#define CNI_TEST_ROUTER_LIST_H

#include <string.h>

#include "compiler/arena.h"
#include "tests/property/router.h"

#define ROUTER_LIST(kind, list, slot)                                                                                  \
	/* where the record is or would be */                                                                          \
	static inline size_t place_##kind(const struct router *r, const struct cni_st_##kind *key, bool *there)        \
	{                                                                                                              \
		size_t lo = 0, hi = r->state.n_##list;                                                                 \
                                                                                                                       \
		*there = false;                                                                                        \
		while (lo < hi) {                                                                                      \
			size_t mid = (lo + hi) / 2;                                                                    \
			int o = cni_##kind##_cmp(&r->state.list[mid], key);                                            \
                                                                                                                       \
			*there |= !o;                                                                                  \
			if (o < 0)                                                                                     \
				lo = mid + 1;                                                                          \
			else                                                                                           \
				hi = mid;                                                                              \
		}                                                                                                      \
		return lo;                                                                                             \
	}                                                                                                              \
	static inline struct cni_st_##kind *find_##kind(const struct router *r, const struct cni_st_##kind *key)       \
	{                                                                                                              \
		bool there;                                                                                            \
		size_t at = place_##kind(r, key, &there);                                                              \
                                                                                                                       \
		return there ? &r->state.list[at] : NULL;                                                              \
	}                                                                                                              \
	static inline void put_##kind(struct router *r, const struct cni_st_##kind *record)                            \
	{                                                                                                              \
		bool there;                                                                                            \
		size_t at = place_##kind(r, record, &there), n = r->state.n_##list;                                    \
                                                                                                                       \
		if (n == r->room[slot]) {                                                                              \
			r->room[slot] = 2 * n + 8;                                                                     \
			r->state.list = cni_regrow(r->arena, r->state.list, n * sizeof(*record),                       \
						   r->room[slot] * sizeof(*record));                                   \
		}                                                                                                      \
		memmove(r->state.list + at + 1, r->state.list + at, (n - at) * sizeof(*record));                       \
		r->state.list[at] = *record;                                                                           \
		r->state.n_##list++;                                                                                   \
	}                                                                                                              \
	static inline void drop_##kind(struct router *r, struct cni_st_##kind *at)                                     \
	{                                                                                                              \
		size_t i = (size_t)(at - r->state.list);                                                               \
                                                                                                                       \
		memmove(at, at + 1, (r->state.n_##list - i - 1) * sizeof(*at));                                        \
		r->state.n_##list--;                                                                                   \
	}

#endif
