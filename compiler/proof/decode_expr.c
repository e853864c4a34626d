/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode_expr.c - the expressions of a rule. Of each, what it can say and what of that is understood. */
#include <linux/netfilter/nf_tables.h>
#include <stddef.h>
#include <string.h>

#include "compiler/proof/ruleset.h"

#define TCP_OPTION_MSS 2 /* RFC 9293, 3.2 */

/* A register as the number of its first byte: 1 to 4 are 16 bytes each, NFT_REG32_00 to 15 four each, of the same 64. */
static uint8_t get_register(struct decoder *d, const struct attrs *attrs, unsigned int number)
{
	const uint32_t raw = proof_be32(d, attrs, number);

	if (raw >= NFT_REG_1 && raw <= NFT_REG_4)
		return (uint8_t)((raw - NFT_REG_1) * 16);
	if (raw >= NFT_REG32_00 && raw <= NFT_REG32_15)
		return (uint8_t)((raw - NFT_REG32_00) * 4);
	proof_fail(d, "%s uses register %u", attrs->what, raw);
	return 0;
}

static struct bytes get_value(struct decoder *d, const struct attrs *attrs, unsigned int number)
{
	struct attrs data = proof_attrs(d, attrs->what, attrs->at[number], ATTR(NFTA_DATA_VALUE));

	if (!proof_has(&data, NFTA_DATA_VALUE) || !data.at[NFTA_DATA_VALUE].len)
		proof_fail(d, "%s lacks a value", attrs->what);
	return data.at[NFTA_DATA_VALUE];
}

/* What must be so, where it is said at all. */
static void must_be(struct decoder *d, const struct attrs *attrs, unsigned int number, uint32_t value)
{
	if (proof_has(attrs, number) && proof_be32(d, attrs, number) != value)
		proof_fail(d, "%s has attribute %u other than %u", attrs->what, number, value);
}

void proof_decode_verdict(struct decoder *d, struct bytes in, int32_t *code, const char **chain)
{
	struct attrs attrs = proof_attrs(d, "a verdict", in, ATTR(NFTA_VERDICT_CODE) | ATTR(NFTA_VERDICT_CHAIN));

	*code = (int32_t)proof_be32(d, &attrs, NFTA_VERDICT_CODE);
	if (*code == NFT_JUMP || *code == NFT_GOTO)
		*chain = proof_string(d, &attrs, NFTA_VERDICT_CHAIN);
	else if (proof_has(&attrs, NFTA_VERDICT_CHAIN))
		proof_fail(d, "a verdict leads to a chain and does not go there");
}

static void meta(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	x->key = proof_be32(d, attrs, NFTA_META_KEY);
	if (proof_has(attrs, NFTA_META_SREG)) {
		x->op = X_META_SET;
		x->sreg = get_register(d, attrs, NFTA_META_SREG);
	} else {
		x->dreg = get_register(d, attrs, NFTA_META_DREG);
	}
}

static void ct(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	x->key = proof_be32(d, attrs, NFTA_CT_KEY);
	if (proof_has(attrs, NFTA_CT_SREG)) {
		x->op = X_CT_SET;
		x->sreg = get_register(d, attrs, NFTA_CT_SREG);
	} else {
		x->dreg = get_register(d, attrs, NFTA_CT_DREG);
	}
}

static void payload(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	x->dreg = get_register(d, attrs, NFTA_PAYLOAD_DREG);
	x->key = proof_be32(d, attrs, NFTA_PAYLOAD_BASE);
	x->offset = proof_be32(d, attrs, NFTA_PAYLOAD_OFFSET);
	x->len = proof_be32(d, attrs, NFTA_PAYLOAD_LEN);
}

