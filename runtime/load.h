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

struct rt_policy {
	struct cni_sources sources;
	struct cni_ast ast;
	struct cni_diags diags;
	struct cni_setting *settings; /* of --set, parsed */
	size_t n_settings;
};

/* Loads and parses all of `paths`. `sets` holds "NAME=VALUE" texts. What goes wrong is in policy->diags; the
 * texts are read (never mapped: a file that shrinks must not crash us) into memory owned by `arena`. */
struct rt_policy *rt_load(struct cni_arena *arena, const char *const *paths, size_t n_paths, const char *const *sets,
			  size_t n_sets);

/* Only reads the texts of `paths`, not what they include, into policy->sources: what `cnic fmt` works on. */
struct rt_policy *rt_load_texts(struct cni_arena *arena, const char *const *paths, size_t n_paths);

#endif
