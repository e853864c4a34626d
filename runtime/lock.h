/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock.h - one writer a network namespace: an abstract unix socket, which belongs to the namespace as what it guards
 * does, leaves no file, and goes with its holder however that ends. */
#ifndef RT_LOCK_H
#define RT_LOCK_H

#include <unistd.h>

#include "compiler/diag.h"

/* Takes the lock of the calling thread's namespace, waiting for it at most `timeout` ms. *lock is the caller's, and
 * closing it gives the lock back; forked, it is held until both have. -EWOULDBLOCK, with a diagnostic that names the
 * holder, and says so where that awaits a confirmation; -errno, with one too. */
int rt_lock(unsigned int timeout, int *lock, struct cni_diags *diags);

/* From now on the calling process is the one that is named: that which holds the lock on its own after a fork. */
void rt_lock_take_over(int lock);

static inline void rt_unlockp(int *lock)
{
	if (*lock >= 0)
		close(*lock);
}
#define rt_auto_lock __attribute__((cleanup(rt_unlockp))) /* initialise to -1 */

#endif
