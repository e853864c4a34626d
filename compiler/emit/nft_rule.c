/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_rule.c - one rule in nft's words. The expressions are walked in order; for each register the text of what
 * it holds is kept, and printed when something uses it. */
#include "compiler/emit/emit.h"
#include "compiler/emit/nft.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "compiler/arena.h"

#define N_WORDS 16
#define TCPOPT_MAXSEG 2

struct value {
	const char *text; /* "ip daddr"; NULL: nothing, or the constant `bytes` */
	enum nft_type type;
	uint16_t len; /* bytes; 0: the register is empty */
	bool masked;
	uint8_t mask[16], flip[16]; /* (text & mask) ^ flip */
	uint8_t bytes[16];
};

struct walk {
	struct cni_text *out;
	const struct cni_state *state;
	struct value words[N_WORDS]; /* by the first word that a value fills */
	int nfproto, l4proto; /* what the rule has established so far; -1: nothing */
	size_t start; /* length of `out` before the rule */
};

struct named {
	int32_t key;
	const char *text;
	enum nft_type type;
	uint16_t len;
};

static const struct named metas[] = {
	{ NFT_META_MARK, "meta mark", NFT_T_HEX, 4 },
	{ NFT_META_IIFNAME, "iifname", NFT_T_IFNAME, CNI_IFNAME },
	{ NFT_META_OIFNAME, "oifname", NFT_T_IFNAME, CNI_IFNAME },
	{ NFT_META_NFPROTO, "meta nfproto", NFT_T_NFPROTO, 1 },
	{ NFT_META_L4PROTO, "meta l4proto", NFT_T_L4PROTO, 1 },
	{ NFT_META_LEN, "meta length", NFT_T_DEC, 4 },
	{ 0, NULL, NFT_T_RAW, 0 },
};

static const struct named cts[] = {
	{ NFT_CT_STATE, "ct state", NFT_T_CT_STATE, 4 },
	{ NFT_CT_STATUS, "ct status", NFT_T_CT_STATUS, 4 },
	{ NFT_CT_DIRECTION, "ct direction", NFT_T_CT_DIRECTION, 1 },
	{ NFT_CT_MARK, "ct mark", NFT_T_HEX, 4 },
	{ 0, NULL, NFT_T_RAW, 0 },
};

/* Fields that nft names. It adds a test of the protocol where a rule has none yet, so a name is used only behind
 * the test that it needs. */
static const struct header_field {
	int32_t base;
	int nfproto, l4proto; /* needed; -1: any */
	uint16_t offset, len;
	const char *text;
	enum nft_type type;
} header_fields[] = {
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV4, -1, 1, 1, "ip dscp", NFT_T_DSCP4 },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV4, -1, 8, 1, "ip ttl", NFT_T_BYTE },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV4, -1, 9, 1, "ip protocol", NFT_T_L4PROTO },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV4, -1, 12, 4, "ip saddr", NFT_T_IPV4 },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV4, -1, 16, 4, "ip daddr", NFT_T_IPV4 },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV6, -1, 0, 2, "ip6 dscp", NFT_T_DSCP6 },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV6, -1, 7, 1, "ip6 hoplimit", NFT_T_BYTE },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV6, -1, 8, 16, "ip6 saddr", NFT_T_IPV6 },
	{ NFT_PAYLOAD_NETWORK_HEADER, NFPROTO_IPV6, -1, 24, 16, "ip6 daddr", NFT_T_IPV6 },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, -1, IPPROTO_TCP, 13, 1, "tcp flags", NFT_T_TCP_FLAGS },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, -1, IPPROTO_ICMP, 0, 1, "icmp type", NFT_T_BYTE },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, -1, IPPROTO_ICMPV6, 0, 1, "icmpv6 type", NFT_T_BYTE },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, -1, -1, 0, 2, "th sport", NFT_T_PORT },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, -1, -1, 2, 2, "th dport", NFT_T_PORT },
};

