/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model.h - a policy with its names resolved: indices for names, units normalised, defaults filled in.
 *
 * Made from the ast by cni_resolve(), const from then on. Every entity keeps its declaration, so that a check
 * can point at the very field (cni_ast_field_span(decl, "mtu")). MTU and MSS are bytes, times milliseconds. */
#ifndef CNI_MODEL_H
#define CNI_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/ast.h"
#include "compiler/diag.h"
#include "compiler/ip.h"

#define CNI_NONE SIZE_MAX /* an index that names nothing */

/* ---- sets and services ---- */

/* A value, and where it is used: other than itself where it came by a `$name`. */
struct cni_item {
	const struct cni_ast_value *use; /* as written at the place in question: maybe `$name` */
	const struct cni_ast_value *value; /* what it stands for: never a VAR */
	const struct cni_set *set; /* that a word names; NULL: it does not */
	const struct cni_lan *lan; /* the same */
};

struct cni_items { /* lists opened */
	struct cni_item *items;
	size_t n_items;
};

struct cni_set { /* `define` */
	const char *name;
	struct cni_ranges ranges; /* canonical, members of members included */
	struct cni_items written;
	bool from_file; /* some part of it came from a file: may be empty */
	bool used; /* something names it */
	const struct cni_ast_decl *decl;
};

/* Canonical: ascending by (proto, lo), disjoint, not adjacent within one protocol. */
struct cni_port_range {
	uint8_t proto; /* IANA protocol number: 6 tcp, 17 udp, 132 sctp, 33 dccp, 136 udplite */
	uint16_t lo, hi;
};

struct cni_ports {
	struct cni_port_range *items;
	size_t n_items;
};

struct cni_service {
	const char *name;
	struct cni_ports ports;
	bool used; /* something names it */
	const struct cni_ast_decl *decl;
};

struct cni_lan {
	const char *name;
	const char *device; /* NULL: not given */
	struct cni_ranges ranges;
	const struct cni_ast_decl *decl;
};

/* ---- targets: what traffic can leave by ---- */

enum cni_link_kind { CNI_EXPRESS, CNI_CLASSIC, CNI_PNI, CNI_PEERING, CNI_INTERNET };
/* VRF and WireGuard are not among them. IPSEC is known so that it can be refused with its reason. */
enum cni_tunnel_kind { CNI_GRE, CNI_IP6GRE, CNI_IPSEC };

enum cni_mss_mode { CNI_MSS_AUTO, CNI_MSS_OFF, CNI_MSS_FIXED };

enum cni_health_mode {
	CNI_HEALTH_NONE /* not written */,
	CNI_HEALTH_OFF,
	CNI_HEALTH_LEGACY,
	CNI_HEALTH_UNI,
	CNI_HEALTH_BI
};
enum cni_health_type { CNI_HEALTH_TYPE_NONE, CNI_HEALTH_REQUEST, CNI_HEALTH_REPLY };
enum cni_health_rate { CNI_RATE_MID, CNI_RATE_LOW, CNI_RATE_HIGH };

struct cni_health { /* how the far side probes us */
	enum cni_health_mode mode;
	enum cni_health_type type;
	enum cni_health_rate rate;
	bool has_target;
	struct cni_addr target;
};

enum cni_track_mode { CNI_TRACK_NONE /* not written */, CNI_TRACK_OFF, CNI_TRACK_ON };

struct cni_track { /* how we probe */
	enum cni_track_mode mode;
	struct cni_addr *targets; /* defaults filled in: a tunnel's far end, a link's peer */
	size_t n_targets;
	bool has_source;
	struct cni_addr source;
	unsigned int every, timeout, hold; /* ms; every 1000, timeout = every, hold 0 by default */
	unsigned int down, up; /* counts; 3 and 5 by default */
	bool passive; /* probe only while bytes are sent and none come in */
	bool has_loss;
	unsigned int loss, loss_over; /* thousandths of a percent; ms */
};

struct cni_bgp { /* for the outer packet only */
	bool present;
	uint32_t local_as, peer_as;
	const char *md5_file; /* NULL: none */
	bool bfd;
};

struct cni_iface { /* one family's address of a target */
	bool has_address;
	struct cni_prefix address; /* ours, with the prefix length */
	bool has_peer;
	struct cni_addr peer; /* the next hop: other host of a /31, /30, /127, or the `gateway` */
};

