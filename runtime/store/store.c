/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store.c - finding and reading revisions; see store.h. */
#include "runtime/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/store/folder.h"
#include "runtime/store/meta.h"
#include "runtime/store/place.h"
#include "runtime/store/store_internal.h"

#define ATTEMPTS 10 /* of a list, while somebody writes */

static const struct cni_span nowhere;

/* ---- the folder ---- */

static const char *mend_of(struct rt_store *store, int error)
{
	switch (error) {
	case -EACCES:
		return "revisions are for root: run it as root";
	case -ENOSPC:
	case -EDQUOT:
		return "make room on this disk; nothing was changed";
	case -EROFS:
		return "mount it writable, or name another folder by --state-dir; nothing was changed";
	case -EPERM:
		return cni_printf(store->session->arena, "chown root %s && chmod go-w %s", store->path, store->path);
	default:
		return NULL;
	}
}

int rt_store_fail(struct rt_store *store, int error, const char *what)
{
	struct cni_diags *diags = store->session->diags;
	struct cni_diag *diag = cni_diag(diags, CNI713, nowhere, "%s: %s", store->path, what);
	const char *mend = mend_of(store, error);

	if (mend)
		cni_diag_help(diags, diag, "%s", mend);
	return error;
}

static int fail(struct rt_store *store, int error)
{
	return rt_store_fail(store, error, strerror(-error));
}

/* 0 where it is ours to trust. */
static int check_trust(struct rt_store *store, int fd)
{
	const char *why;
	struct stat st;

	if (fstat(fd, &st))
		return fail(store, -errno);
	why = rt_folder_distrust(store->session->arena, &st);
	return why ? rt_store_fail(store, -EPERM, why) : 0;
}