static const char *const bases[] = {
	[NFT_PAYLOAD_LL_HEADER] = "ll", [NFT_PAYLOAD_NETWORK_HEADER] = "nh", [NFT_PAYLOAD_TRANSPORT_HEADER] = "th"
};

static bool is_address(enum nft_type type)
{
	return type == NFT_T_IPV4 || type == NFT_T_IPV6;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	static const uint8_t zero[16];

	return !memcmp(bytes, zero, len);
}

static const struct value *get(const struct walk *w, unsigned int reg)
{
	static const struct value none;

	return reg < N_WORDS ? &w->words[reg] : &none;
}

static struct value *put(struct walk *w, unsigned int reg, const char *text, enum nft_type type, uint16_t len)
{
	struct value *v = &w->words[reg % N_WORDS];

	*v = (struct value){ .text = text, .type = type, .len = len };
	return v;
}

/* ---- what a register holds ---- */

/* A mask or constant of a value's type: addresses and flags as such, the rest as a number. */
static void write_mask(struct cni_text *out, const struct value *v, const uint8_t *bytes)
{
	enum nft_type type = v->type;

	if (type == NFT_T_DSCP4 || type == NFT_T_DSCP6 || type == NFT_T_PORT)
		type = NFT_T_RAW;
	cni_nft_value(out, type, bytes, v->len);
}

static void write_operand(struct cni_text *out, const struct value *v)
{
	bool apart = true;

	if (!v->text) {
		if (v->len)
			cni_nft_value(out, v->type, v->bytes, v->len);
		return;
	}
	cni_text_puts(out, v->text);
	if (!v->masked)
		return;
	cni_text_puts(out, " & ");
	write_mask(out, v, v->mask);
	if (is_zero(v->flip, v->len))
		return;
	for (size_t i = 0; i < v->len; i++)
		apart = apart && !(v->mask[i] & v->flip[i]);
	cni_text_puts(out, apart ? " | " : " ^ ");
	write_mask(out, v, v->flip);
}

/* The values in `len` bytes of registers from `reg` on: "ip saddr . ip daddr". */
static void write_concat(struct walk *w, struct cni_text *out, unsigned int reg, size_t len)
{
	const char *between = "";

	for (size_t at = 0; at < len;) {
		const struct value *v = get(w, reg + (unsigned int)at / 4);

		if (!v->len)
			return;
		cni_text_puts(out, between);
		write_operand(out, v);
		between = " . ";
		at += (v->len + 3u) & ~3u;
	}
}

/* ---- loads ---- */

static void load_named(struct walk *w, const struct cni_expr *x, const struct named *names, const char *prefix)
{
	for (; names->text; names++)
		if (names->key == x->key) {
			put(w, x->reg, names->text, names->type, names->len);
			return;
		}
	put(w, x->reg, cni_printf(w->out->arena, "%s %d", prefix, x->key), NFT_T_RAW, 4);
}

static void load_meta(struct walk *w, const struct cni_expr *x)
{
	load_named(w, x, metas, "meta");
}

static void load_ct(struct walk *w, const struct cni_expr *x)
{
	load_named(w, x, cts, "ct");
}

static void load_payload(struct walk *w, const struct cni_expr *x)
{
	size_t n = sizeof(header_fields) / sizeof(*header_fields);
	const char *base = x->key >= 0 && x->key <= NFT_PAYLOAD_TRANSPORT_HEADER ? bases[x->key] : "ih";

	for (const struct header_field *f = header_fields; f < header_fields + n; f++) {
		bool shorter = is_address(f->type) && x->len < f->len; /* the front of an address: a prefix */

		if (f->base == x->key && f->offset == x->offset && (f->len == x->len || shorter) &&
		    (f->nfproto < 0 || f->nfproto == w->nfproto) && (f->l4proto < 0 || f->l4proto == w->l4proto)) {
			put(w, x->reg, f->text, f->type, x->len);
			return;
		}
	}
	put(w, x->reg, cni_printf(w->out->arena, "@%s,%u,%u", base, x->offset * 8u, x->len * 8u), NFT_T_RAW, x->len);
}

