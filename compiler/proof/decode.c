/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode.c - netlink messages to a ruleset: headers, and the objects of nftables that are small. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/proof/ruleset.h"

#define TABLE "cnic"

void proof_table_name(struct decoder *d, const struct attrs *attrs)
{
	const char *name = proof_string(d, attrs, NFTA_TABLE_NAME); /* attribute 1 of every kind of object */

	if (strcmp(name, TABLE) != 0)
		proof_fail(d, "%s is in table `%s`", attrs->what, name);
}

static void decode_table(struct decoder *d, struct bytes in)
{
	struct attrs attrs = proof_attrs(
		d, "a table", in,
		ATTR(NFTA_TABLE_NAME) |
			proof_in_dump(d, ATTR(NFTA_TABLE_FLAGS) | ATTR(NFTA_TABLE_USE) | ATTR(NFTA_TABLE_HANDLE) |
						 ATTR(NFTA_TABLE_USERDATA) | ATTR(NFTA_TABLE_OWNER)));

	proof_table_name(d, &attrs);
	d->to->has_table = true;
	if (proof_has(&attrs, NFTA_TABLE_FLAGS))
		d->to->is_dormant = proof_be32(d, &attrs, NFTA_TABLE_FLAGS) & NFT_TABLE_F_DORMANT;
}

static void decode_counter(struct decoder *d, struct bytes in)
{
	struct attrs attrs = proof_attrs(d, "a counter", in,
					 ATTR(NFTA_OBJ_TABLE) | ATTR(NFTA_OBJ_NAME) | ATTR(NFTA_OBJ_TYPE) |
						 ATTR(NFTA_OBJ_DATA) | ATTR(NFTA_OBJ_USERDATA) |
						 proof_in_dump(d, ATTR(NFTA_OBJ_USE) | ATTR(NFTA_OBJ_HANDLE)));
	const char *name = proof_string(d, &attrs, NFTA_OBJ_NAME);

	proof_table_name(d, &attrs);
	if (proof_be32(d, &attrs, NFTA_OBJ_TYPE) != NFT_OBJECT_COUNTER && d->is_dump)
		return; /* somebody else's: only a rule that refers to it is of account */
	if (proof_be32(d, &attrs, NFTA_OBJ_TYPE) != NFT_OBJECT_COUNTER)
		proof_fail(d, "the object `%s` is no counter", name);
	*cni_push(d->arena, d->to->counters, d->to->n_counters) = name;
}

/* Rules come chain by chain, in the order in which the chains were made: the search begins where the last one ended. */
static struct chain *last_chain(struct decoder *d, const char *name)
{
	struct ruleset *to = d->to;

	for (size_t i = 0; i < to->n_chains; i++) {
		const size_t at = (to->recent_chain + i) % to->n_chains;

		if (strcmp(to->chains[at]->name, name) != 0)
			continue;
		to->recent_chain = at;
		return to->chains[at];
	}
	return NULL;
}

static void decode_hook(struct decoder *d, struct bytes in, struct chain *chain)
{
	struct attrs attrs = proof_attrs(d, "a hook", in, ATTR(NFTA_HOOK_HOOKNUM) | ATTR(NFTA_HOOK_PRIORITY));

	chain->is_base = !d->to->is_dormant; /* else nothing comes to it */
	chain->hook = proof_be32(d, &attrs, NFTA_HOOK_HOOKNUM);
	chain->priority = (int32_t)proof_be32(d, &attrs, NFTA_HOOK_PRIORITY);
	if (chain->hook != NF_INET_PRE_ROUTING && chain->hook != NF_INET_LOCAL_OUT &&
	    chain->hook != NF_INET_POST_ROUTING)
		proof_fail(d, "the chain `%s` is at a hook that nothing is known of", chain->name);
}

