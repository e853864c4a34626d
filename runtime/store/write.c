/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write.c - making, keeping and discarding revisions; see store.h. Every step is one rename, with what it moves on the
 * disk before it and the folder that it is in after it. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/store/folder.h"
#include "runtime/store/meta.h"
#include "runtime/store/store_internal.h"

#define META_NEW "meta.new"

/* What could not be done, and why. Returns `error`. */
static int fail(struct rt_store *store, int error, const char *what)
{
	return rt_store_fail(store, error, cni_printf(store->session->arena, "%s: %s", what, strerror(-error)));
}

static int move(int revisions, const char *from, const char *to)
{
	if (renameat(revisions, from, revisions, to))
		return -errno;
	return fsync(revisions) ? -errno : 0;
}

/* ---- a new one ---- */

static const char *user_name(struct cni_arena *arena)
{
	const char *sudo = geteuid() ? NULL : getenv("SUDO_USER");
	const struct passwd *user;

	if (sudo && *sudo)
		return sudo;
	user = getpwuid(getuid());
	return user ? cni_strdup(arena, user->pw_name) : cni_printf(arena, "%u", (unsigned int)getuid());
}

/* The number in a folder beside the numbered ones; 0: there is none that can be read. */
static unsigned int number_in(struct rt_store *store, int revisions, const char *name)
{
	rt_auto_fd int folder = rt_folder_open(revisions, name);
	struct rt_revision revision;

	return folder < 0 || rt_store_meta(store, folder, &revision) ? 0 : revision.number;
}

/* One above all that are known of. */
static int next_number(struct rt_store *store, int revisions, unsigned int *number)
{
	static const char *const beside[] = { RT_PENDING, RT_LEFT, RT_OLD };
	unsigned int *numbers, last;
	size_t n;
	int rc = rt_store_numbers(store, revisions, &numbers, &n);

	if (rc)
		return rc;
	last = n ? numbers[n - 1] : 0;
	for (size_t i = 0; i < sizeof(beside) / sizeof(*beside); i++) {
		unsigned int other = number_in(store, revisions, beside[i]);

		last = other > last ? other : last;
	}
	*number = last + 1;
	return *number ? 0 : -EOVERFLOW;
}

static int write_meta(struct rt_store *store, int folder, const char *name, const struct rt_revision *revision)
{
	struct cni_text text = { .arena = store->session->arena };

	if (!rt_meta_write(&text, revision))
		return -ENOMEM;
	return text.len > RT_META_MAX ? -EFBIG : rt_folder_write(folder, name, text.data, text.len);
}

static int write_files(struct rt_store *store, int folder, const struct rt_revision *revision)
{
	const struct rt_origin *origin = &revision->origin;
	int rc = 0;

	for (size_t i = 0; !rc && i < origin->n_texts; i++)
		rc = rt_folder_write(folder, cni_printf(store->session->arena, "%zu", i), origin->texts[i].data,
				     origin->texts[i].len);
	if (!rc)
		rc = write_meta(store, folder, RT_META, revision);
	return !rc && fsync(folder) ? -errno : rc;
}

/* As RT_NEW, complete. */
static int write_new(struct rt_store *store, int revisions, const struct rt_revision *revision)
{
	rt_auto_fd int folder = -1;
	int rc = rt_folder_remove(revisions, RT_NEW);

	if (!rc && mkdirat(revisions, RT_NEW, 0700))
		rc = -errno;
	if (rc)
		return rc;
	folder = rt_folder_open(revisions, RT_NEW);
	return folder < 0 ? folder : write_files(store, folder, revision);
}

static bool exists(int revisions, const char *name)
{
	return !faccessat(revisions, name, F_OK, AT_SYMLINK_NOFOLLOW) || errno != ENOENT;
}

/* One out of the way for good; none there: 0. Of what is left only the number is of use, where it is the highest. */
static int set_aside(struct rt_store *store, int revisions, const char *name)
{
	const char *to = number_in(store, revisions, name) < number_in(store, revisions, RT_OLD) ? RT_NEW : RT_OLD;
	rt_auto_fd int folder = -1;
	int rc;

	if (!exists(revisions, name))
		return 0;
	rc = rt_folder_remove(revisions, to);
	if (!rc)
		rc = move(revisions, name, to);
	if (rc)
		return rc;
	if (!strcmp(to, RT_NEW)) {
		(void)rt_folder_remove(revisions, RT_NEW); /* now, or at the next need of its name */
		return 0;
	}
	folder = rt_folder_open(revisions, RT_OLD);
	if (folder >= 0)
		(void)rt_folder_empty(folder, RT_META);
	return 0;
}

/* The one whose place was taken is the pending one again. */
static int put_back(int revisions)
{
	return strcmp(rt_store_pending(revisions), RT_LEFT) != 0 ? 0 : move(revisions, RT_LEFT, RT_PENDING);
}

/* The pending one, which the router may hold, stays beside until the new one is kept. */
static int put_in_place(int revisions)
{
	int rc = exists(revisions, RT_PENDING) ? move(revisions, RT_PENDING, RT_LEFT) : 0;

	if (!rc)
		rc = move(revisions, RT_NEW, RT_PENDING);
	if (!rc)
		(void)rt_folder_remove(revisions, RT_OLD); /* now, or at the next need of its name */
	return rc;
}