static void load_fib(struct walk *w, const struct cni_expr *x)
{
	static const char *const flags[] = { "saddr", "daddr", "mark", "iif", "oif" };
	struct cni_text text = { .arena = w->out->arena };
	const char *between = "fib ";

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (x->len & 1u << i) {
			cni_text_printf(&text, "%s%s", between, flags[i]);
			between = " . ";
		}
	if (x->key == NFT_FIB_RESULT_ADDRTYPE)
		put(w, x->reg, (cni_text_puts(&text, " type"), text.data), NFT_T_FIB_TYPE, 4);
	else if (x->key == NFT_FIB_RESULT_OIFNAME)
		put(w, x->reg, (cni_text_puts(&text, " oifname"), text.data), NFT_T_IFNAME, CNI_IFNAME);
	else
		put(w, x->reg, (cni_text_puts(&text, " oif"), text.data), NFT_T_DEC, 4);
}

static void load_hash(struct walk *w, const struct cni_expr *x)
{
	struct cni_text text = { .arena = w->out->arena };

	cni_text_puts(&text, "jhash ");
	write_concat(w, &text, x->sreg, x->len);
	cni_text_printf(&text, " mod %u seed 0x%x", x->modulus, x->seed);
	put(w, x->reg, text.data, NFT_T_DEC, 4);
}

static void load_immediate(struct walk *w, const struct cni_expr *x)
{
	struct value *v = put(w, x->reg, NULL, NFT_T_RAW, x->len <= sizeof(x->a) ? x->len : sizeof(x->a));

	memcpy(v->bytes, x->a, v->len);
}

static void load_bitwise(struct walk *w, const struct cni_expr *x)
{
	struct value v = *get(w, x->sreg);

	if (!v.text || v.masked) {
		struct cni_text text = { .arena = w->out->arena };

		cni_text_puts(&text, "(");
		write_operand(&text, &v);
		cni_text_puts(&text, ")");
		v = (struct value){ .text = text.data, .type = v.type, .len = v.len };
	}
	if (v.len > sizeof(v.mask))
		v.len = sizeof(v.mask);
	v.masked = true;
	memcpy(v.mask, x->a, sizeof(v.mask));
	memcpy(v.flip, x->b, sizeof(v.flip));
	*put(w, x->reg, NULL, NFT_T_RAW, 0) = v;
}

static void load_byteorder(struct walk *w, const struct cni_expr *x)
{
	struct value v = *get(w, x->sreg);

	v.type = v.type == NFT_T_HEX ? NFT_T_HEX_BE : NFT_T_DEC_BE; /* nft adds this step by itself */
	*put(w, x->reg, NULL, NFT_T_RAW, 0) = v;
}

/* ---- what uses a register ---- */

static void item(struct walk *w)
{
	if (w->out->len > w->start)
		cni_text_puts(w->out, " ");
}

