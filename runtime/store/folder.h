/* SPDX-License-Identifier: GPL-2.0-or-later */
/* folder.h - folders and files by descriptor, so that nobody's symbolic link leads elsewhere. Errors are -errno. */
#ifndef RT_FOLDER_H
#define RT_FOLDER_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

struct cni_arena;

static inline void rt_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define rt_auto_fd __attribute__((cleanup(rt_closep))) /* initialise to -1 */

/* Makes the folder of an absolute path, and those above it that are missing, each on the disk. There already: 0. */
int rt_folder_make(struct cni_arena *arena, const char *path);
/* The folder `name` in `at`, never by a link. A descriptor, or -errno. */
int rt_folder_open(int at, const char *name);
/* NULL; or why a folder that this is of is not ours to trust. */
const char *rt_folder_distrust(struct cni_arena *arena, const struct stat *st);
/* Calls `each` with the name of everything in the folder, until it returns what is not 0, which is returned. */
int rt_folder_each(int folder, int (*each)(int folder, const char *name, void *arg), void *arg);
/* Removes all that is in it but `keep`, which may be NULL. Folders in it are an error. */
int rt_folder_empty(int folder, const char *keep);
/* The folder `name` goes, with all that is in it; none there: 0. */
int rt_folder_remove(int at, const char *name);

/* A new file, complete and on the disk. */
int rt_folder_write(int folder, const char *name, const char *data, size_t len);
/* All of a regular file of at most `max` bytes; -EFBIG: it has more. */
int rt_folder_read(int folder, const char *name, size_t max, struct cni_arena *arena, const char **data, size_t *len);

/* What the process makes while such a variable lives is its owner's alone, whatever the umask was. */
static inline void rt_umaskp(const mode_t *former)
{
	umask(*former);
}
#define rt_private __attribute__((cleanup(rt_umaskp), unused)) const mode_t /* initialise to umask(077) */

#endif
