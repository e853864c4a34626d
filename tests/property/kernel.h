/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel.h - the simulator against the kernel itself, since all that is proved rests on it. Needs root. */
#ifndef CNI_TEST_KERNEL_H
#define CNI_TEST_KERNEL_H

#include "tests/property/compare.h"

/* Puts the state into a network namespace of its own (veths stand for all devices, tunnels included: it is steering
 * that is looked at), sends packets in twice, then once more with one target's device down, and compares mark, way
 * out and translation. 0: the kernel agrees; 1: it does not, or something failed (printed as TAP comments). */
int kernel_compare(const struct compiled *compiled, uint64_t seed);

#endif
