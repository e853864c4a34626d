/* SPDX-License-Identifier: GPL-2.0-or-later */
/* revision.c - see revision.h. */
#include "runtime/commands/revision.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/commands/pipeline.h"

bool rt_revision_parse(const char *text, unsigned int *number)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long long n;

	if (!digits || digits > 10 || text[digits])
		return false;
	n = strtoull(text, NULL, 10);
	*number = (unsigned int)n;
	return n && n <= UINT32_MAX;
}

bool rt_revision_model(struct rt_session *session, const struct rt_revision *revision, const struct cni_model **model)
{
	*model = NULL;
	if (revision->removed)
		return true;
	*model = rt_pipeline_resolve(session, rt_load_origin(session->arena, &revision->origin));
	return *model;
}

const char *rt_time_text(struct cni_arena *arena, int64_t time)
{
	char text[sizeof("YYYYYYYYYYY-MM-DDTHH:MM:SSZ")];
	time_t when = (time_t)time;
	struct tm utc;

	if (!gmtime_r(&when, &utc) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc))
		return "?";
	return cni_strdup(arena, text);
}
