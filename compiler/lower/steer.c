/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steer.c - the chains that decide a packet's way: once, in one base chain a hook.
 *
 * prerouting: by device to a policy (or, on a target, to the note of where a flow came in). In a policy: flows
 * that are known by their conntrack mark take their way; what must not be steered returns; then the routes in
 * order (routes.c). A route's chain counts, notes the way in the conntrack mark, and sets the packet's mark.
 * output: the same for what the router itself sends, except for the outer packets of tunnels. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "compiler/lower/nft.h"

#define CT_STATUS_CONFIRMED 0x08 /* IPS_CONFIRMED: linux/nf_conntrack_common.h; not so a flow's first packet */
#define CT_STATUS_SNAT 0x10 /* IPS_SRC_NAT */

static const struct cni_span nowhere;

/* ---- what is never steered ---- */

static void add_range(struct lower *l, struct cni_ranges *ranges, const char *prefix, uint8_t len)
{
	struct cni_prefix p = { .len = len };

	cni_addr_parse(prefix, strlen(prefix), &p.addr);
	cni_ranges_add_prefix(l->arena, ranges, p);
}

static void never_sets(struct lower *l)
{
	const struct cni_model *m = l->model;
	struct cni_ranges never = { 0 };

	for (size_t i = 0; i < m->n_lans; i++)
		cni_ranges_add_all(l->arena, &never, &m->lans[i].ranges);
	for (size_t i = 0; i < m->n_targets; i++) {
		const struct cni_target *t = &m->targets[i];

		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
			if (t->iface[f].has_address)
				cni_ranges_add_prefix(l->arena, &never, t->iface[f].address);
			if (t->iface[f].has_peer)
				cni_ranges_add(l->arena, &never, t->iface[f].peer, t->iface[f].peer);
		}
		if (t->kind == CNI_TARGET_TUNNEL)
			cni_ranges_add(l->arena, &never, t->tunnel.local, t->tunnel.local);
		if (t->health.has_target)
			cni_ranges_add(l->arena, &never, t->health.target, t->health.target);
	}
	add_range(l, &never, "224.0.0.0", 4); /* multicast: RFC 5771 */
	add_range(l, &never, "169.254.0.0", 16); /* link-local: RFC 3927 */
	add_range(l, &never, "255.255.255.255", 32);
	add_range(l, &never, "ff00::", 8); /* RFC 4291, 2.7 */
	add_range(l, &never, "fe80::", 10);
	cni_ranges_normalise(&never);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		l->never_set[f] = set_of_ranges(l, &never, f, f == CNI_V4 ? "never.4" : "never.6");
}

static void never_rules(struct lower *l, struct chain *chain)
{
	static const uint32_t types[] = { RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST }; /* multicast is in the sets */
	struct cni_st_rule_nft *r;

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		r = chain_rule(l, chain, nowhere);
		if_family(l, r, f);
		if_addr_in_set(l, r, false, true, f, l->never_set[f]);
		do_verdict(l, r, NFT_RETURN, NULL);
	}
	/* addresses that the policy does not know of */
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		r = chain_rule(l, chain, nowhere);
		if_fib_daddr_type(l, r, types[i]);
		do_verdict(l, r, NFT_RETURN, NULL);
	}
}

/* ---- ways ---- */

static void path_chains(struct lower *l)
{
	for (size_t i = 0; i < l->n_ways; i++) {
		struct way *way = &l->ways[i];
		const char *name = cni_printf(l->arena, "path.%u", way->id);
		struct chain chain = { 0 };
		struct cni_st_rule_nft *r;

		counter_add(l, name, way->key, way->span);
		lower_clamp_way(l, &chain, way);
		r = chain_rule(l, &chain, way->span);
		do_counter(l, r, name);
		do_set_mark(l, r, l->mask, mark_of(l, way->id));
		/* an end, not a way back: a large set is asked by a jump from among the routes (shards.h) */
		do_verdict(l, r, NF_ACCEPT, NULL);
		way->path_chain = chain_done(l, &chain, name);
	}
}

/* Maps from conntrack marks to ways: of this epoch for known flows; of any epoch, for flows whose NAT is fixed
 * already; of epoch 0 for answers, whose way no policy changes. */