/* `a` (and b: the upper end of a range, or NULL) against a register. */
static void write_compare(struct walk *w, const struct value *v, const struct cni_expr *a, const struct cni_expr *b)
{
	static const char *const signs[] = { [NFT_CMP_EQ] = "== ",  [NFT_CMP_NEQ] = "!= ", [NFT_CMP_LT] = "< ",
					     [NFT_CMP_LTE] = "<= ", [NFT_CMP_GT] = "> ",   [NFT_CMP_GTE] = ">= " };
	bool plain = a->key == NFT_CMP_EQ || a->key == NFT_CMP_NEQ;
	bool whole = !v->masked || !is_zero(v->flip, sizeof(v->flip)); /* no special way to write the mask */
	const char *sign = a->key == NFT_CMP_EQ && v->type != NFT_T_DEC ? "" : signs[a->key % (NFT_CMP_GTE + 1)];
	size_t len = a->len < sizeof(a->a) ? a->len : sizeof(a->a);
	struct cni_text *out = w->out;
	int bits = v->len <= sizeof(v->mask) ? cni_nft_mask_bits(v->mask, v->len) : -1;

	item(w);
	if (b) {
		write_operand(out, v);
		cni_text_puts(out, " ");
		cni_nft_range(out, v->type, a->a, b->a, len);
	} else if (!whole && plain && is_address(v->type) && bits >= 0) {
		cni_text_printf(out, "%s %s", v->text, sign);
		cni_nft_prefix(out, v->type, a->a, (unsigned int)bits);
	} else if (!whole && plain && (v->type == NFT_T_DSCP4 || v->type == NFT_T_DSCP6)) {
		cni_text_printf(out, "%s %s", v->text, sign);
		cni_nft_value(out, v->type, a->a, len);
	} else if (!whole && a->key == NFT_CMP_NEQ && is_zero(a->a, len) &&
		   (v->type == NFT_T_CT_STATE || v->type == NFT_T_CT_STATUS)) {
		cni_text_printf(out, "%s ", v->text); /* any of these bits */
		cni_nft_flags(out, v->type, v->mask, v->len);
	} else {
		write_operand(out, v);
		cni_text_printf(out, " %s", v->masked ? signs[a->key % (NFT_CMP_GTE + 1)] : sign);
		if (v->masked)
			write_mask(out, v, a->a);
		else
			cni_nft_value(out, v->type, a->a, len);
	}
}

/* The protocols that the rest of the rule may take for granted. */
static void learn(struct walk *w, const struct value *v, const struct cni_expr *x)
{
	if (x->key != NFT_CMP_EQ || v->masked)
		return;
	if (v->type == NFT_T_NFPROTO)
		w->nfproto = x->a[0];
	else if (v->type == NFT_T_L4PROTO)
		w->l4proto = x->a[0];
}

static void write_lookup(struct walk *w, const struct cni_expr *x)
{
	size_t len = get(w, x->sreg)->len;

	for (size_t i = 0; i < w->state->n_sets; i++)
		if (!strcmp(w->state->sets[i].name, x->name))
			len = w->state->sets[i].key_len;
	item(w);
	write_concat(w, w->out, x->sreg, len);
	cni_text_printf(w->out, " %s@%s", x->key == 2 ? "vmap " : x->key == 1 ? "!= " : "", x->name);
}

static void write_set(struct walk *w, const struct cni_expr *x, const struct named *names, const char *prefix)
{
	struct value v = *get(w, x->reg);

	while (names->text && names->key != x->key)
		names++;
	if (!v.text)
		v.type = names->type;
	item(w);
	if (names->text)
		cni_text_printf(w->out, "%s set ", names->text);
	else
		cni_text_printf(w->out, "%s %d set ", prefix, x->key);
	write_operand(w->out, &v);
}

static void write_meta_set(struct walk *w, const struct cni_expr *x)
{
	write_set(w, x, metas, "meta");
}

static void write_ct_set(struct walk *w, const struct cni_expr *x)
{
	write_set(w, x, cts, "ct");
}

static void write_verdict(struct walk *w, const struct cni_expr *x)
{
	item(w);
	cni_nft_verdict(w->out, x->key, x->name);
}

static void write_counter(struct walk *w, const struct cni_expr *x)
{
	item(w);
	cni_text_printf(w->out, "counter name \"%s\"", x->name);
}

static void write_tcpopt(struct walk *w, const struct cni_expr *x)
{
	struct value v = *get(w, x->sreg);

	if (!v.text)
		v.type = NFT_T_PORT; /* a decimal number, in network order */
	item(w);
	if (x->key == TCPOPT_MAXSEG && x->offset == 2 && x->len == 2)
		cni_text_puts(w->out, "tcp option maxseg size set ");
	else
		cni_text_printf(w->out, "tcp option @%d,%u,%u set ", x->key, x->offset * 8u, x->len * 8u);
	write_operand(w->out, &v);
}

