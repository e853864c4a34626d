/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expr.c - what expressions load, change and compare, for the packets that are in their rule. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "compiler/proof/machine_internal.h"

struct bit_hash {
	uint32_t seed, modulus;
	size_t n;
	struct bit bits[REGISTER_BITS];
};

/* ---- conditions ---- */

static void get_set_space(struct place *p, const struct expr *x)
{
	struct machine *m = p->m;
	uint8_t key[64];

	if (registers_constant(&p->r, x->sreg, key, x->set->key_len) && !x->set->n_fields) {
		if (!constant_element(x->set, key) != x->inverted)
			p->here = cni_space_none();
	} else if (x->inverted) {
		p->here = cni_space_minus(m->spaces, p->here, set_space(m, &p->r, x->sreg, x->set, cni_space_all()));
	} else {
		p->here = set_space(m, &p->r, x->sreg, x->set, p->here);
	}
}

static void compare(struct place *p, const struct expr *x)
{
	struct machine *m = p->m;
	const uint8_t *lowest = cni_alloc(m->d->arena, x->len), *value = x->a.at;
	const uint8_t *highest = memset(cni_alloc(m->d->arena, x->len), 0xff, x->len);
	struct cni_space equal, upto;

	equal = registers_within(m, &p->r, x->sreg, x->len, value, value, p->here);
	switch (x->key) {
	case NFT_CMP_EQ:
		p->here = equal;
		break;
	case NFT_CMP_NEQ:
		p->here = cni_space_minus(m->spaces, p->here, equal);
		break;
	case NFT_CMP_GTE:
		p->here = registers_within(m, &p->r, x->sreg, x->len, value, highest, p->here);
		break;
	case NFT_CMP_LTE:
		p->here = registers_within(m, &p->r, x->sreg, x->len, lowest, value, p->here);
		break;
	case NFT_CMP_LT:
		p->here = cni_space_minus(m->spaces, p->here,
					  registers_within(m, &p->r, x->sreg, x->len, value, highest, p->here));
		break;
	case NFT_CMP_GT:
		upto = registers_within(m, &p->r, x->sreg, x->len, lowest, value, p->here);
		p->here = cni_space_minus(m->spaces, p->here, upto);
		break;
	default:
		proof_fail(m->d, "a comparison is %u", x->key);
	}
}

static void in_range(struct place *p, const struct expr *x)
{
	const struct cni_space in = registers_within(p->m, &p->r, x->sreg, x->len, x->a.at, x->b.at, p->here);

	p->here = x->key == NFT_RANGE_EQ ? in : cni_space_minus(p->m->spaces, p->here, in);
}

/* ---- loading ---- */

static void device(struct place *p, const struct expr *x, const char *name)
{
	char text[16] = ""; /* IFNAMSIZ, padded with zeros */

	if (!name) {
		p->here = cni_space_none(); /* no such device: the rule is over */
		return;
	}
	memcpy(text, name, strnlen(name, sizeof(text) - 1));
	registers_value(&p->r, x->dreg, text, sizeof(text));
}

static void load_meta(struct place *p, const struct expr *x)
{
	struct machine *m = p->m;
	uint8_t family = m->now.family == CNI_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6;

	switch (x->key) {
	case NFT_META_NFPROTO:
		m->reads |= READS_FAMILY;
		registers_value(&p->r, x->dreg, &family, 1);
		break;
	case NFT_META_L4PROTO:
		registers_field(&p->r, x->dreg, CNI_FIELD_PROTO, 8);
		break;
	case NFT_META_MARK:
		registers_value(&p->r, x->dreg, &p->mode.marks.mark, 4);
		break;
	case NFT_META_IIFNAME:
		m->reads |= READS_IIF;
		device(p, x, m->now.iif);
		break;
	case NFT_META_OIFNAME:
		m->reads |= READS_OIF;
		device(p, x, m->now.oif);
		break;
	default:
		proof_fail(m->d, "meta %u is not known", x->key);
	}
}

