/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registers.c - what a rule has in its registers, bit by bit, and which packets a comparison of them takes. */
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "compiler/proof/machine.h"

#define ICMP 1
#define ICMPV6 58
#define TCP 6
#define SYN 0x02 /* of the flags: a flow's first packet has no other; RFC 9293, 3.1 */

static struct bit constant(bool one)
{
	return (struct bit){ .kind = BIT_CONSTANT, .flip = one };
}

static struct bit *bits_of(struct registers *r, size_t reg)
{
	return r->bits + reg * 8;
}

/* What is shorter than its last word leaves zeros behind (nft_reg_store8(), nft_payload_eval()). */
static void pad(struct registers *r, size_t reg, size_t len)
{
	for (; len % 4; len++)
		for (size_t i = 0; i < 8; i++)
			bits_of(r, reg + len)[i] = constant(false);
}

void registers_value(struct registers *r, size_t reg, const void *value, size_t len)
{
	for (size_t i = 0; i < len * 8; i++)
		bits_of(r, reg)[i] = constant(((const uint8_t *)value)[i / 8] >> (7 - i % 8) & 1);
	pad(r, reg, len);
}

void registers_field(struct registers *r, size_t reg, enum cni_header_field field, unsigned int width)
{
	for (unsigned int i = 0; i < width; i++)
		bits_of(r, reg)[i] = (struct bit){ .kind = BIT_FIELD, .field = (uint8_t)field, .depth = (uint8_t)i };
	pad(r, reg, width / 8);
}

/* ---- headers ---- */

/* Where fields are, in bits from the start of the header: RFC 791, 3.1 and RFC 2474, 3; RFC 8200, 3. */
static const struct place {
	uint16_t at, width;
	enum cni_header_field field;
} network[CNI_N_FAMILIES][4] = {
	[CNI_V4] = { { 8, 6, CNI_FIELD_DSCP },
		     { 72, 8, CNI_FIELD_PROTO },
		     { 96, 32, CNI_FIELD_FROM },
		     { 128, 32, CNI_FIELD_TO } },
	/* the protocol is not among them: a next header may be an extension */
	[CNI_V6] = { { 4, 6, CNI_FIELD_DSCP }, { 64, 128, CNI_FIELD_FROM }, { 192, 128, CNI_FIELD_TO } },
};

static struct bit network_bit(enum cni_family family, uint32_t at)
{
	for (size_t i = 0; i < 4; i++) {
		const struct place *place = &network[family][i];

		if (place->width && at >= place->at && at < (uint32_t)place->at + place->width)
			return (struct bit){ .kind = BIT_FIELD,
					     .field = (uint8_t)place->field,
					     .depth = (uint8_t)(at - place->at) };
	}
	return (struct bit){ .kind = BIT_UNKNOWN };
}

static struct bit transport_bit(uint32_t at)
{
	const unsigned int flags = 13 * 8;

	if (at < 8)
		return (struct bit){ .kind = BIT_TRANSPORT, .field = CNI_FIELD_SPORT, .depth = (uint8_t)at };
	if (at < 32)
		return (struct bit){ .kind = BIT_FIELD,
				     .field = at < 16 ? CNI_FIELD_SPORT : CNI_FIELD_DPORT,
				     .depth = (uint8_t)(at % 16) };
	if (at >= flags && at < flags + 8)
		return (struct bit){ .kind = BIT_TCP_FLAG, .flip = SYN >> (7 - (at - flags)) & 1 };
	return (struct bit){ .kind = BIT_UNKNOWN };
}

bool registers_payload(struct registers *r, const struct expr *x, enum cni_family family)
{
	if (x->key != NFT_PAYLOAD_NETWORK_HEADER && x->key != NFT_PAYLOAD_TRANSPORT_HEADER)
		return false;
	for (uint32_t i = 0; i < x->len * 8; i++) {
		const uint32_t at = x->offset * 8 + i;

		bits_of(r, x->dreg)[i] =
			x->key == NFT_PAYLOAD_NETWORK_HEADER ? network_bit(family, at) : transport_bit(at);
	}
	pad(r, x->dreg, x->len);
	return true;
}

/* ---- operations ---- */

