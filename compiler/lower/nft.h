/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft.h - building rules, sets and chains of the desired state; each function appends what its name says.
 *
 * Register use follows nft's own: a value is loaded into word 0 and consumed at once; concatenations use the
 * words behind it, hashes start at word 4 so that the result can go to word 0. */
#ifndef CNI_LOWER_NFT_H
#define CNI_LOWER_NFT_H

#include "compiler/lower/lower_internal.h"

/* A chain or set under construction, named by its content when it is done. */
struct chain {
	struct cni_st_rule_nft *rules;
	size_t n_rules;
	struct cni_span span;
};

struct cni_st_rule_nft *chain_rule(struct lower *l, struct chain *chain, struct cni_span span);
/* Adds the chain as "LABEL.HASH" unless it is there already; returns its name. */
const char *chain_done(struct lower *l, struct chain *chain, const char *label);
/* Adds a chain that has its name, unless it is there already. */
void chain_add(struct lower *l, const struct cni_st_chain *chain);
/* Adds the chain under that very name, which cni_chain_flips() must know of; returns it. */
const char *chain_fixed(struct lower *l, struct chain *chain, const char *name);
void base_chain(struct lower *l, const char *name, enum cni_hook_type type, uint32_t hook, int32_t priority,
		const char *jump);

void counter_add(struct lower *l, const char *name, const char *comment, struct cni_span span);

/* Elements may come in any order; equal keys must have equal verdicts. */
struct set {
	struct cni_st_set set;
};
void set_key_field(struct set *set, enum cni_key_type type);
void set_add(struct lower *l, struct set *set, const void *key, int32_t code, const char *chain);
const char *set_done(struct lower *l, struct set *set, const char *label);
/* Ranges [first, first + n) of one family, as far as they are within lo..hi (all are in part), as an interval set. */
struct cni_st_set ranges_within(struct lower *l, const struct cni_ranges *ranges, size_t first, size_t n,
				struct cni_addr lo, struct cni_addr hi);
/* Adds a set whose elements are in order, and names it "LABEL.HASH" unless it has its name already; returns that. */
const char *set_install(struct lower *l, struct cni_st_set *set, const char *label);
/* All ranges of one family as an interval set. */
const char *set_of_ranges(struct lower *l, const struct cni_ranges *ranges, enum cni_family family, const char *label);
const char *set_of_ports(struct lower *l, const struct cni_port_range *ports, size_t n);

/* values: into register words from `reg` on */
void load_addr(struct lower *l, struct cni_st_rule_nft *r, bool source, enum cni_family family, uint8_t reg);
void load_proto(struct lower *l, struct cni_st_rule_nft *r, uint8_t reg);
void load_port(struct lower *l, struct cni_st_rule_nft *r, bool source, uint8_t reg);

/* conditions */
void if_family(struct lower *l, struct cni_st_rule_nft *r, enum cni_family family);
void if_proto(struct lower *l, struct cni_st_rule_nft *r, bool equal, uint8_t proto);
void if_proto_in_set(struct lower *l, struct cni_st_rule_nft *r, const char *set);
void if_device(struct lower *l, struct cni_st_rule_nft *r, uint32_t meta_key, const char *device);
void if_addr_range(struct lower *l, struct cni_st_rule_nft *r, bool source, bool inside, struct cni_addr lo,
		   struct cni_addr hi);
void if_addr_in_set(struct lower *l, struct cni_st_rule_nft *r, bool source, bool inside, enum cni_family family,
		    const char *set);
void if_pair_in_set(struct lower *l, struct cni_st_rule_nft *r, enum cni_family family, const char *set);
void if_port_range(struct lower *l, struct cni_st_rule_nft *r, bool source, uint16_t lo, uint16_t hi);
void if_port_in_set(struct lower *l, struct cni_st_rule_nft *r, bool source, bool inside, const char *set);
void if_dscp(struct lower *l, struct cni_st_rule_nft *r, enum cni_family family, bool equal, uint8_t dscp);
void if_icmp_type(struct lower *l, struct cni_st_rule_nft *r, uint8_t lo, uint8_t hi);
void if_ct_direction(struct lower *l, struct cni_st_rule_nft *r, bool original);
void if_ct_bits(struct lower *l, struct cni_st_rule_nft *r, uint32_t ct_key, uint32_t bits, bool set);
void if_ct_mark(struct lower *l, struct cni_st_rule_nft *r, bool equal, uint32_t mask, uint32_t value);
void if_mark(struct lower *l, struct cni_st_rule_nft *r, bool equal, uint32_t mask, uint32_t value);
void if_fib_daddr_type(struct lower *l, struct cni_st_rule_nft *r, uint32_t type);
void if_syn(struct lower *l, struct cni_st_rule_nft *r);
/* jhash over addresses, protocol and (`ports`) ports, modulo `modulus`, below `limit` */
void if_hash_below(struct lower *l, struct cni_st_rule_nft *r, enum cni_family family, bool ports, uint32_t modulus,
		   uint32_t limit);
void if_mark_device_in_set(struct lower *l, struct cni_st_rule_nft *r, uint32_t mask, const char *set);
void if_mark_in_set(struct lower *l, struct cni_st_rule_nft *r, uint32_t mask, const char *set);
void if_device_in_set(struct lower *l, struct cni_st_rule_nft *r, uint32_t meta_key, bool inside, const char *set);

/* verdicts and statements */
void by_device(struct lower *l, struct cni_st_rule_nft *r, uint32_t meta_key, const char *map);
void by_addr(struct lower *l, struct cni_st_rule_nft *r, bool source, enum cni_family family, const char *map);
void by_words(struct lower *l, struct cni_st_rule_nft *r, const char *map); /* what is in the words from 0 on */
void by_ct_mark(struct lower *l, struct cni_st_rule_nft *r, uint32_t mask, const char *map);
void do_verdict(struct lower *l, struct cni_st_rule_nft *r, int32_t code, const char *chain);
void do_counter(struct lower *l, struct cni_st_rule_nft *r, const char *counter);
void do_set_mark(struct lower *l, struct cni_st_rule_nft *r, uint32_t mask, uint32_t value);
void do_set_ct_mark(struct lower *l, struct cni_st_rule_nft *r, uint32_t mask, uint32_t value);
void do_clamp_mss(struct lower *l, struct cni_st_rule_nft *r, uint16_t mss);
void do_notrack(struct lower *l, struct cni_st_rule_nft *r);
void do_masquerade(struct lower *l, struct cni_st_rule_nft *r);
void do_snat(struct lower *l, struct cni_st_rule_nft *r, struct cni_addr to);

/* steer.c: outer packets leave the chain here. */
void return_outer(struct lower *l, struct chain *chain);

#endif