static void decode_chain(struct decoder *d, struct bytes in)
{
	struct attrs attrs = proof_attrs(
		d, "a chain", in,
		ATTR(NFTA_CHAIN_TABLE) | ATTR(NFTA_CHAIN_NAME) | ATTR(NFTA_CHAIN_TYPE) | ATTR(NFTA_CHAIN_HOOK) |
			proof_in_dump(d, ATTR(NFTA_CHAIN_HANDLE) | ATTR(NFTA_CHAIN_POLICY) | ATTR(NFTA_CHAIN_USE) |
						 ATTR(NFTA_CHAIN_COUNTERS) | ATTR(NFTA_CHAIN_FLAGS) |
						 ATTR(NFTA_CHAIN_USERDATA)));
	struct chain *chain = cni_new(d->arena, struct chain);

	proof_table_name(d, &attrs);
	chain->name = proof_string(d, &attrs, NFTA_CHAIN_NAME);
	if (proof_has(&attrs, NFTA_CHAIN_HOOK)) {
		chain->type = proof_string(d, &attrs, NFTA_CHAIN_TYPE);
		decode_hook(d, attrs.at[NFTA_CHAIN_HOOK], chain);
	} else if (proof_has(&attrs, NFTA_CHAIN_TYPE)) {
		proof_fail(d, "the chain `%s` has a type, but no hook", chain->name);
	}
	if (proof_has(&attrs, NFTA_CHAIN_POLICY))
		chain->drops = proof_be32(d, &attrs, NFTA_CHAIN_POLICY) == NF_DROP;
	if (proof_has(&attrs, NFTA_CHAIN_FLAGS) && proof_be32(d, &attrs, NFTA_CHAIN_FLAGS) & NFT_CHAIN_HW_OFFLOAD)
		proof_fail(d, "the chain `%s` is left to a device", chain->name);
	*cni_push(d->arena, d->to->chains, d->to->n_chains) = chain;
}

static struct chain *chain_of(struct decoder *d, const struct attrs *attrs)
{
	const char *name = proof_string(d, attrs, NFTA_RULE_CHAIN);
	struct chain *chain = last_chain(d, name);

	proof_table_name(d, attrs);
	if (!chain)
		proof_fail(d, "a rule is in the chain `%s`, which is not there", name);
	return chain;
}

static void decode_nft_rule(struct decoder *d, struct bytes in)
{
	struct attrs attrs = proof_attrs(
		d, "a rule", in,
		ATTR(NFTA_RULE_TABLE) | ATTR(NFTA_RULE_CHAIN) | ATTR(NFTA_RULE_EXPRESSIONS) |
			proof_in_dump(d, ATTR(NFTA_RULE_HANDLE) | ATTR(NFTA_RULE_POSITION) | ATTR(NFTA_RULE_USERDATA)));
	struct chain *chain = chain_of(d, &attrs);

	if (d->error)
		return;
	proof_decode_rule(d, attrs.at[NFTA_RULE_EXPRESSIONS], cni_push(d->arena, chain->rules, chain->n_rules));
	if (d->error && d->is_dump)
		d->error = cni_printf(d->arena, "chain %s: %s", chain->name, d->error);
}

/* Without a handle: all rules of the chain. */
static void decode_flush(struct decoder *d, struct bytes in)
{
	struct attrs attrs = proof_attrs(d, "the end of rules", in, ATTR(NFTA_RULE_TABLE) | ATTR(NFTA_RULE_CHAIN));
	struct chain *chain = chain_of(d, &attrs);

	if (!d->error)
		chain->n_rules = 0;
}

/* A batch's frame: which generation it is tied to decides whether the kernel takes it, not what it means. */
static void decode_frame(struct decoder *d, struct bytes in)
{
	proof_attrs(d, "a batch", in, ATTR(NFNL_BATCH_GENID));
	d->in_batch = !d->in_batch;
}

#define NFT(type) (NFNL_SUBSYS_NFTABLES << 8 | (type))

