/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ini.c - see ini.h. */
#include "runtime/doctor/ini.h"

#include <string.h>
#include <strings.h>

#define SPACE " \t\r"

struct slice {
	const char *at;
	size_t len;
};

static struct slice trim(const char *at, size_t len)
{
	while (len && strchr(SPACE, *at)) {
		at++;
		len--;
	}
	while (len && strchr(SPACE, at[len - 1]))
		len--;
	return (struct slice){ at, len };
}

static bool is(struct slice slice, const char *word)
{
	return slice.len == strlen(word) && !memcmp(slice.at, word, slice.len);
}

const char *rt_ini_get(struct cni_arena *arena, const char *text, const char *section, const char *key)
{
	struct slice found = { 0 };
	bool inside = false;

	while (*text) {
		size_t len = strcspn(text, "\n");
		struct slice line = trim(text, len);
		const char *equals = line.len ? memchr(line.at, '=', line.len) : NULL;

		text += len + (text[len] == '\n');
		if (!line.len || *line.at == '#' || *line.at == ';')
			continue;
		if (*line.at == '[') {
			inside = line.at[line.len - 1] == ']' &&
				 is((struct slice){ line.at + 1, line.len - 2 }, section);
		} else if (inside && equals && is(trim(line.at, (size_t)(equals - line.at)), key)) {
			struct slice value = trim(equals + 1, line.len - (size_t)(equals + 1 - line.at));

			found = value.len ? value : found;
		}
	}
	return found.at ? cni_strndup(arena, found.at, found.len) : NULL;
}

void rt_ini_bool(const char *text, bool *value)
{
	static const char *const words[][2] = {
		{ "no", "yes" }, { "false", "true" }, { "off", "on" }, { "0", "1" }, { "n", "y" }, { "f", "t" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		for (int b = 0; b < 2; b++)
			if (!strcasecmp(text, words[i][b]))
				*value = b;
}
