/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state.h - what a network namespace holds, or shall hold: kernel-shaped, sorted records.
 *
 * Desired state (made by lower/) and observed state (made by runtime/netlink/snapshot) are the same type, so
 * that a diff is one sorted merge, and any state prints in the same ways (emit/). Every record has a key (the
 * fields named first), an owner, and the place in the policy that it came from ({0,0} when observed).
 *
 * What is ours, in the kernel: the nft table `inet cnic`; routes, rules and addresses with protocol CNI_PROTO;
 * devices in group CNI_GROUP. nft chains and sets are named by content ("route.office.voip.3f9a1c…"): equal
 * names mean equal content, so an update only adds and removes them, and never edits what packets can reach. */
#ifndef CNI_STATE_H
#define CNI_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/ip.h"
#include "compiler/source.h"

#define CNI_PROTO 93 /* rtm_protocol, FRA_PROTOCOL, IFA_PROTO; unassigned in rt_protos of iproute2 6.1 */
#define CNI_GROUP 0x636e /* IFLA_GROUP of our devices: honoured at creation, unlike IFLA_IFALIAS */
#define CNI_TABLE "cnic" /* nft table, family inet */
#define CNI_FORMER "former" /* the set that settings' former values are noted in: lower.h */
#define CNI_GUARD_METRIC 4278198272u /* worse than any daemon's: closes a table */
#define CNI_IFNAME 16 /* IFNAMSIZ */

/* ---- devices ---- */

enum cni_link_type { CNI_DEV_OTHER, CNI_DEV_GRE, CNI_DEV_IP6GRE, CNI_DEV_VLAN };

struct cni_st_link {
	const char *name; /* key */
	struct cni_span span;
	bool owned; /* observed: group CNI_GROUP; desired: cnic makes it */
	enum cni_link_type type; /* desired, not owned: OTHER, and it need only exist */
	const char *kind; /* the kernel's word ("gre", "veth"); "" for a physical port */
	bool up;
	uint32_t mtu; /* desired, not owned: 0, not ours to set */
	struct cni_addr local, remote; /* GRE, IP6GRE */
	uint8_t ttl, tos; /* ttl 0: inherit; tos 1: inherit (the kernel's encoding) */
	bool has_key, csum, seq, pmtudisc, ignore_df;
	uint32_t key;
	uint16_t encap_limit; /* IP6GRE: 256 is none */
	const char *parent; /* VLAN */
	uint16_t vlan;
	/* observed only */
	int ifindex;
	bool carrier;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets, rx_errors, tx_errors;
};

/* A setting of a device or of the namespace that is ours to set while it is listed. */
enum cni_setting_key {
	CNI_SET_RP_FILTER, /* IPv4, per device and "all": 0 off, 1 strict, 2 loose */
	CNI_SET_ACCEPT_LOCAL, /* IPv4, per device */
	CNI_SET_IGNORE_LINKDOWN, /* IPv4, per device: ignore_routes_with_linkdown */
	CNI_SET_IGNORE_LINKDOWN6, /* IPv6, per device */
	CNI_SET_MULTIPATH_HASH, /* namespace, IPv4: fib_multipath_hash_policy; device is "" */
	CNI_SET_MULTIPATH_HASH6, /* namespace, IPv6 */
	CNI_N_SETTINGS
};

struct cni_setting_info { /* one row a key; table in state/settings.c */
	const char *name; /* "rp_filter": what prints */
	const char *path; /* below /proc/sys/net/, with one %s for the device, or none */
	int devconf; /* IPV4_DEVCONF_* (linux/ip.h) for IFLA_INET_CONF; 0: only by the path */
};
extern const struct cni_setting_info cni_setting_info[CNI_N_SETTINGS];

struct cni_st_setting {
	const char *device; /* key, with `key`: a device, "all", or "" for the namespace */
	enum cni_setting_key key;
	struct cni_span span;
	int value;
	bool has_former; /* observed: cnic set it, and this is what `remove` puts back */
	int former;
};

struct cni_st_addr {
	const char *device; /* key, with `address` */
	struct cni_prefix address;
	struct cni_span span;
	bool owned;
};

/* ---- routing ---- */

/* An ip rule `lookup table`, `goto jump` (where there is one: on to that priority), or, with neither, `nop`; the key is
 * all of it. The kernel tells no two rules apart by `invert` or `jump` alone. */
struct cni_st_rule {
	enum cni_family family;
	uint32_t priority;
	bool has_from, has_to;
	struct cni_prefix from, to;
	const char *iif; /* NULL: any */
	uint32_t mark, mask; /* mask 0: any */
	uint8_t ipproto; /* 0: any */
	bool invert; /* `not`: all but what it selects */
	uint32_t jump;
	uint32_t table; /* 0: none */
	struct cni_span span;
	bool owned;
	bool other; /* observed: has a selector or an action that cnic never writes; never equals a desired one */
};

