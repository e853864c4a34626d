/* SPDX-License-Identifier: GPL-2.0-or-later */
/* links.h - whether the devices of tracked targets can carry anything, by the kernel's own notes of change, and that
 * routes of ours are no more as they were left. */
#ifndef RT_TRACK_LINKS_H
#define RT_TRACK_LINKS_H

#include "compiler/ip.h"
#include "runtime/netlink/netlink.h"
#include "runtime/track/track.h"

/* A device that is watched, by name. */
struct rt_watch {
	const char *name;
	const struct cni_addr *addrs; /* that it must have */
	size_t n_addrs;
	/* as it is; filled in */
	unsigned int ifindex; /* 0: there is none */
	bool up, carrier;
	uint64_t has; /* a bit each of addrs[] that it has: more than 64 are not looked at */
};

struct rt_links;

int rt_links_new(struct rt_links **links, struct rt_netlink *nl); /* -errno; nl is borrowed */
void rt_links_free(struct rt_links *links); /* NULL is allowed */
int rt_links_fd(const struct rt_links *links); /* to poll for reading */

/* From now on these, the caller's, which live until the next call; and reads how they are. */
int rt_links_watch(struct rt_links *links, struct rt_watch *watches, size_t n);

/* What rt_links_read() found. */
struct rt_links_news {
	bool links; /* some device that is watched changed */
	bool routes; /* a route of ours did, by whomever; or routes may have gone with a device */
};
/* Reads what the kernel has told. -errno: nothing is to be had from it any more. */
int rt_links_read(struct rt_links *links, struct rt_links_news *news);

/* RT_TRACK_START: it can carry something. */
enum rt_track_reason rt_watch_wrong(const struct rt_watch *watch);

/* Bytes in and out of a device so far. -errno: there is no such device. */
int rt_links_bytes(struct rt_links *links, unsigned int ifindex, uint64_t *in, uint64_t *out);

#endif