static const struct {
	enum proof_bus bus;
	uint16_t type, flags; /* flags: without which the kernel makes nothing, or in another order */
	void (*decode)(struct decoder *d, struct bytes in); /* behind the family header on nfnetlink */
} messages[] = {
	{ PROOF_NETFILTER, NFNL_MSG_BATCH_BEGIN, 0, decode_frame },
	{ PROOF_NETFILTER, NFNL_MSG_BATCH_END, 0, decode_frame },
	{ PROOF_NETFILTER, NFT(NFT_MSG_NEWTABLE), NLM_F_CREATE, decode_table },
	{ PROOF_NETFILTER, NFT(NFT_MSG_NEWCHAIN), NLM_F_CREATE, decode_chain },
	{ PROOF_NETFILTER, NFT(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND, decode_nft_rule },
	{ PROOF_NETFILTER, NFT(NFT_MSG_DELRULE), 0, decode_flush },
	{ PROOF_NETFILTER, NFT(NFT_MSG_NEWSET), NLM_F_CREATE, proof_decode_set },
	{ PROOF_NETFILTER, NFT(NFT_MSG_NEWSETELEM), NLM_F_CREATE, proof_decode_elements },
	{ PROOF_NETFILTER, NFT(NFT_MSG_NEWOBJ), NLM_F_CREATE, decode_counter },
	{ PROOF_ROUTE, RTM_NEWRULE, NLM_F_CREATE, proof_decode_ip_rule },
	{ PROOF_ROUTE, RTM_NEWROUTE, NLM_F_CREATE, proof_decode_ip_route },
};

/* What the kernel looks at before it looks into the message. */
static void check_header(struct decoder *d, enum proof_bus bus, const struct nlmsghdr *header, uint16_t flags,
			 const struct nfgenmsg *family)
{
	const bool is_frame = bus == PROOF_NETFILTER && header->nlmsg_type < NLMSG_MIN_TYPE + 2;
	const uint16_t subsystem = (uint16_t)(family->res_id << 8 | family->res_id >> 8);

	if (bus == PROOF_NETFILTER && !is_frame && family->nfgen_family != NFPROTO_INET)
		proof_fail(d, "a message is of family %u", family->nfgen_family);
	if (d->is_dump)
		return;
	if ((header->nlmsg_flags & flags) != flags)
		proof_fail(d, "a message of type %u has flags 0x%x", header->nlmsg_type, header->nlmsg_flags);
	if (is_frame && d->in_batch != (header->nlmsg_type == NFNL_MSG_BATCH_END))
		proof_fail(d, "a batch begins or ends where it must not");
	if (is_frame && subsystem != NFNL_SUBSYS_NFTABLES)
		proof_fail(d, "a batch is for subsystem %u", subsystem);
	if (bus == PROOF_NETFILTER && !is_frame && !d->in_batch)
		proof_fail(d, "a message is in no batch");
}

static void decode_one(struct decoder *d, enum proof_bus bus, const struct nlmsghdr *header, struct bytes in)
{
	struct nfgenmsg family = { 0 };

	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		if (messages[i].bus != bus || messages[i].type != header->nlmsg_type)
			continue;
		if (bus == PROOF_NETFILTER && !proof_take(d, "a message", &in, &family, sizeof(family)))
			return;
		check_header(d, bus, header, messages[i].flags, &family);
		messages[i].decode(d, in);
		return;
	}
	proof_fail(d, "a message of type %u is not known", header->nlmsg_type);
}

void proof_decode(struct decoder *d, enum proof_bus bus, struct bytes in)
{
	struct nlmsghdr header;

	while (!d->error && in.len) {
		size_t step;

		if (in.len < sizeof(header)) {
			proof_fail(d, "the messages end within a header");
			return;
		}
		memcpy(&header, in.at, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > in.len) {
			proof_fail(d, "a message claims %u of %zu bytes", header.nlmsg_len, in.len);
			return;
		}
		decode_one(d, bus, &header,
			   (struct bytes){ in.at + sizeof(header), header.nlmsg_len - sizeof(header) });
		step = NLMSG_ALIGN(header.nlmsg_len);
		step = step < in.len ? step : in.len;
		in.at += step;
		in.len -= step;
	}
	if (d->in_batch)
		proof_fail(d, "a batch does not end");
}

/* ---- what it is when all is there ---- */

static int by_chain_name(const void *a, const void *b)
{
	return strcmp((*(struct chain *const *)a)->name, (*(struct chain *const *)b)->name);
}

