/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fib.h - where the ip rules and routes of a state lead a packet, as far as the state knows them. */
#ifndef CNI_EXPLAIN_FIB_H
#define CNI_EXPLAIN_FIB_H

#include "compiler/arena.h"
#include "compiler/check/evaluate.h"
#include "compiler/state.h"

enum cni_fib_kind {
	CNI_FIB_MAIN, /* no rule of cnic's decides: ordinary routing */
	CNI_FIB_LOCAL, /* to the router itself */
	CNI_FIB_UNICAST,
	CNI_FIB_BLACKHOLE,
	CNI_FIB_UNREACHABLE,
	CNI_FIB_FOREIGN, /* a rule or table of somebody else's comes before, which the state does not hold all of */
};

struct cni_fib_query {
	const struct cni_state *state;
	const struct cni_packet *packet; /* a source or protocol that is not known is that of no rule */
	const char *iif; /* NULL: the router's own packet */
	uint32_t mark;
	bool (*is_up)(const struct cni_st_hop *hop, const void *arg);
	const void *arg;
};

struct cni_fib_answer {
	enum cni_fib_kind kind;
	const struct cni_st_rule *rule; /* that led there; NULL: of MAIN, where no rule is known */
	const struct cni_st_route *route; /* NULL: of MAIN, LOCAL and FOREIGN */
	const struct cni_st_hop **hops; /* of UNICAST: those that are up; several share by their weights */
	size_t n_hops;
};

struct cni_fib_answer cni_fib(struct cni_arena *arena, const struct cni_fib_query *query);

#endif
