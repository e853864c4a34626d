/* SPDX-License-Identifier: GPL-2.0-or-later */
/* others.c - marks are shared: what others do with our bits of them, and whether what is in our place asks for theirs. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "compiler/proof/ruleset.h"

/* The register in which a rule holds a mark, as it was or with other bits than ours changed. */
struct held {
	const char *kind; /* "meta" or "ct" */
	uint32_t reg; /* 0: none */
};

static const struct {
	const char *kind;
	uint32_t key, key_attr, dreg_attr, sreg_attr;
} marks[] = {
	{ "meta", NFT_META_MARK, NFTA_META_KEY, NFTA_META_DREG, NFTA_META_SREG },
	{ "ct", NFT_CT_MARK, NFTA_CT_KEY, NFTA_CT_DREG, NFTA_CT_SREG },
};

/* Whether 4 bytes of an attribute, in host order as marks are, are there and have of our bits just `want`. */
static bool ours_are(struct decoder *d, const struct attrs *attrs, unsigned int number, uint32_t ours, uint32_t want)
{
	struct attrs data = proof_attrs(d, "a value", attrs->at[number], UINT64_MAX);
	uint32_t value;

	if (data.at[NFTA_DATA_VALUE].len != sizeof(value))
		return false;
	memcpy(&value, data.at[NFTA_DATA_VALUE].at, sizeof(value));
	return (value & ours) == want;
}

static bool keeps_ours(struct decoder *d, const struct attrs *attrs, uint32_t ours)
{
	return proof_has(attrs, NFTA_BITWISE_MASK) && ours_are(d, attrs, NFTA_BITWISE_MASK, ours, ours) &&
	       proof_has(attrs, NFTA_BITWISE_XOR) && ours_are(d, attrs, NFTA_BITWISE_XOR, ours, 0);
}

/* xtables' targets within nft. */
static bool is_marking_target(struct decoder *d, const struct attrs *attrs)
{
	const char *name = proof_has(attrs, NFTA_TARGET_NAME) ? proof_string(d, attrs, NFTA_TARGET_NAME) : "";

	return !strcmp(name, "MARK") || !strcmp(name, "CONNMARK") || !strcmp(name, "TPROXY");
}

/* One expression: whether it may change our bits. */
static bool changes(struct decoder *d, const char *name, const struct attrs *attrs, uint32_t ours, struct held *held)
{
	const struct held before = *held;

	if (!strcmp(name, "counter"))
		return false;
	*held = (struct held){ 0 };
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		if (strcmp(name, marks[i].kind) != 0 || proof_be32(d, attrs, marks[i].key_attr) != marks[i].key)
			continue;
		if (proof_has(attrs, marks[i].sreg_attr))
			return before.kind != marks[i].kind || before.reg != proof_be32(d, attrs, marks[i].sreg_attr);
		*held = (struct held){ marks[i].kind, proof_be32(d, attrs, marks[i].dreg_attr) };
	}
	if (!strcmp(name, "bitwise") && before.reg && before.reg == proof_be32(d, attrs, NFTA_BITWISE_SREG) &&
	    keeps_ours(d, attrs, ours))
		*held = (struct held){ before.kind, proof_be32(d, attrs, NFTA_BITWISE_DREG) };
	return !strcmp(name, "tproxy") || (!strcmp(name, "target") && is_marking_target(d, attrs));
}

static bool rule_changes(struct decoder *d, struct bytes list, uint32_t ours)
{
	struct held held = { 0 };
	struct bytes element;

	while (proof_next(d, "expressions", &list, NFTA_LIST_ELEM, &element)) {
		struct attrs attrs =
			proof_attrs(d, "an expression", element, ATTR(NFTA_EXPR_NAME) | ATTR(NFTA_EXPR_DATA));
		const char *name = proof_string(d, &attrs, NFTA_EXPR_NAME);
		struct attrs data = proof_attrs(d, name, attrs.at[NFTA_EXPR_DATA], UINT64_MAX);

		if (changes(d, name, &data, ours, &held))
			return true;
	}
	return false;
}

void proof_others(struct decoder *d, struct bytes in, uint32_t ours)
{
	while (!d->error && in.len) {
		struct bytes message;
		struct nlmsghdr header;
		struct nfgenmsg family;
		struct attrs attrs;
		size_t step;

		if (in.len >= sizeof(header))
			memcpy(&header, in.at, sizeof(header));
		if (in.len < sizeof(header) || header.nlmsg_len < sizeof(header) || header.nlmsg_len > in.len) {
			proof_fail(d, "the rules of other tables are cut short");
			return;
		}
		message = (struct bytes){ in.at + sizeof(header), header.nlmsg_len - sizeof(header) };
		step = NLMSG_ALIGN(header.nlmsg_len);
		in = (struct bytes){ in.at + step, step < in.len ? in.len - step : 0 };
		if (!proof_take(d, "a rule", &message, &family, sizeof(family)) || family.nfgen_family == NFPROTO_ARP)
			continue;
		attrs = proof_attrs(d, "a rule", message, UINT64_MAX);
		if (rule_changes(d, attrs.at[NFTA_RULE_EXPRESSIONS], ours))
			proof_fail(d,
				   "table %s, chain %s: a rule of somebody else's may change the marks by which cnic "
				   "steers",
				   proof_string(d, &attrs, NFTA_RULE_TABLE), proof_string(d, &attrs, NFTA_RULE_CHAIN));
	}
}

/* ---- in our place ---- */

static bool is_mark(const struct expr *x)
{
	return (x->op == X_META && x->key == NFT_META_MARK) || (x->op == X_CT && x->key == NFT_CT_MARK);
}

/* The next expression that does something with the register; NULL: it is another one's turn. */
static const struct expr *next_of(const struct nft_rule *rule, size_t *i, uint8_t reg)
{
	while (++*i < rule->n_exprs && rule->exprs[*i].op == X_COUNTER)
		;
	return *i < rule->n_exprs && rule->exprs[*i].sreg == reg ? &rule->exprs[*i] : NULL;
}

/* A mark is cut to our bits before anything looks at it, or goes back where it came from. */
static bool asks_only_ours(const struct nft_rule *rule, size_t i, uint32_t ours)
{
	const struct expr *next = next_of(rule, &i, rule->exprs[i].dreg);
	uint32_t mask;

	if (next && next->op == X_BITWISE && next->dreg == next->sreg && next->a.len == sizeof(mask)) {
		memcpy(&mask, next->a.at, sizeof(mask));
		if (!(mask & ~ours))
			return true;
		next = next_of(rule, &i, next->dreg);
	}
	return next && (next->op == X_META_SET || next->op == X_CT_SET);
}

void proof_foreign_marks(struct decoder *d, uint32_t ours)
{
	const struct ruleset *to = d->to;

	for (size_t i = 0; i < to->n_rules; i++)
		if (to->rules[i].mask & ~ours)
			proof_fail(d, "ip rule %u asks for marks of somebody else's", to->rules[i].priority);
	for (size_t i = 0; i < to->n_chains; i++)
		for (size_t j = 0; j < to->chains[i]->n_rules; j++)
			for (size_t k = 0; k < to->chains[i]->rules[j].n_exprs; k++)
				if (is_mark(&to->chains[i]->rules[j].exprs[k]) &&
				    !asks_only_ours(&to->chains[i]->rules[j], k, ours))
					proof_fail(d, "chain %s: a rule asks for marks of somebody else's",
						   to->chains[i]->name);
}
