/* SPDX-License-Identifier: GPL-2.0-or-later */
/* naive.h - what the source policy says of a packet, read straight off the model and the reference: no intervals, no
 * marks, no tables, no cleverness. The yardstick for everything that lowering makes. */
#ifndef CNI_TEST_NAIVE_H
#define CNI_TEST_NAIVE_H

#include "compiler/model.h"
#include "tests/property/packet.h"

enum fate_kind {
	FATE_MAIN, /* ordinary routing: not steered, or a path that says so */
	FATE_DROP,
	FATE_REJECT,
	FATE_SHARES, /* to targets; more than one: shared by weight */
};

#define MAX_SHARES 16

struct fate {
	enum fate_kind kind;
	bool masquerade; /* of MAIN */
	struct fate_share {
		size_t target; /* index into model->targets; none occurs twice */
		unsigned int weight;
		bool masquerade;
	} shares[MAX_SHARES];
	size_t n_shares;
	const struct cni_policy *policy; /* whose decision it is; NULL: nobody's */
	const struct cni_route *route; /* NULL: the policy's `else`, or never steered */
};

#define FATE_TEXT 512

/* The fate of a packet of a new flow that comes in by `device`, or that the router itself sends (device NULL).
 * down[i]: whether target i is down. */
struct fate naive_fate(const struct cni_model *model, const char *device, const struct packet *packet,
		       const bool *down);

/* Whether no policy may touch a packet to that address. */
bool naive_never_steered(const struct cni_model *model, struct cni_addr dst);
/* Whether it is an address of the router itself. */
bool naive_is_ours(const struct cni_model *model, struct cni_addr addr);

/* The MSS that a SYN has when it leaves by `out`, having come in by `in` (indices of targets, CNI_NONE: another
 * device). */
unsigned int naive_mss(const struct cni_model *model, size_t in, size_t out, const struct packet *packet);

/* Where the outer packets of a tunnel go: the index of a link, or CNI_NONE when none of `over` is up. */
size_t naive_outer(const struct cni_model *model, size_t tunnel, const bool *down);

const char *fate_format(const struct cni_model *model, const struct fate *fate, char text[FATE_TEXT]);

#endif