static void write_notrack(struct walk *w, const struct cni_expr *x)
{
	(void)x;
	item(w);
	cni_text_puts(w->out, "notrack");
}

static void write_masquerade(struct walk *w, const struct cni_expr *x)
{
	(void)x;
	item(w);
	cni_text_puts(w->out, "masquerade");
}

static void write_snat(struct walk *w, const struct cni_expr *x)
{
	struct value v = *get(w, x->sreg);

	if (!v.text)
		v.type = x->key == NFPROTO_IPV4 ? NFT_T_IPV4 : NFT_T_IPV6;
	item(w);
	cni_text_printf(w->out, "snat %s to ", x->key == NFPROTO_IPV4 ? "ip" : "ip6");
	write_operand(w->out, &v);
}

static void write_reject(struct walk *w, const struct cni_expr *x)
{
	static const char *const codes[] = { [NFT_REJECT_ICMPX_NO_ROUTE] = "no-route",
					     [NFT_REJECT_ICMPX_PORT_UNREACH] = "port-unreachable",
					     [NFT_REJECT_ICMPX_HOST_UNREACH] = "host-unreachable",
					     [NFT_REJECT_ICMPX_ADMIN_PROHIBITED] = "admin-prohibited" };

	item(w);
	cni_text_puts(w->out, "reject with icmpx ");
	if (x->key >= 0 && (size_t)x->key < sizeof(codes) / sizeof(*codes))
		cni_text_puts(w->out, codes[x->key]);
	else
		cni_text_printf(w->out, "%d", x->key);
}

/* What cnic never writes has no words here: the rest of the line is a comment. */
static void write_other(struct walk *w, const struct cni_expr *x)
{
	item(w);
	cni_text_printf(w->out, "# %s", x->name ? x->name : "?");
}

/* CNI_X_CMP is not here: two of them can be one range. */
static void (*const step[])(struct walk *, const struct cni_expr *) = {
	[CNI_X_META] = load_meta,
	[CNI_X_META_SET] = write_meta_set,
	[CNI_X_CT] = load_ct,
	[CNI_X_CT_SET] = write_ct_set,
	[CNI_X_PAYLOAD] = load_payload,
	[CNI_X_FIB] = load_fib,
	[CNI_X_BITWISE] = load_bitwise,
	[CNI_X_BYTEORDER] = load_byteorder,
	[CNI_X_HASH] = load_hash,
	[CNI_X_LOOKUP] = write_lookup,
	[CNI_X_IMMEDIATE] = load_immediate,
	[CNI_X_VERDICT] = write_verdict,
	[CNI_X_COUNTER] = write_counter,
	[CNI_X_TCPOPT_SET] = write_tcpopt,
	[CNI_X_NOTRACK] = write_notrack,
	[CNI_X_MASQUERADE] = write_masquerade,
	[CNI_X_SNAT] = write_snat,
	[CNI_X_REJECT] = write_reject,
	[CNI_X_OTHER] = write_other,
};

void cni_emit_nft_rule(struct cni_text *out, const struct cni_state *state, const struct cni_st_rule_nft *rule)
{
	struct walk w = { .out = out, .state = state, .nfproto = -1, .l4proto = -1, .start = out->len };

	for (size_t i = 0; i < rule->n_exprs; i++) {
		const struct cni_expr *x = &rule->exprs[i];
		bool range = x->op == CNI_X_CMP && x->key == NFT_CMP_GTE && i + 1 < rule->n_exprs &&
			     x[1].op == CNI_X_CMP && x[1].key == NFT_CMP_LTE && x[1].reg == x->reg &&
			     x[1].len == x->len;

		if (x->op != CNI_X_CMP) {
			step[x->op](&w, x);
			continue;
		}
		write_compare(&w, get(&w, x->reg), x, range ? &x[1] : NULL);
		learn(&w, get(&w, x->reg), x);
		i += range;
	}
}
