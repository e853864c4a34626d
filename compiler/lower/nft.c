/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft.c - the idioms of nft rules that lowering is made of, as expressions; see nft.h. */
#include "compiler/lower/nft.h"

#include <assert.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

static struct cni_expr *expr(struct lower *l, struct cni_st_rule_nft *r, enum cni_expr_op op, int32_t key)
{
	struct cni_expr *x = cni_push(l->arena, r->exprs, r->n_exprs);

	x->op = op;
	x->key = key;
	return x;
}

static void meta(struct lower *l, struct cni_st_rule_nft *r, uint32_t key, uint8_t reg)
{
	expr(l, r, CNI_X_META, (int32_t)key)->reg = reg;
}

static void ct(struct lower *l, struct cni_st_rule_nft *r, uint32_t key)
{
	expr(l, r, CNI_X_CT, (int32_t)key);
}

static void payload(struct lower *l, struct cni_st_rule_nft *r, uint32_t base, uint16_t offset, uint16_t len,
		    uint8_t reg)
{
	struct cni_expr *x = expr(l, r, CNI_X_PAYLOAD, (int32_t)base);

	x->offset = offset;
	x->len = len;
	x->reg = reg;
}

static void cmp(struct lower *l, struct cni_st_rule_nft *r, uint32_t op, const void *value, uint16_t len)
{
	struct cni_expr *x = expr(l, r, CNI_X_CMP, (int32_t)op);

	x->len = len;
	memcpy(x->a, value, len);
}

static void cmp_u32(struct lower *l, struct cni_st_rule_nft *r, bool equal, uint32_t value)
{
	cmp(l, r, equal ? NFT_CMP_EQ : NFT_CMP_NEQ, &value, sizeof(value));
}

static void bitwise(struct lower *l, struct cni_st_rule_nft *r, const void *mask, const void *flip, uint16_t len)
{
	struct cni_expr *x = expr(l, r, CNI_X_BITWISE, 0);

	x->len = len;
	memcpy(x->a, mask, len);
	if (flip)
		memcpy(x->b, flip, len);
}

static void lookup(struct lower *l, struct cni_st_rule_nft *r, int32_t how, const char *set)
{
	expr(l, r, CNI_X_LOOKUP, how)->name = set;
}

enum { LOOKUP_IN, LOOKUP_NOT_IN, LOOKUP_MAP }; /* cni_expr.key of CNI_X_LOOKUP */

/* ---- conditions ---- */

static void if_meta_eq(struct lower *l, struct cni_st_rule_nft *r, uint32_t key, const void *value, uint16_t len)
{
	meta(l, r, key, 0);
	cmp(l, r, NFT_CMP_EQ, value, len);
}

void if_family(struct lower *l, struct cni_st_rule_nft *r, enum cni_family family)
{
	uint8_t nfproto = family == CNI_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6;

	if_meta_eq(l, r, NFT_META_NFPROTO, &nfproto, 1);
}

void if_proto(struct lower *l, struct cni_st_rule_nft *r, bool equal, uint8_t proto)
{
	load_proto(l, r, 0);
	cmp(l, r, equal ? NFT_CMP_EQ : NFT_CMP_NEQ, &proto, 1);
}

void if_proto_in_set(struct lower *l, struct cni_st_rule_nft *r, const char *set)
{
	load_proto(l, r, 0);
	lookup(l, r, LOOKUP_IN, set);
}

void if_device(struct lower *l, struct cni_st_rule_nft *r, uint32_t meta_key, const char *device)
{
	char name[CNI_IFNAME] = "";

	memcpy(name, device, strnlen(device, sizeof(name) - 1));
	if_meta_eq(l, r, meta_key, name, sizeof(name));
}

void load_addr(struct lower *l, struct cni_st_rule_nft *r, bool source, enum cni_family family, uint8_t reg)
{
	/* offsets of saddr and daddr: RFC 791, 3.1; RFC 8200, 3 */
	if (family == CNI_V4)
		payload(l, r, NFT_PAYLOAD_NETWORK_HEADER, source ? 12 : 16, 4, reg);
	else
		payload(l, r, NFT_PAYLOAD_NETWORK_HEADER, source ? 8 : 24, 16, reg);
}

