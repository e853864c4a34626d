/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor.h - what on this router will bite a policy: checks that look and change nothing.
 *
 * A check reports what it finds as diagnostics (compiler/codes/doctor.def), each with its mend, and says in a line
 * what it looked at. */
#ifndef RT_DOCTOR_H
#define RT_DOCTOR_H

#include "compiler/arena.h"
#include "compiler/diag.h"
#include "compiler/model.h"
#include "compiler/state.h"
#include "runtime/doctor/foreign.h"
#include "runtime/netlink/netlink.h"

struct rt_doctor {
	struct cni_arena *arena;
	struct cni_diags *diags;
	const char *root; /* what stands before /proc, /etc, /run and /usr: "", or a folder that is like them */
	struct rt_netlink *nl; /* NULL: there is no talk with the kernel */
	const char *blind; /* why `observed` and `foreign` are NULL */
	const struct cni_state *observed;
	const struct rt_foreign *foreign;
	const struct cni_model *model; /* the policy, without errors; NULL: there is none */
	const struct cni_state *desired; /* what it wants of this router; NULL: not known */
	const char *no_policy; /* why these two are NULL */
	uint32_t mark_mask; /* the policy's, else the default */
};

enum rt_verdict { RT_FINE, RT_WARNED, RT_FAILED, RT_UNKNOWN, RT_N_VERDICTS };

struct rt_checkup { /* what came of one check */
	const char *name;
	enum rt_verdict verdict;
	const char *detail; /* what was looked at; of RT_UNKNOWN: why it could not be */
};

enum rt_need { RT_NEEDS_KERNEL = 1, RT_NEEDS_POLICY = 2, RT_NEEDS_BOTH = 3 };

struct rt_check {
	const char *name;
	unsigned int needs; /* else it is unknown */
	/* Returns what it looked at. It may set *verdict to RT_UNKNOWN; the others follow from its diagnostics. */
	const char *(*look)(struct rt_doctor *doctor, enum rt_verdict *verdict);
};

extern const struct rt_check rt_checks[];
extern const size_t rt_n_checks;

/* Runs all checks, in order; *checkups has rt_n_checks items, in the arena. */
void rt_examine(struct rt_doctor *doctor, struct rt_checkup **checkups);
const char *rt_verdict_name(enum rt_verdict verdict);

/* daemons.c */
const char *rt_look_networkd(struct rt_doctor *doctor, enum rt_verdict *verdict);
const char *rt_look_network_manager(struct rt_doctor *doctor, enum rt_verdict *verdict);
/* marks.c */
const char *rt_look_mark_rules(struct rt_doctor *doctor, enum rt_verdict *verdict);
const char *rt_look_mark_setters(struct rt_doctor *doctor, enum rt_verdict *verdict);
const char *rt_look_iptables(struct rt_doctor *doctor, enum rt_verdict *verdict);
/* kernel.c */
const char *rt_look_kernel(struct rt_doctor *doctor, enum rt_verdict *verdict);
/* settings.c */
const char *rt_look_rp_filter(struct rt_doctor *doctor, enum rt_verdict *verdict);
const char *rt_look_forwarding(struct rt_doctor *doctor, enum rt_verdict *verdict);
/* flows.c */
const char *rt_look_flowtables(struct rt_doctor *doctor, enum rt_verdict *verdict);
const char *rt_look_tracking(struct rt_doctor *doctor, enum rt_verdict *verdict);
const char *rt_look_conntrack(struct rt_doctor *doctor, enum rt_verdict *verdict);
const char *rt_look_probes(struct rt_doctor *doctor, enum rt_verdict *verdict);
/* routing.c */
const char *rt_look_rule_order(struct rt_doctor *doctor, enum rt_verdict *verdict);
const char *rt_look_tables(struct rt_doctor *doctor, enum rt_verdict *verdict);
const char *rt_look_main(struct rt_doctor *doctor, enum rt_verdict *verdict);
/* devices.c */
const char *rt_look_mtu(struct rt_doctor *doctor, enum rt_verdict *verdict);
const char *rt_look_plan(struct rt_doctor *doctor, enum rt_verdict *verdict);

/* ---- for the checks: common.c ---- */

/* A finding at a place of the policy, or nowhere. */
struct cni_diag *rt_finding(struct rt_doctor *doctor, enum cni_code code, struct cni_span span, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Whether the policy has to do with a device: a target, the port below it, or one that it steers on. */
bool rt_is_policy_device(const struct cni_model *model, const char *device);
/* Every one of them is given to `each`, targets first; more than once where it has more than one part. */
void rt_policy_devices(const struct cni_model *model, void (*each)(const char *device, void *arg), void *arg);
const struct cni_st_link *rt_find_link(const struct cni_state *state, const char *device); /* NULL: there is none */
/* Main's default route of a family that is not ours, by `device` (NULL: any); NULL: there is none. */
const struct cni_st_route *rt_main_default(const struct cni_state *state, enum cni_family family, const char *device);
/* Whether a routing table has a route that ends the search, or a default one at that. routing.c */
bool rt_has_route(const struct rt_doctor *doctor, enum cni_family family, uint32_t table, bool is_default);
/* An ip rule behind `ip rule`: "priority 100 from 10.0.0.0/8 lookup 7". */
const char *rt_rule_words(struct cni_arena *arena, const struct cni_st_rule *rule, uint32_t priority);

/* The text of a file below the root, at most 1 MiB; NULL, with errno, if it cannot be read. */
const char *rt_doctor_read(const struct rt_doctor *doctor, const char *path);
/* The number in a file below the root; false: it cannot be read. */
bool rt_doctor_number(const struct rt_doctor *doctor, const char *path, long *number);

#endif
