/* SPDX-License-Identifier: GPL-2.0-or-later */
/* output.h - bytes to descriptors and files, all of them or an error. */
#ifndef RT_OUTPUT_H
#define RT_OUTPUT_H

#include <stddef.h>

/* 0 or -errno. */
int rt_write_all(int fd, const char *data, size_t len);

/* Puts `data` in the place of the file at `path`: readers see the old file or the new one, never a part, and an
 * existing file keeps its mode and owner. What is no regular file (a pipe, /dev/stdout) is written to. 0 or -errno. */
int rt_write_file(const char *path, const char *data, size_t len);

#endif
