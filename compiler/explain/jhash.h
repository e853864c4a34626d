/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jhash.h - the kernel's hash of bytes (Bob Jenkins' lookup3, as linux/jhash.h has it): which member of a weighted path a
 * flow is on. */
#ifndef CNI_JHASH_H
#define CNI_JHASH_H

#include <stddef.h>
#include <stdint.h>

/* `len` is a multiple of 4, as registers are; words are in host byte order. */
uint32_t cni_jhash(const uint8_t *bytes, size_t len, uint32_t seed);

#endif
