/* SPDX-License-Identifier: GPL-2.0-or-later */
/* git.h - texts as they were in a revision of the git repository that cnic runs in, "REV:PATH", by git(1) itself and no
 * shell. PATH is as git has it: from the top of the repository, or from the current folder where it begins with "./". */
#ifndef RT_GIT_H
#define RT_GIT_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler/diag.h"

struct rt_texts;

struct rt_git {
	const char *commit; /* its id, in hex: the revision cannot move meanwhile */
	const char **paths; /* from the top: one file, or every *.cni of a folder, by name */
	size_t n_paths;
};

/* Whether the operand can only be meant like that: no file is called so. */
bool rt_git_is(const char *operand);
/* False with a diagnostic: no git, no such revision, nothing there. */
bool rt_git_find(struct cni_arena *arena, struct cni_diags *diags, const char *operand, struct rt_git *git);
/* Texts of that commit by their paths from the top; includes and sets too are of it. No file is opened. */
void rt_git_texts(struct rt_texts *texts, struct cni_arena *arena, struct cni_diags *diags, const struct rt_git *git);

#endif
