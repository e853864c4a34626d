/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot.h - what the kernel holds: the observed state of the current network namespace.
 *
 * Links, addresses and rules: all. Routes: ours in any table, those of others in tables that we fill, and main's
 * defaults. Settings: every device's, "all"'s and the namespace's. nftables: the table `inet cnic`, if it is there,
 * with counters' values. */
#ifndef RT_SNAPSHOT_H
#define RT_SNAPSHOT_H

#include "compiler/arena.h"
#include "compiler/diag.h"
#include "compiler/state.h"
#include "runtime/netlink/netlink.h"

/* What need not be read: a generation id that only our own batches have moved proves that nothing else has changed. */
struct rt_trust {
	bool seal; /* while the table's seal holds, large sets are left unread */
	/* at this generation, what has its name by content is as it is in `known`: sets, and chains where there are very
	 * many; NULL: nothing is */
	const struct cni_state *known;
	uint32_t generation;
	/* ... and chains that are not in it are as in `made`, of which they were sent. One of each kind is read all the
	 * same, since a kernel may leave out what it does not know. NULL: all are read */
	const struct cni_state *made;
};

/* The dumps are no transaction: they are compared with notifications and with nft's generation id, and repeated
 * until nothing moved, with growing pauses. 0, or with a diagnostic: -EPERM (nftables shows nothing without
 * CAP_NET_ADMIN), -EAGAIN (it did not hold still for two seconds), or what the transport met. *state is sorted. */
int rt_snapshot(struct rt_netlink *nl, struct cni_arena *arena, struct cni_state **state, struct cni_diags *diags);
int rt_snapshot_trusting(struct rt_netlink *nl, struct cni_arena *arena, const struct rt_trust *trust,
			 struct cni_state **state, struct cni_diags *diags);

/* Reads what was left unread of a set. 0, or -errno: -ENOENT where it is no more. */
int rt_snapshot_set(struct rt_netlink *nl, struct cni_arena *arena, struct cni_st_set *set);

/* The same state, with what others have in tables that only `wanted` fills. NULL, with a diagnostic. */
const struct cni_state *rt_snapshot_for(struct rt_netlink *nl, struct cni_arena *arena, const struct cni_state *state,
					const struct cni_state *wanted, struct cni_diags *diags);

/* Only links and routes, into a state that holds nothing else; unread by what else is in it. 0, or -errno (-EINTR: a device
 * came or went meanwhile). */
int rt_snapshot_routes(struct rt_netlink *nl, struct cni_arena *arena, struct cni_state **state);

/* nft's generation id: moves with every nft transaction in the namespace, anyone's. -errno. */
int rt_generation(struct rt_netlink *nl, uint32_t *generation);

#endif
