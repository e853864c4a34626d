/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match.c - each field of a match is an OR of alternatives; their product becomes the rules. See match.h.
 *
 * An alternative says which family and which protocol it needs, so that the conditions come once in a rule and
 * products that contradict themselves are left out. */
#include "compiler/lower/match.h"
#include "compiler/lower/shards.h"

#include <linux/netfilter/nf_tables.h>

#define ANY_FAMILY CNI_N_FAMILIES
#define ANY_PROTO 256
#define MAX_RULES 16384 /* of one route */

struct alternative {
	enum cni_family family; /* or ANY_FAMILY */
	unsigned int proto; /* or ANY_PROTO */
	void (*test)(struct lower *l, struct cni_st_rule_nft *r, const struct alternative *a); /* NULL: none */
	bool source, inside;
	struct cni_addr lo, hi;
	uint16_t first, last;
	uint64_t bits[4];
	const char *set;
	const struct shards *shards; /* asked after everything else: this leads to other chains */
};

struct field {
	struct alternative *items;
	size_t n_items;
};

static struct alternative *add(struct lower *l, struct field *field, enum cni_family family, unsigned int proto)
{
	struct alternative *a = cni_push(l->arena, field->items, field->n_items);

	a->family = family;
	a->proto = proto;
	return a;
}

/* ---- addresses ---- */

static void test_range(struct lower *l, struct cni_st_rule_nft *r, const struct alternative *a)
{
	if_addr_range(l, r, a->source, a->inside, a->lo, a->hi);
}

static void test_set(struct lower *l, struct cni_st_rule_nft *r, const struct alternative *a)
{
	if_addr_in_set(l, r, a->source, a->inside, a->family, a->set);
}

static const char *set_label(const struct lower *l, const struct cni_ranges *ranges, enum cni_family family)
{
	const struct cni_model *m = l->model;

	for (size_t i = 0; i < m->n_sets; i++)
		if (cni_ranges_equal(&m->sets[i].ranges, ranges))
			return cni_printf(l->arena, "%s.%s", m->sets[i].name, family == CNI_V4 ? "4" : "6");
	return family == CNI_V4 ? "addresses.4" : "addresses.6";
}

static void addresses(struct lower *l, struct field *field, const struct cni_ranges *ranges, bool source, bool negated)
{
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		size_t n = cni_ranges_count(ranges, f);
		struct cni_addr lo = { .family = f }, hi = { f, cni_host_mask(f, 0) };
		struct alternative *a;
		cni_u128 flip;

		if (n == 1) {
			lo.v = f == CNI_V4 ? ranges->v4[0].lo : ranges->v6[0].lo;
			hi.v = f == CNI_V4 ? ranges->v4[0].hi : ranges->v6[0].hi;
		}
		flip = lo.v ^ hi.v;
		if (flip == cni_host_mask(f, 0) && !lo.v && n <= 1) {
			/* the whole family, or none of it: no test of the address */
			if ((n == 1) != negated)
				add(l, field, f, ANY_PROTO);
			continue;
		}
		a = add(l, field, f, ANY_PROTO);
		a->source = source;
		a->inside = !negated;
		a->lo = lo;
		a->hi = hi;
		if (n == 1 && (!negated || ((flip & (flip + 1)) == 0 && (lo.v & flip) == 0))) {
			a->test = test_range;
			continue;
		}
		a->shards = lower_shards(l, ranges, f, set_label(l, ranges, f));
		if (a->shards)
			continue;
		a->test = test_set;
		a->set = set_of_ranges(l, ranges, f, set_label(l, ranges, f));
	}
}

/* ---- protocols and ports ---- */

