/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lower_internal.h - what the passes of lowering share. */
#ifndef CNI_LOWER_INTERNAL_H
#define CNI_LOWER_INTERNAL_H

#include "compiler/arena.h"
#include "compiler/lower.h"

#define EPOCH_BITS 3 /* epochs 1..7; 0: no policy classified the flow: it came in by a target, or is none of ours */
#define MAIN_PRIORITY 32766u /* of the rule that leads to the main table: ip-rule(8) */
/* Offset of the first underlay table from options.table; the one before it: state/down.h. */
#define FIRST_UNDERLAY 16384

/* Where a packet can be sent: tiers in order of preference, each of one or more targets that share by weight.
 * A route over a weighted path has one way for each member: it comes first, the rest take over its share. */
struct tier {
	const struct cni_member *members;
	size_t n_members;
};

struct way {
	const char *key; /* says all of it, resolved: equal keys mean equal ways */
	unsigned int id;
	bool is_return; /* for answers to what came in by a target */
	bool is_new; /* its id stood for another path, or for none */
	bool is_former; /* of the policy before: only flows that began on it are left */
	bool is_pinned; /* no route leads to it: flows are moved there (pins.c) */
	bool has_family; /* of an ordered path (pins.c) */
	bool is_clamped; /* its chain sets the MSS */
	bool nats; /* masquerades or sets a source somewhere: fixed at a flow's first packet */
	enum cni_verdict verdict; /* MAIN or REJECT: no tiers */
	bool masquerade; /* of MAIN */
	enum cni_verdict otherwise;
	bool has_source;
	struct cni_addr source;
	struct tier *tiers;
	size_t n_tiers;
	struct cni_span span;
	const char *path_chain, *save_chain;
};

/* A route's ways: one, or one for each member of a weighted path. */
struct ways {
	size_t *index; /* into lower->ways */
	size_t n_index;
};

/* A path's ways by the member that comes first: what flows can be moved between. */
struct family {
	const struct cni_path *path;
	struct ways ways; /* one a member */
};

struct lower {
	struct cni_arena *arena, *scratch /* gone when all is lowered */;
	const struct cni_model *model;
	const struct cni_prior *prior;
	const struct cni_state *observed; /* prior's; may be NULL */
	struct cni_diags *diags;
	struct cni_state *state;
	unsigned int shift, id_bits; /* of the mark */
	uint32_t mask, id_mask; /* in place */
	unsigned int epoch;
	struct way *ways;
	size_t n_ways;
	size_t *slots, n_slots; /* by key: an open hash table of places in `ways`, from 1; ways.c's */
	struct ways **routes; /* [policy][route], then [policy][n_routes] for its `else` */
	size_t *returns; /* [target]: its return way, or CNI_NONE */
	struct family *families;
	size_t n_families;
	const char *known_set, *return_set, *by_id_set, *by_id_nat_set; /* maps of conntrack marks; NULL: empty */
	const char *never_set[CNI_N_FAMILIES];
	const char *outer_set[CNI_N_FAMILIES]; /* (local, remote) of tunnels; NULL: none */
	const struct shards **shards; /* see shards.h; those of sets that have been asked for */
	size_t n_shards;
	struct made *made; /* [policy], routes.c's */
	struct cni_decision_cost cost; /* of the policy and family that is being lowered */
	const char **names; /* names given so far: an open hash table of content.c's */
	size_t n_names, room_names;
};

/* No path has the highest number: it stands for those that are gone. */
#define GONE_ID(lower) ((1u << (lower)->id_bits) - 1)

static inline uint32_t mark_of(const struct lower *lower, unsigned int id)
{
	return (uint32_t)id << lower->shift;
}

static inline uint32_t ct_mark_of(const struct lower *lower, unsigned int id)
{
	return ((uint32_t)lower->epoch << lower->id_bits | id) << lower->shift;
}

/* live.c: whether a live policy's mask, tables and priorities are those of this one; if not, that is reported. */
bool lower_options_fit(struct lower *l);
/* ways.c: finds every way, gives out ids. False: more ways than ids (reported). */
bool lower_ways(struct lower *lower);
size_t lower_find_way(const struct lower *lower, const char *key); /* CNI_NONE: there is none */
size_t lower_add_way(struct lower *lower, struct way way); /* without its key; the place of that one, or of its equal */
size_t lower_put_way(struct lower *lower, struct way way); /* a new one, with its key; returns its place */
/* As keys of ways have it: "a[eth0 192.0.2.0]", "cf1". */
const char *lower_target_key(const struct lower *lower, const struct cni_target *target);
unsigned int lower_counter_id(const char *name); /* the ID of "path.ID", or 0 */
/* pins.c: adds the ways that flows stay on when a better target comes back; tells in the state what ways there are. */
void lower_pinned_ways(struct lower *lower);
void lower_tell_ways(struct lower *lower, struct cni_state *state);
/* former.c: adds the ways of the policy before on which there may be flows that cannot leave them; lets go of those
 * that have no flows, and says whether there were any; then, with the devices known, their tables. */
void lower_former_ways(struct lower *lower);
bool lower_let_go(struct lower *lower);
void lower_former_tables(struct lower *lower);
/* devices.c: devices, addresses, settings. */
void lower_devices(struct lower *lower);
/* tables.c: routing tables and rules: of ways, of outer packets, of answers to probes. */
void lower_tables(struct lower *lower);
/* skips.c: the priority of a path's rule; and, once those rules are there, what lets packets pass over them. */
uint32_t lower_priority(uint32_t rule_priority, unsigned int id);
void lower_skips(struct lower *lower);
/* The next hop of a target for a family; false if it does not carry it. */
bool lower_hop(const struct lower *lower, const struct cni_target *target, enum cni_family family,
	       struct cni_st_hop *hop);
/* first.c: what was added twice. */
void lower_first(struct lower *lower);
/* steer.c: everything in nft. */
void lower_steer(struct lower *lower);
/* routes.c: appends how a packet of the policy comes to its route's chain. */
struct chain;
void lower_routes(struct lower *lower, size_t policy, struct chain *chain);
/* side_chains.c: what is decided by mark and device alone: clamping, masquerading, and probes let through. */
void lower_clamp_way(struct lower *lower, struct chain *chain, struct way *way); /* if its targets agree */
void lower_masquerade(struct lower *lower);
void lower_notrack(struct lower *lower);
struct cni_st_rule_nft *lower_reply_probe(struct lower *lower, struct chain *chain, const struct cni_target *target,
					  enum cni_family family);
const char *lower_mss_map(struct lower *lower); /* device -> clamping chain; NULL: nothing to clamp */
void lower_clamp_rule(struct lower *lower, struct cni_st_rule_nft *rule, uint32_t meta_device, const char *map);
void lower_clamp_out(struct lower *lower, const char *map);

#endif