static void mark_maps(struct lower *l)
{
	struct set known = { .set.map = true }, back = known, by_id = known, by_id_nat = known;

	set_key_field(&known, CNI_KEY_MARK);
	set_key_field(&back, CNI_KEY_MARK);
	set_key_field(&by_id, CNI_KEY_MARK);
	set_key_field(&by_id_nat, CNI_KEY_MARK);
	for (size_t i = 0; i < l->n_ways; i++) {
		const struct way *way = &l->ways[i];
		uint32_t now = ct_mark_of(l, way->id), any = mark_of(l, way->id);

		if (way->is_return) {
			set_add(l, &back, &any, NFT_GOTO, way->path_chain);
			continue;
		}
		if (l->model->options.known_flows == CNI_KNOWN_BY_MARK)
			set_add(l, &known, &now, NFT_GOTO, way->path_chain);
		set_add(l, &by_id, &any, NFT_GOTO, way->path_chain);
		if (way->nats)
			set_add(l, &by_id_nat, &any, NFT_GOTO, way->path_chain);
	}
	l->known_set = set_done(l, &known, "known");
	l->return_set = l->model->options.ret == CNI_RETURN_SYMMETRIC ? set_done(l, &back, "return") : NULL;
	l->by_id_nat_set = set_done(l, &by_id_nat, "translated");
	l->by_id_set = set_done(l, &by_id, "untranslated");
}

static void known_flows(struct lower *l, struct chain *chain, bool policy)
{
	struct cni_st_rule_nft *r;

	if (policy && l->known_set) {
		r = chain_rule(l, chain, nowhere);
		if_ct_direction(l, r, true);
		by_ct_mark(l, r, l->mask, l->known_set);
	}
	if (l->return_set) {
		r = chain_rule(l, chain, nowhere);
		if_ct_direction(l, r, false);
		by_ct_mark(l, r, l->mask, l->return_set);
	}
}

/* A flow's NAT is fixed at its first packet: one that is translated keeps its way, whatever the epoch. */
static void translated_flows(struct lower *l, struct chain *chain)
{
	struct cni_st_rule_nft *r;

	if (!l->by_id_nat_set)
		return;
	r = chain_rule(l, chain, nowhere);
	if_ct_direction(l, r, true);
	if_ct_bits(l, r, NFT_CT_STATUS, CT_STATUS_SNAT, true);
	by_ct_mark(l, r, l->id_mask, l->by_id_nat_set);
}

/* … and one that is not cannot begin to be: it keeps its former way. One whose way is gone has nowhere to go; one
 * from before cnic stays with main. */
static void untranslated_flows(struct lower *l, struct chain *chain)
{
	struct cni_st_rule_nft *r;

	r = chain_rule(l, chain, nowhere);
	if_ct_direction(l, r, true);
	if_ct_bits(l, r, NFT_CT_STATUS, CT_STATUS_SNAT, false);
	by_ct_mark(l, r, l->id_mask, l->by_id_set);
	r = chain_rule(l, chain, nowhere);
	if_ct_direction(l, r, true);
	if_ct_bits(l, r, NFT_CT_STATUS, CT_STATUS_SNAT, false);
	if_ct_mark(l, r, false, l->id_mask, 0);
	do_verdict(l, r, NF_DROP, NULL);
	r = chain_rule(l, chain, nowhere);
	if_ct_direction(l, r, true);
	if_ct_bits(l, r, NFT_CT_STATUS, CT_STATUS_CONFIRMED, true);
	if_ct_bits(l, r, NFT_CT_STATUS, CT_STATUS_SNAT, false);
	do_verdict(l, r, NF_ACCEPT, NULL);
}

/* Where a packet's flow is given its way, and the epoch. Under a fixed name, so that another epoch is another set of rules
 * here and nowhere else: what leads to a way, which may be much, stays as it is. */
static void save_chains(struct lower *l)
{
	for (size_t i = 0; i < l->n_ways; i++) {
		struct way *way = &l->ways[i];
		struct chain chain = { 0 };
		struct cni_st_rule_nft *r;

		if (way->is_return || way->is_former || way->is_pinned)
			continue;
		if (way->nats)
			untranslated_flows(l, &chain);
		r = chain_rule(l, &chain, way->span);
		if_ct_direction(l, r, true);
		do_set_ct_mark(l, r, l->mask, ct_mark_of(l, way->id));
		do_verdict(l, chain_rule(l, &chain, way->span), NFT_GOTO, way->path_chain);
		way->save_chain = chain_fixed(l, &chain, cni_printf(l->arena, "classify.%u", way->id));
	}
}

