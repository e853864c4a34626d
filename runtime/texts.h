/* SPDX-License-Identifier: GPL-2.0-or-later */
/* texts.h - the texts that a policy is made of, by path: read from disk, each file once under whatever paths, or found
 * in an origin, where no file is opened. */
#ifndef RT_TEXTS_H
#define RT_TEXTS_H

#include <sys/types.h>

#include "runtime/load.h"

#define RT_STDIN_NAME "<stdin>"

struct cni_ranges;

struct rt_file {
	dev_t device; /* of one from disk: by these it is known again */
	ino_t inode;
	const char *origin; /* the same of one from elsewhere; NULL: from disk */
	const char *data; /* NULL: it could not be read, which was told */
	size_t len;
	/* what the loader made of it */
	bool is_loaded, is_set_loaded;
	const struct cni_ranges *set; /* of a prefix file */
};

struct rt_texts {
	struct cni_arena *arena;
	struct cni_diags *diags;
	struct rt_file *files; /* of its full size from the start, so that entries stay where they are */
	size_t n_files;
	struct rt_path *paths; /* each path that led to a file, in the order in which they came */
	size_t n_paths;
	void *names; /* of tsearch(3): the same paths, to be found by name */
	/* The file behind a path that is not among them. */
	struct rt_file *(*fetch)(struct rt_texts *texts, const char *path, struct cni_span at);
	const void *arg; /* of `fetch` */
};

/* From disk; and those of an origin. rt_texts_end() frees what is not the arena's. */
void rt_texts_init(struct rt_texts *texts, struct cni_arena *arena, struct cni_diags *diags);
void rt_texts_init_origin(struct rt_texts *texts, struct cni_arena *arena, struct cni_diags *diags,
			  const struct rt_origin *origin);
void rt_texts_end(struct rt_texts *texts);

/* NULL after a diagnostic. Both are named by exactly this path from then on. */
struct rt_file *rt_texts_find(struct rt_texts *texts, const char *path, struct cni_span at);
struct rt_file *rt_texts_stdin(struct rt_texts *texts);

/* For a `fetch` of another kind. The file that is known by `origin`, or NULL; a new one, NULL after a diagnostic: there
 * are too many; and a path that leads to one. */
struct rt_file *rt_texts_known(const struct rt_texts *texts, const char *origin);
struct rt_file *rt_texts_new(struct rt_texts *texts, const char *path, struct cni_span at);
void rt_texts_name(struct rt_texts *texts, const char *path, struct rt_file *file);

#endif