/* Whether it leads packets of one mark to a table, as a path's does; those that only pass over others do not. */
static inline bool cni_rule_is_by_mark(const struct cni_st_rule *rule)
{
	return rule->mask && rule->table && !rule->jump && !rule->invert;
}

enum cni_route_type { CNI_RT_UNICAST, CNI_RT_BLACKHOLE, CNI_RT_UNREACHABLE, CNI_RT_OTHER };

struct cni_st_hop {
	bool has_via;
	struct cni_addr via;
	const char *device;
	uint16_t weight; /* 1..256 */
	bool onlink;
	bool linkdown, dead; /* observed */
	const char *target; /* desired: the link or tunnel that it is through; NULL: none that the policy has */
};

/* What becomes of a next hop while the target that it is through is said to be down: state/down.h. */
enum cni_when_down {
	CNI_DOWN_LEAVES, /* it goes, and with the last one the route */
	CNI_DOWN_STAYS, /* answers leave by the target that the flow came in by, whatever is said of it */
	CNI_DOWN_UNLESS_ALL, /* it goes, unless no other route of the same table to the same prefix has one that is up */
};

struct cni_st_route {
	uint32_t table; /* key, with family, to and metric */
	enum cni_family family;
	struct cni_prefix to; /* length 0: default */
	uint32_t metric;
	struct cni_span span;
	bool owned;
	enum cni_route_type type;
	bool has_source;
	struct cni_addr source; /* preferred source */
	struct cni_st_hop *hops; /* UNICAST: one or more; more: multipath */
	size_t n_hops;
	enum cni_when_down when_down; /* desired */
};

/* ---- nftables ---- */

/* Rules are kept as the kernel's own expressions (linux/netfilter/nf_tables.h): what is printed, sent, read
 * back, compared and interpreted is one thing. Registers are numbered in 32-bit words: 0..15 are
 * NFT_REG32_00..15; the verdict register is implied by the expressions that use it. */
enum cni_expr_op {
	CNI_X_META, /* reg := meta `key` (NFT_META_*) */
	CNI_X_META_SET, /* meta `key` := reg */
	CNI_X_CT, /* reg := ct `key` (NFT_CT_STATE, DIRECTION, STATUS, MARK) */
	CNI_X_CT_SET, /* ct `key` := reg */
	CNI_X_PAYLOAD, /* reg := `len` bytes at `offset` of header `key` (NFT_PAYLOAD_*) */
	CNI_X_FIB, /* reg := fib, result `key` (NFT_FIB_RESULT_*), flags `len` (NFTA_FIB_F_*) */
	CNI_X_CMP, /* reg `key` (NFT_CMP_*) a[0..len): else leave the rule */
	CNI_X_BITWISE, /* reg := (sreg & a) ^ b over `len` bytes */
	CNI_X_BYTEORDER, /* reg := hton(sreg), 32 bits */
	CNI_X_HASH, /* reg := jhash(sreg.., `len`, seed) mod `modulus` + 0 */
	CNI_X_LOOKUP, /* sreg in set `name`: else leave the rule; `key` 1: inverted; `key` 2: a verdict map */
	CNI_X_IMMEDIATE, /* reg := a[0..len) */
	CNI_X_VERDICT, /* `key`: NFT_JUMP, NFT_GOTO (to chain `name`), NFT_RETURN, NF_ACCEPT, NF_DROP */
	CNI_X_COUNTER, /* the named counter `name` counts */
	CNI_X_TCPOPT_SET, /* TCP option `key`: `len` bytes at `offset` := sreg (only ever lowers an MSS) */
	CNI_X_NOTRACK,
	CNI_X_MASQUERADE,
	CNI_X_SNAT, /* source := address in sreg; `key` is NFPROTO_IPV4 or NFPROTO_IPV6 */
	CNI_X_REJECT, /* ICMPX `key` (NFT_REJECT_ICMPX_*) */
	CNI_X_OTHER, /* observed: an expression that cnic never writes; `name` is its kind */
};

struct cni_expr {
	enum cni_expr_op op;
	int32_t key;
	uint8_t reg, sreg;
	uint16_t offset, len;
	uint32_t modulus, seed;
	uint8_t a[16], b[16];
	const char *name;
};

struct cni_st_rule_nft {
	struct cni_expr *exprs;
	size_t n_exprs;
	struct cni_span span;
	uint64_t handle; /* observed */
};

enum cni_hook_type { CNI_HOOK_NONE, CNI_HOOK_FILTER, CNI_HOOK_ROUTE, CNI_HOOK_NAT };

