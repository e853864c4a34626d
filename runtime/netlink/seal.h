/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seal.h - a note in cnic's table that all of it was read, and held what the names of its parts say.
 *
 * nft's generation id moves with every transaction in the namespace. The note holds the id that it itself has brought
 * about: while that is the present one, nobody has changed anything since. It holds the boot and the namespace too, so that
 * a table that was saved and loaded elsewhere is not taken for one that was read. */
#ifndef RT_SEAL_H
#define RT_SEAL_H

#include <stdbool.h>
#include <stdint.h>

struct rt_netlink;

#define RT_SEAL "sealed" /* the name of a counter, whose comment it is: compiler/lower.h */

/* At `generation`, which must be the present one, what the table holds was read and is what its names say. The note is a
 * transaction of its own. 0 or -errno: then there is none. */
int rt_seal(struct rt_netlink *nl, uint32_t generation, bool is_sealed);

/* The generation id that a note speaks of; 0: none, or not of this boot and namespace. */
uint32_t rt_seal_read(const char *comment);

#endif
