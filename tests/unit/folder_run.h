/* SPDX-License-Identifier: GPL-2.0-or-later */
/* folder_run.h - tests that each run in a new folder, which goes with it. */
#ifndef FOLDER_RUN_H
#define FOLDER_RUN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/arena.h"

struct place {
	char folder[64];
	int former; /* the folder that we came from */
	struct cni_arena *arena;
};

static inline int enter(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->folder, "/tmp/cnic-unit-test.XXXXXX");
	place->former = open(".", O_RDONLY | O_DIRECTORY);
	place->arena = cni_arena_new();
	*state = place;
	return place->former < 0 || !mkdtemp(place->folder) || chdir(place->folder);
}

static inline int leave(void **state)
{
	struct place *place = *state;
	char *command = NULL;
	int status = fchdir(place->former);

	close(place->former);
	cni_arena_free(place->arena);
	if (asprintf(&command, "rm -rf %s", place->folder) < 0 || system(command))
		status = -1;
	free(command);
	free(place);
	return status;
}

static inline void spew_bytes(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline void spew(const char *path, const char *text)
{
	spew_bytes(path, text, strlen(text));
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

#endif