/* DIR may be a link: who names it may. What is in it may not. */
static int open_dir(struct rt_store *store)
{
	int fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : fail(store, -errno);
	rc = check_trust(store, fd);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int rt_store_revisions(struct rt_store *store)
{
	rt_auto_fd int dir = open_dir(store);
	int fd, rc;

	if (dir < 0)
		return dir;
	fd = rt_folder_open(dir, "revisions");
	if (fd < 0)
		return fd == -ENOENT ? fd : fail(store, fd);
	rc = check_trust(store, fd);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int rt_store_open(struct rt_session *session, struct rt_store **store)
{
	rt_auto_fd int revisions = -1;
	const char *path;
	int rc = rt_place(session, &path);

	*store = NULL;
	if (rc || !path)
		return rc;
	*store = cni_new(session->arena, struct rt_store);
	**store = (struct rt_store){ session, path };
	revisions = rt_store_revisions(*store);
	if (revisions >= 0 || revisions == -ENOENT)
		return 0;
	*store = NULL;
	return revisions;
}

const char *rt_store_path(const struct rt_store *store)
{
	return store->path;
}

const char *rt_store_pending(int revisions)
{
	bool beside = faccessat(revisions, RT_PENDING, F_OK, AT_SYMLINK_NOFOLLOW) &&
		      !faccessat(revisions, RT_LEFT, F_OK, AT_SYMLINK_NOFOLLOW);

	return beside ? RT_LEFT : RT_PENDING;
}

/* ---- numbers ---- */

const char *rt_store_name(struct rt_store *store, unsigned int number)
{
	return cni_printf(store->session->arena, "%06u", number);
}

struct numbers {
	struct rt_store *store;
	unsigned int *items;
	size_t n_items;
};

static int add_number(int folder, const char *name, void *arg)
{
	unsigned long long number = strtoull(name, NULL, 10);
	struct numbers *numbers = arg;

	(void)folder;
	if (number && number <= UINT32_MAX && !strcmp(rt_store_name(numbers->store, (unsigned int)number), name))
		*cni_push(numbers->store->session->arena, numbers->items, numbers->n_items) = (unsigned int)number;
	return 0;
}

static int ascending(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return (x > y) - (x < y);
}

int rt_store_numbers(struct rt_store *store, int revisions, unsigned int **numbers, size_t *n)
{
	struct numbers found = { .store = store };
	int rc = rt_folder_each(revisions, add_number, &found);

	if (found.n_items)
		qsort(found.items, found.n_items, sizeof(*found.items), ascending);
	*numbers = found.items;
	*n = found.n_items;
	return rc;
}

int rt_revision_numbers(struct rt_store *store, unsigned int **numbers, size_t *n)
{
	rt_auto_fd int revisions = rt_store_revisions(store);
	int rc;

	*n = 0;
	if (revisions < 0)
		return revisions == -ENOENT ? 0 : revisions;
	rc = rt_store_numbers(store, revisions, numbers, n);
	return rc ? fail(store, rc) : 0;
}

/* ---- one revision ---- */

static const char *unreadable(struct rt_store *store, const char *file, int error, size_t max)
{
	struct cni_arena *arena = store->session->arena;

	if (error == -EFBIG)
		return cni_printf(arena, "%s has more than %zu bytes", file, max);
	if (error == -EINVAL || error == -ELOOP)
		return cni_printf(arena, "%s is no file", file);
	return cni_printf(arena, "%s: %s", file, error == -ENOENT ? "is missing" : strerror(-error));
}

const char *rt_store_meta(struct rt_store *store, int folder, struct rt_revision *revision)
{
	struct cni_arena *arena = store->session->arena;
	const char *data, *wrong;
	size_t len;
	int rc = rt_folder_read(folder, RT_META, RT_META_MAX, arena, &data, &len);

	if (rc)
		return unreadable(store, RT_META, rc, RT_META_MAX);
	wrong = rt_meta_read(arena, data, len, revision);
	return wrong ? cni_printf(arena, RT_META ": %s", wrong) : NULL;
}

static const char *read_text(struct rt_store *store, int folder, size_t i, struct rt_text *text)
{
	struct cni_arena *arena = store->session->arena;
	const char *name = cni_printf(arena, "%zu", i);
	size_t len;
	int rc = rt_folder_read(folder, name, text->len, arena, &text->data, &len);

	if (rc && rc != -EFBIG)
		return unreadable(store, cni_printf(arena, "text %zu", i), rc, text->len);
	if (rc || len != text->len)
		return cni_printf(arena, "text %zu has not the %zu bytes that it should have", i, text->len);
	return NULL;
}

static const char *read_texts(struct rt_store *store, int folder, struct rt_revision *revision)
{
	struct rt_origin *origin = &revision->origin;

	for (size_t i = 0; i < origin->n_texts; i++) {
		const char *wrong = read_text(store, folder, i, &origin->texts[i]);

		if (wrong)
			return wrong;
	}
	return strcmp(rt_origin_digest(store->session->arena, origin), revision->digest)
		       ? "the texts are not those that were applied: their digest is another"
		       : NULL;
}

/* Whether the name still stands for the folder that we hold. */
static bool is_there(int revisions, const char *name, int folder)
{
	struct stat named, held;

	return !fstatat(revisions, name, &named, AT_SYMLINK_NOFOLLOW) && !fstat(folder, &held) &&
	       named.st_dev == held.st_dev && named.st_ino == held.st_ino;
}

/* The revision in the folder `name`. 1: it is there. 0: it is not, or went away meanwhile. -errno: it is damaged, as
 * *wrong says. */
static int read_named(struct rt_store *store, int revisions, const char *name, bool texts, struct rt_revision *revision,
		      const char **wrong)
{
	rt_auto_fd int folder = rt_folder_open(revisions, name);

	if (folder == -ENOENT)
		return 0;
	*wrong = folder < 0 ? strerror(-folder) : rt_store_meta(store, folder, revision);
	if (!*wrong && texts)
		*wrong = read_texts(store, folder, revision);
	else if (!*wrong)
		revision->origin = (struct rt_origin){ 0 };
	revision->pending = !strcmp(name, RT_PENDING) || !strcmp(name, RT_LEFT);
	if (!*wrong && !revision->pending && strcmp(rt_store_name(store, revision->number), name) != 0)
		*wrong = RT_META ": has another revision's number";
	if (!revision->pending)
		revision->deadline = 0;
	if (!*wrong)
		return 1;
	return folder < 0 || is_there(revisions, name, folder) ? -EBADMSG : 0;
}

static const char *damaged(struct rt_store *store, const char *name, const char *wrong)
{
	return cni_printf(store->session->arena, "revision %s is damaged: %s", name, wrong);
}

/* The same by name where damage is an error: NULL without a word where it is not there, *rc 0. */
static const struct rt_revision *read_strictly(struct rt_store *store, int revisions, const char *name, bool texts,
					       int *rc)
{
	struct rt_revision *revision = cni_new(store->session->arena, struct rt_revision);
	const char *wrong;

	*rc = read_named(store, revisions, name, texts, revision, &wrong);
	if (*rc < 0)
		rt_store_fail(store, *rc, damaged(store, name, wrong));
	return *rc == 1 ? revision : NULL;
}

const struct rt_revision *rt_revision_pending(struct rt_store *store)
{
	rt_auto_fd int revisions = rt_store_revisions(store);
	int rc;

	return revisions < 0 ? NULL : read_strictly(store, revisions, rt_store_pending(revisions), false, &rc);
}

const struct rt_revision *rt_revision_last(struct rt_store *store)
{
	rt_auto_fd int revisions = rt_store_revisions(store);
	unsigned int *numbers;
	size_t n;
	int rc;

	if (revisions < 0)
		return NULL;
	rc = rt_store_numbers(store, revisions, &numbers, &n);
	if (rc)
		fail(store, rc);
	return rc || !n ? NULL : read_strictly(store, revisions, rt_store_name(store, numbers[n - 1]), false, &rc);
}

static void there_is_none(struct rt_store *store, unsigned int number)
{
	struct cni_diags *diags = store->session->diags;
	struct cni_diag *diag = cni_diag(diags, CNI714, nowhere, "%s: there is no revision %u", store->path, number);

	cni_diag_help(diags, diag, "`cnic history` lists those that there are");
}

const struct rt_revision *rt_revision_read(struct rt_store *store, unsigned int number)
{
	rt_auto_fd int revisions = rt_store_revisions(store);
	const struct rt_revision *revision = NULL, *pending;
	int rc = revisions == -ENOENT ? 0 : revisions;

	if (revisions >= 0)
		revision = read_strictly(store, revisions, rt_store_name(store, number), true, &rc);
	if (revisions >= 0 && !rc) {
		pending = rt_revision_pending(store);
		if (pending && pending->number == number)
			revision = read_strictly(store, revisions, rt_store_pending(revisions), true, &rc);
	}
	if (!revision && !rc)
		there_is_none(store, number);
	return revision;
}

/* ---- all of them ---- */

struct list {
	struct rt_revision *items;
	size_t n_items;
	bool moved; /* something went away meanwhile */
};

static void list_one(struct rt_store *store, int revisions, const char *name, struct list *list)
{
	struct rt_revision revision;
	const char *wrong;
	int rc = read_named(store, revisions, name, false, &revision, &wrong);

	if (rc == 1)
		*cni_push(store->session->arena, list->items, list->n_items) = revision;
	else if (rc < 0)
		cni_diag(store->session->diags, CNI720, nowhere, "%s: %s", store->path, damaged(store, name, wrong));
	else
		list->moved = true;
}

static int list_once(struct rt_store *store, int revisions, struct list *list)
{
	unsigned int *numbers;
	const char *pending = rt_store_pending(revisions);
	bool pends;
	size_t n;
	int rc;

	*list = (struct list){ 0 };
	/* before the numbers: one that is confirmed meanwhile is seen by its number, or is seen to be gone from here */
	pends = !faccessat(revisions, pending, F_OK, AT_SYMLINK_NOFOLLOW);
	rc = rt_store_numbers(store, revisions, &numbers, &n);
	for (size_t i = 0; !rc && i < n; i++)
		list_one(store, revisions, rt_store_name(store, numbers[i]), list);
	if (!rc && pends)
		list_one(store, revisions, pending, list);
	return rc;
}

int rt_revision_list(struct rt_store *store, struct rt_revision **items, size_t *n)
{
	rt_auto_fd int revisions = rt_store_revisions(store);
	struct list list = { .moved = true };
	int rc = 0;

	*n = 0;
	if (revisions < 0)
		return revisions == -ENOENT ? 0 : revisions;
	for (int i = 0; !rc && list.moved && i < ATTEMPTS; i++)
		rc = list_once(store, revisions, &list);
	*items = list.items;
	*n = list.n_items;
	return rc ? fail(store, rc) : 0;
}