/* DIR/revisions, made where it is not there. */
static int open_or_make(struct rt_store *store)
{
	struct cni_arena *arena = store->session->arena;
	int fd = rt_store_revisions(store), rc;

	if (fd != -ENOENT)
		return fd;
	rc = rt_folder_make(arena, cni_printf(arena, "%s/revisions", store->path));
	if (rc)
		return fail(store, rc, "cannot be made");
	fd = rt_store_revisions(store);
	return fd == -ENOENT ? fail(store, fd, "revisions") : fd;
}

const struct rt_revision *rt_revision_begin(struct rt_store *store, const struct rt_origin *origin, const char *message,
					    const struct rt_proved *proved)
{
	rt_private former = umask(077);
	struct cni_arena *arena = store->session->arena;
	struct rt_revision *revision = cni_new(arena, struct rt_revision);
	rt_auto_fd int revisions = open_or_make(store);
	int rc;

	if (revisions < 0)
		return NULL;
	*revision = (struct rt_revision){ .time = time(NULL),
					  .user = user_name(arena),
					  .message = message,
					  .digest = rt_origin_digest(arena, origin),
					  .removed = !origin,
					  .pending = true };
	if (origin)
		revision->origin = *origin;
	if (proved && proved->proven) {
		revision->proven = true;
		revision->proof_ms = (uint32_t)(proved->seconds * 1000);
	}
	rc = next_number(store, revisions, &revision->number);
	if (!rc)
		rc = put_back(revisions);
	if (!rc)
		rc = set_aside(store, revisions, RT_LEFT);
	if (!rc)
		rc = write_new(store, revisions, revision);
	if (!rc)
		rc = put_in_place(revisions);
	if (!rc)
		return revision;
	fail(store, rc, "a revision cannot be written");
	(void)rt_folder_remove(revisions, RT_NEW); /* gives the room back that it took */
	return NULL;
}

/* ---- what becomes of it ---- */

static int put_meta(struct rt_store *store, int folder, const struct rt_revision *revision)
{
	int rc = unlinkat(folder, META_NEW, 0) && errno != ENOENT ? -errno : 0;

	if (!rc)
		rc = write_meta(store, folder, META_NEW, revision);
	if (!rc && renameat(folder, META_NEW, folder, RT_META))
		rc = -errno;
	return !rc && fsync(folder) ? -errno : rc;
}

int rt_revision_await(struct rt_store *store, int64_t deadline)
{
	rt_private former = umask(077);
	rt_auto_fd int revisions = rt_store_revisions(store);
	rt_auto_fd int folder = revisions < 0 ? revisions : rt_folder_open(revisions, RT_PENDING);
	struct rt_revision revision;
	const char *wrong;
	int rc;

	if (revisions < 0 && revisions != -ENOENT)
		return revisions;
	if (folder < 0)
		return fail(store, folder, "the pending revision cannot be found");
	wrong = rt_store_meta(store, folder, &revision);
	if (wrong)
		return rt_store_fail(store, -EBADMSG, wrong);
	revision.deadline = deadline;
	rc = put_meta(store, folder, &revision);
	return rc ? fail(store, rc, "the pending revision's deadline cannot be written") : 0;
}

/* The oldest beyond RT_REVISIONS_MAX. They are out of sight before anything of them goes; one that cannot go now goes
 * the next time. */
static void prune(struct rt_store *store, int revisions)
{
	unsigned int *numbers;
	size_t n;
	int rc = rt_store_numbers(store, revisions, &numbers, &n);

	for (size_t i = 0; !rc && i + RT_REVISIONS_MAX < n; i++) {
		rc = rt_folder_remove(revisions, RT_OLD);
		if (!rc)
			rc = move(revisions, rt_store_name(store, numbers[i]), RT_OLD);
		if (!rc)
			rc = rt_folder_remove(revisions, RT_OLD);
	}
	if (rc)
		rt_detail(store->session, "%s: old revisions stay: %s", store->path, strerror(-rc));
}

int rt_revision_confirm(struct rt_store *store)
{
	rt_auto_fd int revisions = rt_store_revisions(store);
	unsigned int number;
	int rc;

	if (revisions < 0)
		return revisions == -ENOENT ? fail(store, revisions, "no revision is pending") : revisions;
	rc = put_back(revisions);
	number = rc ? 0 : number_in(store, revisions, RT_PENDING);
	if (!number)
		return fail(store, rc ? rc : -ENOENT, "no revision is pending");
	rc = set_aside(store, revisions, RT_LEFT);
	if (!rc)
		rc = move(revisions, RT_PENDING, rt_store_name(store, number));
	if (rc)
		return fail(store, rc, "the revision cannot be kept");
	prune(store, revisions);
	return 0;
}

static int discard(struct rt_store *store, bool all)
{
	rt_auto_fd int revisions = rt_store_revisions(store);
	int rc;

	if (revisions < 0)
		return revisions == -ENOENT ? 0 : revisions;
	rc = all ? set_aside(store, revisions, RT_LEFT) : put_back(revisions);
	if (!rc)
		rc = set_aside(store, revisions, RT_PENDING);
	if (!rc)
		rc = put_back(revisions);
	return rc ? fail(store, rc, "the pending revision cannot be discarded") : 0;
}

int rt_revision_discard(struct rt_store *store)
{
	return discard(store, false);
}

int rt_revision_discard_all(struct rt_store *store)
{
	return discard(store, true);
}
