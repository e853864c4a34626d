/* SPDX-License-Identifier: GPL-2.0-or-later */
/* execute.h - steps of a plan, one after the other, into the kernel. */
#ifndef RT_EXECUTE_H
#define RT_EXECUTE_H

#include "compiler/plan.h"
#include "runtime/netlink/netlink.h"

struct rt_execution {
	struct rt_netlink *nl;
	struct cni_diags *diags; /* NULL: refusals are not reported */
	enum cni_code code; /* under which they are: CNI702 or CNI708 */
	bool keep_going; /* past what is refused */
	uint32_t generation; /* of nft, which its batches are tied to; 0: none */
	/* what came of it */
	size_t n_done; /* steps from the first on that are in effect, at least in part */
	size_t n_refused;
};

/* Whether a step goes over nftables, as part of a batch. */
static inline bool rt_is_nft(const struct cni_step *step)
{
	return step->object >= CNI_TABLE_NFT;
}

/* Steps of nft objects that stand together are one batch: all or none. Of the others, to remove what is gone already
 * is no failure: an address may go with another one, a route with its device. 0, or -errno of the first refusal;
 * -ERESTART, never reported: nft's generation moved. A step whose answer did not come is not in n_done, but a setting
 * always is. */
int rt_execute(struct rt_execution *run, const struct cni_step *steps, size_t n);

/* The generation id behind n nft batches. */
uint32_t rt_generation_after(uint32_t generation, size_t n);

/* The inverse of steps[0..n), last first. Allocated in the arena. */
struct cni_step *rt_inverse(struct cni_arena *arena, const struct cni_step *steps, size_t n);

#endif