void if_addr_range(struct lower *l, struct cni_st_rule_nft *r, bool source, bool inside, struct cni_addr lo,
		   struct cni_addr hi)
{
	cni_u128 flip = lo.v ^ hi.v;
	uint8_t a[16], b[16], mask[16];
	uint16_t len = (uint16_t)cni_addr_to_bytes(lo, a);

	cni_addr_to_bytes(hi, b);
	load_addr(l, r, source, lo.family, 0);
	/* a prefix: the ends differ in a run of low bits, all clear in lo and set in hi */
	if ((flip & (flip + 1)) == 0 && (lo.v & flip) == 0) {
		struct cni_addr m = { lo.family, ~flip & cni_host_mask(lo.family, 0) };

		cni_addr_to_bytes(m, mask);
		if (flip)
			bitwise(l, r, mask, NULL, len);
		cmp(l, r, inside ? NFT_CMP_EQ : NFT_CMP_NEQ, a, len);
		return;
	}
	assert(inside); /* the outside of a range is asked for by a set */
	cmp(l, r, NFT_CMP_GTE, a, len);
	cmp(l, r, NFT_CMP_LTE, b, len);
}

void if_addr_in_set(struct lower *l, struct cni_st_rule_nft *r, bool source, bool inside, enum cni_family family,
		    const char *set)
{
	load_addr(l, r, source, family, 0);
	lookup(l, r, inside ? LOOKUP_IN : LOOKUP_NOT_IN, set);
}

void if_pair_in_set(struct lower *l, struct cni_st_rule_nft *r, enum cni_family family, const char *set)
{
	load_addr(l, r, true, family, 0);
	load_addr(l, r, false, family, family == CNI_V4 ? 1 : 4);
	lookup(l, r, LOOKUP_IN, set);
}

void load_proto(struct lower *l, struct cni_st_rule_nft *r, uint8_t reg)
{
	meta(l, r, NFT_META_L4PROTO, reg);
}

void load_port(struct lower *l, struct cni_st_rule_nft *r, bool source, uint8_t reg)
{
	payload(l, r, NFT_PAYLOAD_TRANSPORT_HEADER, source ? 0 : 2, 2, reg);
}

void if_port_range(struct lower *l, struct cni_st_rule_nft *r, bool source, uint16_t lo, uint16_t hi)
{
	const uint8_t a[2] = { (uint8_t)(lo >> 8), (uint8_t)lo }, b[2] = { (uint8_t)(hi >> 8), (uint8_t)hi };

	load_port(l, r, source, 0);
	if (lo == hi) {
		cmp(l, r, NFT_CMP_EQ, a, 2);
		return;
	}
	cmp(l, r, NFT_CMP_GTE, a, 2);
	cmp(l, r, NFT_CMP_LTE, b, 2);
}

void if_port_in_set(struct lower *l, struct cni_st_rule_nft *r, bool source, bool inside, const char *set)
{
	load_port(l, r, source, 0);
	lookup(l, r, inside ? LOOKUP_IN : LOOKUP_NOT_IN, set);
}

void if_dscp(struct lower *l, struct cni_st_rule_nft *r, enum cni_family family, bool equal, uint8_t dscp)
{
	uint32_t op = equal ? NFT_CMP_EQ : NFT_CMP_NEQ;

	/* RFC 2474, 3: the upper six bits of the octet; in IPv6 that octet starts at bit 4 of the header */
	if (family == CNI_V4) {
		const uint8_t mask = 0xfc, value = (uint8_t)(dscp << 2);

		payload(l, r, NFT_PAYLOAD_NETWORK_HEADER, 1, 1, 0);
		bitwise(l, r, &mask, NULL, 1);
		cmp(l, r, op, &value, 1);
	} else {
		const uint8_t mask[2] = { 0x0f, 0xc0 }, value[2] = { dscp >> 2, (uint8_t)(dscp << 6) };

		payload(l, r, NFT_PAYLOAD_NETWORK_HEADER, 0, 2, 0);
		bitwise(l, r, mask, NULL, 2);
		cmp(l, r, op, value, 2);
	}
}

