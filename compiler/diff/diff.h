/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff.h - what the parts of the plan share. */
#ifndef CNI_DIFF_H
#define CNI_DIFF_H

#include "compiler/arena.h"
#include "compiler/plan.h"

/* Order within a phase, where two kinds depend on each other. */
enum rank {
	/* expand: what others stand on comes first; the counters, which say whose an id is, before its rule and table */
	X_VLAN,
	X_TUNNEL,
	X_SETTING,
	X_ADDR,
	X_TABLE,
	X_COUNTER,
	X_SET,
	X_CHAIN,
	X_ROUTE,
	X_RULE,
	/* in place: what stands on a device that goes, the devices, and what stands on the new ones */
	P_ROUTE_OFF = 0,
	P_ADDR_OFF,
	P_SETTING_OFF,
	P_LINK_OFF,
	P_LINK,
	P_LINK_ON,
	P_SETTING,
	P_ADDR,
	P_ROUTE,
	P_RULE,
	P_SET,
	P_CHAIN,
	/* contract: settings first, since the set "former" must outlive them; the counters after rules and tables */
	C_SETTING = 0,
	C_RULE,
	C_ROUTE,
	C_CHAIN,
	C_SET,
	C_COUNTER,
	C_TABLE,
	C_ADDR,
	C_LINK,
};

/* Why a device loses what stands on it, for a moment. */
enum remake {
	REMAKE_NOT = 0,
	REMAKE_ADDRESS, /* its address moves within one subnet: routes over it go with the old one */
	REMAKE_REPLACE, /* the kernel cannot change it */
	REMAKE_SPLIT, /* removed before others are made: they need its endpoints, or it theirs */
};

struct remade {
	const char *device;
	enum remake how;
};

struct order { /* beside a step, until it is sorted */
	struct cni_step step;
	unsigned int rank;
	uint64_t sub; /* within the rank; equal ones stay as they came */
};

struct diff {
	struct cni_arena *arena;
	struct cni_diags *diags;
	const struct cni_state *observed;
	struct cni_state *desired; /* with the set "former" */
	bool sees_to_former; /* the steps of the set "former" are made already */
	struct remade *remade;
	size_t n_remade;
	struct order *steps;
	size_t n_steps;
};

/* `before` or `after` NULL says ADD or DELETE; else `op`. */
void diff_step(struct diff *d, enum cni_phase phase, unsigned int rank, enum cni_object object, enum cni_op op,
	       const void *before, const void *after, struct cni_span span, const char *disturbs);

/* NULL: not there. */
const struct cni_st_link *diff_find_link(const struct cni_state *state, const char *name);
const struct cni_st_setting *diff_find_setting(const struct cni_state *state, const char *device,
					       enum cni_setting_key key);
const struct cni_st_addr *diff_find_addr(const struct cni_state *state, const struct cni_st_addr *key);
bool diff_owns_device(const struct cni_state *state, const char *name);

/* remade.c: fills d->remade; endpoints that a foreign device has are errors. */
void diff_find_remade(struct diff *d);
enum remake diff_remade(const struct diff *d, const char *device);

/* former.c: adds the set "former" to d->desired, and makes its steps. */
void diff_former(struct diff *d);

/* One record a call, either side NULL: links.c, routing.c, nft.c. */
void diff_link(struct diff *d, const struct cni_st_link *before, const struct cni_st_link *after);
void diff_setting(struct diff *d, const struct cni_st_setting *before, const struct cni_st_setting *after);
void diff_addr(struct diff *d, const struct cni_st_addr *before, const struct cni_st_addr *after);
void diff_rule(struct diff *d, const struct cni_st_rule *before, const struct cni_st_rule *after);
void diff_route(struct diff *d, const struct cni_st_route *before, const struct cni_st_route *after);
void diff_counter(struct diff *d, const struct cni_st_counter *before, const struct cni_st_counter *after);
void diff_set(struct diff *d, const struct cni_st_set *before, const struct cni_st_set *after);
void diff_chain(struct diff *d, const struct cni_st_chain *before, const struct cni_st_chain *after);

#endif
