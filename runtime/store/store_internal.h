/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_internal.h - what reading and writing of revisions share. */
#ifndef RT_STORE_INTERNAL_H
#define RT_STORE_INTERNAL_H

#include "runtime/store/store.h"

/* Below DIR/revisions, beside the numbers. */
#define RT_PENDING "pending"
#define RT_LEFT ".left" /* was pending when another took its place; is so again where that one is discarded */
#define RT_NEW ".new" /* is being written, or is of no use any more */
#define RT_OLD ".old" /* is being taken away; of the last discarded one meta.json stays, so that its number is known */
#define RT_META "meta.json"

struct rt_store {
	struct rt_session *session;
	const char *path; /* DIR, absolute */
};

/* CNI713 about DIR: "DIR: what: why". Returns `error`, which is -errno. */
int rt_store_fail(struct rt_store *store, int error, const char *what);

/* DIR/revisions as a descriptor, which is the caller's; -ENOENT: it is not there, and nothing was said. -errno with
 * CNI713. */
int rt_store_revisions(struct rt_store *store);

/* Reads meta.json of a revision's folder. NULL; or what is wrong. */
const char *rt_store_meta(struct rt_store *store, int folder, struct rt_revision *revision);

/* The numbers of the folders in DIR/revisions, ascending. 0 or -errno, nothing said. */
int rt_store_numbers(struct rt_store *store, int revisions, unsigned int **numbers, size_t *n);

/* Where the pending one is: killed between two renames, whoever wrote left it beside. */
const char *rt_store_pending(int revisions);

/* What the folder of a number is called. */
const char *rt_store_name(struct rt_store *store, unsigned int number);

#endif