static void load_ct(struct place *p, const struct expr *x)
{
	struct machine *m = p->m;
	const uint8_t direction = m->now.reply;

	m->reads |= READS_FLOW;
	if (m->now.before_conntrack || p->mode.marks.untracked) {
		p->here = cni_space_none(); /* there is no flow: the rule is over */
		return;
	}
	switch (x->key) {
	case NFT_CT_DIRECTION:
		registers_value(&p->r, x->dreg, &direction, 1);
		break;
	case NFT_CT_STATUS:
		registers_value(&p->r, x->dreg, &m->now.ct_status, 4);
		break;
	case NFT_CT_MARK:
		registers_value(&p->r, x->dreg, &p->mode.marks.ct_mark, 4);
		break;
	default:
		proof_fail(m->d, "ct %u is not known", x->key);
	}
}

static void load_hash(struct place *p, const struct expr *x)
{
	struct machine *m = p->m;
	struct bit_hash *hash = cni_new(m->d->arena, struct bit_hash);

	hash->seed = x->seed;
	hash->modulus = x->modulus;
	hash->n = x->len * 8;
	for (size_t i = 0; i < hash->n; i++) {
		hash->bits[i] = p->r.bits[x->sreg * 8 + i];
		if (hash->bits[i].kind == BIT_UNSET)
			proof_fail(m->d, "a hash is of a register without a value");
	}
	for (p->r.hash = 0; p->r.hash < m->n_hashes; p->r.hash++)
		if (!memcmp(&m->hashes[p->r.hash], hash, sizeof(*hash)))
			break;
	if (p->r.hash == m->n_hashes)
		*cni_push(m->d->arena, m->hashes, m->n_hashes) = *hash;
	p->r.modulus = x->modulus;
	registers_hash(&p->r, x->dreg);
}

static void set_mark(struct place *p, const struct expr *x, uint32_t *mark)
{
	const uint32_t key = x->op == X_META_SET ? NFT_META_MARK : NFT_CT_MARK;

	if (x->key != key || !registers_constant(&p->r, x->sreg, mark, sizeof(*mark)))
		proof_fail(p->m->d, "a rule sets what it should not, or not to one value");
}

/* The kernel writes a smaller one only (nft_exthdr_tcp_set_eval()). */
static void set_mss(struct place *p, const struct expr *x)
{
	uint8_t value[2];
	uint32_t mss;

	if (!registers_constant(&p->r, x->sreg, value, sizeof(value)))
		proof_fail(p->m->d, "an MSS is not one value");
	mss = (uint32_t)value[0] << 8 | value[1];
	if (!p->mode.marks.mss || mss < p->mode.marks.mss)
		p->mode.marks.mss = mss;
}

void machine_expr(struct place *p, const struct expr *x)
{
	struct machine *m = p->m;

	switch (x->op) {
	case X_META:
		load_meta(p, x);
		break;
	case X_CT:
		load_ct(p, x);
		break;
	case X_PAYLOAD:
		m->reads |= READS_FAMILY;
		if (!registers_payload(&p->r, x, m->now.family))
			proof_fail(m->d, "a rule reads header %u", x->key);
		break;
	case X_FIB:
		m->reads |= READS_FIB;
		registers_value(&p->r, x->dreg, &m->now.fib_type, 4);
		break;
	case X_IMMEDIATE:
		registers_value(&p->r, x->dreg, x->a.at, x->len);
		break;
	case X_BITWISE:
		if (!registers_bitwise(&p->r, x))
			proof_fail(m->d, "a rule masks what has no value");
		break;
	case X_BYTEORDER:
		registers_swap(&p->r, x);
		break;
	case X_HASH:
		load_hash(p, x);
		break;
	case X_CMP:
		compare(p, x);
		break;
	case X_RANGE:
		in_range(p, x);
		break;
	case X_LOOKUP:
		get_set_space(p, x);
		break;
	case X_META_SET:
		set_mark(p, x, &p->mode.marks.mark);
		break;
	case X_CT_SET:
		m->reads |= READS_FLOW;
		if (m->now.before_conntrack || p->mode.marks.untracked)
			break; /* there is no flow to mark */
		set_mark(p, x, &p->mode.marks.ct_mark);
		break;
	case X_MSS_SET:
		m->reads |= READS_FAMILY;
		set_mss(p, x);
		break;
	case X_NOTRACK:
		p->mode.marks.untracked = 1;
		break;
	default:
		break; /* counters count */
	}
}
