/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode.h - records to netlink messages; one row a kind of record, in encode.c. */
#ifndef RT_ENCODE_H
#define RT_ENCODE_H

#include "compiler/plan.h"
#include "runtime/netlink/netlink.h"

/* Where messages are written, and which step they come from. */
struct rt_writer {
	struct rt_netlink *nl; /* to know devices by */
	struct rt_batch *batch;
	size_t tag;
};

/* What cannot be written (a device that is not there: -ENODEV; -E2BIG; what
 * cnic never writes: -ENOTSUP) is left in batch->error. */
struct rt_encoder {
	void (*add)(struct rt_writer *w, const void *record);
	void (*change)(struct rt_writer *w, const void *before, const void *after); /* NULL: delete, then add */
	void (*del)(struct rt_writer *w, const void *record);
};

/* For links, settings (those that rt_setting_path() gives no path for), addresses, rules and routes: a message or
 * more on RT_ROUTE. */
extern const struct rt_encoder rt_encoders[CNI_N_OBJECTS];

/* The path below /proc/sys/net by which a setting is written; NULL: by a message. `room` is for the path. */
const char *rt_setting_path(const struct cni_st_setting *setting, char room[128]);

void rt_link_add(struct rt_writer *w, const void *record);
void rt_link_change(struct rt_writer *w, const void *before, const void *after);
void rt_link_del(struct rt_writer *w, const void *record);
void rt_setting_change(struct rt_writer *w, const void *before, const void *after);
void rt_addr_add(struct rt_writer *w, const void *record);
void rt_addr_del(struct rt_writer *w, const void *record);
void rt_rule_add(struct rt_writer *w, const void *record);
void rt_rule_del(struct rt_writer *w, const void *record);
void rt_route_add(struct rt_writer *w, const void *record);
void rt_route_change(struct rt_writer *w, const void *before, const void *after);
void rt_route_del(struct rt_writer *w, const void *record);

/* nftables: an opening frame (generation 0: no guard), the pieces in any order that the kernel takes, an end. */
void rt_nft_begin(struct rt_writer *w, uint32_t generation);
void rt_nft_end(struct rt_writer *w);
void rt_nft_table(struct rt_writer *w, bool add);
void rt_nft_counter(struct rt_writer *w, const struct cni_st_counter *counter, bool add);
void rt_nft_chain(struct rt_writer *w, const struct cni_st_chain *chain, bool add); /* without its rules */
void rt_nft_rules(struct rt_writer *w, const struct cni_st_chain *chain); /* appended */
void rt_nft_flush(struct rt_writer *w, const struct cni_st_chain *chain); /* removes all its rules */
void rt_nft_set(struct rt_writer *w, const struct cni_st_set *set, bool add); /* add: without elements */
void rt_nft_elements(struct rt_writer *w, const struct cni_st_set *set);
void rt_nft_empty(struct rt_writer *w, const struct cni_st_set *set); /* removes all its elements */

/* ---- for the encoders ---- */

struct nlattr;

/* Where an address goes: 4 or 16 bytes in network order. */
void rt_put_addr(struct nlmsghdr *message, uint16_t type, struct cni_addr addr);
void rt_writer_fail(struct rt_writer *w, int error); /* the first failure stays */

static inline unsigned char rt_af(enum cni_family family)
{
	return family == CNI_V4 ? 2 /* AF_INET */ : 10 /* AF_INET6 */;
}

#endif