struct cni_st_chain {
	const char *name; /* key. Base chains hold only jumps, and have fixed names; so have the chains "classify.ID";
			   * all others are named by content */
	struct cni_span span;
	enum cni_hook_type type; /* NONE: a chain that others jump to */
	uint32_t hook; /* NF_INET_* */
	int32_t priority;
	struct cni_st_rule_nft *rules;
	size_t n_rules;
	uint64_t handle; /* observed */
};

struct cni_st_counter {
	const char *name; /* key: "route.POLICY.ROUTE", "path.ID" */
	const char *comment; /* kept in the kernel; of a path: what the id stands for (see lower.h) */
	struct cni_span span;
	uint64_t packets, bytes, handle; /* observed */
};

/* Types of a set's key fields. */
enum cni_key_type {
	CNI_KEY_IPV4,
	CNI_KEY_IPV6,
	CNI_KEY_SERVICE,
	CNI_KEY_PROTO,
	CNI_KEY_MARK,
	CNI_KEY_IFNAME,
	CNI_N_KEYS
};

struct cni_key_info { /* one row a type; table in state/keys.c */
	const char *name; /* nft's: "ipv4_addr" */
	uint32_t nft_type; /* nft's TYPE_* number, for NFTA_SET_KEY_TYPE */
	uint16_t len; /* bytes */
	bool host_order; /* mark: kept and compared in host byte order */
};
extern const struct cni_key_info cni_key_info[CNI_N_KEYS];

#define CNI_KEY_FIELDS 5

struct cni_st_verdict {
	int32_t code; /* NFT_GOTO, NFT_JUMP, NFT_RETURN, NF_ACCEPT, NF_DROP */
	const char *chain; /* of GOTO and JUMP */
};

struct cni_st_set {
	const char *name; /* key. Named by content, but for "former" */
	struct cni_span span;
	enum cni_key_type fields[CNI_KEY_FIELDS];
	size_t n_fields; /* more than one: concatenated, each padded to 4 bytes */
	bool interval; /* elements are closed ranges lo..hi; of a concatenation, a range of each field */
	bool map; /* a verdict map */
	uint16_t key_len; /* bytes, padding included */
	/* Element i: key_len bytes at keys + i * stride, then, if `interval`, key_len bytes of the upper end
	 * (included); ascending by memcmp; ranges disjoint, and, of one field, not adjacent unless the verdict differs. */
	uint8_t *keys;
	struct cni_st_verdict *verdicts; /* of maps, one an element */
	const char **comments; /* of "former" only, one an element; else NULL */
	size_t n_elems;
	uint64_t handle; /* observed */
	bool unread; /* observed: its elements were left where they are, since the seal says that they are what its name says */
};

/* Ranges of several fields: the kernel keeps both ends of them in one element. */
static inline bool cni_set_is_boxes(const struct cni_st_set *set)
{
	return set->interval && set->n_fields > 1;
}

static inline size_t cni_set_stride(const struct cni_st_set *set)
{
	return set->interval ? 2 * (size_t)set->key_len : set->key_len;
}

/* ---- flows ---- */

/* Marks that conntrack has from other paths, epochs or policies and that the new policy would take for its own. What is
 * said here is changed before the flip; up to it nothing can set such a mark. */
struct cni_stale {
	uint32_t mask; /* bits that are ours; 0: nothing is stale */
	bool all; /* every flow with any of them loses them: no policy is live */
	/* Flows with (mark & id_mask) among these, ascending: the path is new, its number is not. They get `gone`, a number
	 * that no path ever has: to both policies it is that of a path that is gone, which no mark at all is not. */
	uint32_t *ids;
	size_t n_ids;
	uint32_t id_mask, gone;
	/* flows with (mark & epoch_mask) == epoch lose these bits alone: their path stays, for those whose NAT is fixed */
	uint32_t epoch_mask, epoch;
};

/* A path's way through its targets, as its routes have it: what the tracker must know to see which flows move. */
struct cni_st_way {
	uint32_t mark; /* the id, in place: of packets; of flows within cni_state.id_mask */
	bool is_return; /* answers to what came in by its target: also what a probe is marked with to leave by it */
	bool is_pinned; /* no new flow comes here */
	bool nats; /* translates: fixed at a flow's first packet */
	struct cni_st_through {
		const char *target;
		unsigned int tier; /* from 0: the first that has any target up is taken, all those of it by weight */
		bool carries[2]; /* by family */
	} * targets; /* ascending by tier */
	size_t n_targets;
};

/* Flows of one way that are on `target`, and are to stay there when a better one comes back, change over to a way that has
 * this target first and is the same otherwise. */
struct cni_st_pin {
	uint32_t mark, pinned; /* ids, in place */
	const char *target;
};

