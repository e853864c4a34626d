/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expr.c - the table of nft expressions; see expr.h. */
#include "runtime/netlink/expr.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <libnftnl/expr.h>
#include <linux/netfilter/nf_tables.h>

/* What of struct cni_expr an attribute carries. */
enum carries {
	NOTHING, /* the end of a list */
	KEY,
	KEY8, /* the same, one byte wide in the message */
	OFFSET,
	LEN,
	MODULUS,
	SEED,
	N_NUMBERS, /* those above are numbers, 32 bits wide in the message */
	REG = N_NUMBERS,
	SREG,
	A,
	B,
	NAME, /* left out when NULL */
	FIXED, /* no part of it: always `fixed` */
	/* told by the kernel but not to it: must be as it would be for a rule of cnic's */
	SREG_AGAIN,
	FIXED_TOLD,
};

static const struct {
	size_t at, size;
} numbers[N_NUMBERS] = {
	[KEY] = { offsetof(struct cni_expr, key), 4 },	       [KEY8] = { offsetof(struct cni_expr, key), 4 },
	[OFFSET] = { offsetof(struct cni_expr, offset), 2 },   [LEN] = { offsetof(struct cni_expr, len), 2 },
	[MODULUS] = { offsetof(struct cni_expr, modulus), 4 }, [SEED] = { offsetof(struct cni_expr, seed), 4 },
};

struct field {
	uint16_t attr;
	enum carries carries;
	uint32_t fixed;
};