static bool has_bit(const uint64_t *bits, unsigned int i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static void test_not_protos(struct lower *l, struct cni_st_rule_nft *r, const struct alternative *a)
{
	for (unsigned int p = 0; p < 256; p++)
		if (has_bit(a->bits, p))
			if_proto(l, r, false, (uint8_t)p);
}

static struct alternative *add_not_protos(struct lower *l, struct field *field, enum cni_family family)
{
	struct alternative *a = add(l, field, family, ANY_PROTO);

	a->test = test_not_protos;
	return a;
}

static void protocols(struct lower *l, struct field *field, const struct cni_match *match)
{
	if (match->not_proto) {
		__builtin_memcpy(add_not_protos(l, field, ANY_FAMILY)->bits, match->proto, sizeof(match->proto));
		return;
	}
	for (unsigned int p = 0; p < 256; p++)
		if (has_bit(match->proto, p))
			add(l, field, ANY_FAMILY, p);
}

static void test_port(struct lower *l, struct cni_st_rule_nft *r, const struct alternative *a)
{
	if_port_range(l, r, a->source, a->first, a->last);
}

static void test_ports(struct lower *l, struct cni_st_rule_nft *r, const struct alternative *a)
{
	if_port_in_set(l, r, a->source, a->inside, a->set);
}

static void ports(struct lower *l, struct field *field, const struct cni_port_match *match)
{
	const struct cni_port_range *items = match->ports.items;
	struct alternative *others = match->negated ? add_not_protos(l, field, ANY_FAMILY) : NULL;

	for (size_t i = 0, next; i < match->ports.n_items; i = next) {
		struct alternative *a = add(l, field, ANY_FAMILY, items[i].proto);

		for (next = i + 1; next < match->ports.n_items && items[next].proto == items[i].proto; next++)
			;
		a->source = match->source;
		a->inside = !match->negated;
		a->first = items[i].lo;
		a->last = items[i].hi;
		if (next - i == 1 && !match->negated) {
			a->test = a->first == 0 && a->last == UINT16_MAX ? NULL : test_port;
		} else {
			a->test = test_ports;
			a->set = set_of_ports(l, items + i, next - i);
		}
		if (match->negated) {
			others = field->items; /* the first: it may have moved */
			others->bits[items[i].proto / 64] |= (uint64_t)1 << (items[i].proto % 64);
		}
	}
}

/* ---- dscp and icmp ---- */

static void test_dscp(struct lower *l, struct cni_st_rule_nft *r, const struct alternative *a)
{
	for (uint8_t d = 0; d < 64; d++)
		if (has_bit(a->bits, d))
			if_dscp(l, r, a->family, a->inside, d);
}

static void dscp(struct lower *l, struct field *field, const struct cni_match *match)
{
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		for (unsigned int d = 0; d < 64; d++) {
			struct alternative *a;

			if (!match->not_dscp && !(match->dscp >> d & 1))
				continue;
			a = add(l, field, f, ANY_PROTO);
			a->test = test_dscp;
			a->inside = !match->not_dscp;
			a->bits[0] = match->not_dscp ? match->dscp : (uint64_t)1 << d;
			if (match->not_dscp)
				break; /* all of them at once: each must not be */
		}
}

static void test_icmp(struct lower *l, struct cni_st_rule_nft *r, const struct alternative *a)
{
	if_icmp_type(l, r, (uint8_t)a->first, (uint8_t)a->last);
}

static void icmp(struct lower *l, struct field *field, const struct cni_icmp_match *match)
{
	const unsigned int proto = match->family == CNI_V4 ? 1 : 58;

	if (match->negated) {
		add(l, field, match->family == CNI_V4 ? CNI_V6 : CNI_V4, ANY_PROTO);
		add_not_protos(l, field, match->family)->bits[proto / 64] = (uint64_t)1 << (proto % 64);
	}
	/* runs of types that are wanted */
	for (unsigned int lo = 0, hi; lo < 256; lo = hi + 1) {
		struct alternative *a;

		hi = lo;
		if (has_bit(match->types, lo) == match->negated)
			continue;
		while (hi < 255 && has_bit(match->types, hi + 1) != match->negated)
			hi++;
		a = add(l, field, match->family, proto);
		a->test = test_icmp;
		a->first = (uint16_t)lo;
		a->last = (uint16_t)hi;
	}
}

/* ---- the product ---- */

struct product {
	struct lower *l;
	struct chain *chain;
	const struct field *fields;
	size_t n_fields;
	const struct alternative **chosen; /* one a field */
	size_t n_rules;
	struct cni_span span;
	const char *then;
	struct cni_st_rule_nft ends[CNI_N_FAMILIES]; /* how rules go on with large sets; empty: not known yet */
};

static void append(struct lower *l, struct cni_st_rule_nft *r, const struct cni_st_rule_nft *more)
{
	for (size_t i = 0; i < more->n_exprs; i++)
		*cni_push(l->arena, r->exprs, r->n_exprs) = more->exprs[i];
}

/* Every rule of a family asks the same large sets, one of destinations and one of sources at most: where both are, the
 * one leads to a chain that asks the other. */
static const struct cni_st_rule_nft *ask_shards(struct product *p, enum cni_family family)
{
	struct cni_st_rule_nft *end = &p->ends[family], *r;
	const char *then = p->then;

	if (end->n_exprs)
		return end;
	for (size_t i = p->n_fields; i--;) {
		const struct alternative *a = p->chosen[i];
		struct chain rest = { 0 };

		if (!a->shards)
			continue;
		if (end->n_exprs) {
			r = chain_rule(p->l, &rest, p->span);
			if_family(p->l, r, family);
			append(p->l, r, end);
			then = chain_done(p->l, &rest, "rest");
		}
		*end = (struct cni_st_rule_nft){ .span = p->span };
		lower_by_shards(p->l, end, a->shards, a->source, a->inside, then);
	}
	return end;
}

static void go_on(struct product *p, struct cni_st_rule_nft *r, enum cni_family family)
{
	const struct cni_st_rule_nft *end = family == ANY_FAMILY ? NULL : ask_shards(p, family);

	if (end && end->n_exprs)
		append(p->l, r, end);
	else
		do_verdict(p->l, r, NFT_GOTO, p->then);
}

static void write_rule(struct product *p, enum cni_family family, unsigned int proto)
{
	struct cni_st_rule_nft *r;

	if (p->n_rules++ >= MAX_RULES)
		return;
	r = chain_rule(p->l, p->chain, p->span);

	if (family != ANY_FAMILY)
		if_family(p->l, r, family);
	if (proto != ANY_PROTO)
		if_proto(p->l, r, true, (uint8_t)proto);
	for (size_t i = 0; i < p->n_fields; i++)
		if (p->chosen[i]->test)
			p->chosen[i]->test(p->l, r, p->chosen[i]);
	go_on(p, r, family);
}

static void choose(struct product *p, size_t at, enum cni_family family, unsigned int proto)
{
	if (at == p->n_fields) {
		write_rule(p, family, proto);
		return;
	}
	for (size_t i = 0; i < p->fields[at].n_items && p->n_rules <= MAX_RULES; i++) {
		const struct alternative *a = &p->fields[at].items[i];

		if (family != ANY_FAMILY && a->family != ANY_FAMILY && a->family != family)
			continue;
		if (proto != ANY_PROTO && a->proto != ANY_PROTO && a->proto != proto)
			continue;
		p->chosen[at] = a;
		choose(p, at + 1, a->family != ANY_FAMILY ? a->family : family,
		       a->proto != ANY_PROTO ? a->proto : proto);
	}
}

void lower_match(struct lower *l, struct chain *chain, const struct cni_match *match, struct cni_span span,
		 const char *then, enum cni_family family)
{
	size_t max = 4 + match->n_ports + match->n_icmp, n = 0;
	struct field *fields = cni_new_array(l->arena, struct field, max);
	struct product product = { .l = l, .chain = chain, .fields = fields, .span = span, .then = then };

	/* what tells most apart with the least work first */
	if (match->has_to)
		addresses(l, &fields[n++], &match->to, false, match->not_to);
	if (match->has_from)
		addresses(l, &fields[n++], &match->from, true, match->not_from);
	if (match->has_proto)
		protocols(l, &fields[n++], match);
	for (size_t i = 0; i < match->n_ports; i++)
		ports(l, &fields[n++], &match->ports[i]);
	for (size_t i = 0; i < match->n_icmp; i++)
		icmp(l, &fields[n++], &match->icmp[i]);
	if (match->has_dscp)
		dscp(l, &fields[n++], match);
	product.n_fields = n;
	product.chosen = cni_new_array(l->arena, const struct alternative *, n);
	choose(&product, 0, family, ANY_PROTO);
	if (product.n_rules > MAX_RULES)
		cni_diag_help(l->diags,
			      cni_diag(l->diags, CNI503, span, "this match takes more than %d rules", MAX_RULES),
			      "put the negated parts into routes of their own before this one");
}