/* ---- how packets are decided ---- */

/* What a new flow's first packet may meet on its way through the routes of a policy. */
struct cni_decision_cost {
	const char *policy;
	enum cni_family family; /* CNI_N_FAMILIES: of both in one, by rules alone */
	size_t n_routes, n_layers /* 0: none were made */, n_maps, n_elements, n_rules;
	size_t most; /* rules and look-ups until there is an answer */
	uint64_t sum; /* of those, over all routes: by n_routes, what is to be expected where each is as likely */
};

/* ---- all of it ---- */

struct cni_state {
	struct cni_st_link *links;
	size_t n_links;
	struct cni_st_setting *settings;
	size_t n_settings;
	struct cni_st_addr *addrs;
	size_t n_addrs;
	struct cni_st_rule *rules;
	size_t n_rules;
	struct cni_st_route *routes; /* observed: ours, others' in tables that we fill, main's defaults */
	size_t n_routes;
	struct cni_st_route *all_routes; /* desired: what `routes` are while nothing is down (state/down.h) */
	size_t n_all_routes;
	const char **tracked; /* desired: the targets that are probed, by name, ascending */
	size_t n_tracked;
	struct cni_st_way *ways; /* desired: those through targets, ascending by mark */
	size_t n_ways;
	struct cni_st_pin *pins; /* desired: ascending by mark, then by target; none where flows do not stay */
	size_t n_pins;
	uint32_t id_mask; /* desired: the bits of a flow's mark that hold the way's id */
	uint32_t down_table; /* desired: where the kernel keeps which of them are down */
	bool has_table; /* the nft table is there (observed) or wanted (desired) */
	struct cni_st_counter *counters;
	size_t n_counters;
	struct cni_st_set *sets;
	size_t n_sets;
	struct cni_st_chain *chains;
	size_t n_chains;
	uint32_t generation; /* observed: nft's generation id */
	bool has_seal; /* observed: of whatever generation, boot or namespace */
	uint32_t sealed; /* observed: that at which every set held what its name says; 0: it is not known (lower.h) */
	struct cni_stale stale; /* desired */
	struct cni_decision_cost *costs; /* desired */
	size_t n_costs;
	size_t n_former; /* desired: paths of the policy before that are kept for their flows (lower.h) */
	size_t n_left; /* desired: those, and such as were let go of for having none */
	bool has_forwarding[CNI_N_FAMILIES]; /* observed: net.ipv4.ip_forward, net.ipv6.conf.all.forwarding */
};

/* Whether the chain's rules are what the flip changes: under a fixed name. */
bool cni_chain_flips(const struct cni_st_chain *chain);

/* Sorts every list by key. Rules of a chain keep their order. */
void cni_state_sort(struct cni_state *state);
void cni_state_sort_routes(struct cni_state *state);

/* What makes a table's whole content cnic's business: that a rule by mark leads there, or that routes of ours go on
 * from there. Not so the table of outer packets that a daemon fills: cnic only closes it. */
static inline bool cni_rule_fills(const struct cni_st_rule *rule)
{
	return rule->owned && cni_rule_is_by_mark(rule);
}

static inline bool cni_route_fills(const struct cni_st_route *route)
{
	return route->owned && route->n_hops;
}

/* <0, 0, >0 by key; one a kind of record. */
int cni_link_cmp(const struct cni_st_link *a, const struct cni_st_link *b);
int cni_setting_cmp(const struct cni_st_setting *a, const struct cni_st_setting *b);
int cni_addr_cmp(const struct cni_st_addr *a, const struct cni_st_addr *b);
int cni_rule_cmp(const struct cni_st_rule *a, const struct cni_st_rule *b);
int cni_route_cmp(const struct cni_st_route *a, const struct cni_st_route *b);
int cni_counter_cmp(const struct cni_st_counter *a, const struct cni_st_counter *b);
int cni_set_cmp(const struct cni_st_set *a, const struct cni_st_set *b);
int cni_chain_cmp(const struct cni_st_chain *a, const struct cni_st_chain *b);

/* Whether two records of one key say the same of what cnic controls (observed-only fields left out). */
bool cni_link_same(const struct cni_st_link *a, const struct cni_st_link *b);
bool cni_route_same(const struct cni_st_route *a, const struct cni_st_route *b);
bool cni_counter_same(const struct cni_st_counter *a, const struct cni_st_counter *b);
bool cni_set_same(const struct cni_st_set *a, const struct cni_st_set *b);
bool cni_chain_same(const struct cni_st_chain *a, const struct cni_st_chain *b);
bool cni_expr_same(const struct cni_expr *a, const struct cni_expr *b);
bool cni_nft_rule_same(const struct cni_st_rule_nft *a, const struct cni_st_rule_nft *b);

#endif