static const struct row {
	enum cni_expr_op op;
	int key; /* the row is for this key only; ANY: for all, or it is among the fields */
	const char *name;
	struct field fields[7];
} rows[] = {
#define ANY (-1000)
	{ CNI_X_META, ANY, "meta", { { NFTNL_EXPR_META_KEY, KEY, 0 }, { NFTNL_EXPR_META_DREG, REG, 0 } } },
	{ CNI_X_META_SET, ANY, "meta", { { NFTNL_EXPR_META_KEY, KEY, 0 }, { NFTNL_EXPR_META_SREG, REG, 0 } } },
	{ CNI_X_CT, ANY, "ct", { { NFTNL_EXPR_CT_KEY, KEY, 0 }, { NFTNL_EXPR_CT_DREG, REG, 0 } } },
	{ CNI_X_CT_SET, ANY, "ct", { { NFTNL_EXPR_CT_KEY, KEY, 0 }, { NFTNL_EXPR_CT_SREG, REG, 0 } } },
	{ CNI_X_PAYLOAD,
	  ANY,
	  "payload",
	  { { NFTNL_EXPR_PAYLOAD_DREG, REG, 0 },
	    { NFTNL_EXPR_PAYLOAD_BASE, KEY, 0 },
	    { NFTNL_EXPR_PAYLOAD_OFFSET, OFFSET, 0 },
	    { NFTNL_EXPR_PAYLOAD_LEN, LEN, 0 } } },
	{ CNI_X_FIB,
	  ANY,
	  "fib",
	  { { NFTNL_EXPR_FIB_DREG, REG, 0 }, { NFTNL_EXPR_FIB_RESULT, KEY, 0 }, { NFTNL_EXPR_FIB_FLAGS, LEN, 0 } } },
	{ CNI_X_CMP,
	  ANY,
	  "cmp",
	  { { NFTNL_EXPR_CMP_SREG, REG, 0 }, { NFTNL_EXPR_CMP_OP, KEY, 0 }, { NFTNL_EXPR_CMP_DATA, A, 0 } } },
	{ CNI_X_BITWISE,
	  ANY,
	  "bitwise",
	  { { NFTNL_EXPR_BITWISE_SREG, SREG, 0 },
	    { NFTNL_EXPR_BITWISE_DREG, REG, 0 },
	    { NFTNL_EXPR_BITWISE_OP, FIXED, NFT_BITWISE_BOOL },
	    { NFTNL_EXPR_BITWISE_LEN, LEN, 0 },
	    { NFTNL_EXPR_BITWISE_MASK, A, 0 },
	    { NFTNL_EXPR_BITWISE_XOR, B, 0 } } },
	{ CNI_X_BYTEORDER,
	  ANY,
	  "byteorder",
	  { { NFTNL_EXPR_BYTEORDER_SREG, SREG, 0 },
	    { NFTNL_EXPR_BYTEORDER_DREG, REG, 0 },
	    { NFTNL_EXPR_BYTEORDER_OP, FIXED, NFT_BYTEORDER_HTON },
	    { NFTNL_EXPR_BYTEORDER_LEN, FIXED, 4 },
	    { NFTNL_EXPR_BYTEORDER_SIZE, FIXED, 4 } } },
	{ CNI_X_HASH,
	  ANY,
	  "hash",
	  { { NFTNL_EXPR_HASH_SREG, SREG, 0 },
	    { NFTNL_EXPR_HASH_DREG, REG, 0 },
	    { NFTNL_EXPR_HASH_LEN, LEN, 0 },
	    { NFTNL_EXPR_HASH_MODULUS, MODULUS, 0 },
	    { NFTNL_EXPR_HASH_SEED, SEED, 0 },
	    { NFTNL_EXPR_HASH_TYPE, FIXED, NFT_HASH_JENKINS },
	    { NFTNL_EXPR_HASH_OFFSET, FIXED_TOLD, 0 } } },
	{ CNI_X_LOOKUP,
	  0,
	  "lookup",
	  { { NFTNL_EXPR_LOOKUP_SREG, SREG, 0 },
	    { NFTNL_EXPR_LOOKUP_SET, NAME, 0 },
	    { NFTNL_EXPR_LOOKUP_FLAGS, FIXED_TOLD, 0 } } },
	{ CNI_X_LOOKUP,
	  1,
	  "lookup",
	  { { NFTNL_EXPR_LOOKUP_SREG, SREG, 0 },
	    { NFTNL_EXPR_LOOKUP_SET, NAME, 0 },
	    { NFTNL_EXPR_LOOKUP_FLAGS, FIXED, NFT_LOOKUP_F_INV } } },
	{ CNI_X_LOOKUP,
	  2,
	  "lookup",
	  { { NFTNL_EXPR_LOOKUP_SREG, SREG, 0 },
	    { NFTNL_EXPR_LOOKUP_SET, NAME, 0 },
	    { NFTNL_EXPR_LOOKUP_DREG, FIXED, NFT_REG_VERDICT },
	    { NFTNL_EXPR_LOOKUP_FLAGS, FIXED_TOLD, 0 } } },
	{ CNI_X_IMMEDIATE, ANY, "immediate", { { NFTNL_EXPR_IMM_DREG, REG, 0 }, { NFTNL_EXPR_IMM_DATA, A, 0 } } },
	{ CNI_X_VERDICT,
	  ANY,
	  "immediate",
	  { { NFTNL_EXPR_IMM_DREG, FIXED, NFT_REG_VERDICT },
	    { NFTNL_EXPR_IMM_VERDICT, KEY, 0 },
	    { NFTNL_EXPR_IMM_CHAIN, NAME, 0 } } },
	{ CNI_X_COUNTER,
	  ANY,
	  "objref",
	  { { NFTNL_EXPR_OBJREF_IMM_TYPE, FIXED, NFT_OBJECT_COUNTER }, { NFTNL_EXPR_OBJREF_IMM_NAME, NAME, 0 } } },
	{ CNI_X_TCPOPT_SET,
	  ANY,
	  "exthdr",
	  { { NFTNL_EXPR_EXTHDR_SREG, SREG, 0 },
	    { NFTNL_EXPR_EXTHDR_TYPE, KEY8, 0 },
	    { NFTNL_EXPR_EXTHDR_OFFSET, OFFSET, 0 },
	    { NFTNL_EXPR_EXTHDR_LEN, LEN, 0 },
	    { NFTNL_EXPR_EXTHDR_OP, FIXED, NFT_EXTHDR_OP_TCPOPT },
	    { NFTNL_EXPR_EXTHDR_FLAGS, FIXED_TOLD, 0 } } },
	{ CNI_X_NOTRACK, ANY, "notrack", { { 0, NOTHING, 0 } } },
	{ CNI_X_MASQUERADE, ANY, "masq", { { NFTNL_EXPR_MASQ_FLAGS, FIXED_TOLD, 0 } } },
	{ CNI_X_SNAT,
	  ANY,
	  "nat",
	  { { NFTNL_EXPR_NAT_TYPE, FIXED, NFT_NAT_SNAT },
	    { NFTNL_EXPR_NAT_FAMILY, KEY, 0 },
	    { NFTNL_EXPR_NAT_REG_ADDR_MIN, SREG, 0 },
	    { NFTNL_EXPR_NAT_REG_ADDR_MAX, SREG_AGAIN, 0 },
	    { NFTNL_EXPR_NAT_FLAGS, FIXED_TOLD, 1 /* NF_NAT_RANGE_MAP_IPS */ } } },
	{ CNI_X_REJECT,
	  ANY,
	  "reject",
	  { { NFTNL_EXPR_REJECT_TYPE, FIXED, NFT_REJECT_ICMPX_UNREACH }, { NFTNL_EXPR_REJECT_CODE, KEY8, 0 } } },
};

#define N_ROWS (sizeof(rows) / sizeof(*rows))
#define N_FIELDS (sizeof(rows->fields) / sizeof(*rows->fields))

static uint32_t number_in(const struct cni_expr *expr, enum carries which)
{
	const char *at = (const char *)expr + numbers[which].at;

	return numbers[which].size == 2 ? *(const uint16_t *)at : *(const uint32_t *)at;
}

static void put(struct nftnl_expr *to, const struct field *field, const struct cni_expr *from)
{
	if (field->carries == KEY8)
		nftnl_expr_set_u8(to, field->attr, (uint8_t)from->key);
	else if (field->carries > NOTHING && field->carries < N_NUMBERS)
		nftnl_expr_set_u32(to, field->attr, number_in(from, field->carries));
	else if (field->carries == REG || field->carries == SREG)
		nftnl_expr_set_u32(to, field->attr, NFT_REG32_00 + (field->carries == REG ? from->reg : from->sreg));
	else if (field->carries == A || field->carries == B)
		nftnl_expr_set(to, field->attr, field->carries == A ? from->a : from->b, from->len);
	else if (field->carries == NAME && from->name)
		nftnl_expr_set_str(to, field->attr, from->name);
	else if (field->carries == FIXED)
		nftnl_expr_set_u32(to, field->attr, field->fixed);
}