bool registers_bitwise(struct registers *r, const struct expr *x)
{
	for (uint32_t i = 0; i < x->len * 8; i++) {
		const bool kept = x->a.at[i / 8] >> (7 - i % 8) & 1, flipped = x->b.at[i / 8] >> (7 - i % 8) & 1;
		struct bit bit = bits_of(r, x->sreg)[i];

		if (bit.kind == BIT_UNSET || (kept && flipped && bit.kind == BIT_HASH))
			return false;
		if (!kept)
			bit = constant(false);
		bit.flip ^= flipped;
		bits_of(r, x->dreg)[i] = bit;
	}
	pad(r, x->dreg, x->len);
	return true;
}

/* A hash is a number of the machine's own byte order. */
void registers_hash(struct registers *r, size_t reg)
{
	const bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	for (unsigned int i = 0; i < 32; i++)
		bits_of(r, reg)[i] =
			(struct bit){ .kind = BIT_HASH, .depth = (uint8_t)(little ? (3 - i / 8) * 8 + i % 8 : i) };
}

/* From the machine's byte order to that of the network: nothing where they are the same. */
void registers_swap(struct registers *r, const struct expr *x)
{
	const bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	struct bit from[32];

	memcpy(from, bits_of(r, x->sreg), sizeof(from));
	for (unsigned int i = 0; i < 32; i++)
		bits_of(r, x->dreg)[i] = from[little ? (3 - i / 8) * 8 + i % 8 : i];
}

bool registers_constant(const struct registers *r, size_t reg, void *value, size_t len)
{
	const struct bit *bits = r->bits + reg * 8;

	memset(value, 0, len);
	for (size_t i = 0; i < len * 8; i++) {
		if (bits[i].kind != BIT_CONSTANT)
			return false;
		((uint8_t *)value)[i / 8] |= (uint8_t)(bits[i].flip << (7 - i % 8));
	}
	return true;
}

bool registers_has_hash(const struct registers *r, size_t reg)
{
	for (unsigned int i = 0; i < 32; i++)
		if (r->bits[reg * 8 + i].kind != BIT_HASH || r->bits[reg * 8 + i].depth != i)
			return false;
	return true;
}

/* ---- comparisons ---- */

static unsigned int width_of(enum cni_family family, enum cni_header_field field)
{
	static const unsigned int width[CNI_N_FIELDS] = { [CNI_FIELD_PROTO] = 8,
							  [CNI_FIELD_SPORT] = 16,
							  [CNI_FIELD_DPORT] = 16,
							  [CNI_FIELD_DSCP] = 6,
							  [CNI_FIELD_TYPE] = 8 };

	return width[field] ? width[field] : cni_width(family);
}

static bool bit_at(const uint8_t *value, size_t i)
{
	return value[i / 8] >> (7 - i % 8) & 1;
}

/* The field that bits[0..n) begin with as a whole; its width, or 0. */
static unsigned int whole_field(enum cni_family family, const struct bit *bits, size_t n)
{
	const unsigned int width = bits->kind == BIT_FIELD ? width_of(family, bits->field) : 0;

	if (!width || width > n)
		return 0;
	for (unsigned int i = 0; i < width; i++)
		if (bits[i].kind != BIT_FIELD || bits[i].field != bits->field || bits[i].depth != i || bits[i].flip)
			return 0;
	return width;
}

bool registers_is_field(const struct registers *r, size_t reg, size_t len, enum cni_family family,
			enum cni_header_field field)
{
	const struct bit *bits = r->bits + reg * 8;

	return bits->kind == BIT_FIELD && bits->field == field && whole_field(family, bits, len * 8) == len * 8;
}

static struct cni_space one_bit(struct machine *m, const struct bit *bit)
{
	const enum cni_family family = m->now.family;
	const cni_u128 mask =
		bit->kind == BIT_FIELD ? (cni_u128)1 << (width_of(family, bit->field) - 1 - bit->depth) : 0;

	switch (bit->kind) {
	case BIT_CONSTANT:
	case BIT_TCP_FLAG:
		return bit->flip ? cni_space_all() : cni_space_none();
	case BIT_FIELD:
		return cni_space_masked(m->spaces, family, bit->field, bit->flip ? 0 : mask, mask);
	default:
		proof_fail(m->d, "a rule compares what is not known of a packet");
		return cni_space_none();
	}
}

static cni_u128 number(const uint8_t *value, size_t first, size_t n)
{
	cni_u128 v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 1 | bit_at(value, first + i);
	return v;
}

