/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store.h - revisions: the policies that were applied, on disk, each with every text that it was made of.
 *
 * DIR/revisions/NNNNNN/ holds `meta.json` (store/meta.h) and the texts as files 0, 1, 2 …; DIR/revisions/pending is the
 * one that is being applied or awaits its confirmation. A revision is written to a name of its own, synced, and
 * renamed: a reader sees a whole one or none, and whoever is killed leaves nothing that the next one does not clear
 * away. Folders are 0700 and files 0600, whatever the umask: a policy may hold what is nobody else's business. A DIR
 * that belongs to anybody but root and the caller, or that others may write to, is refused.
 *
 * DIR is --state-dir, else $CNIC_STATE_DIR, else by network namespace: /var/lib/cnic where the namespace is that of
 * process 1, /var/lib/cnic/netns/NAME for one that ip-netns(8) knows (the first by name). Any other has none: what is
 * applied there is no policy of this machine, and must not come back at its next boot.
 *
 * Who writes holds the lock of the network namespace (runtime/lock.h); a folder belongs to one namespace.
 *
 * Nothing is decided by it: what the router holds is read from the kernel. A revision is a text that can be applied. */
#ifndef RT_STORE_H
#define RT_STORE_H

#include <stdint.h>

#include "runtime/commands/session.h"
#include "runtime/load.h"

#define RT_REVISIONS_MAX 100 /* confirmed ones that are kept; the oldest go first */

struct rt_revision {
	unsigned int number; /* from 1; see rt_revision_begin() */
	int64_t time; /* of the apply: seconds since 1970, UTC */
	const char *user; /* who ran cnic: $SUDO_USER where sudo(8) did, else the login name; never NULL */
	const char *message; /* of --message; NULL: none */
	const char *digest; /* SHA-256 (FIPS 180-4) in hex of all that the policy is made of; equal: the same texts */
	bool removed; /* `cnic remove`: no policy at all */
	bool proven; /* before it was sent, in so many ms */
	uint32_t proof_ms;
	bool pending; /* not confirmed yet, or left by a process that was killed */
	int64_t deadline; /* of a pending one that waits for `cnic confirm`: seconds since 1970; 0: still being applied */
	struct rt_origin origin; /* what it was loaded from; only filled by rt_revision_read() */
};

struct rt_store; /* lives in the session's arena */

/* NULL with a diagnostic (CNI713) where the folder cannot be used; *store is NULL without one where the namespace has
 * none. Nothing is created before the first rt_revision_begin(). 0 or -errno. */
int rt_store_open(struct rt_session *session, struct rt_store **store);
/* DIR, absolute; it need not exist yet. */
const char *rt_store_path(const struct rt_store *store);

/* All revisions, ascending, the pending one last; without their texts. One that cannot be read is told of by CNI720, a
 * warning, and passed over. -errno with CNI713. */
int rt_revision_list(struct rt_store *store, struct rt_revision **revisions, size_t *n);
/* The numbers of the confirmed ones, ascending, be they readable or not. -errno with CNI713. */
int rt_revision_numbers(struct rt_store *store, unsigned int **numbers, size_t *n);
/* With its texts, checked against its digest; the pending one too. NULL, with CNI714 (there is none of that number) or
 * CNI713. */
const struct rt_revision *rt_revision_read(struct rt_store *store, unsigned int number);
/* The last confirmed one, without its texts; NULL where there is none, or with CNI713 (a damaged one is an error: the
 * one before is another policy). */
const struct rt_revision *rt_revision_last(struct rt_store *store);
/* The pending one, without its texts; NULL where there is none, or with CNI713. */
const struct rt_revision *rt_revision_pending(struct rt_store *store);

/* Whether what is sent was proven to mean what the policy says. */
struct rt_proved {
	bool proven;
	double seconds; /* that it took, or that were spent on it */
	const char *why; /* it was not; NULL: nothing was sent, or there is no policy */
};

/* Writes the pending revision. One that was pending before, and may be what the router holds, stays beside until this
 * one is kept, and is the pending one again where it is discarded. `origin` NULL: a router without a policy; `proved` NULL: not proven. Every byte is
 * on the disk when it returns: a full or read-only disk is an error here (CNI713), before anything is changed.
 * Its number is above that of every one that is confirmed, pending, or was discarded last; only a meta.json that was
 * damaged while pending, or somebody's rm, can make a number come again. NULL: failed. */
const struct rt_revision *rt_revision_begin(struct rt_store *store, const struct rt_origin *origin, const char *message,
					    const struct rt_proved *proved);
/* From when on the pending one awaits `cnic confirm`, and until when. -errno with CNI713. */
int rt_revision_await(struct rt_store *store, int64_t deadline);
/* The pending one becomes the last confirmed one, by a rename; those beyond RT_REVISIONS_MAX go. -errno with CNI713. */
int rt_revision_confirm(struct rt_store *store);
/* The pending one goes, and one whose place it took is back. -errno with CNI713; none there: 0. */
int rt_revision_discard(struct rt_store *store);
/* The same, and none is back: the router holds no pending one. */
int rt_revision_discard_all(struct rt_store *store);

/* SHA-256 (FIPS 180-4) in hex of all that a policy is made of, tops, paths, texts and --set, each with its length:
 * equal means the same input. NULL: no policy. */
const char *rt_origin_digest(struct cni_arena *arena, const struct rt_origin *origin);

#endif