void if_icmp_type(struct lower *l, struct cni_st_rule_nft *r, uint8_t lo, uint8_t hi)
{
	payload(l, r, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0);
	if (lo == hi) {
		cmp(l, r, NFT_CMP_EQ, &lo, 1);
		return;
	}
	cmp(l, r, NFT_CMP_GTE, &lo, 1);
	cmp(l, r, NFT_CMP_LTE, &hi, 1);
}

void if_ct_direction(struct lower *l, struct cni_st_rule_nft *r, bool original)
{
	uint8_t direction = original ? 0 : 1; /* IP_CT_DIR_ORIGINAL, IP_CT_DIR_REPLY */

	ct(l, r, NFT_CT_DIRECTION);
	cmp(l, r, NFT_CMP_EQ, &direction, 1);
}

void if_ct_bits(struct lower *l, struct cni_st_rule_nft *r, uint32_t ct_key, uint32_t bits, bool set)
{
	ct(l, r, ct_key);
	bitwise(l, r, &bits, NULL, sizeof(bits));
	cmp_u32(l, r, !set, 0);
}

void if_ct_mark(struct lower *l, struct cni_st_rule_nft *r, bool equal, uint32_t mask, uint32_t value)
{
	ct(l, r, NFT_CT_MARK);
	bitwise(l, r, &mask, NULL, sizeof(mask));
	cmp_u32(l, r, equal, value);
}

void if_mark(struct lower *l, struct cni_st_rule_nft *r, bool equal, uint32_t mask, uint32_t value)
{
	meta(l, r, NFT_META_MARK, 0);
	bitwise(l, r, &mask, NULL, sizeof(mask));
	cmp_u32(l, r, equal, value);
}

void if_fib_daddr_type(struct lower *l, struct cni_st_rule_nft *r, uint32_t type)
{
	struct cni_expr *x = expr(l, r, CNI_X_FIB, NFT_FIB_RESULT_ADDRTYPE);

	x->len = NFTA_FIB_F_DADDR;
	cmp_u32(l, r, true, type);
}

void if_syn(struct lower *l, struct cni_st_rule_nft *r)
{
	const uint8_t mask = 0x06, syn = 0x02; /* SYN and RST: RFC 9293, 3.1 */

	if_proto(l, r, true, 6);
	payload(l, r, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, 0);
	bitwise(l, r, &mask, NULL, 1);
	cmp(l, r, NFT_CMP_EQ, &syn, 1);
}

void if_hash_below(struct lower *l, struct cni_st_rule_nft *r, enum cni_family family, bool ports, uint32_t modulus,
		   uint32_t limit)
{
	const uint8_t below[4] = { (uint8_t)(limit >> 24), (uint8_t)(limit >> 16), (uint8_t)(limit >> 8),
				   (uint8_t)limit };
	const uint8_t first = 4, words = family == CNI_V4 ? 1 : 4;
	uint8_t at = first;
	struct cni_expr *x;

	load_addr(l, r, true, family, at);
	load_addr(l, r, false, family, at = (uint8_t)(at + words));
	meta(l, r, NFT_META_L4PROTO, at = (uint8_t)(at + words));
	at++;
	/* both ports take the last word each, when there is room: 16 words in all */
	if (ports) {
		load_port(l, r, true, at++);
		load_port(l, r, false, at++);
	}
	x = expr(l, r, CNI_X_HASH, 0);
	x->sreg = first;
	x->len = (uint16_t)((at - first) * 4);
	x->modulus = modulus;
	x->seed = 1; /* fixed: the same flow gives the same answer on every router and after every apply */
	expr(l, r, CNI_X_BYTEORDER, 0); /* comparisons are by bytes */
	cmp(l, r, NFT_CMP_LT, below, sizeof(below));
}

