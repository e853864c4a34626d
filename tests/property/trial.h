/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trial.h - one packet on its way through one state, with some targets down; what the comparisons share. */
#ifndef CNI_TEST_TRIAL_H
#define CNI_TEST_TRIAL_H

#include "tests/property/compare.h"
#include "tests/property/naive.h"
#include "tests/property/simulate.h"

struct trial {
	struct cni_arena *arena;
	const struct compiled *compiled;
	const struct cni_model *model; /* of it */
	struct sim sim;
	bool *down; /* by target */
	const char **down_names; /* their devices, but for those that the tracker took out; ends in NULL */
	bool by_tracker; /* what is tracked goes down by its word, not by its device */
	struct cni_arena *day; /* of the state with the routes of such a day; NULL: there was none yet */
	const char *device; /* that the packet comes in by; NULL: the router itself sends it */
	struct packet packet;
	struct rng rng;
	bool sweep; /* try every value of the hash, and compare the shares */
	struct cni_text *trace; /* of the second run */
	struct comparison *result;
};

/* Notes a mismatch; always false. */
bool trial_fail(struct trial *t, enum property property, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Makes what is in t->down go down: the device, or by the tracker's word. */
void trial_set_down(struct trial *t);
bool trial_is_tracked(const struct trial *t, size_t target);
/* A flow that conntrack has not seen yet, and that starts with this packet. */
struct flow trial_new_flow(struct trial *t, const struct packet *first);
/* The hash of a later packet of it: any, since the mark decides; without an entry it is that of the first. */
uint32_t trial_later_hash(struct trial *t, const struct flow *flow, uint32_t first);
/* One packet through the machine, with foreign bits in both marks that must come out as they went in. */
bool trial_run(struct trial *t, const struct packet *packet, const char *device, struct flow *flow, bool reply,
	       uint32_t hash, struct sim_result *result);
/* Whether one answer of the machine is one that the fate allows; adds `part` of it to `shares` (or NULL), by target. */
bool trial_allowed(struct trial *t, enum property property, const struct fate *fate, const struct sim_result *result,
		   double part, double *shares);

/* Whether what the checks say of the packet is what its fate is (checks.c). */
bool trial_checks(struct trial *t, const struct fate *fate);

/* Whether each route is told dead, or takes a packet that it is said to take (witness.c). */
bool trial_witnesses(struct trial *t);

size_t trial_target_of(const struct cni_model *model, const char *device); /* CNI_NONE: no target's */
const struct fate_share *trial_share_of(const struct fate *fate, size_t target); /* NULL: not in it */
/* The first device that a result leads to; "main0" for one that leads to none. */
const char *trial_device_of(const struct trial *t, const struct sim_result *result);

#endif
