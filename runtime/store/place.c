/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.c - see place.h; the rule is store.h's. */
#include "runtime/store/place.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_FOLDER "/var/lib/cnic" /* file-hierarchy(7); of StateDirectory= in systemd.exec(5) */
#define NETNS_FOLDER "/run/netns" /* ip-netns(8) */

static const char *absolute(struct rt_session *session, const char *path)
{
	char here[PATH_MAX];
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	path = cni_strndup(session->arena, path, len);
	if (*path == '/' || !*path || !getcwd(here, sizeof(here)))
		return path;
	return cni_printf(session->arena, "%s/%s", here, path);
}

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

static int fail(struct rt_session *session, const char *path, int error)
{
	static const struct cni_span nowhere;
	struct cni_diag *diag = cni_diag(session->diags, CNI713, nowhere,
					 "whether this is the machine's own network namespace cannot be seen: %s: %s",
					 path, strerror(error));

	cni_diag_help(session->diags, diag, "say where revisions are kept: --state-dir " STATE_FOLDER);
	return -error;
}

/* Of /proc/PID/net everybody may see the inodes, and those in it are the namespace's own; /proc/1/ns/net is only for
 * who has all capabilities that process 1 has (ptrace(2)), which a service seldom has. */
static int is_machines(struct rt_session *session, bool *machines)
{
	static const char first[] = "/proc/1/net/stat", ours[] = "/proc/thread-self/net/stat";
	struct stat of_first, of_ours;

	if (stat(ours, &of_ours))
		return fail(session, ours, errno);
	if (stat(first, &of_first))
		return fail(session, first, errno);
	*machines = same(&of_first, &of_ours);
	return 0;
}

static int place_of_namespace(struct rt_session *session, const char **path)
{
	static const char ours[] = "/proc/thread-self/ns/net";
	bool machines = false;
	struct stat ns;
	const char *name;
	int rc = is_machines(session, &machines);

	*path = NULL;
	if (rc)
		return rc;
	if (machines) {
		*path = STATE_FOLDER;
		return 0;
	}
	if (stat(ours, &ns))
		return fail(session, ours, errno);
	name = name_of(session->arena, &ns);
	if (name)
		*path = cni_printf(session->arena, STATE_FOLDER "/netns/%s", name);
	return 0;
}

int rt_place(struct rt_session *session, const char **path)
{
	const char *given = session->options->state_dir;

	if (!given)
		given = getenv("CNIC_STATE_DIR");
	if (!given || (!*given && !session->options->state_dir))
		return place_of_namespace(session, path);
	*path = absolute(session, given);
	return 0;
}
