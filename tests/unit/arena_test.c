/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arena_test.c - lists that grow in an arena, and an arena that is used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler/arena.h"
#include "compiler/ip.h"

#define N 300000 /* beyond three sizes of those that are eight times the one before */

static void keeps_what_is_pushed(void **state)
{
	struct cni_arena *arena = cni_arena_new();
	size_t *items = NULL, n = 0;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		size_t *place = cni_push(arena, items, n);

		assert_int_equal(*place, 0);
		*place = i;
	}
	assert_int_equal(n, N);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(items[i], i);
	cni_arena_free(arena);
}

/* The room for n holds n, is the same for all that it holds, and is not larger than eight times as many. */
static void has_room(void **state)
{
	(void)state;
	assert_int_equal(cni_room(0), 0);
	for (size_t n = 1; n < N; n++) {
		const size_t room = cni_room(n);

		assert_true(room >= n && room < 8 * n);
		assert_int_equal(cni_room(room), room);
		assert_true(room == n || cni_room(n + 1) == room);
	}
}

/* Lists that are appended to in one piece and one by one have the same room. */
static void appends_and_pushes(void **state)
{
	static const size_t pieces[] = { 1, 4095, 1, 4096, 24576, 3, 70000 };
	struct cni_arena *arena = cni_arena_new();
	struct cni_ranges all = { 0 };
	uint32_t next = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct cni_ranges more = { 0 };

		for (size_t j = 0; j < pieces[i]; j++, next += 2)
			cni_ranges_add(arena, &more, (struct cni_addr){ CNI_V4, next },
				       (struct cni_addr){ CNI_V4, next });
		cni_ranges_add_all(arena, &all, &more);
		cni_ranges_add(arena, &all, (struct cni_addr){ CNI_V4, next }, (struct cni_addr){ CNI_V4, next });
		next += 2;
	}
	for (size_t i = 0; i < all.n_v4; i++)
		assert_int_equal(all.v4[i].lo, 2 * i);
	assert_int_equal(2 * all.n_v4, next);
	cni_arena_free(arena);
}

/* What comes from an arena that was cleared is zeroed, as from a new one. */
static void is_as_new(void **state)
{
	static const size_t sizes[] = { 1, 100, 16 * 1024, 100 * 1024, 60 * 1024, 7 };
	struct cni_arena *arena = cni_arena_new();

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			unsigned char *bytes = cni_alloc(arena, sizes[i]);

			for (size_t at = 0; at < sizes[i]; at++) {
				assert_int_equal(bytes[at], 0);
				bytes[at] = 0xff;
			}
		}
		cni_arena_clear(arena);
	}
	cni_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_is_pushed),
		cmocka_unit_test(has_room),
		cmocka_unit_test(appends_and_pushes),
		cmocka_unit_test(is_as_new),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