static void fib(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	x->dreg = get_register(d, attrs, NFTA_FIB_DREG);
	must_be(d, attrs, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	must_be(d, attrs, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	x->len = 4;
}

static void cmp(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	x->sreg = get_register(d, attrs, NFTA_CMP_SREG);
	x->key = proof_be32(d, attrs, NFTA_CMP_OP);
	x->a = get_value(d, attrs, NFTA_CMP_DATA);
	x->len = (uint32_t)x->a.len;
}

static void range(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	x->sreg = get_register(d, attrs, NFTA_RANGE_SREG);
	x->key = proof_be32(d, attrs, NFTA_RANGE_OP);
	x->a = get_value(d, attrs, NFTA_RANGE_FROM_DATA);
	x->b = get_value(d, attrs, NFTA_RANGE_TO_DATA);
	x->len = (uint32_t)x->a.len;
	if (x->a.len != x->b.len)
		proof_fail(d, "a range has ends of %zu and %zu bytes", x->a.len, x->b.len);
}

static void bitwise(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	x->sreg = get_register(d, attrs, NFTA_BITWISE_SREG);
	x->dreg = get_register(d, attrs, NFTA_BITWISE_DREG);
	x->len = proof_be32(d, attrs, NFTA_BITWISE_LEN);
	must_be(d, attrs, NFTA_BITWISE_OP, NFT_BITWISE_BOOL);
	x->a = get_value(d, attrs, NFTA_BITWISE_MASK);
	x->b = get_value(d, attrs, NFTA_BITWISE_XOR);
	if (x->a.len != x->len || x->b.len != x->len)
		proof_fail(d, "a bitwise operation on %u bytes has others", x->len);
}

static void byteorder(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	x->sreg = get_register(d, attrs, NFTA_BYTEORDER_SREG);
	x->dreg = get_register(d, attrs, NFTA_BYTEORDER_DREG);
	x->len = proof_be32(d, attrs, NFTA_BYTEORDER_LEN);
	must_be(d, attrs, NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	must_be(d, attrs, NFTA_BYTEORDER_SIZE, 4);
	if (x->len != 4)
		proof_fail(d, "byte order is turned of %u bytes", x->len);
}

static void hash(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	x->sreg = get_register(d, attrs, NFTA_HASH_SREG);
	x->dreg = get_register(d, attrs, NFTA_HASH_DREG);
	x->len = proof_be32(d, attrs, NFTA_HASH_LEN);
	x->modulus = proof_be32(d, attrs, NFTA_HASH_MODULUS);
	x->seed = proof_be32(d, attrs, NFTA_HASH_SEED);
	must_be(d, attrs, NFTA_HASH_TYPE, NFT_HASH_JENKINS);
	must_be(d, attrs, NFTA_HASH_OFFSET, 0);
	if (!x->modulus)
		proof_fail(d, "a hash is modulo 0");
}

static void lookup(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	const uint32_t flags = proof_has(attrs, NFTA_LOOKUP_FLAGS) ? proof_be32(d, attrs, NFTA_LOOKUP_FLAGS) : 0;

	x->sreg = get_register(d, attrs, NFTA_LOOKUP_SREG);
	x->name = proof_string(d, attrs, NFTA_LOOKUP_SET);
	x->inverted = flags & NFT_LOOKUP_F_INV;
	x->is_map = proof_has(attrs, NFTA_LOOKUP_DREG);
	must_be(d, attrs, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
	if (flags & ~(uint32_t)NFT_LOOKUP_F_INV || (x->inverted && x->is_map))
		proof_fail(d, "a look-up has flags 0x%x", flags);
}

static void immediate(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	if (proof_be32(d, attrs, NFTA_IMMEDIATE_DREG) == NFT_REG_VERDICT) {
		struct attrs data =
			proof_attrs(d, "a verdict", attrs->at[NFTA_IMMEDIATE_DATA], ATTR(NFTA_DATA_VERDICT));

		x->op = X_VERDICT;
		proof_decode_verdict(d, data.at[NFTA_DATA_VERDICT], &x->code, &x->name);
		return;
	}
	x->dreg = get_register(d, attrs, NFTA_IMMEDIATE_DREG);
	x->a = get_value(d, attrs, NFTA_IMMEDIATE_DATA);
	x->len = (uint32_t)x->a.len;
}

static void counter(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	if (proof_be32(d, attrs, NFTA_OBJREF_IMM_TYPE) != NFT_OBJECT_COUNTER)
		proof_fail(d, "a rule refers to an object that is no counter");
	x->name = proof_string(d, attrs, NFTA_OBJREF_IMM_NAME);
}

static void exthdr(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	x->sreg = get_register(d, attrs, NFTA_EXTHDR_SREG);
	x->offset = proof_be32(d, attrs, NFTA_EXTHDR_OFFSET);
	x->len = proof_be32(d, attrs, NFTA_EXTHDR_LEN);
	if (proof_be32(d, attrs, NFTA_EXTHDR_OP) != NFT_EXTHDR_OP_TCPOPT ||
	    proof_u8(d, attrs, NFTA_EXTHDR_TYPE) != TCP_OPTION_MSS || x->offset != 2 || x->len != 2)
		proof_fail(d, "a rule writes an option that is not TCP's MSS");
	must_be(d, attrs, NFTA_EXTHDR_FLAGS, 0);
}

static void nothing(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	(void)d;
	(void)attrs;
	(void)x;
}

static void masq(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	(void)x;
	must_be(d, attrs, NFTA_MASQ_FLAGS, 0);
}

static void nat(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	x->key = proof_be32(d, attrs, NFTA_NAT_FAMILY);
	x->sreg = get_register(d, attrs, NFTA_NAT_REG_ADDR_MIN);
	if (proof_be32(d, attrs, NFTA_NAT_TYPE) != NFT_NAT_SNAT)
		proof_fail(d, "a rule changes the destination");
	if (proof_has(attrs, NFTA_NAT_REG_ADDR_MAX) && get_register(d, attrs, NFTA_NAT_REG_ADDR_MAX) != x->sreg)
		proof_fail(d, "a source is taken from a range");
	must_be(d, attrs, NFTA_NAT_FLAGS, 1 /* NF_NAT_RANGE_MAP_IPS */);
}

static void reject(struct decoder *d, const struct attrs *attrs, struct expr *x)
{
	(void)x;
	proof_be32(d, attrs, NFTA_REJECT_TYPE);
}

static const struct {
	const char *name;
	enum expr_op op; /* but as the reader says */
	uint64_t known;
	void (*read)(struct decoder *d, const struct attrs *attrs, struct expr *x);
} kinds[] = {
	{ "meta", X_META, ATTR(NFTA_META_DREG) | ATTR(NFTA_META_KEY) | ATTR(NFTA_META_SREG), meta },
	{ "ct", X_CT, ATTR(NFTA_CT_DREG) | ATTR(NFTA_CT_KEY) | ATTR(NFTA_CT_SREG), ct },
	{ "payload", X_PAYLOAD,
	  ATTR(NFTA_PAYLOAD_DREG) | ATTR(NFTA_PAYLOAD_BASE) | ATTR(NFTA_PAYLOAD_OFFSET) | ATTR(NFTA_PAYLOAD_LEN),
	  payload },
	{ "fib", X_FIB, ATTR(NFTA_FIB_DREG) | ATTR(NFTA_FIB_RESULT) | ATTR(NFTA_FIB_FLAGS), fib },
	{ "cmp", X_CMP, ATTR(NFTA_CMP_SREG) | ATTR(NFTA_CMP_OP) | ATTR(NFTA_CMP_DATA), cmp },
	{ "range", X_RANGE,
	  ATTR(NFTA_RANGE_SREG) | ATTR(NFTA_RANGE_OP) | ATTR(NFTA_RANGE_FROM_DATA) | ATTR(NFTA_RANGE_TO_DATA), range },
	{ "bitwise", X_BITWISE,
	  ATTR(NFTA_BITWISE_SREG) | ATTR(NFTA_BITWISE_DREG) | ATTR(NFTA_BITWISE_LEN) | ATTR(NFTA_BITWISE_MASK) |
		  ATTR(NFTA_BITWISE_XOR) | ATTR(NFTA_BITWISE_OP),
	  bitwise },
	{ "byteorder", X_BYTEORDER,
	  ATTR(NFTA_BYTEORDER_SREG) | ATTR(NFTA_BYTEORDER_DREG) | ATTR(NFTA_BYTEORDER_OP) | ATTR(NFTA_BYTEORDER_LEN) |
		  ATTR(NFTA_BYTEORDER_SIZE),
	  byteorder },
	{ "hash", X_HASH,
	  ATTR(NFTA_HASH_SREG) | ATTR(NFTA_HASH_DREG) | ATTR(NFTA_HASH_LEN) | ATTR(NFTA_HASH_MODULUS) |
		  ATTR(NFTA_HASH_SEED) | ATTR(NFTA_HASH_OFFSET) | ATTR(NFTA_HASH_TYPE),
	  hash },
	{ "lookup", X_LOOKUP,
	  ATTR(NFTA_LOOKUP_SET) | ATTR(NFTA_LOOKUP_SREG) | ATTR(NFTA_LOOKUP_DREG) | ATTR(NFTA_LOOKUP_FLAGS), lookup },
	{ "immediate", X_IMMEDIATE, ATTR(NFTA_IMMEDIATE_DREG) | ATTR(NFTA_IMMEDIATE_DATA), immediate },
	{ "objref", X_COUNTER, ATTR(NFTA_OBJREF_IMM_TYPE) | ATTR(NFTA_OBJREF_IMM_NAME), counter },
	/* what looks on: in rules of somebody else's */
	{ "counter", X_COUNTER, ATTR(NFTA_COUNTER_BYTES) | ATTR(NFTA_COUNTER_PACKETS), nothing },
	{ "log", X_COUNTER,
	  ATTR(NFTA_LOG_GROUP) | ATTR(NFTA_LOG_PREFIX) | ATTR(NFTA_LOG_SNAPLEN) | ATTR(NFTA_LOG_QTHRESHOLD) |
		  ATTR(NFTA_LOG_LEVEL) | ATTR(NFTA_LOG_FLAGS),
	  nothing },
	{ "exthdr", X_MSS_SET,
	  ATTR(NFTA_EXTHDR_TYPE) | ATTR(NFTA_EXTHDR_OFFSET) | ATTR(NFTA_EXTHDR_LEN) | ATTR(NFTA_EXTHDR_OP) |
		  ATTR(NFTA_EXTHDR_SREG) | ATTR(NFTA_EXTHDR_FLAGS),
	  exthdr },
	{ "notrack", X_NOTRACK, 0, nothing },
	{ "masq", X_MASQUERADE, ATTR(NFTA_MASQ_FLAGS), masq },
	{ "nat", X_SNAT,
	  ATTR(NFTA_NAT_TYPE) | ATTR(NFTA_NAT_FAMILY) | ATTR(NFTA_NAT_REG_ADDR_MIN) | ATTR(NFTA_NAT_REG_ADDR_MAX) |
		  ATTR(NFTA_NAT_FLAGS),
	  nat },
	{ "reject", X_REJECT, ATTR(NFTA_REJECT_TYPE) | ATTR(NFTA_REJECT_ICMP_CODE), reject },
};

/* Byte registers that an expression touches beyond the file are nobody's. */
static void check_bounds(struct decoder *d, const struct expr *x, const char *name)
{
	const uint32_t len = x->op == X_META || x->op == X_META_SET || x->op == X_CT || x->op == X_CT_SET ? 0 : x->len;

	if (x->sreg + len > 64 || x->dreg + len > 64)
		proof_fail(d, "`%s` works on %u bytes from register %u or %u on", name, len, x->sreg, x->dreg);
}

static void decode_expr(struct decoder *d, struct bytes in, struct expr *x)
{
	struct attrs attrs = proof_attrs(d, "an expression", in, ATTR(NFTA_EXPR_NAME) | ATTR(NFTA_EXPR_DATA));
	const char *name = proof_string(d, &attrs, NFTA_EXPR_NAME);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct attrs data;

		if (strcmp(kinds[i].name, name) != 0)
			continue;
		data = proof_attrs(d, kinds[i].name, attrs.at[NFTA_EXPR_DATA], kinds[i].known);
		x->op = kinds[i].op;
		kinds[i].read(d, &data, x);
		check_bounds(d, x, name);
		return;
	}
	proof_fail(d, "the expression `%s` is not known", name);
}

void proof_decode_rule(struct decoder *d, struct bytes list, struct nft_rule *rule)
{
	struct bytes element;

	while (proof_next(d, "expressions", &list, NFTA_LIST_ELEM, &element))
		decode_expr(d, element, cni_push(d->arena, rule->exprs, rule->n_exprs));
}