/* ---- policies ---- */

static const char *policy_chain(struct lower *l, size_t index, struct chain *chain)
{
	translated_flows(l, chain);
	lower_routes(l, index, chain);
	return cni_printf(l->arena, "policy.%s", l->model->policies[index].name);
}

/* ---- by device ---- */

static bool has_policy(const struct cni_model *m, const char *device)
{
	for (size_t p = 0; p < m->n_policies; p++)
		for (size_t d = 0; d < m->policies[p].n_devices; d++)
			if (!strcmp(m->policies[p].devices[d], device))
				return true;
	return false;
}

/* The link by which answers to a target's probes leave because the address that is probed is that link's own: there a rule
 * by source would also take what the router answers to everybody else. CNI_NONE: they find their way otherwise. */
static size_t answering_link(const struct cni_model *m, size_t target)
{
	const struct cni_target *t = &m->targets[target];
	const struct cni_addr local = t->tunnel.local;

	if (t->health.has_target)
		return CNI_NONE;
	if (t->kind == CNI_TARGET_LINK)
		return t->health.type == CNI_HEALTH_REPLY ? target : CNI_NONE;
	for (size_t i = 0; i < m->n_links && t->health.mode == CNI_HEALTH_UNI; i++) {
		const struct cni_iface *iface = &m->targets[i].iface[local.family];

		if (iface->has_address && cni_addr_equal(iface->address.addr, local) &&
		    !has_policy(m, m->targets[i].ifname))
			return i;
	}
	return CNI_NONE;
}

/* What comes in by a target is answered by it: its way back is noted when a flow starts, and again when the far
 * side moves the flow to another target. */
static const char *arrival_chain(struct lower *l, size_t target)
{
	const uint32_t mark = mark_of(l, l->ways[l->returns[target]].id);
	const struct cni_target *t = &l->model->targets[target];
	const size_t by = answering_link(l->model, target);
	const struct cni_span span = t->decl->name.span;
	struct chain chain = { 0 };
	struct cni_st_rule_nft *r;

	if (by != CNI_NONE && t->health.type == CNI_HEALTH_REPLY)
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
			if ((r = lower_reply_probe(l, &chain, t, f)))
				do_verdict(l, r, NFT_GOTO, l->ways[l->returns[by]].path_chain);
	/* neighbours on the link itself are answered directly */
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		r = chain_rule(l, &chain, span);
		if_family(l, r, f);
		if_addr_in_set(l, r, true, true, f, l->never_set[f]);
		do_verdict(l, r, NFT_RETURN, NULL);
	}
	if (t->kind == CNI_TARGET_TUNNEL && t->health.mode == CNI_HEALTH_UNI) {
		/* unidirectional probes are answered outside the tunnel */
		const struct cni_addr probed = t->health.has_target ? t->health.target : t->tunnel.local;

		if (by != CNI_NONE) {
			r = chain_rule(l, &chain, span);
			if_family(l, r, probed.family);
			if_addr_range(l, r, false, true, probed, probed);
			if_ct_direction(l, r, true);
			do_set_ct_mark(l, r, l->mask, mark_of(l, l->ways[l->returns[by]].id));
		}
		r = chain_rule(l, &chain, span);
		if_family(l, r, probed.family);
		if_addr_range(l, r, false, true, probed, probed);
		do_verdict(l, r, NFT_RETURN, NULL);
	}
	r = chain_rule(l, &chain, span);
	if_ct_direction(l, r, true);
	if_ct_mark(l, r, false, l->mask, mark);
	do_set_ct_mark(l, r, l->mask, mark);
	return chain_done(l, &chain, cni_printf(l->arena, "arrival.%s", t->name));
}

static void add_device(struct lower *l, struct set *map, const char *device, const char *chain)
{
	char key[CNI_IFNAME] = "";

	memcpy(key, device, strnlen(device, sizeof(key) - 1));
	set_add(l, map, key, NFT_GOTO, chain);
}

