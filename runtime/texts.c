/* SPDX-License-Identifier: GPL-2.0-or-later */
/* texts.c - see texts.h. On disk a file is known by device and inode. */
#include "runtime/texts.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/arena.h"

#define FILE_MAX ((size_t)1 << 30) /* bytes */
#define FILES_MAX 4096u
#define FIRST_READ ((size_t)1 << 16)

struct name {
	const char *path;
	struct rt_file *file;
};

struct opened {
	int fd;
	struct stat st;
};

static struct rt_file *complain(struct rt_texts *texts, enum cni_code code, struct cni_span at, const char *path,
				const char *what)
{
	cni_diag(texts->diags, code, at, "%s: %s", path, what);
	return NULL;
}

/* ---- names ---- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

static struct rt_file *find(const struct rt_texts *texts, const char *path)
{
	const struct name key = { .path = path };
	struct name *const *found = tfind(&key, &texts->names, by_path);

	return found ? (*found)->file : NULL;
}

/* From now on the path leads to the file. */
void rt_texts_name(struct rt_texts *texts, const char *path, struct rt_file *file)
{
	struct name *name = cni_new(texts->arena, struct name);

	*name = (struct name){ cni_strdup(texts->arena, path), file };
	(void)tsearch(name, &texts->names, by_path); /* without memory the file is found by its inode again */
	*cni_push(texts->arena, texts->paths, texts->n_paths) =
		(struct rt_path){ name->path, (size_t)(file - texts->files) };
}

struct rt_file *rt_texts_find(struct rt_texts *texts, const char *path, struct cni_span at)
{
	struct rt_file *file = find(texts, path);

	return file ? file : texts->fetch(texts, path, at);
}

/* ---- from disk ---- */

/* All bytes of a file that may be a pipe, shrink or grow; NULL after a diagnostic. */
static const char *read_all(struct rt_texts *texts, const struct opened *opened, const char *path, struct cni_span at,
			    size_t *len)
{
	/* one byte more than it claims to have, so that its end is seen without growing */
	size_t room = opened->st.st_size > 0 ? (size_t)opened->st.st_size + 1 : FIRST_READ;
	char *text = cni_alloc(texts->arena, room);
	ssize_t n;

	for (*len = 0;; *len += (size_t)n) {
		if (*len == room) {
			size_t more = room < FILE_MAX / 2 ? room * 2 : FILE_MAX + 1;

			text = cni_regrow(texts->arena, text, room, more);
			room = more;
		}
		do
			n = read(opened->fd, text + *len, room - *len);
		while (n < 0 && errno == EINTR);
		if (n < 0) {
			complain(texts, CNI50, at, path, strerror(errno));
			return NULL;
		}
		if (!n)
			return text;
		if (*len + (size_t)n > FILE_MAX) {
			complain(texts, CNI52, at, path, "has more than 1 GiB");
			return NULL;
		}
		if (memchr(text + *len, '\0', (size_t)n)) { /* no text, and perhaps without an end */
			*len += (size_t)n;
			return text;
		}
	}
}

static struct rt_file *find_inode(const struct rt_texts *texts, const struct stat *st)
{
	for (size_t i = 0; i < texts->n_files; i++)
		if (texts->files[i].device == st->st_dev && texts->files[i].inode == st->st_ino)
			return &texts->files[i];
	return NULL;
}

struct rt_file *rt_texts_new(struct rt_texts *texts, const char *path, struct cni_span at)
{
	if (texts->n_files == FILES_MAX)
		return complain(texts, CNI55, at, path, "is one file too many: one run reads 4096");
	return &texts->files[texts->n_files++];
}

struct rt_file *rt_texts_known(const struct rt_texts *texts, const char *origin)
{
	for (size_t i = 0; i < texts->n_files; i++)
		if (texts->files[i].origin && !strcmp(texts->files[i].origin, origin))
			return &texts->files[i];
	return NULL;
}

static struct rt_file *read_file(struct rt_texts *texts, const struct opened *opened, const char *path,
				 struct cni_span at)
{
	struct rt_file *file = rt_texts_new(texts, path, at);

	if (!file)
		return NULL;
	file->device = opened->st.st_dev;
	file->inode = opened->st.st_ino;
	file->data = read_all(texts, opened, path, at, &file->len);
	return file;
}

static struct rt_file *check(struct rt_texts *texts, const struct opened *opened, const char *path, struct cni_span at)
{
	struct rt_file *file;

	if (S_ISDIR(opened->st.st_mode))
		return complain(texts, CNI51, at, path, "is a folder");
	if (S_ISREG(opened->st.st_mode) && (uint64_t)opened->st.st_size > FILE_MAX)
		return complain(texts, CNI52, at, path, "has more than 1 GiB");
	file = find_inode(texts, &opened->st);
	return file ? file : read_file(texts, opened, path, at);
}

/* The file behind a descriptor, which is closed; -1: errno tells why there is none. It is told of as `path`, and
 * named `name`. */
static struct rt_file *take(struct rt_texts *texts, int fd, const char *path, const char *name, struct cni_span at)
{
	struct opened opened = { .fd = fd };
	struct rt_file *file;

	if (fd < 0 || fstat(fd, &opened.st))
		file = complain(texts, CNI50, at, path, strerror(errno));
	else
		file = check(texts, &opened, path, at);
	if (fd >= 0)
		close(fd);
	if (file)
		rt_texts_name(texts, name, file);
	return file;
}

static struct rt_file *fetch_file(struct rt_texts *texts, const char *path, struct cni_span at)
{
	return take(texts, open(path, O_RDONLY | O_CLOEXEC), path, path, at);
}

struct rt_file *rt_texts_stdin(struct rt_texts *texts)
{
	static const struct cni_span nowhere;

	return take(texts, fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0), "standard input", RT_STDIN_NAME, nowhere);
}

void rt_texts_init(struct rt_texts *texts, struct cni_arena *arena, struct cni_diags *diags)
{
	*texts = (struct rt_texts){ .arena = arena, .diags = diags, .fetch = fetch_file };
	texts->files = cni_new_array(arena, struct rt_file, FILES_MAX);
}

/* ---- from an origin ---- */

static struct rt_file *fetch_nothing(struct rt_texts *texts, const char *path, struct cni_span at)
{
	return complain(texts, CNI50, at, path, "is not among the texts that were kept");
}

void rt_texts_init_origin(struct rt_texts *texts, struct cni_arena *arena, struct cni_diags *diags,
			  const struct rt_origin *origin)
{
	*texts = (struct rt_texts){ .arena = arena, .diags = diags, .fetch = fetch_nothing };
	texts->files = cni_new_array(arena, struct rt_file, origin->n_texts);
	for (size_t i = 0; i < origin->n_texts; i++)
		texts->files[texts->n_files++] =
			(struct rt_file){ .data = origin->texts[i].data, .len = origin->texts[i].len };
	for (size_t i = 0; i < origin->n_paths; i++)
		rt_texts_name(texts, origin->paths[i].path, &texts->files[origin->paths[i].text]);
}

/* ---- the end ---- */

static void keep(void *name)
{
	(void)name; /* the arena's */
}

void rt_texts_end(struct rt_texts *texts)
{
	tdestroy(texts->names, keep);
	texts->names = NULL;
}
