/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ruleset.h - what a kernel would hold that has taken messages: as they say it, in the kernel's own terms. Texts and
 * bytes lie within the messages. */
#ifndef CNI_PROOF_RULESET_H
#define CNI_PROOF_RULESET_H

#include "compiler/ip.h"
#include "compiler/proof/wire.h"

/* ---- nftables ---- */

enum expr_op {
	X_META,
	X_META_SET,
	X_CT,
	X_CT_SET,
	X_PAYLOAD,
	X_FIB,
	X_CMP,
	X_RANGE,
	X_BITWISE,
	X_BYTEORDER,
	X_HASH,
	X_LOOKUP, /* `name`; `inverted`, or a verdict map */
	X_IMMEDIATE,
	X_VERDICT,
	X_COUNTER, /* `name`; NULL: its own, or a line in a log */
	X_MSS_SET,
	X_NOTRACK,
	X_MASQUERADE,
	X_SNAT,
	X_REJECT,
	N_EXPR_OPS
};

struct set;
struct chain;

struct expr {
	enum expr_op op;
	uint32_t key; /* of meta and ct; header of a payload; comparison */
	uint8_t dreg, sreg; /* first byte in the registers, which are 64 in all */
	uint32_t offset, len, modulus, seed;
	struct bytes a, b;
	bool inverted, is_map;
	int32_t code; /* verdict */
	const char *name; /* of a set, or of the chain that a verdict leads to */
	const struct set *set;
	struct chain *chain;
};

struct nft_rule {
	struct expr *exprs;
	size_t n_exprs;
};

struct chain {
	const char *name;
	bool is_base;
	const char *type; /* of a base chain */
	uint32_t hook;
	int32_t priority;
	bool drops; /* what comes to the end of a base chain */
	struct nft_rule *rules;
	size_t n_rules;
	size_t index; /* in the ruleset, once it is whole */
	bool has_quiet;
	size_t quiet; /* from this rule on none asks for marks or changes any: machine.c */
};

struct element {
	const uint8_t *lo, *hi; /* closed */
	int32_t code; /* of maps */
	const char *name; /* the chain that it leads to */
	struct chain *chain;
};

#define MAX_FIELDS 8

struct set {
	const char *name;
	uint32_t flags, key_len;
	uint32_t room; /* for elements; 0: any number */
	uint32_t fields[MAX_FIELDS]; /* bytes of each, in front of its padding to four; of interval sets of several */
	size_t n_fields;
	bool is_map, is_interval;
	struct element *elems; /* ascending, disjoint unless of several fields, once the ruleset is whole */
	size_t n_elems;
	struct half *halves; /* elements as they came */
	size_t n_halves, room_halves;
};

/* ---- routing ---- */

enum rule_action { RULE_LOOKUP, RULE_GOTO, RULE_NOP, RULE_DROP, RULE_REJECT };

struct ip_rule {
	enum cni_family family;
	uint32_t priority;
	size_t order; /* in which they came: it decides within one priority */
	enum rule_action action;
	bool inverted;
	uint32_t table, jump, mark, mask;
	struct cni_prefix from, to; /* length 0: any */
	const char *iif; /* NULL: any */
	uint8_t ipproto; /* 0: any */
	bool is_foreign; /* in a kernel: somebody else's */
	const char *unclear; /* in a kernel: why it is not understood; NULL: it is */
};

struct hop {
	const char *device;
	bool has_via;
	struct cni_addr via;
	unsigned int weight;
};

enum route_type { ROUTE_UNICAST, ROUTE_BLACKHOLE, ROUTE_UNREACHABLE };

struct ip_route {
	enum cni_family family;
	uint32_t table, metric;
	struct cni_prefix to;
	enum route_type type;
	struct hop *hops;
	size_t n_hops;
};

struct ruleset {
	const char *const *devices; /* by index - 1 */
	const uint32_t *indexes; /* NULL, or those of the devices */
	size_t n_devices;
	struct chain **chains; /* ascending by name, once it is whole; so are sets and counters */
	size_t n_chains;
	struct set **sets;
	size_t n_sets;
	const char **counters;
	size_t n_counters;
	size_t recent_chain, recent_set; /* that was found last */
	bool has_table, is_dormant;
	bool has_foreign; /* ip rules of somebody else's are before ours */
	struct ip_rule *rules; /* ascending by priority, once it is whole */
	size_t n_rules;
	struct ip_route *routes; /* by table and family, longest prefix first, then by metric */
	size_t n_routes;
};

/* ---- decoding ---- */

enum proof_bus { PROOF_ROUTE, PROOF_NETFILTER };

/* Adds what the messages in `in` make. An error is left in the decoder. */
void proof_decode(struct decoder *d, enum proof_bus bus, struct bytes in);
/* After the last message: names become what they name, and lists are put in order. */
void proof_complete(struct decoder *d);

/* for the decoders of single objects */
void proof_decode_rule(struct decoder *d, struct bytes list, struct nft_rule *rule);
void proof_decode_set(struct decoder *d, struct bytes in);
void proof_decode_elements(struct decoder *d, struct bytes in);
void proof_complete_set(struct decoder *d, struct set *set);
void proof_decode_verdict(struct decoder *d, struct bytes in, int32_t *code, const char **chain);
void proof_decode_ip_rule(struct decoder *d, struct bytes in);
void proof_decode_ip_route(struct decoder *d, struct bytes in);
void proof_table_name(struct decoder *d, const struct attrs *attrs);

/* others.c: a rule of another table that may change bits of marks that are `ours` is an error: what packets bring to our
 * hooks, or take from them, is not known then. `in`: rules, as messages. */
void proof_others(struct decoder *d, struct bytes in, uint32_t ours);
/* In the whole ruleset, what asks for other bits of marks is an error: their values are not known. */
void proof_foreign_marks(struct decoder *d, uint32_t ours);

#endif
