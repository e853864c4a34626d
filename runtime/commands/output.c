/* SPDX-License-Identifier: GPL-2.0-or-later */
/* output.c - complete writes, and files that change in one step; see output.h. */
#include "runtime/commands/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int rt_write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Closes it; a late error of writing shows only here. */
static int write_and_close(int fd, const char *data, size_t len, bool sync)
{
	int error = rt_write_all(fd, data, len);

	if (!error && sync && fsync(fd))
		error = -errno;
	if (close(fd) && !error)
		error = -errno;
	return error;
}

static int write_over(const char *path, const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : write_and_close(fd, data, len, false);
}

/* A new file beside `path`, so that a rename puts it there. Its name is left in `temporary`. */
static int open_beside(const char *path, char temporary[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash + 1 - path) : 0;

	for (unsigned int i = 0; i < 100; i++) {
		int n = snprintf(temporary, PATH_MAX, "%.*s.cnic-%ld-%u", folder, path, (long)getpid(), i);
		int fd;

		if (n >= PATH_MAX)
			return -ENAMETOOLONG;
		fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (fd >= 0 || errno != EEXIST)
			return fd < 0 ? -errno : fd;
	}
	return -EEXIST;
}

/* As the file that it replaces. Another's file becomes the writer's own where he may not give files away. */
static int make_like(int fd, const struct stat *old)
{
	if ((old->st_uid != geteuid() || old->st_gid != getegid()) && fchown(fd, old->st_uid, old->st_gid) &&
	    errno != EPERM)
		return -errno;
	return fchmod(fd, old->st_mode & 0777) ? -errno : 0;
}

int rt_write_file(const char *path, const char *data, size_t len)
{
	char temporary[PATH_MAX], target[PATH_MAX];
	struct stat old;
	int fd, error = 0;
	bool exists = !stat(path, &old);

	if (!exists && errno != ENOENT)
		return -errno;
	if (exists && !S_ISREG(old.st_mode))
		return write_over(path, data, len);
	/* a link stays a link: what it names is replaced */
	if (exists && !realpath(path, target))
		return -errno;
	if (exists)
		path = target;
	fd = open_beside(path, temporary);
	if (fd < 0)
		return fd;
	if (exists)
		error = make_like(fd, &old);
	if (error)
		close(fd);
	else
		error = write_and_close(fd, data, len, true);
	if (!error && rename(temporary, path))
		error = -errno;
	if (error)
		unlink(temporary);
	return error;
}