void if_mark_device_in_set(struct lower *l, struct cni_st_rule_nft *r, uint32_t mask, const char *set)
{
	meta(l, r, NFT_META_MARK, 0);
	bitwise(l, r, &mask, NULL, sizeof(mask));
	meta(l, r, NFT_META_OIFNAME, 1);
	lookup(l, r, LOOKUP_IN, set);
}

void if_mark_in_set(struct lower *l, struct cni_st_rule_nft *r, uint32_t mask, const char *set)
{
	meta(l, r, NFT_META_MARK, 0);
	bitwise(l, r, &mask, NULL, sizeof(mask));
	lookup(l, r, LOOKUP_IN, set);
}

void if_device_in_set(struct lower *l, struct cni_st_rule_nft *r, uint32_t meta_key, bool inside, const char *set)
{
	meta(l, r, meta_key, 0);
	lookup(l, r, inside ? LOOKUP_IN : LOOKUP_NOT_IN, set);
}

/* ---- verdicts and statements ---- */

void by_device(struct lower *l, struct cni_st_rule_nft *r, uint32_t meta_key, const char *map)
{
	meta(l, r, meta_key, 0);
	lookup(l, r, LOOKUP_MAP, map);
}

void by_addr(struct lower *l, struct cni_st_rule_nft *r, bool source, enum cni_family family, const char *map)
{
	load_addr(l, r, source, family, 0);
	by_words(l, r, map);
}

void by_words(struct lower *l, struct cni_st_rule_nft *r, const char *map)
{
	lookup(l, r, LOOKUP_MAP, map);
}

void by_ct_mark(struct lower *l, struct cni_st_rule_nft *r, uint32_t mask, const char *map)
{
	ct(l, r, NFT_CT_MARK);
	bitwise(l, r, &mask, NULL, sizeof(mask));
	lookup(l, r, LOOKUP_MAP, map);
}

void do_verdict(struct lower *l, struct cni_st_rule_nft *r, int32_t code, const char *chain)
{
	expr(l, r, CNI_X_VERDICT, code)->name = chain;
}

void do_counter(struct lower *l, struct cni_st_rule_nft *r, const char *counter)
{
	expr(l, r, CNI_X_COUNTER, 0)->name = counter;
}

void do_set_mark(struct lower *l, struct cni_st_rule_nft *r, uint32_t mask, uint32_t value)
{
	const uint32_t keep = ~mask;

	meta(l, r, NFT_META_MARK, 0);
	bitwise(l, r, &keep, &value, sizeof(keep));
	expr(l, r, CNI_X_META_SET, NFT_META_MARK);
}

void do_set_ct_mark(struct lower *l, struct cni_st_rule_nft *r, uint32_t mask, uint32_t value)
{
	const uint32_t keep = ~mask;

	ct(l, r, NFT_CT_MARK);
	bitwise(l, r, &keep, &value, sizeof(keep));
	expr(l, r, CNI_X_CT_SET, NFT_CT_MARK);
}

void do_clamp_mss(struct lower *l, struct cni_st_rule_nft *r, uint16_t mss)
{
	struct cni_expr *x = expr(l, r, CNI_X_IMMEDIATE, 0);

	x->len = 2;
	x->a[0] = (uint8_t)(mss >> 8);
	x->a[1] = (uint8_t)mss;
	x = expr(l, r, CNI_X_TCPOPT_SET, 2); /* maximum segment size: RFC 9293, 3.2; its value at octet 2 */
	x->offset = 2;
	x->len = 2;
}

void do_notrack(struct lower *l, struct cni_st_rule_nft *r)
{
	expr(l, r, CNI_X_NOTRACK, 0);
}

void do_masquerade(struct lower *l, struct cni_st_rule_nft *r)
{
	expr(l, r, CNI_X_MASQUERADE, 0);
}

void do_snat(struct lower *l, struct cni_st_rule_nft *r, struct cni_addr to)
{
	struct cni_expr *x = expr(l, r, CNI_X_IMMEDIATE, 0);

	x->len = (uint16_t)cni_addr_to_bytes(to, x->a);
	expr(l, r, CNI_X_SNAT, to.family == CNI_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
}
