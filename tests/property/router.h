/* SPDX-License-Identifier: GPL-2.0-or-later */
/* router.h - a router as the kernel keeps it (rtnetlink, /proc/sys and nf_tables), changed by the steps of a plan, and as
 * unforgiving as it: what it would refuse, and what it would take from others on the way, is a fault. */
#ifndef CNI_TEST_ROUTER_H
#define CNI_TEST_ROUTER_H

#include "compiler/plan.h"

enum { ROUTER_LISTS = 8 };

struct router {
	struct cni_arena *arena;
	/* sorted; the span of a rule or an address says when it was made, since the first one of several counts */
	struct cni_state state;
	size_t room[ROUTER_LISTS];
	uint32_t clock;
	int defaults[CNI_N_SETTINGS]; /* of a new device */
	const char *fault; /* the first one; NULL: none */
};

/* Of its own: neither changes the other. */
struct router router_copy(const struct router *router);

/* The first message of steps[0..n): one step, or all nft steps that stand together, which are one batch, in the order
 * that runtime/netlink/execute.c gives them. Returns how many steps that were; 0: a fault. `again`: removing what is
 * gone already is no fault, as when steps are undone. */
size_t router_message(struct router *router, const struct cni_step *steps, size_t n, bool again);

/* What a snapshot shows: of main all routes, else our own; former values as the set "former" has them. */
struct cni_state *router_observe(const struct router *router);

/* The first record that differs, in words; NULL: none does. */
const char *router_difference(struct cni_arena *arena, const struct router *a, const struct router *b);

/* For building one; no rules of the kernel's apply, but that a record is there once. */
void router_put_link(struct router *router, const struct cni_st_link *link); /* with its settings */
void router_put_setting(struct router *router, const struct cni_st_setting *setting); /* or gives it another value */
void router_put_addr(struct router *router, const struct cni_st_addr *addr);
void router_put_rule(struct router *router, const struct cni_st_rule *rule);
void router_put_route(struct router *router, const struct cni_st_route *route);

/* router_nft.c: one batch; false: a fault. */
bool router_batch(struct router *router, const struct cni_step *steps, size_t n);
/* Always false. */
bool router_fault(struct router *router, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
