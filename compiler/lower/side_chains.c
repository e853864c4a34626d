/* SPDX-License-Identifier: GPL-2.0-or-later */
/* side_chains.c - what follows from mark and device alone: MSS clamping, masquerading, probes kept out of
 * conntrack. Their cost does not grow with the number of tunnels: one look-up by device or mark. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <string.h>

#include "compiler/lower/nft.h"

static const struct cni_span nowhere;

static void device_key(char key[CNI_IFNAME], const char *device)
{
	memset(key, 0, CNI_IFNAME);
	memcpy(key, device, strnlen(device, CNI_IFNAME - 1));
}

/* ---- MSS ---- */

static const char *mss_chain(struct lower *l, const struct cni_target *t)
{
	struct chain chain = { .span = t->decl->name.span };

	/* by number, not `rt mtu`: with fwmark routing that clamps the SYN and leaves the SYN-ACK (tried) */
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (t->mss[f]) {
			struct cni_st_rule_nft *r = chain_rule(l, &chain, chain.span);

			if_family(l, r, f);
			do_clamp_mss(l, r, (uint16_t)t->mss[f]);
		}
	return chain.n_rules ? chain_done(l, &chain, cni_printf(l->arena, "mss.%u.%u", t->mss[CNI_V4], t->mss[CNI_V6]))
			     : NULL;
}

/* The clamp of a way all of whose targets have the same: it is then decided together with the way, in one hook, for
 * every hook looks at the live generation anew. */
void lower_clamp_way(struct lower *l, struct chain *chain, struct way *way)
{
	const struct cni_target *first = NULL;
	struct cni_st_rule_nft *r;
	const char *clamp;

	if (way->otherwise == CNI_VERDICT_MAIN)
		return; /* main may lead to another device */
	for (size_t i = 0; i < way->n_tiers; i++)
		for (size_t j = 0; j < way->tiers[i].n_members; j++) {
			const struct cni_target *t = &l->model->targets[way->tiers[i].members[j].target];

			if (!first)
				first = t;
			else if (memcmp(first->mss, t->mss, sizeof(t->mss)) != 0)
				return;
		}
	clamp = first ? mss_chain(l, first) : NULL;
	if (!clamp)
		return;
	way->is_clamped = true;
	r = chain_rule(l, chain, way->span);
	if_syn(l, r);
	do_verdict(l, r, NFT_JUMP, clamp);
}

const char *lower_mss_map(struct lower *l)
{
	const struct cni_model *m = l->model;
	struct set map = { .set.map = true };

	set_key_field(&map, CNI_KEY_IFNAME);
	for (size_t i = 0; i < m->n_targets; i++) {
		const struct cni_target *t = &m->targets[i];
		const char *chain = mss_chain(l, t);
		char key[CNI_IFNAME];

		if (!chain)
			continue;
		device_key(key, t->ifname);
		set_add(l, &map, key, NFT_JUMP, chain);
	}
	return set_done(l, &map, "clamp");
}

void lower_clamp_rule(struct lower *l, struct cni_st_rule_nft *rule, uint32_t meta_device, const char *map)
{
	if_syn(l, rule);
	by_device(l, rule, meta_device, map);
}

void lower_clamp_out(struct lower *l, const char *map)
{
	struct set clamped = { 0 };
	struct chain chain = { 0 };
	const char *marks;

	if (!map)
		return;
	set_key_field(&clamped, CNI_KEY_MARK);
	for (size_t i = 0; i < l->n_ways; i++) {
		uint32_t mark = mark_of(l, l->ways[i].id);

		if (l->ways[i].is_clamped)
			set_add(l, &clamped, &mark, 0, NULL);
	}
	marks = set_done(l, &clamped, "clamped");
	if (marks) {
		struct cni_st_rule_nft *r = chain_rule(l, &chain, nowhere);

		if_syn(l, r);
		if_mark_in_set(l, r, l->mask, marks);
		do_verdict(l, r, NFT_RETURN, NULL);
	}
	lower_clamp_rule(l, chain_rule(l, &chain, nowhere), NFT_META_OIFNAME, map);
	base_chain(l, "postrouting", CNI_HOOK_FILTER, NF_INET_POST_ROUTING, NF_IP_PRI_MANGLE,
		   chain_done(l, &chain, "leave"));
}