static const char *device_map(struct lower *l)
{
	const struct cni_model *m = l->model;
	struct set map = { .set.map = true };

	set_key_field(&map, CNI_KEY_IFNAME);
	for (size_t p = 0; p < m->n_policies; p++) {
		struct chain chain = { .span = m->policies[p].decl->name.span };
		const char *name;

		if (!m->policies[p].n_devices)
			continue;
		known_flows(l, &chain, l->model->options.known_flows == CNI_KNOWN_BY_MARK);
		never_rules(l, &chain);
		name = policy_chain(l, p, &chain);
		name = chain_done(l, &chain, name);
		for (size_t d = 0; d < m->policies[p].n_devices; d++)
			add_device(l, &map, m->policies[p].devices[d], name);
	}
	/* a device that is a target and has a policy is in transit: its policy speaks for both directions */
	for (size_t t = 0; t < m->n_targets && l->return_set; t++)
		if (!has_policy(m, m->targets[t].ifname))
			add_device(l, &map, m->targets[t].ifname, arrival_chain(l, t));
	return set_done(l, &map, "device");
}

/* ---- the hooks ---- */

static void outer_sets(struct lower *l)
{
	const struct cni_model *m = l->model;

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		struct set set = { 0 };
		uint8_t key[32];

		set_key_field(&set, f == CNI_V4 ? CNI_KEY_IPV4 : CNI_KEY_IPV6);
		set_key_field(&set, f == CNI_V4 ? CNI_KEY_IPV4 : CNI_KEY_IPV6);
		for (size_t i = m->n_links; i < m->n_targets; i++) {
			const struct cni_tunnel *tunnel = &m->targets[i].tunnel;

			if (tunnel->local.family != f)
				continue;
			cni_addr_to_bytes(tunnel->remote, key + cni_addr_to_bytes(tunnel->local, key));
			set_add(l, &set, key, 0, NULL);
		}
		l->outer_set[f] = set_done(l, &set, f == CNI_V4 ? "outer.4" : "outer.6");
	}
}

static void prerouting(struct lower *l, const char *mss_map)
{
	struct chain chain = { 0 };
	const char *devices = device_map(l);

	if (mss_map)
		lower_clamp_rule(l, chain_rule(l, &chain, nowhere), NFT_META_IIFNAME, mss_map);
	if (devices)
		by_device(l, chain_rule(l, &chain, nowhere), NFT_META_IIFNAME, devices);
	if (chain.n_rules)
		base_chain(l, "prerouting", CNI_HOOK_FILTER, NF_INET_PRE_ROUTING, NF_IP_PRI_MANGLE,
			   chain_done(l, &chain, cni_printf(l->arena, "steer.%u", l->epoch)));
}

/* The outer packets of tunnels are nobody's business but their underlay's. */
void return_outer(struct lower *l, struct chain *chain)
{
	struct cni_st_rule_nft *r;

	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (l->outer_set[f]) {
			r = chain_rule(l, chain, nowhere);
			if_family(l, r, f);
			if_proto(l, r, true, 47);
			if_pair_in_set(l, r, f, l->outer_set[f]);
			do_verdict(l, r, NFT_RETURN, NULL);
		}
}

static void output(struct lower *l)
{
	const struct cni_model *m = l->model;
	struct chain chain = { 0 };
	struct cni_st_rule_nft *r;
	size_t local = 0;

	while (local < m->n_policies && !m->policies[local].local)
		local++;
	if (local == m->n_policies && !l->return_set)
		return;
	return_outer(l, &chain);
	/* marked by its sender within our mask: a probe that names its own way */
	r = chain_rule(l, &chain, nowhere);
	if_mark(l, r, false, l->mask, 0);
	do_verdict(l, r, NFT_RETURN, NULL);
	known_flows(l, &chain, local < m->n_policies && m->options.known_flows == CNI_KNOWN_BY_MARK);
	if (local < m->n_policies) {
		never_rules(l, &chain);
		policy_chain(l, local, &chain);
	}
	base_chain(l, "output", CNI_HOOK_ROUTE, NF_INET_LOCAL_OUT, NF_IP_PRI_MANGLE,
		   chain_done(l, &chain, cni_printf(l->arena, "own.%u", l->epoch)));
}

void lower_steer(struct lower *l)
{
	const char *mss_map;

	never_sets(l);
	outer_sets(l);
	path_chains(l);
	mark_maps(l);
	save_chains(l);
	mss_map = lower_mss_map(l);
	prerouting(l, mss_map);
	output(l);
	lower_clamp_out(l, mss_map);
	lower_masquerade(l);
	lower_notrack(l);
}