static int by_set_name(const void *a, const void *b)
{
	return strcmp((*(struct set *const *)a)->name, (*(struct set *const *)b)->name);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_priority(const void *a, const void *b)
{
	const struct ip_rule *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* As the kernel looks: the longest prefix first, then the lowest metric. */
static int by_preference(const void *a, const void *b)
{
	const struct ip_route *x = a, *y = b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (x->to.len != y->to.len)
		return x->to.len > y->to.len ? -1 : 1;
	if (x->to.addr.v != y->to.addr.v)
		return x->to.addr.v < y->to.addr.v ? -1 : 1;
	return (x->metric > y->metric) - (x->metric < y->metric);
}

static struct chain *find_chain(struct decoder *d, const char *name)
{
	const struct chain key = { .name = name }, *at = &key;
	struct chain **found =
		d->to->n_chains ? bsearch(&at, d->to->chains, d->to->n_chains, sizeof(at), by_chain_name) : NULL;

	if (!found)
		proof_fail(d, "the chain `%s` is not there", name);
	return found ? *found : NULL;
}

static const struct set *find_set(struct decoder *d, const char *name)
{
	const struct set key = { .name = name }, *at = &key;
	struct set **found = d->to->n_sets ? bsearch(&at, d->to->sets, d->to->n_sets, sizeof(at), by_set_name) : NULL;

	if (!found)
		proof_fail(d, "the set `%s` is not there", name);
	return found ? *found : NULL;
}

static bool leads_on(int32_t code)
{
	return code == NFT_JUMP || code == NFT_GOTO;
}

static void name_expr(struct decoder *d, struct expr *x)
{
	if (x->op == X_LOOKUP)
		x->set = find_set(d, x->name);
	if (x->op == X_LOOKUP && x->set && x->set->is_map != x->is_map)
		proof_fail(d, "the set `%s` is looked up as what it is not", x->name);
	if (x->op == X_VERDICT && leads_on(x->code))
		x->chain = find_chain(d, x->name);
	if (x->op == X_COUNTER && x->name &&
	    (!d->to->n_counters || !bsearch(&x->name, d->to->counters, d->to->n_counters, sizeof(x->name), by_text)))
		proof_fail(d, "the counter `%s` is not there", x->name);
}

static void name_all(struct decoder *d)
{
	for (size_t i = 0; i < d->to->n_chains; i++) {
		struct chain *chain = d->to->chains[i];

		chain->index = i;
		for (size_t j = 0; j < chain->n_rules; j++)
			for (size_t k = 0; k < chain->rules[j].n_exprs; k++)
				name_expr(d, &chain->rules[j].exprs[k]);
	}
	for (size_t i = 0; i < d->to->n_sets; i++)
		for (size_t j = 0; d->to->sets[i]->is_map && j < d->to->sets[i]->n_elems; j++) {
			struct element *e = &d->to->sets[i]->elems[j];

			if (leads_on(e->code))
				e->chain = find_chain(d, e->name);
		}
}

static void no_twins(struct decoder *d)
{
	for (size_t i = 1; i < d->to->n_chains; i++)
		if (!by_chain_name(&d->to->chains[i - 1], &d->to->chains[i]))
			proof_fail(d, "the chain `%s` is made twice", d->to->chains[i]->name);
	for (size_t i = 1; i < d->to->n_sets; i++)
		if (!by_set_name(&d->to->sets[i - 1], &d->to->sets[i]))
			proof_fail(d, "the set `%s` is made twice", d->to->sets[i]->name);
	for (size_t i = 1; i < d->to->n_routes; i++)
		if (!by_preference(&d->to->routes[i - 1], &d->to->routes[i]))
			proof_fail(d, "two routes of table %u have metric %u", d->to->routes[i].table,
				   d->to->routes[i].metric);
}

/* Of a kernel's ip rules those behind the last of ours belong to ordinary routing. In front of it all must be clear. */
static void cut_rules(struct decoder *d)
{
	struct ruleset *to = d->to;
	size_t end[CNI_N_FAMILIES] = { 0 }, n = 0;

	for (size_t i = 0; i < to->n_rules; i++)
		if (!to->rules[i].is_foreign)
			end[to->rules[i].family] = i + 1;
	for (size_t i = 0; i < to->n_rules; i++) {
		if (i >= end[to->rules[i].family])
			continue;
		if (to->rules[i].unclear)
			proof_fail(d, "ip rule %u (%s): %s", to->rules[i].priority,
				   to->rules[i].family == CNI_V4 ? "IPv4" : "IPv6", to->rules[i].unclear);
		to->has_foreign |= to->rules[i].is_foreign;
		to->rules[n++] = to->rules[i];
	}
	to->n_rules = n;
}

void proof_complete(struct decoder *d)
{
	struct ruleset *to = d->to;

	if (to->n_chains)
		qsort(to->chains, to->n_chains, sizeof(*to->chains), by_chain_name);
	if (to->n_sets)
		qsort(to->sets, to->n_sets, sizeof(*to->sets), by_set_name);
	if (to->n_counters)
		qsort(to->counters, to->n_counters, sizeof(*to->counters), by_text);
	if (to->n_rules)
		qsort(to->rules, to->n_rules, sizeof(*to->rules), by_priority);
	if (d->is_dump)
		cut_rules(d);
	if (to->n_routes)
		qsort(to->routes, to->n_routes, sizeof(*to->routes), by_preference);
	for (size_t i = 0; i < to->n_sets && !d->error; i++)
		proof_complete_set(d, to->sets[i]);
	no_twins(d);
	name_all(d);
}
