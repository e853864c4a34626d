/* SPDX-License-Identifier: GPL-2.0-or-later */
/* namespace.c - see namespace.h. */
#include "runtime/namespace.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define NETNS_FOLDER "/run/netns" /* ip-netns(8) */

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The first of its names; NULL: it has none. */
static const char *name_of(struct cni_arena *arena, const struct stat *ns)
{
	const char *first = NULL;
	const struct dirent *entry;
	DIR *dir = opendir(NETNS_FOLDER);

	while (dir && (entry = readdir(dir))) {
		struct stat st;

		if (*entry->d_name == '.' || fstatat(dirfd(dir), entry->d_name, &st, 0) || !same(&st, ns))
			continue;
		if (!first || strcmp(entry->d_name, first) < 0)
			first = cni_strdup(arena, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return first;
}

static int look(const char *path, struct stat *st, const char **unreadable)
{
	*unreadable = path;
	return stat(path, st) ? -errno : 0;
}

int rt_namespace_folder(struct cni_arena *arena, const char *base, const char **folder, const char **unreadable)
{
	struct stat first, ours;
	const char *name;
	int rc;

	*folder = NULL;
	/* Of /proc/PID/net everybody may see the inodes, and those in it are the namespace's own; /proc/1/ns/net is only
	 * for who has all capabilities that process 1 has (ptrace(2)), which a service seldom has. */
	rc = look("/proc/thread-self/net/stat", &ours, unreadable);
	if (!rc)
		rc = look("/proc/1/net/stat", &first, unreadable);
	if (!rc && same(&first, &ours)) {
		*folder = base;
		return 0;
	}
	if (!rc)
		rc = look("/proc/thread-self/ns/net", &ours, unreadable);
	if (rc)
		return rc;
	name = name_of(arena, &ours);
	if (name)
		*folder = cni_printf(arena, "%s/netns/%s", base, name);
	return 0;
}