/* ---- NAT ---- */

/* The former way that a mark stands for, or NULL. */
static const struct way *former_of(const struct lower *l, uint32_t mark)
{
	for (size_t i = 0; i < l->n_ways; i++)
		if (l->ways[i].is_former && mark_of(l, l->ways[i].id) == mark)
			return &l->ways[i];
	return NULL;
}

/* A packet that the policy before has marked may meet these chains only after the flip: what they did to its path stays
 * as it was observed, while the path does. */
static void masquerade_as_before(struct lower *l, struct set *by_device_set, struct set *anywhere)
{
	for (size_t i = 0; l->observed && i < l->observed->n_sets; i++) {
		const struct cni_st_set *set = &l->observed->sets[i];
		struct set *to = set->n_fields == 2 ? by_device_set : anywhere;

		if (strncmp(set->name, "masquerade.", 11) || !set->n_fields || set->fields[0] != CNI_KEY_MARK)
			continue;
		for (size_t e = 0; e < set->n_elems; e++) {
			const uint8_t *key = set->keys + e * cni_set_stride(set);
			uint32_t mark;

			memcpy(&mark, key, sizeof(mark));
			if (former_of(l, mark))
				set_add(l, to, key, 0, NULL);
		}
	}
}

static bool is_snat_of(const struct cni_st_rule_nft *r, uint32_t mark)
{
	bool marked = false, translates = false;

	for (size_t i = 0; i < r->n_exprs; i++) {
		marked |= r->exprs[i].op == CNI_X_CMP && r->exprs[i].len == sizeof(mark) &&
			  !memcmp(r->exprs[i].a, &mark, sizeof(mark));
		translates |= r->exprs[i].op == CNI_X_SNAT;
	}
	return marked && translates;
}

static void snat_as_before(struct lower *l, struct chain *chain, const struct way *way)
{
	for (size_t i = 0; i < l->observed->n_chains; i++) {
		const struct cni_st_chain *was = &l->observed->chains[i];

		for (size_t j = 0; !strncmp(was->name, "translate.", 10) && j < was->n_rules; j++)
			if (is_snat_of(&was->rules[j], mark_of(l, way->id))) {
				struct cni_st_rule_nft *r = chain_rule(l, chain, nowhere);

				r->exprs = was->rules[j].exprs;
				r->n_exprs = was->rules[j].n_exprs;
				return;
			}
	}
}

/* Returns where the policy first asks for it. */
static struct cni_span masquerade_by_way(struct lower *l, struct set *by_device_set, struct set *anywhere)
{
	struct cni_span span = nowhere;

	for (size_t i = 0; i < l->n_ways; i++) {
		const struct way *way = &l->ways[i];
		uint8_t key[4 + CNI_IFNAME];
		uint32_t mark = mark_of(l, way->id);

		if (way->nats && !cni_span_is_set(span))
			span = way->span;
		if (way->masquerade)
			set_add(l, anywhere, &mark, 0, NULL);
		memcpy(key, &mark, sizeof(mark));
		for (size_t j = 0; j < way->n_tiers; j++)
			for (size_t k = 0; k < way->tiers[j].n_members; k++) {
				const struct cni_member *member = &way->tiers[j].members[k];

				if (!member->masquerade)
					continue;
				device_key((char *)key + 4, l->model->targets[member->target].ifname);
				set_add(l, by_device_set, key, 0, NULL);
			}
	}
	return span;
}

static const char *tunnel_devices(struct lower *l)
{
	struct set tunnels = { 0 };

	set_key_field(&tunnels, CNI_KEY_IFNAME);
	for (size_t i = l->model->n_links; i < l->model->n_targets; i++) {
		char key[CNI_IFNAME];

		device_key(key, l->model->targets[i].ifname);
		set_add(l, &tunnels, key, 0, NULL);
	}
	return set_done(l, &tunnels, "tunnels");
}

