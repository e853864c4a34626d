/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load.h - from paths to one ast: files, folders (every *.cni in them, by name), `-` for standard input,
 * includes with cycle detection, and prefix files. The only place that reads policy from disk.
 *
 * Limits: a file of 1 GiB, 64 levels of include, 4096 files; more is an error at its place. */
#ifndef RT_LOAD_H
#define RT_LOAD_H

#include "compiler/ast.h"
#include "compiler/diag.h"

struct cni_arena;

/* All that a policy was read from, by which it can be read again without its files: the texts as they were, and which
 * path led to which. */
struct rt_origin {
	const char **tops; /* paths of the texts that the command line named, folders resolved, in order */
	size_t n_tops;
	struct rt_path {
		const char *path; /* as it was opened; "<stdin>" for standard input */
		size_t text; /* index */
	} * paths;
	size_t n_paths;
	struct rt_text {
		const char *data;
		size_t len;
	} * texts;
	size_t n_texts;
	const char **sets; /* of --set, "NAME=VALUE" */
	size_t n_sets;
};

struct rt_policy {
	struct cni_sources sources;
	struct cni_ast ast;
	struct cni_diags diags;
	struct cni_setting *settings; /* of --set, parsed */
	size_t n_settings;
	struct rt_origin origin; /* whole only without errors */
};

/* Loads and parses all of `paths`. `sets` holds "NAME=VALUE" texts. What goes wrong is in policy->diags; the
 * texts are read (never mapped: a file that shrinks must not crash us) into memory owned by `arena`. */
struct rt_policy *rt_load(struct cni_arena *arena, const char *const *paths, size_t n_paths, const char *const *sets,
			  size_t n_sets);

/* The same of "REV:PATH" in a git repository (runtime/git.h). */
struct rt_policy *rt_load_git(struct cni_arena *arena, const char *operand, const char *const *sets, size_t n_sets);

/* The same from an origin; no file is opened. */
struct rt_policy *rt_load_origin(struct cni_arena *arena, const struct rt_origin *origin);

/* Only reads the texts of `paths`, not what they include, into policy->sources: what `cnic fmt` works on. */
struct rt_policy *rt_load_texts(struct cni_arena *arena, const char *const *paths, size_t n_paths);

#endif