/* Whether bits[0..n) are those of `value`, from the last one up, so that diagrams grow from their leaves. */
static struct cni_space equal(struct machine *m, const struct bit *bits, size_t n, const uint8_t *value)
{
	struct cni_space all = cni_space_all();

	for (size_t i = n; i--;) {
		const struct cni_space bit = one_bit(m, &bits[i]);

		all = bit_at(value, i) ? cni_space_and(m->spaces, bit, all) : cni_space_minus(m->spaces, all, bit);
	}
	return all;
}

/* Whether they are at least it (`up`), or at most. */
static struct cni_space beyond(struct machine *m, const struct bit *bits, size_t n, const uint8_t *value, bool up)
{
	struct cni_space all = cni_space_all();

	for (size_t i = n; i--;) {
		struct cni_space bit = one_bit(m, &bits[i]);

		if (!up)
			bit = cni_space_not(m->spaces, bit);
		all = bit_at(value, i) == up ? cni_space_and(m->spaces, bit, all) : cni_space_or(m->spaces, bit, all);
	}
	return all;
}

/* Equal keys are compared field by field; a range of one field is made at once. Others are made from bits. */
static struct cni_space within(struct machine *m, const struct bit *bits, size_t n, const uint8_t *lo,
			       const uint8_t *hi, struct cni_space where)
{
	const bool same = !memcmp(lo, hi, (n + 7) / 8);
	const enum cni_family family = m->now.family;
	size_t at = 0;

	while (at < n && !cni_space_is_empty(where)) {
		const unsigned int width = whole_field(family, bits + at, n - at);
		const unsigned int step = same || (!at && width == n) ? width : 0;
		struct cni_space here;

		if (step) {
			here = cni_space_range(m->spaces, family, bits[at].field, number(lo, at, width),
					       number(hi, at, width));
			at += step;
		} else if (same) {
			uint8_t value = bit_at(lo, at) ? 0x80 : 0;

			here = equal(m, bits + at, 1, &value);
			at++;
		} else {
			here = cni_space_and(m->spaces, beyond(m, bits, n, lo, true), beyond(m, bits, n, hi, false));
			at = n;
		}
		where = cni_space_and(m->spaces, where, here);
	}
	return where;
}

/* The first octet of the transport header as what it is for one part of the packets. */
static void as_transport(struct bit *bits, size_t n, bool icmp)
{
	for (size_t i = 0; i < n; i++)
		if (bits[i].kind == BIT_TRANSPORT) {
			bits[i].kind = BIT_FIELD;
			bits[i].field = icmp ? CNI_FIELD_TYPE : CNI_FIELD_SPORT;
		}
}

static bool any_of(const struct bit *bits, size_t n, enum bit_kind kind)
{
	for (size_t i = 0; i < n; i++)
		if (bits[i].kind == kind)
			return true;
	return false;
}

struct cni_space registers_within(struct machine *m, const struct registers *r, size_t reg, size_t len,
				  const uint8_t *lo, const uint8_t *hi, struct cni_space where)
{
	const uint64_t icmp_proto = m->now.family == CNI_V4 ? ICMP : ICMPV6;
	struct cni_space tcp, icmp, types, ports;
	const size_t n = len * 8;
	struct bit bits[REGISTER_BITS];

	memcpy(bits, r->bits + reg * 8, n * sizeof(*bits));
	if (any_of(bits, n, BIT_TCP_FLAG)) {
		tcp = cni_space_value(m->spaces, m->now.family, CNI_FIELD_PROTO, TCP);
		if (!cni_space_covers(m->spaces, tcp, where))
			proof_fail(m->d, "a rule asks for TCP's flags of what may be another protocol");
	}
	if (!any_of(bits, n, BIT_TRANSPORT))
		return within(m, bits, n, lo, hi, where);
	icmp = cni_space_value(m->spaces, m->now.family, CNI_FIELD_PROTO, icmp_proto);
	types = cni_space_and(m->spaces, where, icmp);
	ports = cni_space_minus(m->spaces, where, icmp);
	if (!cni_space_is_empty(types)) {
		as_transport(bits, n, true);
		types = within(m, bits, n, lo, hi, types);
		memcpy(bits, r->bits + reg * 8, n * sizeof(*bits));
	}
	as_transport(bits, n, false);
	return cni_space_or(m->spaces, types, within(m, bits, n, lo, hi, ports));
}
