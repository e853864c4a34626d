/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare.c - whether two records of one key say the same of what cnic controls; see state.h. */
#include "compiler/state.h"

#include <linux/netfilter/nf_tables.h>
#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

static bool same_tunnel(const struct cni_st_link *a, const struct cni_st_link *b)
{
	return cni_addr_equal(a->local, b->local) && cni_addr_equal(a->remote, b->remote) && a->ttl == b->ttl &&
	       a->tos == b->tos && a->has_key == b->has_key && (!a->has_key || a->key == b->key) &&
	       a->csum == b->csum && a->seq == b->seq;
}

bool cni_link_same(const struct cni_st_link *a, const struct cni_st_link *b)
{
	if (!a->owned && !b->owned)
		return true; /* cnic controls nothing of it */
	if (a->type != b->type || a->up != b->up || (a->mtu && b->mtu && a->mtu != b->mtu))
		return false;
	switch (a->type) {
	case CNI_DEV_GRE:
		return same_tunnel(a, b) && a->pmtudisc == b->pmtudisc && a->ignore_df == b->ignore_df;
	case CNI_DEV_IP6GRE:
		return same_tunnel(a, b) && a->encap_limit == b->encap_limit;
	case CNI_DEV_VLAN:
		return same_text(a->parent, b->parent) && a->vlan == b->vlan;
	default:
		return same_text(a->kind, b->kind);
	}
}

static bool same_hop(const struct cni_st_hop *a, const struct cni_st_hop *b, bool weighted)
{
	return a->has_via == b->has_via && (!a->has_via || cni_addr_equal(a->via, b->via)) &&
	       same_text(a->device, b->device) && a->onlink == b->onlink && (!weighted || a->weight == b->weight);
}

static size_t count_hop(const struct cni_st_route *route, const struct cni_st_hop *hop)
{
	size_t n = 0;

	for (size_t i = 0; i < route->n_hops; i++)
		n += same_hop(&route->hops[i], hop, route->n_hops > 1);
	return n;
}

bool cni_route_same(const struct cni_st_route *a, const struct cni_st_route *b)
{
	if (a->type != b->type || a->has_source != b->has_source || a->n_hops != b->n_hops)
		return false;
	if (a->has_source && !cni_addr_equal(a->source, b->source))
		return false;
	/* the order of next hops means nothing, and the kernel need not keep it */
	for (size_t i = 0; i < a->n_hops; i++)
		if (count_hop(a, &a->hops[i]) != count_hop(b, &a->hops[i]))
			return false;
	return true;
}

bool cni_counter_same(const struct cni_st_counter *a, const struct cni_st_counter *b)
{
	return same_text(a->comment, b->comment);
}

static bool same_verdict(const struct cni_st_verdict *a, const struct cni_st_verdict *b)
{
	bool named = a->code == NFT_GOTO || a->code == NFT_JUMP;

	return a->code == b->code && (!named || same_text(a->chain, b->chain));
}

bool cni_chain_flips(const struct cni_st_chain *chain)
{
	return chain->type != CNI_HOOK_NONE || !strncmp(chain->name, "classify.", 9);
}

bool cni_set_same(const struct cni_st_set *a, const struct cni_st_set *b)
{
	if (a->n_fields != b->n_fields || a->interval != b->interval || a->map != b->map || a->key_len != b->key_len)
		return false;
	for (size_t i = 0; i < a->n_fields; i++)
		if (a->fields[i] != b->fields[i])
			return false;
	if (a->unread || b->unread)
		return !strcmp(a->name, b->name); /* and the name is of the content */
	if (a->n_elems != b->n_elems)
		return false;
	if (a->n_elems && memcmp(a->keys, b->keys, a->n_elems * cni_set_stride(a)))
		return false;
	for (size_t i = 0; i < a->n_elems; i++)
		if ((a->map && !same_verdict(&a->verdicts[i], &b->verdicts[i])) ||
		    !same_text(a->comments ? a->comments[i] : NULL, b->comments ? b->comments[i] : NULL))
			return false;
	return true;
}

/* What each kind of expression says, and what it leaves unset. */
enum field { KEY = 1, REG = 2, SREG = 4, OFFSET = 8, LEN = 16, HASH = 32, A = 64, B = 128, NAME = 256 };

static const unsigned int fields_of[] = {
	[CNI_X_META] = KEY | REG,
	[CNI_X_META_SET] = KEY | REG,
	[CNI_X_CT] = KEY | REG,
	[CNI_X_CT_SET] = KEY | REG,
	[CNI_X_PAYLOAD] = KEY | REG | OFFSET | LEN,
	[CNI_X_FIB] = KEY | REG | LEN,
	[CNI_X_CMP] = KEY | REG | LEN | A,
	[CNI_X_BITWISE] = REG | SREG | LEN | A | B,
	[CNI_X_BYTEORDER] = REG | SREG,
	[CNI_X_HASH] = REG | SREG | LEN | HASH,
	[CNI_X_LOOKUP] = KEY | SREG | NAME,
	[CNI_X_IMMEDIATE] = REG | LEN | A,
	[CNI_X_VERDICT] = KEY,
	[CNI_X_COUNTER] = NAME,
	[CNI_X_TCPOPT_SET] = KEY | SREG | OFFSET | LEN,
	[CNI_X_NOTRACK] = 0,
	[CNI_X_MASQUERADE] = 0,
	[CNI_X_SNAT] = KEY | SREG,
	[CNI_X_REJECT] = KEY,
	[CNI_X_OTHER] = NAME,
};

bool cni_expr_same(const struct cni_expr *a, const struct cni_expr *b)
{
	size_t len = a->len < sizeof(a->a) ? a->len : sizeof(a->a);
	unsigned int f = fields_of[a->op];

	if (a->op == CNI_X_VERDICT && (a->key == NFT_JUMP || a->key == NFT_GOTO))
		f |= NAME;
	return a->op == b->op && (!(f & KEY) || a->key == b->key) && (!(f & REG) || a->reg == b->reg) &&
	       (!(f & SREG) || a->sreg == b->sreg) && (!(f & OFFSET) || a->offset == b->offset) &&
	       (!(f & LEN) || a->len == b->len) && (!(f & HASH) || (a->modulus == b->modulus && a->seed == b->seed)) &&
	       (!(f & A) || !memcmp(a->a, b->a, len)) && (!(f & B) || !memcmp(a->b, b->b, len)) &&
	       (!(f & NAME) || same_text(a->name, b->name));
}

bool cni_nft_rule_same(const struct cni_st_rule_nft *a, const struct cni_st_rule_nft *b)
{
	if (a->n_exprs != b->n_exprs)
		return false;
	for (size_t i = 0; i < a->n_exprs; i++)
		if (!cni_expr_same(&a->exprs[i], &b->exprs[i]))
			return false;
	return true;
}

bool cni_chain_same(const struct cni_st_chain *a, const struct cni_st_chain *b)
{
	if (a->type != b->type || a->n_rules != b->n_rules)
		return false;
	if (a->type != CNI_HOOK_NONE && (a->hook != b->hook || a->priority != b->priority))
		return false;
	for (size_t i = 0; i < a->n_rules; i++)
		if (!cni_nft_rule_same(&a->rules[i], &b->rules[i]))
			return false;
	return true;
}
