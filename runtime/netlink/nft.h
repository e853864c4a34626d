/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft.h - what reading and writing nftables share: requests and user data. */
#ifndef RT_NFT_H
#define RT_NFT_H

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "compiler/state.h"

static inline uint16_t rt_nft_type(uint16_t message)
{
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
}

/* User data is nft's own (libnftnl, udata.h): a list of type, length, bytes. Comments are of type 0 in counters and
 * elements alike, and end in NUL. */
#define RT_UDATA_COMMENT 0
#define RT_COMMENT_MAX 253 /* NFT_USERDATA_MAXLEN less type, length, NUL */

struct rt_writer;

/* A message that names our table. Shared by the encoders. */
struct nlmsghdr *rt_nft_message(struct rt_writer *w, uint16_t type, uint16_t flags);
/* Writes a comment as user data, at most RT_COMMENT_MAX + 3 bytes; returns how many. */
size_t rt_udata_comment(struct rt_writer *w, uint8_t *room, const char *comment);

#endif
