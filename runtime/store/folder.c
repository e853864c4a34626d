/* SPDX-License-Identifier: GPL-2.0-or-later */
/* folder.c - see folder.h. */
#include "runtime/store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "compiler/arena.h"
#include "runtime/commands/output.h"

static int sync_folder(const char *path)
{
	rt_auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

static const char *parent_of(struct cni_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash > path ? cni_strndup(arena, path, (size_t)(slash - path)) : "/";
}

int rt_folder_make(struct cni_arena *arena, const char *path)
{
	const char *parent = parent_of(arena, path);
	int rc = mkdir(path, 0700) ? -errno : 0;

	if (rc == -ENOENT && strcmp(parent, "/")) {
		rc = rt_folder_make(arena, parent);
		if (!rc)
			rc = mkdir(path, 0700) ? -errno : 0;
	}
	if (rc == -EEXIST)
		return 0;
	return rc ? rc : sync_folder(parent);
}

int rt_folder_open(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

const char *rt_folder_distrust(struct cni_arena *arena, const struct stat *st)
{
	if (st->st_uid && st->st_uid != geteuid())
		return cni_printf(arena, "belongs to user %u, who could put another policy there",
				  (unsigned int)st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return cni_printf(arena, "others may write to it (mode %04o), and could put another policy there",
				  (unsigned int)st->st_mode & 07777);
	return NULL;
}

int rt_folder_each(int folder, int (*each)(int folder, const char *name, void *arg), void *arg)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	const struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		rc = -errno;
		close(fd);
		return rc;
	}
	while (!rc) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			rc = -errno;
			break;
		}
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = each(folder, entry->d_name, arg);
	}
	closedir(dir);
	return rc;
}

static int remove_file(int folder, const char *name, void *keep)
{
	if (keep && !strcmp(name, keep))
		return 0;
	return unlinkat(folder, name, 0) && errno != ENOENT ? -errno : 0;
}

int rt_folder_empty(int folder, const char *keep)
{
	return rt_folder_each(folder, remove_file, (void *)keep);
}

int rt_folder_remove(int at, const char *name)
{
	rt_auto_fd int folder = rt_folder_open(at, name);
	int rc;

	if (folder == -ENOENT)
		return 0;
	if (folder < 0)
		return folder;
	rc = rt_folder_empty(folder, NULL);
	if (!rc && unlinkat(at, name, AT_REMOVEDIR) && errno != ENOENT)
		rc = -errno;
	return rc;
}

int rt_folder_write(int folder, const char *name, const char *data, size_t len)
{
	rt_auto_fd int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return -errno;
	rc = rt_write_all(fd, data, len);
	return !rc && fsync(fd) ? -errno : rc;
}

static int read_all(int fd, char *data, size_t len)
{
	while (len) {
		ssize_t n = read(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO; /* it has become shorter */
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int rt_folder_read(int folder, const char *name, size_t max, struct cni_arena *arena, const char **data, size_t *len)
{
	/* what is no file must not make us wait for it */
	rt_auto_fd int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char *room;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	*len = (size_t)st.st_size;
	room = cni_alloc(arena, *len + 1);
	*data = room;
	return read_all(fd, room, *len);
}