void lower_masquerade(struct lower *l)
{
	struct set by_device_set = { 0 }, anywhere = { 0 };
	struct cni_st_rule_nft *r;
	struct chain chain = { 0 };
	const char *devices, *marks;
	bool any = false;

	set_key_field(&by_device_set, CNI_KEY_MARK);
	set_key_field(&by_device_set, CNI_KEY_IFNAME);
	set_key_field(&anywhere, CNI_KEY_MARK);
	chain.span = masquerade_by_way(l, &by_device_set, &anywhere);
	masquerade_as_before(l, &by_device_set, &anywhere);
	devices = set_done(l, &by_device_set, "masquerade");
	marks = set_done(l, &anywhere, "masquerade.main");
	/* the outer packet may carry the mark of the inner one */
	return_outer(l, &chain);
	for (size_t i = 0; i < l->n_ways; i++) {
		any |= l->ways[i].nats;
		if (l->ways[i].is_former)
			snat_as_before(l, &chain, &l->ways[i]);
		if (!l->ways[i].has_source)
			continue;
		r = chain_rule(l, &chain, l->ways[i].span);
		if_mark(l, r, true, l->mask, mark_of(l, l->ways[i].id));
		if_family(l, r, l->ways[i].source.family);
		do_snat(l, r, l->ways[i].source);
	}
	/* former ways count: without a base chain the kernel would stop to translate what is translated already */
	if (!any)
		return;
	if (devices) {
		r = chain_rule(l, &chain, chain.span);
		if_mark_device_in_set(l, r, l->mask, devices);
		do_masquerade(l, r);
	}
	if (marks) {
		const char *tunnels = tunnel_devices(l);

		r = chain_rule(l, &chain, chain.span);
		if_mark_in_set(l, r, l->mask, marks);
		if (tunnels)
			if_device_in_set(l, r, NFT_META_OIFNAME, false, tunnels);
		do_masquerade(l, r);
	}
	base_chain(l, "nat_postrouting", CNI_HOOK_NAT, NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC,
		   chain_done(l, &chain, "translate"));
}

/* ---- probes of the reply type ---- */

/* Begins a rule for those that come in by the target: echo replies from the address that is probed. NULL: there are none
 * of that family. */
struct cni_st_rule_nft *lower_reply_probe(struct lower *l, struct chain *chain, const struct cni_target *t,
					  enum cni_family family)
{
	struct cni_addr ours = t->iface[family].address.addr;
	struct cni_st_rule_nft *r;

	if (t->health.type != CNI_HEALTH_REPLY)
		return NULL;
	if (t->health.has_target)
		ours = t->health.target;
	else if (t->kind == CNI_TARGET_TUNNEL && t->health.mode == CNI_HEALTH_UNI)
		ours = t->tunnel.local;
	else if (!t->iface[family].has_address)
		return NULL;
	if (ours.family != family)
		return NULL;
	r = chain_rule(l, chain, cni_ast_field_span(t->decl, "health"));
	if_device(l, r, NFT_META_IIFNAME, t->ifname);
	if_family(l, r, family);
	if_addr_range(l, r, true, true, ours, ours);
	if_proto(l, r, true, family == CNI_V4 ? 1 : 58);
	/* echo reply: RFC 792; RFC 4443, 4.2 */
	if_icmp_type(l, r, family == CNI_V4 ? 0 : 129, family == CNI_V4 ? 0 : 129);
	return r;
}

/* They come in as echo replies from our own address, which conntrack calls invalid: they are kept out of it, since an
 * accept of ours would not stop another table's later drop (tried). */
void lower_notrack(struct lower *l)
{
	struct chain chain = { 0 };
	struct cni_st_rule_nft *r;

	for (size_t i = 0; i < l->model->n_targets; i++)
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
			if ((r = lower_reply_probe(l, &chain, &l->model->targets[i], f)))
				do_notrack(l, r);
	if (chain.n_rules)
		base_chain(l, "raw_prerouting", CNI_HOOK_FILTER, NF_INET_PRE_ROUTING, NF_IP_PRI_RAW,
			   chain_done(l, &chain, "probes"));
}