struct nftnl_expr *rt_expr_encode(const struct cni_expr *expr)
{
	const struct row *row = rows;
	struct nftnl_expr *to;

	while (row < rows + N_ROWS && (row->op != expr->op || (row->key != ANY && row->key != expr->key)))
		row++;
	if (row == rows + N_ROWS) {
		errno = ENOTSUP;
		return NULL;
	}
	errno = ENOMEM;
	to = nftnl_expr_alloc(row->name);
	for (size_t i = 0; to && i < N_FIELDS; i++)
		put(to, &row->fields[i], expr);
	return to;
}

/* ---- and back ---- */

static bool get_number(const struct nftnl_expr *from, uint16_t attr, uint32_t *number)
{
	uint32_t len = 0, value32;
	const void *data = nftnl_expr_get(from, attr, &len);
	uint16_t value16;

	if (!data || (len != 1 && len != 2 && len != 4))
		return false;
	memcpy(&value32, data, len == 4 ? 4 : 0);
	memcpy(&value16, data, len == 2 ? 2 : 0);
	*number = len == 4 ? value32 : len == 2 ? value16 : *(const uint8_t *)data;
	return true;
}

/* NFT_REG_1 to 4 are four words each, the same storage as NFT_REG32_00 to 15. */
static bool get_register(const struct nftnl_expr *from, uint16_t attr, uint8_t *reg)
{
	uint32_t raw;

	if (!get_number(from, attr, &raw))
		return false;
	if (raw >= NFT_REG_1 && raw <= NFT_REG_4)
		*reg = (uint8_t)((raw - NFT_REG_1) * 4);
	else if (raw >= NFT_REG32_00 && raw <= NFT_REG32_15)
		*reg = (uint8_t)(raw - NFT_REG32_00);
	else
		return false;
	return true;
}

static bool get_data(const struct nftnl_expr *from, uint16_t attr, uint8_t to[16], uint16_t *to_len)
{
	uint32_t len = 0;
	const void *data = nftnl_expr_get(from, attr, &len);

	if (!data || !len || len > 16)
		return false;
	memcpy(to, data, len);
	*to_len = (uint16_t)len;
	return true;
}

static bool set_number(struct cni_expr *expr, enum carries which, uint32_t number)
{
	char *at = (char *)expr + numbers[which].at;

	if (numbers[which].size == 4)
		*(uint32_t *)at = number;
	else
		*(uint16_t *)at = (uint16_t)number;
	return numbers[which].size == 4 || number <= UINT16_MAX;
}

static bool get(struct cni_arena *arena, const struct nftnl_expr *from, const struct field *field, struct cni_expr *to)
{
	enum carries carries = field->carries;
	uint32_t number = 0;
	uint8_t reg;

	if (carries == NOTHING)
		return true;
	if (!nftnl_expr_is_set(from, field->attr))
		return carries == NAME || carries == SREG_AGAIN || carries == FIXED_TOLD;
	if (carries == NAME) {
		to->name = cni_strdup(arena, nftnl_expr_get_str(from, field->attr));
		return true;
	}
	if (carries == A || carries == B)
		return get_data(from, field->attr, carries == A ? to->a : to->b, &to->len);
	if (carries == REG || carries == SREG)
		return get_register(from, field->attr, carries == REG ? &to->reg : &to->sreg);
	if (carries == SREG_AGAIN)
		return get_register(from, field->attr, &reg) && reg == to->sreg;
	if (!get_number(from, field->attr, &number))
		return false;
	return carries < N_NUMBERS ? set_number(to, carries, number) : number == field->fixed;
}

/* Whether `from` has no attribute beside the row's. */
static bool is_all(const struct nftnl_expr *from, const struct row *row)
{
	uint32_t known = 0;

	for (size_t i = 0; i < N_FIELDS; i++)
		known |= 1u << row->fields[i].attr;
	for (uint16_t attr = NFTNL_EXPR_BASE; attr < 32; attr++)
		if (nftnl_expr_is_set(from, attr) && !(known & (1u << attr)))
			return false;
	return true;
}

void rt_expr_decode(struct cni_arena *arena, const struct nftnl_expr *from, struct cni_expr *expr)
{
	const char *name = nftnl_expr_get_str(from, NFTNL_EXPR_NAME);

	for (const struct row *row = rows; row < rows + N_ROWS; row++) {
		bool fits = !strcmp(row->name, name) && is_all(from, row);

		*expr = (struct cni_expr){ .op = row->op, .key = row->key == ANY ? 0 : row->key };
		for (size_t i = 0; fits && i < N_FIELDS; i++)
			fits = get(arena, from, &row->fields[i], expr);
		if (fits)
			return;
	}
	*expr = (struct cni_expr){ .op = CNI_X_OTHER, .name = cni_strdup(arena, name) };
}
