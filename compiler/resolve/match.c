/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match.c - what packets a route or an expect speaks of. */
#include "compiler/resolve/resolve.h"

#define BITS 256 /* of a set of 8-bit numbers */

/* Numbers 0..max, ranges of them, and names. */
static void read_bits(struct cni_resolver *r, const struct cni_ast_value *values, const char *what,
		      const struct cni_word *words, unsigned int max, uint64_t bits[BITS / 64])
{
	struct cni_item *items;
	size_t n = cni_items(r, values, CNI_COMMAS, &items);
	uint64_t lo, hi;

	for (size_t i = 0; i < n; i++) {
		bool word = items[i].value->kind == CNI_VALUE_WORD;

		if (word ? !cni_value_choice(r, &items[i], what, words, &lo)
			 : !cni_value_span(r, &items[i], what, max, &lo, &hi))
			continue;
		for (hi = word ? lo : hi; lo <= hi; lo++)
			bits[lo / 64] |= (uint64_t)1 << (lo % 64);
	}
}

/* `from A` and `not from B` together are A without B. */
static void read_ranges(struct cni_resolver *r, const struct cni_ast_match *ast, bool *has, bool *negated,
			struct cni_ranges *ranges, struct cni_items *written)
{
	struct cni_gather gather = { 0 };
	struct cni_ranges read, left;

	cni_gather(r, &gather, ast->values, CNI_COMMAS);
	read = cni_gathered(r, &gather, ast->span);
	if (!ast->negated)
		*written = gather.written;
	if (!*has) {
		*ranges = read;
		*negated = ast->negated;
		*has = true;
		return;
	}
	if (!cni_charge_ranges(r, ast->span, ranges) || !cni_charge_ranges(r, ast->span, &read))
		return;
	left = ast->negated ? cni_ranges_minus(r->arena, ranges, &read) : cni_ranges_minus(r->arena, &read, ranges);
	*ranges = left;
	*negated = false;
	if (cni_ranges_is_empty(&left) && !gather.broken && !gather.from_file)
		cni_diag(r->diags, CNI146, ast->span, "what is taken out leaves nothing: this never matches");
}

static void combine_bits(struct cni_resolver *r, const struct cni_ast_match *ast, bool *has, bool *negated,
			 uint64_t *bits, const uint64_t *read, unsigned int n)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (!*has)
			bits[i] = read[i];
		else
			bits[i] = ast->negated ? bits[i] & ~read[i] : read[i] & ~bits[i];
		any |= bits[i];
	}
	if (*has && !any)
		cni_diag(r->diags, CNI146, ast->span, "what is taken out leaves nothing: this never matches");
	*negated = !*has && ast->negated;
	*has = true;
}

static void read_from(struct cni_resolver *r, const struct cni_ast_match *ast, struct cni_match *m)
{
	read_ranges(r, ast, &m->has_from, &m->not_from, &m->from, &m->from_written);
}

static void read_to(struct cni_resolver *r, const struct cni_ast_match *ast, struct cni_match *m)
{
	read_ranges(r, ast, &m->has_to, &m->not_to, &m->to, &m->to_written);
}

static void read_proto(struct cni_resolver *r, const struct cni_ast_match *ast, struct cni_match *m)
{
	uint64_t bits[BITS / 64] = { 0 };

	read_bits(r, ast->values, "`proto`", cni_proto_words, UINT8_MAX, bits);
	combine_bits(r, ast, &m->has_proto, &m->not_proto, m->proto, bits, BITS / 64);
}

static void read_dscp(struct cni_resolver *r, const struct cni_ast_match *ast, struct cni_match *m)
{
	uint64_t bits[BITS / 64] = { 0 };

	read_bits(r, ast->values, "`dscp`", cni_dscp_words, 63, bits);
	combine_bits(r, ast, &m->has_dscp, &m->not_dscp, &m->dscp, bits, 1);
}

static void read_ports(struct cni_resolver *r, const struct cni_ast_match *ast, struct cni_match *m)
{
	struct cni_port_match *pm = cni_push(r->arena, m->ports, m->n_ports);

	pm->source = ast->kind == CNI_MATCH_SPORT;
	pm->negated = ast->negated;
	pm->ast = ast;
	if (ast->kind == CNI_MATCH_SERVICE) {
		pm->ports = cni_service_ports(r, ast->service);
		return;
	}
	cni_add_ports(r, &pm->ports, ast->protocol, ast->values);
	cni_ports_normalise(&pm->ports);
}

static void read_icmp(struct cni_resolver *r, const struct cni_ast_match *ast, struct cni_match *m)
{
	struct cni_icmp_match *im = cni_push(r->arena, m->icmp, m->n_icmp);
	bool v6 = ast->kind == CNI_MATCH_ICMPV6;

	im->family = v6 ? CNI_V6 : CNI_V4;
	im->negated = ast->negated;
	im->ast = ast;
	read_bits(r, ast->values, v6 ? "`icmpv6`" : "`icmp`", v6 ? cni_icmpv6_words : cni_icmp_words, UINT8_MAX,
		  im->types);
}

static const struct reader {
	void (*read)(struct cni_resolver *r, const struct cni_ast_match *ast, struct cni_match *m);
	bool once; /* at most one of it and one `not` of it; the others all hold beside each other */
} readers[] = {
	[CNI_MATCH_FROM] = { read_from, true },	   [CNI_MATCH_TO] = { read_to, true },
	[CNI_MATCH_PROTO] = { read_proto, true },  [CNI_MATCH_SPORT] = { read_ports, false },
	[CNI_MATCH_DPORT] = { read_ports, false }, [CNI_MATCH_SERVICE] = { read_ports, false },
	[CNI_MATCH_DSCP] = { read_dscp, true },	   [CNI_MATCH_ICMP] = { read_icmp, false },
	[CNI_MATCH_ICMPV6] = { read_icmp, false },
};

#define N_KINDS (sizeof(readers) / sizeof(*readers))

void cni_resolve_match(struct cni_resolver *r, const struct cni_ast_match *ast, struct cni_match *match)
{
	const struct cni_ast_match *seen[N_KINDS][2] = { 0 };

	for (; ast; ast = ast->next) {
		const struct cni_ast_match **first = &seen[ast->kind][ast->negated];

		if (*first && readers[ast->kind].once) {
			struct cni_diag *d = cni_diag(r->diags, CNI145, ast->span, "this field is matched twice");

			cni_diag_related(r->diags, d, (*first)->span, "first matched here");
			cni_diag_help(r->diags, d, "put both into one list: { a, b }");
			continue;
		}
		*first = ast;
		readers[ast->kind].read(r, ast, match);
	}
}