struct cni_link {
	enum cni_link_kind kind;
	const char *device; /* the physical port */
	unsigned int vlan; /* 0: none; then the target's ifname is `device` */
	bool dhcp; /* `address dhcp`, or no address: something else configures it */
	struct cni_bgp bgp;
	bool lacp, bfd;
	const char *onramp; /* "router" (default) or "connector" */
	unsigned int dataplane; /* 1, 2; 0: not written */
	uint64_t rate; /* bit/s as written, 0: not written */
	bool waive_backup, waive_policy, waive_ipv6; /* `waive backup, policy, ipv6;` */
};

enum cni_tos { CNI_TOS_FIXED, CNI_TOS_INHERIT };
enum cni_connector { CNI_ONRAMP_ROUTER, CNI_ONRAMP_CONNECTOR };

struct cni_tunnel {
	enum cni_tunnel_kind kind;
	struct cni_addr local, remote; /* the outer packet's ends; family says which of gre and ip6gre fits */
	bool local_is_link; /* `local` is an address of one of the model's links; else it is owned, on lo */
	size_t *over; /* target indices of links: primary first, then backups */
	size_t n_over;
	bool underlay_bgp; /* all links in `over` have bgp: a daemon fills the underlay table */
	unsigned int ttl; /* 0: inherit; 64 by default */
	enum cni_tos tos_mode;
	uint8_t tos; /* whole byte, 0 by default */
	bool has_key;
	uint32_t key;
	bool csum, seq;
	bool pmtudisc; /* on by default */
	bool ignore_df;
	unsigned int encap_limit; /* ip6gre: 0..255; 256 is none (the default) */
	bool bgp; /* a `bgp` block inside the tunnel was written: never allowed over classic */
};

enum cni_target_kind { CNI_TARGET_LINK, CNI_TARGET_TUNNEL };

struct cni_target {
	enum cni_target_kind kind;
	const char *name; /* in the policy */
	const char *ifname; /* kernel device: a tunnel's name, a link's device or its VLAN child "eth1.100" */
	struct cni_iface iface[CNI_N_FAMILIES];
	bool carries[CNI_N_FAMILIES]; /* has an address of it, or `family …` says so; dhcp carries IPv4 */
	unsigned int mtu;
	enum cni_mss_mode mss_mode;
	unsigned int mss[CNI_N_FAMILIES]; /* what is clamped to; 0: no clamp for that family */
	struct cni_health health;
	struct cni_track track;
	bool used; /* some route's path names it */
	struct cni_link link; /* of CNI_TARGET_LINK */
	struct cni_tunnel tunnel; /* of CNI_TARGET_TUNNEL */
	const struct cni_ast_decl *decl;
};

/* ---- policies ---- */

/* One field of a match: absent (any), or a set, which `negated` turns round. All fields must hold. */
struct cni_match {
	bool has_from, has_to, not_from, not_to;
	struct cni_ranges from, to;
	struct cni_items from_written, to_written; /* of what is not negated */
	bool has_proto, not_proto;
	uint64_t proto[4]; /* a bit per protocol number */
	/* sport, dport and service: each a list of (proto, ports), so that `tcp sport 1 tcp dport 2 service x` all
	 * hold; every list is a conjunct of its own */
	struct cni_port_match {
		bool source; /* the source port; else the destination port */
		bool negated;
		struct cni_ports ports;
		const struct cni_ast_match *ast;
	} * ports;
	size_t n_ports;
	bool has_dscp, not_dscp;
	uint64_t dscp; /* a bit per code point */
	struct cni_icmp_match {
		enum cni_family family; /* CNI_V4: ICMP (1), CNI_V6: ICMPv6 (58) */
		bool negated;
		uint64_t types[4]; /* a bit per type */
		const struct cni_ast_match *ast;
	} * icmp;
	size_t n_icmp;
};

struct cni_member {
	size_t target; /* index into model->targets */
	unsigned int weight; /* 1..256; 1 in ordered paths */
	bool masquerade;
};

struct cni_path {
	enum cni_verdict verdict; /* MAIN, DROP, REJECT without members; NONE: members */
	bool masquerade; /* of `via main masquerade` */
	bool weighted; /* members share by weight; else they are in order of preference */
	struct cni_member *members;
	size_t n_members;
	enum cni_verdict otherwise; /* when no member is up; NONE only where verdict is not */
};

struct cni_route {
	const char *name;
	struct cni_match match;
	bool has_source;
	struct cni_addr source;
	struct cni_path path;
	const struct cni_ast_route *ast;
};

struct cni_policy {
	const char *name;
	const char **devices; /* kernel names; `local` is not among them */
	size_t n_devices;
	bool local; /* also (or only) what the router itself originates */
	struct cni_route *routes; /* in order: the first match decides */
	size_t n_routes;
	enum cni_verdict otherwise; /* NONE: not written (then the last route matches everything, by a check) */
	const struct cni_ast_decl *decl;
};

struct cni_expect {
	const char *device; /* "local": the router itself */
	struct cni_match match;
	size_t *down; /* target indices */
	size_t n_down;
	bool never; /* `never via X` */
	enum cni_verdict outcome; /* NONE: target */
	size_t target;
	const struct cni_ast_decl *decl;
};

/* ---- options ---- */

enum cni_established { CNI_ESTABLISHED_FOLLOW, CNI_ESTABLISHED_KEEP };
enum cni_known_flows { CNI_KNOWN_BY_MARK, CNI_KNOWN_CLASSIFIED };
enum cni_return { CNI_RETURN_SYMMETRIC, CNI_RETURN_NONE };
enum cni_rp_filter { CNI_RP_AUTO, CNI_RP_KEEP, CNI_RP_LOOSE, CNI_RP_OFF };
/* What becomes of flows that are on a backup when a target before it comes back. */
enum cni_failback {
	CNI_FAILBACK_KEEP, /* they stay while the backup is up */
	CNI_FAILBACK_DRAIN, /* the same, but no longer than `drain` */
	CNI_FAILBACK_FLUSH, /* they go back at once; conntrack forgets those whose NAT is of the backup */
};
enum cni_provider { CNI_PROVIDER_CLOUDFLARE, CNI_PROVIDER_OTHER };

struct cni_options {
	uint32_t mark_mask; /* 0x0000ffff by default; contiguous bits, at least 8 */
	uint32_t table; /* first routing table number: 20000 by default */
	uint32_t rule_priority; /* first ip rule priority: 1000 by default */
	enum cni_established established;
	enum cni_known_flows known_flows;
	struct cni_span known_flows_span; /* where it is written; {0, 0}: it is not */
	enum cni_return ret;
	enum cni_rp_filter rp_filter;
	struct cni_span rp_filter_span; /* where it is written; {0, 0}: it is not */
	enum cni_provider provider;
	enum cni_failback failback;
	unsigned int drain; /* ms; of DRAIN, 5 minutes by default */
};

struct cni_model {
	unsigned int profile; /* 2024 (default) or 2026 */
	struct cni_options options;
	struct cni_set *sets;
	size_t n_sets;
	struct cni_service *services;
	size_t n_services;
	struct cni_lan *lans;
	size_t n_lans;
	struct cni_target *targets; /* links first, then tunnels, each in source order */
	size_t n_targets, n_links;
	struct cni_policy *policies;
	size_t n_policies;
	struct cni_expect *expects;
	size_t n_expects;
	const struct cni_expect *packet; /* what CNI_DECL_PACKET describes, without an outcome; NULL: there is none */
};

/* A variable given from outside (`--set NAME=VALUE`): it wins over `var NAME = …`. */
struct cni_setting {
	const char *name, *value; /* the value is one token of the language, e.g. "10.0.0.0/8" or "eth2" */
	const struct cni_ast_value *parsed; /* by grammar/: NULL makes the resolver report it */
};

/* Resolves names, units and defaults. Reports every mistake into `diags`; the result is never NULL, and is fit
 * for the checks even after mistakes (what could not be resolved is left out or CNI_NONE), but for lowering
 * only when diags->n_errors is 0. */
struct cni_model *cni_resolve(struct cni_arena *arena, const struct cni_ast *ast, const struct cni_setting *settings,
			      size_t n_settings, struct cni_diags *diags);

/* Bytes of outer headers that the tunnel's kind and options put on a packet. */
unsigned int cni_tunnel_overhead(const struct cni_tunnel *tunnel);

/* Runs every check of check/checks.def over a resolved model (registry with prerequisites). */
void cni_check(struct cni_arena *arena, const struct cni_model *model, struct cni_diags *diags);
/* A note for every route that loses packets to earlier ones: which take how many, and what is left. */
void cni_check_shadowed(struct cni_arena *arena, const struct cni_model *model, struct cni_diags *diags);

#endif
